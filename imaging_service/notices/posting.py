"""One attempt at a delivery over HTTP: to one address, within one deadline, following no redirect."""

import socket
import ssl
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from threading import Timer

from imaging_service.notices.addresses import Addresses, ReceiverAddressError, receiver_of, resolved

_TAKEN_IN = range(200, 300)
_REDIRECTS = range(300, 400)


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """Why a delivery was not taken in."""

    sentence: str
    is_of_receiver: bool  # whether any other delivery would have failed too: nobody answered


class _Connection(HTTPConnection):
    """A connection to an address that has been looked at, under the receiver's own name."""

    def __init__(self, host: str, port: int, ip: str, deadline_seconds: float, *, is_encrypted: bool) -> None:
        super().__init__(host, port, timeout=deadline_seconds)
        self._ip = ip
        self._is_encrypted = is_encrypted

    def connect(self) -> None:
        self.sock = socket.create_connection((self._ip, self.port), self.timeout)
        if self._is_encrypted:
            context = ssl.create_default_context()
            self.sock = context.wrap_socket(self.sock, server_hostname=self.host)


def post(
    url: str, body: bytes, headers: Mapping[str, str], *, allowed: Addresses, deadline_seconds: float
) -> Failure | None:
    """Send a delivery; return None when it was taken in, else why not.

    Only an answer of 200 to 299 takes it in. What the receiver says beside that is not read.
    """
    try:
        receiver = receiver_of(url)
        ip = resolved(receiver, allowed)
    except ReceiverAddressError as error:
        return Failure(sentence=str(error), is_of_receiver=True)
    except OSError as error:
        sentence = f"The name of the receiver cannot be resolved: {_why(error)}."
        return Failure(sentence=sentence, is_of_receiver=True)
    connection = _Connection(
        receiver.host, receiver.port, ip, deadline_seconds, is_encrypted=receiver.is_encrypted
    )
    watch = Timer(deadline_seconds, _shut, [connection])  # whoever answers a byte at a time is let go
    watch.daemon = True
    watch.start()
    try:
        connection.request("POST", receiver.path, body, dict(headers))
        status = connection.getresponse().status
    except (OSError, HTTPException) as error:
        return Failure(sentence=f"The receiver did not answer: {_why(error)}.", is_of_receiver=True)
    finally:
        watch.cancel()
        connection.close()
    if status in _TAKEN_IN:
        return None
    what = ", a redirect, which is not followed" if status in _REDIRECTS else ""
    sentence = f"The receiver answered {status}{what}; 200 to 299 was wanted."
    return Failure(sentence=sentence, is_of_receiver=False)


def _shut(connection: _Connection) -> None:
    if connection.sock is not None:
        with suppress(OSError):
            connection.sock.shutdown(socket.SHUT_RDWR)


def _why(error: Exception) -> str:
    """Name the trouble without what the other side wrote."""
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return type(error).__name__
