"""The connection to a peer: whole reads, answers without delay, and no wait without an end."""

import select
import socket
import ssl
import struct
from time import monotonic
from typing import Any

_TIME = struct.Struct("@ll")  # struct timeval
_SMALL = 6  # bytes of a head, which more always follows
_TOLERANCE = 1.0  # seconds by which a call may overrun, to save the system calls that set its limit
_DISCARDED = 65536  # bytes at a time


class PeerGoneError(ConnectionError):
    """The peer closed the connection, or it broke."""


class TooSlowError(TimeoutError):
    """The peer began something and did not finish it in time."""


class Connection:
    """A socket with a deadline for every call.

    TCP's quick acknowledgement is armed again after each read (the system disarms it by itself): a sender
    with Nagle's algorithm otherwise waits about 40 ms for the acknowledgement of each instance.
    """

    def __init__(self, accepted: socket.socket) -> None:
        """Serve a socket that a server has accepted."""
        self.socket: Any = accepted  # plain or TLS; None once closed
        accepted.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._limits: dict[int, float] = {}
        self._unread = b""

    def secure(self, context: ssl.SSLContext, seconds: float) -> None:
        """Agree on TLS with the peer within `seconds`.

        Raises
        ------
        OSError
            When the peer does not, or not in time.
        """
        self.socket.settimeout(seconds)
        self.socket = context.wrap_socket(self.socket, server_side=True)

    @property
    def is_secure(self) -> bool:
        """Whether TLS is spoken."""
        return isinstance(self.socket, ssl.SSLSocket)

    @property
    def holds_more(self) -> bool:
        """Whether there is something to read that the system does not know of any more."""
        return bool(self._unread) or (self.is_secure and bool(self.socket.pending()))

    @property
    def ready(self) -> bool:
        """Whether there is something to read."""
        if self.socket is None:
            return False
        if self.holds_more:
            return True
        waiting = select.poll()
        waiting.register(self.socket, select.POLLIN)
        return bool(waiting.poll(0))

    def unread(self, content: bytes | bytearray) -> None:
        """Have `content`, which was read, read again before anything else."""
        self._unread = bytes(content) + self._unread

    def receive(self, into: memoryview, deadline: float) -> None:
        """Fill `into` from the peer.

        Parameters
        ----------
        into
            Where to; nothing is copied on the way.
        deadline
            The instant of the monotonic clock at which to give up.

        Raises
        ------
        PeerGoneError
            When the connection ends before that.
        TooSlowError
            When the deadline passes before that.
        """
        if self._unread:
            into = self._again(into)
        transport, flags = self.socket, 0 if self.is_secure else socket.MSG_WAITALL
        if transport is None:
            raise PeerGoneError
        while into:
            self._limit(socket.SO_RCVTIMEO, deadline)
            try:
                count = transport.recv_into(into, 0, flags)
            except (BlockingIOError, TimeoutError) as error:
                raise TooSlowError from error
            except (OSError, ValueError) as error:
                raise PeerGoneError from error
            if not count:
                raise PeerGoneError
            into = into[count:]
            if count > _SMALL:
                transport.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)

    def discard(self) -> bool:
        """Read what is there and forget it; tell whether the peer may send more."""
        self._unread = b""
        try:
            return bool(self.socket.recv(_DISCARDED))
        except (OSError, AttributeError):
            return False

    def deliver(self, *parts: bytes, seconds: float) -> None:
        """Send `parts` within `seconds`, or raise `OSError`."""
        deadline, rest = monotonic() + seconds, memoryview(b"".join(parts))
        while rest:
            self._limit(socket.SO_SNDTIMEO, deadline)
            rest = rest[self.socket.send(rest) :]

    def hang_up(self) -> None:
        """End the connection from any thread; whoever waits for it wakes up."""
        transport = self.socket
        if transport is not None:
            try:
                socket.socket.shutdown(transport, socket.SHUT_RDWR)
            except OSError:
                return

    def close(self) -> None:
        """Close the socket, also where the peer was faster."""
        if self.socket is not None:
            self.hang_up()
            self.socket.close()

    def _again(self, into: memoryview) -> memoryview:
        """Fill the beginning of `into` with what is to be read again; return the rest of it."""
        again, self._unread = self._unread[: len(into)], self._unread[len(into) :]
        into[: len(again)] = again
        return into[len(again) :]

    def _limit(self, option: int, deadline: float) -> None:
        """Give the next call until `deadline`; the system counts, so a dripping peer gains nothing."""
        seconds = deadline - monotonic()
        if seconds <= 0:
            raise TooSlowError
        if self.is_secure:
            self.socket.settimeout(seconds)
        elif not seconds <= self._limits.get(option, 0.0) <= seconds + _TOLERANCE:
            whole, rest = divmod(seconds, 1.0)
            limit = _TIME.pack(int(whole), max(int(rest * 1e6), 1000))
            self.socket.setsockopt(socket.SOL_SOCKET, option, limit)
            self._limits[option] = seconds
