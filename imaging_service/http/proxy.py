"""What our own proxies say about the caller, believed from them and from nobody else."""

import base64
import hashlib
import re
import ssl
from collections.abc import Sequence
from ipaddress import IPv4Network, IPv6Network, ip_address
from urllib.parse import unquote

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from imaging_service.errors import BadRequestError
from imaging_service.http.problems import problem_of

Network = IPv4Network | IPv6Network
_BYTES = re.compile(r":([A-Za-z0-9+/=]*):")
_LONGEST = 16_384


class ProxyMiddleware:
    """Puts the caller's own address, scheme and certificate in place of the proxy's.

    Parameters
    ----------
    trusted
        Networks of our proxies.
    certificate_header
        Header with the certificate that the caller proved to have, where proxies pass one.
    """

    def __init__(self, app: ASGIApp, *, trusted: Sequence[Network], certificate_header: str | None) -> None:
        """Stand in front of `app`."""
        self._app = app
        self._trusted = trusted
        self._certificate_header = certificate_header

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        client = scope.get("client")
        if scope["type"] == "http" and client and self._is_trusted(client[0]):
            headers = Headers(scope=scope)
            scope.setdefault("state", {}).pop("client_certificate", None)  # it would be the proxy's own
            scope["client"] = (self._caller(headers, client[0]), 0)
            if (scheme := headers.get("x-forwarded-proto", "").strip().lower()) in {"http", "https"}:
                scope["scheme"] = scheme
            try:
                self._note_certificate(scope, headers)
            except ValueError:
                message = f"The header {self._certificate_header} holds no certificate."
                refusal = problem_of(BadRequestError(message, code="certificate_unreadable"))
                await refusal(scope, receive, send)
                return
        await self._app(scope, receive, send)

    def _caller(self, headers: Headers, proxy: str) -> str:
        """Return the last address that is not one of ours; what stands before it anybody can have written."""
        named = [part.strip() for line in headers.getlist("x-forwarded-for") for part in line.split(",")]
        for address in reversed(named):
            if not _is_address(address):
                return proxy
            if not self._is_trusted(address):
                return address
        return proxy

    def _is_trusted(self, address: str) -> bool:
        if not self._trusted or not _is_address(address):
            return False
        found = ip_address(address)
        return any(found in network for network in self._trusted)

    def _note_certificate(self, scope: Scope, headers: Headers) -> None:
        text = headers.get(self._certificate_header) if self._certificate_header else None
        if text:
            scope["state"]["client_certificate"] = fingerprint(_der(text))


def fingerprint(der: bytes) -> str:
    """Return the SHA-256 of a certificate's DER form, in lower-case hex."""
    return hashlib.sha256(der).hexdigest()


def _der(text: str) -> bytes:
    """Read a certificate as RFC 9440 writes it, or as percent-encoded PEM, as common proxies do.

    Raises
    ------
    ValueError
        It is neither.
    """
    if len(text) > _LONGEST:
        message = "too long"
        raise ValueError(message)
    if found := _BYTES.fullmatch(text.strip()):
        return base64.b64decode(found[1], validate=True)
    return ssl.PEM_cert_to_DER_cert(unquote(text).strip())


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True
