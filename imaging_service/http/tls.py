"""TLS of the service itself: its own certificate, and the certificates of machines (mutual TLS)."""

import ssl

from imaging_service.errors import SettingsError
from imaging_service.settings import ServiceSettings


def server_context(settings: ServiceSettings) -> ssl.SSLContext | None:
    """Return how the service speaks TLS, or ``None`` when it is not set up to.

    A caller may show a certificate; one that none of the authorities has signed ends the handshake.

    Raises
    ------
    SettingsError
        A file cannot be read or used, or half of the settings is missing.
    """
    if settings.tls_certificate is None:
        if settings.tls_key is not None or settings.tls_client_authorities is not None:
            message = "TLS needs a certificate: set IMAGING_SERVICE_TLS_CERTIFICATE."
            raise SettingsError(message)
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        context.load_cert_chain(settings.tls_certificate, settings.tls_key)
    except (OSError, ssl.SSLError) as error:
        message = (
            f"The certificate {settings.tls_certificate} cannot be used with its key "
            f"{settings.tls_key or 'in the same file'}: {_reason(error)}."
        )
        raise SettingsError(message) from error
    if settings.tls_client_authorities is not None:
        try:
            context.load_verify_locations(settings.tls_client_authorities)
        except (OSError, ssl.SSLError) as error:
            message = f"The authorities {settings.tls_client_authorities} cannot be used: {_reason(error)}."
            raise SettingsError(message) from error
        context.verify_mode = ssl.CERT_OPTIONAL
    return context


def _reason(error: OSError) -> str:
    return (
        str(getattr(error, "reason", None) or error.strerror or type(error).__name__)
        .lower()
        .replace("_", " ")
    )
