"""A caller of the REST interface that outlives a server's death.

Every write carries an Idempotency-Key that follows from its content, so a request repeated after a lost
answer, or by a second run of the demo, happens once.
"""

import hashlib
import json
import time
from collections.abc import Iterator, Mapping
from typing import Any, Self, TypeAlias

import httpx

from imaging_service.demo.errors import AnswerError
from imaging_service.demo.waiting import until

API = "/api/v1"
LONG_PAGE = {"limit": "500"}
Json: TypeAlias = Any  # what a JSON text holds; the story's checks look at every value they use
_PATIENCE_SECONDS = 90.0
_TRY_AGAIN = frozenset({429, 502, 503, 504})
_SIGN_IN = "/sessions"


class Caller:
    """One account that talks to the service, signed in again whenever its token has ended; a context."""

    def __init__(
        self, address: str, account: str, password: str, transport: httpx.BaseTransport | None = None
    ) -> None:
        self.account = account
        self.password = password
        self._client = httpx.Client(base_url=address, timeout=30.0, transport=transport)
        self._token = ""

    def __enter__(self) -> Self:
        """Return the caller itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the connections."""
        self._client.close()

    def get(self, path: str, query: Mapping[str, str] | None = None) -> Json:
        """Return the JSON that a route answers."""
        return self._call("GET", path, query=query).json()

    def items(self, path: str, query: Mapping[str, str] | None = None) -> Iterator[Json]:
        """Yield the items of every page of a list."""
        page = self.get(path, query)
        yield from page["items"]
        while page["next_cursor"] is not None:
            page = self.get(path, {**(query or {}), "cursor": page["next_cursor"]})
            yield from page["items"]

    def write(self, method: str, path: str, body: Json = None) -> Json:
        """Send a write, as often as it takes to be answered, and return its JSON."""
        content = None if body is None else json.dumps(body).encode()
        return _json_of(self._call(method, path, body=content, media_type="application/json"))

    def write_text(self, method: str, path: str, text: str, media_type: str) -> Json:
        """Send a write whose body is a text of another kind."""
        return _json_of(self._call(method, path, body=text.encode(), media_type=media_type))

    def ensure(self, method: str, path: str, body: Json = None) -> None:
        """Send a write that may have happened in an earlier run; a conflict says that it has."""
        try:
            self.write(method, path, body)
        except AnswerError as error:
            if error.status != httpx.codes.CONFLICT:
                raise

    def _call(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str] | None = None,
        body: bytes | None = None,
        media_type: str = "",
    ) -> httpx.Response:
        headers = {} if body is None else {"Content-Type": media_type}
        if method != "GET":
            headers["Idempotency-Key"] = _key_of(self.account, method, path, body)

        def attempt() -> httpx.Response | None:
            self._token = self._token or self._sign_in()
            signed_in = {**headers, "Authorization": f"Bearer {self._token}"}
            answer = self._send(method, path, params=query, content=body, headers=signed_in)
            if answer is not None and _token_ended(answer):
                self._token = ""
                return None
            return answer

        return self._accepted(until(attempt, seconds=_PATIENCE_SECONDS, what=f"an answer to {method} {path}"))

    def _sign_in(self) -> str:
        words = {"account": self.account, "password": self.password}
        answer = until(
            lambda: self._send("POST", _SIGN_IN, json=words),
            seconds=_PATIENCE_SECONDS,
            what=f"{self.account} to be signed in",
        )
        return str(self._accepted(answer).json()["token"])

    def _send(self, method: str, path: str, **request: Json) -> httpx.Response | None:
        """Return the answer, or None when nobody could give one now."""
        try:
            answer = self._client.request(method, API + path, **request)
        except httpx.TransportError:
            return None
        if answer.status_code in _TRY_AGAIN:
            time.sleep(min(float(answer.headers.get("Retry-After", 0)), 5.0))
            return None
        return answer

    def _accepted(self, answer: httpx.Response) -> httpx.Response:
        if not answer.is_error:
            return answer
        problem = _problem_of(answer)
        raise AnswerError(
            method=answer.request.method,
            path=answer.request.url.path,
            account=self.account,
            status=answer.status_code,
            detail=str(problem.get("detail") or problem.get("title") or answer.text[:200]),
        )


def _json_of(answer: httpx.Response) -> Json:
    return answer.json() if answer.content else None


def _token_ended(answer: httpx.Response) -> bool:
    is_unauthorized = answer.status_code == httpx.codes.UNAUTHORIZED
    return is_unauthorized and _problem_of(answer).get("code") == "token_invalid"


def _key_of(account: str, method: str, path: str, body: bytes | None) -> str:
    digest = hashlib.sha256(f"{account}\n{method}\n{path}\n".encode() + (body or b""))
    return f"demo-{digest.hexdigest()[:40]}"


def _problem_of(answer: httpx.Response) -> Mapping[str, Json]:
    try:
        body = answer.json()
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}
