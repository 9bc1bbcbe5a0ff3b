"""What an ID token must say to be believed (OpenID Connect Core, section 3.1.3.7)."""

import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, NoReturn

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from imaging_service.errors import UnauthenticatedError

ALGORITHMS = (
    "RS256",
    "RS384",
    "RS512",
    "PS256",
    "PS384",
    "PS512",
    "ES256",
    "ES384",
    "ES512",
    "EdDSA",
    "Ed25519",
)
"""Signatures with a public key only: 'none' and shared secrets are not among them (RFC 8725, section 3.1)."""

_OLDEST = timedelta(minutes=10)
_KINDS = frozenset({"RSA", "EC", "OKP"})


class UnknownKeyError(Exception):
    """No key of the provider fits the token's signature: it may have new ones."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """What the token must have been made for."""

    issuer: str
    client_id: str
    nonce: str
    now: datetime
    skew: timedelta
    authenticated_since: datetime | None = None
    """Not earlier than this must the person have proved who it is; ``None`` where it does not matter."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Who the token says that it is."""

    subject: str
    authenticated_at: datetime | None


def keys_of(document: Mapping[str, Any]) -> KeySet:
    """Return the provider's public keys for signatures; those of other kinds are left out."""
    keys = [
        key
        for key in document.get("keys", [])
        if isinstance(key, dict) and key.get("kty") in _KINDS and key.get("use", "sig") == "sig"
    ]
    return KeySet.import_key_set({"keys": keys})


def read(id_token: str, keys: KeySet, expected: Expected) -> Person:
    """Return whom the token names, after every check.

    Raises
    ------
    UnknownKeyError
        The signature fits none of `keys`.
    UnauthenticatedError
        The token is for another, too old, or not what was asked for; the sentence says which.
    """
    try:
        claims = jwt.decode(id_token, keys, algorithms=list(ALGORITHMS)).claims
    except (JoseError, ValueError) as error:
        raise UnknownKeyError(type(error).__name__) from error
    _check_audience(claims, expected)
    _check_times(claims, expected)
    if not hmac.compare_digest(str(claims.get("nonce", "")).encode(), expected.nonce.encode()):
        _refuse("it was made for another sign-in (nonce)")
    subject = claims.get("sub")
    if not isinstance(subject, str) or not 0 < len(subject) <= 255:
        _refuse("it names nobody (sub)")
    return Person(subject=subject, authenticated_at=_authenticated_at(claims, expected))


def _check_audience(claims: Mapping[str, Any], expected: Expected) -> None:
    if claims.get("iss") != expected.issuer:
        _refuse(f"it comes from {str(claims.get('iss'))[:200]!r}; {expected.issuer!r} was wanted (iss)")
    audience = claims.get("aud")
    named = audience if isinstance(audience, list) else [audience]
    if expected.client_id not in named:
        _refuse("it is for another service (aud)")
    if claims.get("azp", expected.client_id) != expected.client_id or (
        len(named) > 1 and "azp" not in claims
    ):
        _refuse("it was asked for by another service (azp)")


def _check_times(claims: Mapping[str, Any], expected: Expected) -> None:
    expires_at, issued_at = _instant(claims, "exp"), _instant(claims, "iat")
    if expires_at is None or expires_at <= expected.now - expected.skew:
        _refuse("it has expired (exp)")
    if issued_at is None or not _is_between(issued_at, expected.now - _OLDEST, expected):
        _refuse("it was not made just now (iat)")
    if (begins_at := _instant(claims, "nbf")) is not None and begins_at > expected.now + expected.skew:
        _refuse("its time has not come (nbf)")


def _authenticated_at(claims: Mapping[str, Any], expected: Expected) -> datetime | None:
    at = _instant(claims, "auth_time")
    if expected.authenticated_since is None:
        return at
    if at is None or not _is_between(at, expected.authenticated_since, expected):
        _refuse("the password was not entered again for it (auth_time)")
    return min(at, expected.now)


def _is_between(at: datetime, earliest: datetime, expected: Expected) -> bool:
    return earliest - expected.skew <= at <= expected.now + expected.skew


def _instant(claims: Mapping[str, Any], name: str) -> datetime | None:
    value = claims.get(name)
    if not isinstance(value, int | float) or isinstance(value, bool) or not 0 <= value < 2**40:
        return None
    return datetime.fromtimestamp(value, UTC)


def _refuse(reason: str) -> NoReturn:
    message = f"The identity provider's token is refused: {reason}."
    raise UnauthenticatedError(message, code="identity_refused")
