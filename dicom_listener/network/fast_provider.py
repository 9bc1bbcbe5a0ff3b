"""The library's upper layer, with the short ways past it.

This leans on the library's internals, so it serves only with the versions it was tested with.
"""

from typing import Any

import pynetdicom

from dicom_listener.network.handshake import AgreedContext
from dicom_listener.network.limits import Limits
from dicom_listener.network.provider import ESTABLISHED, INVALID, Provider
from dicom_listener.network.shortcuts import BrokenMessageError, Peer, Shortcuts

TESTED_VERSIONS = frozenset({"3.0.4"})
"""Versions of pynetdicom whose internals are as this package's short ways take them."""


def is_tested() -> bool:
    """Tell whether the library is one that the short ways were tested with."""
    return pynetdicom.__version__ in TESTED_VERSIONS


class FastProvider(Provider):
    """The upper layer of an association, with ways of its own for what is asked for most."""

    def __init__(self, assoc: Any, limits: Limits) -> None:  # noqa: ANN401 - the library's
        """Provide for one association within `limits`."""
        super().__init__(assoc, limits)
        self._shortcuts = Shortcuts(limits, assoc.handlers)

    def close(self) -> None:
        """Give back what the association holds."""
        super().close()
        self._shortcuts.free()

    def _data(self, content: bytearray) -> str | None:
        if not self._is_at_rest():
            return self._decoded(content)
        is_idle = not self._association.dimse.msg_queue.unfinished_tasks
        try:
            left = self._shortcuts.serve(content, self.connection, self._peer(), is_idle=is_idle)
        except BrokenMessageError:
            return INVALID
        events = list(map(self._decoded, left))
        for event in events[:-1]:
            self.event_queue.put(event)
        return events[-1] if events else None

    def _is_at_rest(self) -> bool:
        """Tell whether no message is on its way in or waits, and the association goes on."""
        association = self._association
        return (
            self.state_machine.current_state == ESTABLISHED
            and self.event_queue.empty()
            and association.dimse.message is None
            and not association.dimse.msg_queue.qsize()
            and association.is_established
        )

    def _peer(self) -> Peer:
        association = self._association
        return Peer(
            provenance=association.provenance,
            context=self._context,
            longest=association.requestor.maximum_length,
            few=association.few,
        )

    def _context(self, context_id: int) -> AgreedContext | None:
        context = self._association._accepted_cx.get(context_id)  # noqa: SLF001 - the library's name for it
        if context is None:
            return None
        return AgreedContext(
            context_id=context_id,
            abstract_syntax=str(context.abstract_syntax),
            transfer_syntax=str(context.transfer_syntax[0]),
            is_scp=bool(context.as_scp),
        )
