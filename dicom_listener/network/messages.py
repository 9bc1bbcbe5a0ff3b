"""Messages as they come in, within limits."""

import queue
import struct
from collections.abc import Callable
from io import BytesIO
from time import monotonic
from typing import Any

from pynetdicom.dimse import DIMSEServiceProvider
from pynetdicom.pdu_primitives import P_DATA

from dicom_listener.network.incoming import Incoming
from dicom_listener.network.limits import Limits

_C_STORE, _N_EVENT_REPORT = 0x0001, 0x0100
_COMMAND_FIELD = 0x0100
_ELEMENT = struct.Struct("<HHL")
_IS_COMMAND, _IS_LAST = 1, 2


class TooLongError(Exception):
    """A message is longer than any that is served, or takes longer."""


class OutOfOrderError(Exception):
    """A message's fragments do not follow each other as PS3.7 section 6.3 and PS3.8 Annex E have it."""


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


class StoredData(BytesIO):
    """The data set of a C-STORE as the library holds it: on disk where it is large."""

    def __init__(self, incoming: Incoming) -> None:
        """Write into `incoming`."""
        super().__init__()
        self.incoming = incoming

    def discard(self) -> None:
        """Leave nothing in memory or on disk but what was kept."""
        self.incoming.discard()
        self.incoming.free()

    def write(self, fragment: Any) -> int:  # noqa: ANN401 - the base's
        """Append a fragment."""
        if fragment:
            place = self.incoming.room(len(fragment))
            place[:] = fragment
            self.incoming.took(place)
        return len(fragment)


class LimitedMessages(DIMSEServiceProvider):
    """The library's assembly of messages, ended where a message is too long, too slow or out of order."""

    def __init__(self, assoc: Any, limits: Limits) -> None:  # noqa: ANN401 - the library's
        """Assemble the messages of one association."""
        super().__init__(assoc)
        self._limits = limits
        self._command = bytearray()
        self._context_id = 0
        self._fragments = self._data_set_length = 0
        self._began_at = 0.0
        self._stored: StoredData | None = None
        self.msg_queue = NoticedQueue(assoc.notice, assoc.dul.wake)

    @property
    def is_full(self) -> bool:
        """Whether as many messages wait as may."""
        return bool(self.msg_queue.qsize() >= self._limits.messages)

    def receive_primitive(self, primitive: Any) -> None:  # noqa: ANN401 - the library's
        """Take the fragments of one PDU, each by itself: the library drops what follows a message's last.

        Raises
        ------
        TooLongError
            When their message is longer than any that is served, or takes too long.
        OutOfOrderError
            When they cannot belong to one message.
        """
        for context_id, fragment in primitive.presentation_data_value_list:
            self._check(context_id, fragment)
            single: Any = P_DATA()
            single.presentation_data_value_list = [[context_id, fragment]]
            super().receive_primitive(single)
            if self.message is None:
                self._command.clear()
                self._fragments = self._data_set_length = 0
                self._stored = None
            elif self._stored is None and self._is_complete and self._field == _C_STORE:
                handlers = self._assoc._server.handlers  # type: ignore[union-attr] # noqa: SLF001 - set by our server
                command = self.message.command_set
                self._stored = handlers.incoming(self._assoc, context_id, command)
                self.message.data_set = self._stored

    def discard(self) -> None:
        """Forget messages that will not be completed, and those that will not be answered."""
        waiting = [getattr(message, "DataSet", None) for _, message in list(self.msg_queue.queue)]
        for stored in (self._stored, *waiting):
            if isinstance(stored, StoredData):
                stored.discard()

    def _check(self, context_id: int, fragment: bytes) -> None:
        """Refuse a fragment that does not fit what came before it."""
        if not fragment:
            raise OutOfOrderError
        content, control = fragment[1:], fragment[0]
        if self.message is None:
            self._began_at, self._context_id = monotonic(), context_id
        is_command = bool(control & _IS_COMMAND)
        is_empty = not content and not control & _IS_LAST
        if context_id != self._context_id or is_command is self._is_complete or is_empty:
            raise OutOfOrderError
        if is_command:
            self._fragments += 1
            self._command += content
            is_whole = bool(control & _IS_LAST)
            if is_whole and self._field == _N_EVENT_REPORT:
                raise OutOfOrderError  # nobody reports to us; the library would start a thread for each
        else:
            self._data_set_length += len(content)
        self._check_length()

    def _check_length(self) -> None:
        longest = self._limits.data_set if self._field == _C_STORE else self._limits.identifier
        is_long = len(self._command) > self._limits.command or self._data_set_length > longest
        is_slow = self._limits.is_too_slow(self._data_set_length, monotonic() - self._began_at)
        if is_long or is_slow or self._fragments > self._limits.command_fragments:
            raise TooLongError

    @property
    def _is_complete(self) -> bool:
        """Whether the command is there, and its data set is to follow."""
        return self.message is not None and bool(self.message.command_set)

    @property
    def _field(self) -> int:
        """What the command asks for (PS3.7 Annex E.1), as far as it has come; 0 where it does not say."""
        position = 0
        while position + _ELEMENT.size <= len(self._command):
            group, element, length = _ELEMENT.unpack_from(self._command, position)
            position += _ELEMENT.size
            if group == 0 and element == _COMMAND_FIELD and length == 2:
                return int.from_bytes(self._command[position : position + 2], "little")
            position += length
        return 0
