"""Syslog as audit messages want it: RFC 5424 over TLS, framed by octet count (RFC 5425, PS3.15 A.6)."""

import socket
import ssl
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from imaging_service.errors import SettingsError

_PRIORITY = 10 * 8 + 5  # security, normal but significant
_WARNING = 10 * 8 + 4
_MESSAGE_ID = "DICOM+RFC3881"
_MARK = b"\xef\xbb\xbf"
"""Before a text in UTF-8 (RFC 5424 6.4)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One message for the collector."""

    at: datetime
    xml: bytes
    is_failure: bool = False

    def framed(self, host: str) -> bytes:
        """Return the syslog message behind its number of octets (RFC 5425 4.3)."""
        priority = _WARNING if self.is_failure else _PRIORITY
        at = self.at.isoformat(timespec="milliseconds")
        head = f"<{priority}>1 {at} {host} imaging-service - {_MESSAGE_ID} - "
        message = head.encode("ascii") + _MARK + self.xml
        return f"{len(message)} ".encode() + message


class CollectorAwayError(OSError):
    """The collector did not take everything in."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Collector:
    """Where audit messages are sent."""

    host: str
    port: int
    authorities: Path | None = None  # who signs its certificate; the system's own where None
    certificate: Path | None = None  # of ours, for a collector that asks who we are
    key: Path | None = None
    deadline_seconds: float = 10.0

    def send(self, lines: Iterable[Line]) -> None:
        """Send some messages over a connection of their own, and return once all are taken in.

        Syslog has no receipt. But whoever ends a TLS connection is answered once everything before the end
        was read (RFC 5425 4.4), and a receiver that dies before it has read everything resets the connection:
        so an orderly end says that nothing was lost on the way.

        Raises
        ------
        CollectorAwayError
            It cannot be reached, is not who it should be, or ended the connection early.
        SettingsError
            A file that the settings name cannot be used.
        """
        host = socket.gethostname()[:255] or "-"
        context = self._context()
        try:
            with socket.create_connection((self.host, self.port), self.deadline_seconds) as plain:
                channel = _Channel(plain, context, self.host)
                for line in lines:
                    channel.send(line.framed(host))
                channel.end()
        except OSError as error:
            why = getattr(error, "reason", None) or error.strerror or type(error).__name__
            message = f"The collector at {self.host}:{self.port} did not take the audit in: {why}."
            raise CollectorAwayError(message) from error

    def _context(self) -> ssl.SSLContext:
        context = ssl.create_default_context()
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        try:
            if self.authorities is not None:
                context = ssl.create_default_context(cafile=str(self.authorities))
            if self.certificate is not None:
                context.load_cert_chain(self.certificate, self.key)
        except (OSError, ValueError) as error:
            message = f"The files for the audit's collector cannot be used: {type(error).__name__}."
            raise SettingsError(message) from error
        return context


class _Channel:
    """TLS over a socket, which says for certain how the other side ended; `ssl.SSLSocket` does not."""

    def __init__(self, plain: socket.socket, context: ssl.SSLContext, host: str) -> None:
        self._plain = plain
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._incoming, self._outgoing, server_hostname=host)
        self._do(self._tls.do_handshake)

    def send(self, content: bytes) -> None:
        self._do(lambda: self._tls.write(content))

    def end(self) -> None:
        """Say that nothing follows, and wait until the other side has ended the connection in its turn."""
        with suppress(ssl.SSLEOFError):  # some collectors end it without the words, yet in order: no reset
            self._do(self._tls.unwrap)

    def _do(self, step: Callable[[], object]) -> None:
        while True:
            try:
                step()
            except ssl.SSLWantReadError:
                self._plain.sendall(self._outgoing.read())
                self._receive()
            else:
                self._plain.sendall(self._outgoing.read())
                return

    def _receive(self) -> None:
        received = self._plain.recv(65_536)
        if received:
            self._incoming.write(received)
        else:
            self._incoming.write_eof()
