"""Messages as they come in, within limits."""

import queue
from collections.abc import Callable
from typing import Any

from pynetdicom.dimse import DIMSEServiceProvider

from dicom_listener.network.limits import Limits

_C_STORE = 0x0001


class TooLongError(Exception):
    """A message is longer than any that is served."""


class NoticedQueue(queue.Queue[Any]):
    """A queue that tells when something is put into it or taken out."""

    def __init__(self, on_put: Callable[[], None], on_get: Callable[[], None] = lambda: None) -> None:
        """Call `on_put` after each put and `on_get` after each get."""
        super().__init__()
        self._on_put, self._on_get = on_put, on_get

    def put(self, item: Any, block: bool = True, timeout: float | None = None) -> None:  # noqa: ANN401, FBT001, FBT002 - the base's
        """Put, then tell."""
        super().put(item, block, timeout)
        self._on_put()

    def get(self, block: bool = True, timeout: float | None = None) -> Any:  # noqa: ANN401, FBT001, FBT002 - the base's
        """Get, then tell."""
        item = super().get(block, timeout)
        self._on_get()
        return item


class LimitedMessages(DIMSEServiceProvider):
    """The library's assembly of messages, ended where a message grows too long."""

    def __init__(self, assoc: Any, limits: Limits) -> None:  # noqa: ANN401 - the library's
        """Assemble the messages of one association."""
        super().__init__(assoc)
        self._limits = limits
        self._command_length = self._data_set_length = 0
        self.msg_queue = NoticedQueue(assoc.notice, assoc.dul.wake)

    @property
    def is_full(self) -> bool:
        """Whether as many messages wait as may."""
        return bool(self.msg_queue.qsize() >= self._limits.messages)

    def receive_primitive(self, primitive: Any) -> None:  # noqa: ANN401 - the library's
        """Take the fragments of one PDU.

        Raises
        ------
        TooLongError
            When their message is longer than any that is served.
        """
        for _, fragment in primitive.presentation_data_value_list:
            if fragment[:1] and fragment[0] & 1:
                self._command_length += len(fragment)
            else:
                self._data_set_length += len(fragment)
        if self._command_length > self._limits.command:
            raise TooLongError
        super().receive_primitive(primitive)
        if self.message is None:
            self._command_length = self._data_set_length = 0
        elif self._data_set_length > self._longest_data_set():
            raise TooLongError

    def _longest_data_set(self) -> int:
        is_store = self.message is not None and self.message.command_set.get("CommandField") == _C_STORE
        return self._limits.data_set if is_store else self._limits.identifier
