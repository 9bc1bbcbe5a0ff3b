"""The upper layer of one association (PS3.8): it sleeps until a peer or a service has something to say."""

import queue
import select
from time import monotonic
from typing import Any

import structlog
from pynetdicom.dul import DULServiceProvider
from pynetdicom.pdu_primitives import A_P_ABORT

from dicom_listener.metrics import ENDINGS
from dicom_listener.network.bell import Bell
from dicom_listener.network.known_requests import decoded_request
from dicom_listener.network.limits import Limits
from dicom_listener.network.messages import NoticedQueue
from dicom_listener.network.pdus import ASSOCIATE_RQ, BY_PROVIDER, DATA, HEAD, abort
from dicom_listener.network.quick_socket import QuickSocket
from dicom_listener.network.timing import MonotonicTimer
from dicom_listener.network.transport import Connection, TooSlowError

_log = structlog.get_logger()

_AWAITING_REQUEST, ESTABLISHED, _CLOSING, _IDLE = "Sta2", "Sta6", "Sta13", "Sta1"
"""States (PS3.8 Tables 9-1 to 9-5)."""
INVALID = "Evt19"
"""The event of a PDU that cannot be (PS3.8 section 9.2.1)."""
_REQUESTED, _CLOSED, _EXPIRED = "Evt6", "Evt17", "Evt18"
_ABORT_SECONDS = 0.5


class Provider(DULServiceProvider):
    """The library's state machine, driven by `select.poll` instead of by sleeping for a millisecond."""

    socket: QuickSocket | None

    def __init__(self, assoc: Any, limits: Limits) -> None:  # noqa: ANN401 - the library's
        """Provide for one association within `limits`."""
        super().__init__(assoc)
        self.daemon = True
        self._limits = limits
        self._association = assoc
        self._bell = Bell()
        self._idle_timer, self.artim_timer = MonotonicTimer(None), MonotonicTimer(None)
        self.to_user_queue = NoticedQueue(assoc.notice)
        self._closing_until: float | None = None
        self.opened_at = self.heard_at = monotonic()

    @property
    def connection(self) -> Connection:
        """The connection to the peer, once there is one."""
        assert self.socket is not None  # noqa: S101 - it is set before anything begins
        return self.socket.connection

    def wake(self) -> None:
        """Look again at what there is to do."""
        self._bell.ring()

    def send_pdu(self, primitive: Any) -> None:  # noqa: ANN401 - the library's
        """Have `primitive` sent."""
        super().send_pdu(primitive)
        self.wake()

    def kill_dul(self) -> None:
        """End the thread."""
        super().kill_dul()
        self.wake()

    def stop_dul(self) -> bool:
        """End the thread if the association has ended; tell whether it has."""
        if self.state_machine.current_state != _IDLE:
            return False
        self.kill_dul()
        self.join()
        return True

    def cut_off(self) -> None:
        """End it, whatever the peer and the state machine are waiting for."""
        if self.socket is not None:
            self.connection.hang_up()
        self.kill_dul()

    def take_over(self) -> None:
        """Begin with an association that is established already."""
        self.event_queue.get(block=False)  # of the connection that was made
        self.state_machine.current_state = ESTABLISHED

    def touch(self) -> None:
        """Begin to count the peer's silence anew."""
        self.heard_at = monotonic()

    @property
    def idle_seconds(self) -> float:
        """How long the peer has been silent."""
        return monotonic() - self.heard_at

    def run_reactor(self) -> None:
        """Serve until the association has ended."""
        self.assoc._dul_ready.set()  # noqa: SLF001 - the library's way to begin
        try:
            while not self._kill_thread:
                self._step()
        except Exception as error:  # noqa: BLE001 - whatever the peer sent, it ends this association alone
            ENDINGS.labels("broken").inc()
            _log.warning("association_broken", kind=type(error).__name__)
            self._abort()
        finally:
            self.close()

    def close(self) -> None:
        """Give back what the association holds, and tell whoever still waits for it."""
        if self.socket is not None and self.socket.socket is not None:
            self.connection.close()
        self._kill_thread = True
        self.state_machine.current_state = _IDLE
        self._bell.close()
        ended = A_P_ABORT()
        ended.provider_reason = 0x00
        self.to_user_queue.put(ended)
        self.assoc.dimse.msg_queue.put((None, None))

    def _abort(self) -> None:
        """Send A-ABORT past the state machine, which may be what failed."""
        try:
            self.connection.deliver(abort(BY_PROVIDER), seconds=_ABORT_SECONDS)
        except (OSError, AttributeError):
            return  # it is gone already

    def _step(self) -> None:
        """Do the one thing that comes next."""
        try:
            event = self.event_queue.get(block=False)
        except queue.Empty:
            if self._process_recv_primitive():
                return
            if self.artim_timer.expired:
                self.event_queue.put(_EXPIRED)
                return
            self._wait()
            return
        self.state_machine.do_action(event)

    def _wait(self) -> None:
        """Sleep until the peer sends, a service wants to send, or a timer ends."""
        if self.socket is None or self.socket.socket is None:
            self.event_queue.put(_CLOSED)
            return
        is_closing = self.state_machine.current_state == _CLOSING
        seconds = self._seconds(is_closing=is_closing)
        if seconds is not None and seconds <= 0 and is_closing:
            self.socket.close()
            return
        waiting = select.poll()
        waiting.register(self._bell, select.POLLIN)
        if is_closing or not self._association.dimse.is_full:
            if self.connection.holds_more:
                seconds = 0
            waiting.register(self.socket.socket, select.POLLIN)
        found = waiting.poll(None if seconds is None else max(seconds, 0) * 1000 + 1)
        if any(descriptor == self._bell.fileno() for descriptor, _ in found):
            self._bell.silence()
            return
        if not found and seconds != 0:
            return
        if is_closing:
            if not self.connection.discard():
                self.socket.close()
            return
        self._read()

    def _seconds(self, *, is_closing: bool) -> float | None:
        """Return how long to sleep at most."""
        if is_closing:
            if self._closing_until is None:
                self._closing_until = monotonic() + self._limits.linger_seconds
            return self._closing_until - monotonic()
        if self.state_machine.current_state == _AWAITING_REQUEST:
            return float(self.artim_timer.remaining)
        return None

    def _read(self) -> None:
        """Read one PDU whole, and tell the state machine."""
        deadline = monotonic() + self._limits.pdu_seconds
        if self.state_machine.current_state == _AWAITING_REQUEST:
            deadline = self.opened_at + self._limits.request_seconds
        try:
            event = self._event_of(deadline)
        except TooSlowError:
            event = INVALID
        except OSError:
            event = _CLOSED
        self.touch()
        if event is not None:
            self.event_queue.put(event)

    def _event_of(self, deadline: float) -> str | None:
        """Read a PDU and return what it means to the state machine; None when it has been dealt with."""
        head = bytearray(HEAD.size)
        self.connection.receive(memoryview(head), deadline)
        pdu_type, length = HEAD.unpack(head)
        if not self._limits.allow(pdu_type, length):
            return INVALID
        content = head + bytes(length)
        self.connection.receive(memoryview(content)[len(head) :], deadline)
        return self._data(content) if pdu_type == DATA else self._decoded(content)

    def _data(self, content: bytearray) -> str | None:
        """Deal with a P-DATA-TF."""
        return self._decoded(content)

    def _decoded(self, content: bytearray) -> str:
        """Have the library decode a PDU."""
        try:
            pdu: Any
            if content[0] == ASSOCIATE_RQ:
                pdu, event = decoded_request(bytes(content)), _REQUESTED
            else:
                pdu, event = self._decode_pdu(content)
        except Exception:  # noqa: BLE001 - whatever is wrong with it, the answer is the same
            return INVALID
        self._recv_pdu.put(pdu)
        return str(event)
