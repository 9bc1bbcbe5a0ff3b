"""The identity provider, as a client sees it: its addresses, its keys, a code made into a person."""

import threading
from collections.abc import Mapping
from dataclasses import dataclass
from time import monotonic
from typing import Any
from urllib.parse import urlencode, urlsplit

import httpx
from joserfc.jwk import KeySet

from imaging_service.accounts.openid import tokens
from imaging_service.accounts.openid.tokens import Expected, Person, UnknownKeyError
from imaging_service.errors import BusyError, SettingsError, UnauthenticatedError
from imaging_service.settings import ServiceSettings

_WAIT_SECONDS = 10.0
_LONGEST_ANSWER = 1_048_576
_KNOWN_FOR_SECONDS = 3600.0
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What a browser is sent to the provider with."""

    redirect_uri: str
    state: str
    nonce: str
    code_challenge: str
    enters_password_again: bool


class Provider:
    """One identity provider; its metadata and keys are read when they are first needed, and hourly.

    Parameters
    ----------
    settings
        The issuer, and what the service is to it.

    Raises
    ------
    SettingsError
        The issuer's address is not https, and not this machine's.
    """

    def __init__(self, settings: ServiceSettings, issuer: str) -> None:
        """Ask nothing yet."""
        _refuse_plain(issuer)
        self.issuer = issuer
        self._client_id = settings.oidc_client_id
        self._secret = settings.oidc_client_secret
        self._lock = threading.Lock()
        self._metadata: Mapping[str, Any] | None = None
        self._keys: KeySet | None = None
        self._read_at = 0.0

    def address_for(self, question: Question) -> str:
        """Return where to send the browser.

        Raises
        ------
        BusyError
            The provider does not answer.
        """
        again = {"prompt": "login", "max_age": "0"} if question.enters_password_again else {}
        query = {
            "response_type": "code",
            "client_id": self._client_id,
            "redirect_uri": question.redirect_uri,
            "scope": "openid",
            "state": question.state,
            "nonce": question.nonce,
            "code_challenge": question.code_challenge,
            "code_challenge_method": "S256",
            **again,
        }
        address = self._address("authorization_endpoint")
        return f"{address}{'&' if '?' in address else '?'}{urlencode(query)}"

    def is_from_here(self, named_issuer: str | None) -> bool:
        """Whether an answer that names this issuer, or none, may be the provider's (RFC 9207)."""
        if named_issuer is None:
            return not self._known().get("authorization_response_iss_parameter_supported", False)
        return named_issuer == self.issuer

    def redeem(self, code: str, *, code_verifier: str, redirect_uri: str, expected: Expected) -> Person:
        """Return the person that a code stands for.

        Raises
        ------
        UnauthenticatedError
            The provider does not take the code, or its token is not to be believed.
        BusyError
            The provider does not answer.
        """
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": redirect_uri,
            "code_verifier": code_verifier,
            "client_id": self._client_id,
        }
        secret = self._secret
        login = None if secret is None else httpx.BasicAuth(self._client_id, secret.get_secret_value())
        answer = self._send("POST", self._address("token_endpoint"), data=form, auth=login)
        id_token = answer.get("id_token")
        if not isinstance(id_token, str):
            message = "The identity provider did not take the code; sign in again."
            raise UnauthenticatedError(message, code="identity_refused")
        return self._read(id_token, expected)

    def _read(self, id_token: str, expected: Expected) -> Person:
        try:
            return tokens.read(id_token, self._current_keys(renewed=False), expected)
        except UnknownKeyError:
            pass  # the provider may have changed its keys since they were read
        try:
            return tokens.read(id_token, self._current_keys(renewed=True), expected)
        except UnknownKeyError as error:
            message = (
                "The identity provider's token is refused: its signature fits none of the provider's keys."
            )
            raise UnauthenticatedError(message, code="identity_refused") from error

    def _known(self) -> Mapping[str, Any]:
        with self._lock:
            if self._metadata is None or monotonic() - self._read_at > _KNOWN_FOR_SECONDS:
                found = self._send("GET", f"{self.issuer.rstrip('/')}/.well-known/openid-configuration")
                if found.get("issuer") != self.issuer:
                    itself = str(found.get("issuer"))[:200]
                    message = f"The identity provider calls itself {itself!r}, not {self.issuer!r}."
                    raise UnauthenticatedError(message, code="identity_refused")
                self._metadata, self._keys, self._read_at = found, None, monotonic()
            return self._metadata

    def _current_keys(self, *, renewed: bool) -> KeySet:
        address = self._address("jwks_uri")
        with self._lock:
            if self._keys is None or renewed:
                self._keys = tokens.keys_of(self._send("GET", address))
            return self._keys

    def _address(self, name: str) -> str:
        address = self._known().get(name)
        if not isinstance(address, str):
            message = f"The identity provider does not tell its {name}."
            raise UnauthenticatedError(message, code="identity_refused")
        _refuse_plain(address)
        return address

    def _send(self, method: str, address: str, **arguments: Any) -> Mapping[str, Any]:  # noqa: ANN401
        """Return the provider's JSON object, of whatever status; never more than a little."""
        try:
            with (
                httpx.Client(timeout=_WAIT_SECONDS, trust_env=False) as client,
                client.stream(method, address, headers={"Accept": "application/json"}, **arguments) as answer,
            ):
                content = b""
                for part in answer.iter_bytes():
                    content += part
                    if len(content) > _LONGEST_ANSWER:
                        raise _unreadable()
                if answer.status_code >= 500:
                    raise _away()
                found = httpx.Response(200, content=content).json()
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise _away() from error
        except ValueError as error:
            raise _unreadable() from error
        if not isinstance(found, dict):
            raise _unreadable()
        return found


def _away() -> BusyError:
    return BusyError("The identity provider does not answer; please try again.", retry_after_seconds=5)


def _unreadable() -> UnauthenticatedError:
    message = "The identity provider's answer cannot be read."
    return UnauthenticatedError(message, code="identity_refused")


def _refuse_plain(address: str) -> None:
    parts = urlsplit(address)
    if parts.scheme != "https" and parts.hostname not in _LOOPBACK:
        message = f"The identity provider's address {address[:200]!r} must begin with https://."
        raise SettingsError(message)
