"""The connection to a peer: whole reads, answers without delay, and no wait without an end."""

import select
import socket
import ssl
import struct
from time import monotonic
from typing import Any

from pynetdicom.transport import AssociationSocket

_TIME = struct.Struct("@ll")  # struct timeval
_SEND_SECONDS = 15.0
_SMALL = 6  # bytes of a head, which more always follows
_TOLERANCE = 1.0  # seconds by which a call may overrun, to save the system calls that set its limit


class PeerGoneError(ConnectionError):
    """The peer closed the connection, or it broke."""


class TooSlowError(TimeoutError):
    """The peer began something and did not finish it in time."""


class QuickSocket(AssociationSocket):
    """The library's socket with a deadline for every call.

    TCP's quick acknowledgement is armed again after each read (the system disarms it by itself): a sender
    with Nagle's algorithm otherwise waits about 40 ms for the acknowledgement of each instance.
    """

    socket: Any  # plain or TLS; None once closed

    def __init__(self, assoc: Any, client_socket: socket.socket) -> None:  # noqa: ANN401 - the library's
        """Serve `client_socket`, which an association server has accepted."""
        super().__init__(assoc, client_socket=client_socket)
        client_socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._limits: dict[int, float] = {}

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
    def ready(self) -> bool:
        """Whether there is something to read."""
        if self.socket is None or not self._is_connected:
            return False
        if self.is_secure and self.socket.pending():
            return True
        waiting = select.poll()
        waiting.register(self.socket, select.POLLIN)
        return bool(waiting.poll(0))

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
        try:
            return bool(self.socket.recv(65536))
        except (OSError, AttributeError):
            return False

    def deliver(self, *parts: bytes, seconds: float) -> None:
        """Send `parts` within `seconds`, or raise `OSError`."""
        deadline, rest = monotonic() + seconds, memoryview(b"".join(parts))
        while rest:
            self._limit(socket.SO_SNDTIMEO, deadline)
            rest = rest[self.socket.send(rest) :]

    def send(self, bytestream: bytes) -> None:
        """Send what the library wants sent; a peer that does not read loses the connection."""
        try:
            self.deliver(bytestream, seconds=_SEND_SECONDS)
        except (OSError, AttributeError):
            self.event_queue.put("Evt17")  # transport connection closed (PS3.8 section 9.2.1)

    def hang_up(self) -> None:
        """End the connection from any thread; whoever waits for it wakes up."""
        transport = self.socket
        if transport is not None:
            try:
                socket.socket.shutdown(transport, socket.SHUT_RDWR)
            except OSError:
                return

    def _shutdown_socket(self) -> None:
        """Close the socket, also where the peer was faster."""
        if self.socket is not None:
            self.hang_up()
            self.socket.close()

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
