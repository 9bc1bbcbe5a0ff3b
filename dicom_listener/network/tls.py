"""DICOM over TLS: the BCP 195 profile of PS3.15 B.9, and who showed which certificate."""

import hashlib
import ssl
from typing import TYPE_CHECKING, Any

from dicom_listener.errors import SettingError
from dicom_listener.network.transport import Connection

if TYPE_CHECKING:
    from dicom_listener.settings import ListenerSettings

_CIPHERS = "ECDHE+AESGCM:DHE+AESGCM"
"""Of TLS 1.2, authenticated encryption with forward secrecy alone (RFC 9325 section 4.2)."""

_CERTIFICATE, _AUTHORITIES = "DICOM_LISTENER_TLS_CERTIFICATE", "DICOM_LISTENER_TLS_AUTHORITIES"

_SHORT = {
    "commonName": "CN",
    "countryName": "C",
    "localityName": "L",
    "organizationName": "O",
    "organizationalUnitName": "OU",
    "stateOrProvinceName": "ST",
}


def server_context(settings: "ListenerSettings") -> ssl.SSLContext:
    """Return what the TLS port speaks; with authorities set, every peer must show a certificate of theirs.

    Raises
    ------
    SettingError
        When a file cannot be used.
    """
    context = _context(settings, ssl.PROTOCOL_TLS_SERVER)
    if settings.tls_authorities:
        context.verify_mode = ssl.CERT_REQUIRED
    return context


def client_context(settings: "ListenerSettings") -> ssl.SSLContext | None:
    """Return what is spoken to destinations with TLS, or None without a certificate of our own.

    Raises
    ------
    SettingError
        When a file cannot be used.
    """
    return _context(settings, ssl.PROTOCOL_TLS_CLIENT) if settings.tls_certificate else None


def shown_over(connection: Connection) -> frozenset[str]:
    """Return how the peer's certificate may be registered: by its fingerprint and, verified, its subject."""
    transport = connection.socket
    if not isinstance(transport, ssl.SSLSocket):
        return frozenset()
    encoded = transport.getpeercert(binary_form=True)
    if encoded is None:
        return frozenset()
    names: Any = (transport.getpeercert() or {}).get("subject", ())
    subject = ",".join(f"{_SHORT.get(key, key)}={value}" for part in names for key, value in part)
    return frozenset({f"sha256:{hashlib.sha256(encoded).hexdigest()}", subject})


def _context(settings: "ListenerSettings", protocol: int) -> ssl.SSLContext:
    context = ssl.SSLContext(protocol)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers(_CIPHERS)
    try:
        context.load_cert_chain(settings.tls_certificate, settings.tls_key or None)
    except (OSError, ValueError) as error:
        reason = "wanted a PEM file with a certificate, and its key in DICOM_LISTENER_TLS_KEY"
        raise SettingError(_CERTIFICATE, settings.tls_certificate, reason) from error
    if settings.tls_authorities:
        try:
            context.load_verify_locations(settings.tls_authorities)
        except (OSError, ValueError) as error:
            reason = "wanted a PEM file with certificates of authorities"
            raise SettingError(_AUTHORITIES, settings.tls_authorities, reason) from error
    return context
