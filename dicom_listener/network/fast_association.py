"""An association of the usual kind: one thread agrees on it, serves it and ends it, without the library.

Whatever is out of the ordinary goes on as the library's, from the PDU on with which it begins.
"""

import select
import threading
from collections.abc import Callable
from dataclasses import dataclass
from time import monotonic, sleep
from typing import Any, NoReturn

import structlog

from dicom_listener.archive.records import Outcome
from dicom_listener.metrics import ENDINGS, REQUESTS
from dicom_listener.network.bell import Bell
from dicom_listener.network.connections import Connections
from dicom_listener.network.handlers import Admission, Handlers
from dicom_listener.network.handshake import Agreement, Offer
from dicom_listener.network.limits import Limits
from dicom_listener.network.pdus import (
    ABORT,
    ASSOCIATE_RQ,
    BY_PROVIDER,
    BY_USER,
    DATA,
    HEAD,
    RELEASE_RQ,
    abort,
    is_short,
    rejection,
    release_response,
)
from dicom_listener.network.shortcuts import BrokenMessageError, Peer, Shortcuts
from dicom_listener.network.statuses import ASSOCIATION_REJECTION
from dicom_listener.network.transport import Connection, TooSlowError

_log = structlog.get_logger()

_SEND_SECONDS = 15.0
_ABORT_SECONDS = 0.5
_REFUSING_SECONDS = 0.02  # some peers lose a rejection that comes before they wait for it


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """An association that was agreed on, for the library to go on with."""

    request: bytes  # the A-ASSOCIATE-RQ
    admission: Admission


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """What the associations of a port share."""

    limits: Limits
    handlers: Handlers
    connections: Connections
    offer: Offer
    secure: Callable[[Connection], None]  # agrees on TLS where the port speaks it; raises OSError
    hand_over: Callable[["FastAssociation", Taken | None], None]  # lets the library go on


class _UnusualError(Exception):
    """What comes next is the library's."""


class _EndedError(Exception):
    """There is nothing more to say."""


class FastAssociation:
    """One connection, from its first byte to its last, or to the first that is the library's."""

    def __init__(self, service: Service, connection: Connection, origin: tuple[Any, ...]) -> None:
        """Serve a peer at the address and port of `origin`."""
        self.connection = connection
        self.origin = origin
        self.opened_at = self.heard_at = monotonic()
        self.is_recognised = False
        self.is_to_end = False
        self._service = service
        self._limits = service.limits
        self._taken: Taken | None = None
        self._bell = Bell()
        self._waiting = select.poll()
        self._has_ended = threading.Event()

    @property
    def address(self) -> str:
        """Where the peer is."""
        return str(self.origin[0])

    @property
    def association_id(self) -> str:
        """Its identifier in receipts; empty before the sender is known."""
        return "" if self._taken is None else self._taken.admission.provenance.association_id

    def give_way(self) -> None:
        """End, so that another may be served; called from any thread."""
        ENDINGS.labels("gave_way").inc()
        _log.warning("association_gave_way", peer=self.address, silent=not self.is_recognised)
        self.is_to_end = True
        if self.is_recognised:
            self._bell.ring()
        else:
            self.connection.hang_up()

    def abort(self) -> None:
        """End, and wait for it a moment; called from any thread."""
        self.is_to_end = True
        self._bell.ring()
        self._has_ended.wait(self._limits.linger_seconds)

    def close(self) -> None:
        """Give back what it holds, where it cannot begin."""
        self.connection.close()
        self._bell.close()

    def run(self) -> None:
        """Serve until the end; whatever the peer sends, it ends this association alone."""
        is_handed_over = False
        try:
            self._serve()
        except _UnusualError:
            is_handed_over = self._is_handed_over()
        except (_EndedError, OSError):
            pass  # it was ended as it should be, or the peer is gone
        except Exception as error:  # noqa: BLE001 - as the docstring says
            ENDINGS.labels("broken").inc()
            _log.warning("association_broken", kind=type(error).__name__)
            self._say(abort(BY_PROVIDER), _ABORT_SECONDS)
        finally:
            if not is_handed_over:
                self.connection.close()
                self._service.connections.leave(self)
            self._bell.close()
            self._has_ended.set()

    def _is_handed_over(self) -> bool:
        """Let the library go on; tell whether it does."""
        try:
            self._service.hand_over(self, self._taken)
        except Exception as error:  # noqa: BLE001 - no thread may be left, for one
            ENDINGS.labels("failed").inc()
            _log.warning("association_failed", kind=type(error).__name__, peer=self.address)
            return False
        return True

    def _serve(self) -> None:
        self._secure()
        self._waiting.register(self._bell, select.POLLIN)
        self._waiting.register(self.connection.socket, select.POLLIN)
        request = self._request()
        agreement = self._service.offer.agreement(request)
        if agreement is None or self.connection.ready:  # a peer that goes on without its answer
            self.connection.unread(request)
            raise _UnusualError
        peer = self._admitted(request, agreement)
        shortcuts = Shortcuts(self._limits, self._service.handlers)
        try:
            while True:
                self._await_pdu()
                self._serve_pdu(shortcuts, peer)
                self.heard_at = monotonic()
        except (BrokenMessageError, TooSlowError):
            self._end(abort(BY_PROVIDER))
        finally:
            shortcuts.free()

    def _secure(self) -> None:
        """Agree on TLS where it is spoken."""
        try:
            self._service.secure(self.connection)
        except (OSError, ValueError) as error:
            ENDINGS.labels("tls").inc()
            _log.warning("tls_failed", peer=self.address)
            raise _EndedError from error

    def _request(self) -> bytes:
        """Return the association request of a peer, which is given some time for it."""
        deadline = self.opened_at + self._limits.request_seconds
        try:
            while not self._has_more(deadline - monotonic()):
                if monotonic() >= deadline or self.is_to_end:
                    self._miss_request()
            head = bytearray(HEAD.size)
            self.connection.receive(memoryview(head), deadline)
            kind, length = HEAD.unpack(head)
            if kind != ASSOCIATE_RQ or not self._limits.allow(kind, length):
                self.connection.unread(head)
                raise _UnusualError
            return bytes(self._whole(head, length, deadline))
        except TooSlowError:
            self._say(abort(BY_USER), _SEND_SECONDS)
            self._linger()
            self._miss_request()
        except OSError:
            self._miss_request()

    def _miss_request(self) -> NoReturn:
        ENDINGS.labels("no_request").inc()
        _log.info("connection_without_request", peer=self.address)
        raise _EndedError

    def _admitted(self, pdu: bytes, agreement: Agreement) -> Peer:
        """Accept a sender's association; another's is rejected."""
        asked, handlers = agreement.request, self._service.handlers
        found = handlers.admit(asked.calling_ae, asked.called_ae, self.address, self.connection)
        if isinstance(found, Outcome):
            sleep(_REFUSING_SECONDS)
            self._end(rejection(*ASSOCIATION_REJECTION[found]))
        self._taken = Taken(request=pdu, admission=found)
        self.is_recognised = True
        REQUESTS.labels("accepted").inc()
        self._service.connections.recognise(self, asked.calling_ae)
        self.connection.deliver(agreement.acceptance, seconds=_SEND_SECONDS)
        self.heard_at = monotonic()
        return Peer(
            provenance=found.provenance,
            context=agreement.contexts.get,
            longest=asked.longest,
            few=handlers.services.few(found.sender),
        )

    def _await_pdu(self) -> None:
        """Wait until the peer sends, for as long as it may be silent."""
        while not self._has_more(self.heard_at + self._limits.idle_seconds - monotonic()):
            if self.is_to_end:
                self._end(abort(BY_USER))
            if monotonic() - self.heard_at >= self._limits.idle_seconds:
                ENDINGS.labels("idle").inc()
                _log.info("association_idle", peer=self.address)
                self._end(abort(BY_USER))

    def _serve_pdu(self, shortcuts: Shortcuts, peer: Peer) -> None:
        """Read a PDU, and the rest of the message that it begins."""
        deadline, head = monotonic() + self._limits.pdu_seconds, bytearray(HEAD.size)
        self.connection.receive(memoryview(head), deadline)
        kind, length = HEAD.unpack(head)
        if not self._limits.allow(kind, length):
            raise BrokenMessageError
        if kind == DATA:
            left = shortcuts.serve(self._whole(head, length, deadline), self.connection, peer)
            if left:
                self.connection.unread(b"".join(left))
                raise _UnusualError
        elif kind in (RELEASE_RQ, ABORT) and is_short(length):
            self._whole(head, length, deadline)
            if kind == ABORT:
                raise _EndedError
            self._end(release_response())
        else:
            self.connection.unread(head)
            raise _UnusualError

    def _whole(self, head: bytearray, length: int, deadline: float) -> bytearray:
        """Read the rest of a PDU."""
        content = head + bytes(length)
        self.connection.receive(memoryview(content)[len(head) :], deadline)
        return content

    def _has_more(self, seconds: float) -> bool:
        """Wait for the peer, or until the bell is rung; tell whether there is something to read."""
        if self.connection.holds_more:
            return True
        found = self._waiting.poll(max(seconds, 0) * 1000 + 1)
        if any(descriptor == self._bell.fileno() for descriptor, _ in found):
            self._bell.silence()
            return False
        return bool(found)

    def _end(self, pdu: bytes) -> NoReturn:
        """Say the last word, and leave it to the peer to close the connection, for a moment."""
        if self._say(pdu, _SEND_SECONDS):
            self._linger()
        raise _EndedError

    def _say(self, pdu: bytes, seconds: float) -> bool:
        """Send, and tell whether that was possible."""
        try:
            self.connection.deliver(pdu, seconds=seconds)
        except OSError:
            return False
        return True

    def _linger(self) -> None:
        """Pass over what the peer still sends (PS3.8 Table 9-5, state 13)."""
        deadline = monotonic() + self._limits.linger_seconds
        while (seconds := deadline - monotonic()) > 0:
            if self._has_more(seconds) and not self.connection.discard():
                return
