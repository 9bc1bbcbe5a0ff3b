"""HTTP/1.1 with an end to everybody's patience.

uvicorn waits for ever for a head or a body that comes a byte at a time, and for a caller that reads nothing.
Here each phase of a connection has one absolute deadline, which no trickle of bytes moves: a body that comes
faster than the least rate may go on, one that drips ends when a silent one would.
"""

import asyncio
import json
from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum, auto
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, ClassVar, Protocol, cast

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol, RequestResponseCycle

from imaging_service.http.problems import MEDIA_TYPE
from imaging_service.http.proxy import fingerprint

if TYPE_CHECKING:
    import ssl


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How long, and how many; times in seconds."""

    head: float
    """From the first byte of a request (or the connection) to the end of its head."""
    body: float
    """From the end of the head to the end of the body; each `body_rate` bytes of it earn a second more."""
    body_rate: float
    """Bytes a second that a long body must come with."""
    answer: float
    """For which a caller may read nothing of its answer."""
    idle: float
    """Between two requests."""
    connections: int
    """Open at the same time."""


class Phase(Enum):
    """What a connection waits for."""

    HEAD = auto()
    BODY = auto()
    WORK = auto()
    IDLE = auto()


_SILENT = frozenset({Phase.HEAD, Phase.IDLE})


class _Connection(Protocol):
    phase: Phase
    since: float

    def give_way(self) -> None: ...


class DeadlineProtocol(H11Protocol):
    """One connection; a subclass made by `protocol_with` holds the limits."""

    limits: ClassVar[Limits]

    def __init__(self, *arguments: Any, **options: Any) -> None:  # noqa: ANN401  as uvicorn calls it
        """Wait for the first head."""
        super().__init__(*arguments, **options)
        self.cycle: RequestResponseCycle | None = None  # type: ignore[assignment]  # as uvicorn means it
        self.phase = Phase.HEAD
        self.since = self.loop.time()
        self._received = 0  # bytes of this phase
        self._cycle_seen: object = None
        self._deadline: asyncio.TimerHandle | None = None
        self._stalled: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Start the clock; above the limit, the connection that is silent longest gives way."""
        super().connection_made(transport)
        if (shown := _certificate_of(transport)) is not None:
            self.app_state = {**self.app_state, "client_certificate": fingerprint(shown)}
        self._enter(Phase.HEAD)
        if len(self.connections) > self.limits.connections:
            longest_silent(cast("Iterable[_Connection]", self.connections), self).give_way()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop the clocks."""
        for timer in (self._deadline, self._stalled):
            if timer is not None:
                timer.cancel()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Go on, and see whether a phase has ended."""
        self._received += len(data)
        super().data_received(data)
        self._watch()

    def on_response_complete(self) -> None:
        """Go on to the next request, and see to it that a closing connection closes."""
        super().on_response_complete()
        if self.transport.is_closing():
            self._abort_soon()
        else:
            self._watch()

    def pause_writing(self) -> None:
        """Give the caller a time to read what it asked for."""
        super().pause_writing()
        self._stalled = self.loop.call_later(self.limits.answer, self.transport.abort)

    def resume_writing(self) -> None:
        """See that the caller reads."""
        super().resume_writing()
        if self._stalled is not None:
            self._stalled.cancel()
            self._stalled = None

    def send_400_response(self, msg: str) -> None:
        """Answer what is no HTTP with a problem, as everything else."""
        self._answer_and_close(HTTPStatus.BAD_REQUEST, "bad_request", msg)

    def give_way(self) -> None:
        """Leave to a newer connection."""
        self.transport.abort()

    def _current_phase(self) -> Phase:
        if self.cycle is not None and not self.cycle.response_complete:
            return Phase.BODY if self.cycle.more_body else Phase.WORK
        if self.conn.their_state is h11.SEND_BODY:
            return Phase.BODY  # answered already; the rest is read and dropped
        if self.cycle is None or self.conn.trailing_data[0]:
            return Phase.HEAD
        return Phase.IDLE

    def _watch(self) -> None:
        phase = self._current_phase()
        if phase is not self.phase or self.cycle is not self._cycle_seen:
            self._enter(phase)

    def _enter(self, phase: Phase) -> None:
        self.phase = phase
        self.since = self.loop.time()
        self._received = 0
        self._cycle_seen = self.cycle
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None
        seconds = {
            Phase.HEAD: self.limits.head,
            Phase.BODY: self.limits.body,
            Phase.IDLE: self.limits.idle,
        }.get(phase)
        if seconds is not None:
            self._deadline = self.loop.call_later(seconds, self._expire)

    def _expire(self) -> None:
        answered = self.cycle is not None and self.cycle.response_started
        if self.phase is Phase.BODY and not answered:
            earned = self.since + self.limits.body + self._received / self.limits.body_rate
            if self.loop.time() < earned:
                self._deadline = self.loop.call_at(earned, self._expire)
                return
        wanted = {
            Phase.HEAD: f"The head of the request must be there within {self.limits.head:g} s.",
            Phase.BODY: f"The body of the request must be there within {self.limits.body:g} s.",
        }.get(self.phase)
        begun = self.phase is Phase.BODY or bool(self.conn.trailing_data[0])
        if wanted is not None and begun and not (self.phase is Phase.BODY and answered):
            self._answer_and_close(HTTPStatus.REQUEST_TIMEOUT, "request_timeout", wanted)
        else:
            self.transport.close()
            self._abort_soon()

    def _answer_and_close(self, status: HTTPStatus, code: str, detail: str) -> None:
        """Send a problem past the application, which learns that the caller has gone."""
        if self.cycle is not None and not self.cycle.response_complete:
            self.cycle.disconnected = True
            self.cycle.message_event.set()
        problem = {
            "type": "about:blank",
            "title": status.phrase,
            "status": status.value,
            "detail": detail,
            "code": code,
        }
        body = json.dumps(problem).encode()
        headers = [
            ("content-type", MEDIA_TYPE),
            ("content-length", str(len(body))),
            ("cache-control", "no-store"),
            ("x-content-type-options", "nosniff"),
            ("connection", "close"),
        ]
        events: tuple[h11.Event, ...] = (
            h11.Response(status_code=status.value, headers=headers, reason=status.phrase.encode()),
            h11.Data(data=body),
            h11.EndOfMessage(),
        )
        try:
            for event in events:
                self.transport.write(self.conn.send(event) or b"")
        except h11.LocalProtocolError:
            pass  # an answer was under way: closing is all that is left to say
        self.transport.close()
        self._abort_soon()

    def _abort_soon(self) -> None:
        """End a connection that is closing but whose caller does not read the rest."""
        if self._stalled is None:
            self._stalled = self.loop.call_later(self.limits.answer, self.transport.abort)


def _certificate_of(transport: asyncio.Transport) -> bytes | None:
    """Return the certificate whose key the caller has proved to have, in DER; TLS has checked its signer."""
    connection: ssl.SSLObject | None = transport.get_extra_info("ssl_object")
    return None if connection is None else connection.getpeercert(binary_form=True)


def longest_silent(connections: Iterable[_Connection], newest: _Connection) -> _Connection:
    """Return the connection that waits longest for a request; the newest when all others are at work."""
    silent = [connection for connection in connections if connection.phase in _SILENT]
    return min(silent, key=lambda connection: connection.since, default=newest)


def protocol_with(limits: Limits) -> type[DeadlineProtocol]:
    """Return the protocol class with `limits`, as uvicorn wants a class."""
    return type("LimitedProtocol", (DeadlineProtocol,), {"limits": limits})
