"""The gate: what a request must look like before any route sees it.

RFC 8259 leaves open what this service does not: a duplicate key, a number that is none, a lone surrogate,
a control character, an integer beyond 64 bits, endless nesting. Each is refused with a sentence, here only.
"""

import json
import math
import re
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote_to_bytes

from anyio.to_thread import run_sync
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from imaging_service.errors import BadRequestError, ServiceError, TooLargeError, UnsupportedTypeError
from imaging_service.http.problems import problem_of

MAX_DEPTH = 20
MAX_TARGET = 4096
_INTEGER_64 = 2**63
_LONGEST_NUMBER = 64
_IN_A_THREAD_ABOVE = 16_384
_OTHER_TYPES = frozenset({"application/toml", "text/csv"})
_TOKENS = re.compile(rb'"(?:[^"\\]|\\.)*+"|[\[{]|[\]}]', re.DOTALL)
_FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]")
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f]")


def read_json(body: bytes) -> Any:  # noqa: ANN401  any JSON value
    """Read strict JSON.

    Parameters
    ----------
    body
        UTF-8 without a byte order mark.

    Raises
    ------
    BadRequestError
        The body is not JSON as this service has it; the sentence names the reason and the place.

    Examples
    --------
    >>> read_json(b'{"points": [[1.5, 2]]}')
    {'points': [[1.5, 2]]}
    """
    _check_depth(body)
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError as error:
        message = f"The body must be UTF-8; byte {error.start} is not."
        raise BadRequestError(message, code="json_not_utf8") from None
    try:
        value = json.loads(
            text,
            object_pairs_hook=_object,
            parse_constant=_refuse_constant,
            parse_int=_integer,
            parse_float=_number,
        )
    except json.JSONDecodeError as error:
        message = f"The body is not JSON: {error.msg} at line {error.lineno}, column {error.colno}."
        raise BadRequestError(message, code="json_malformed") from None
    _check_texts(value)
    return value


def _check_depth(body: bytes) -> None:
    depth = 0
    for match in _TOKENS.finditer(body):
        first = match.group()[:1]
        if first in b"[{":
            depth += 1
            if depth > MAX_DEPTH:
                message = f"The body nests deeper than {MAX_DEPTH} levels."
                raise BadRequestError(message, code="json_too_deep")
        elif first in b"]}":
            depth -= 1


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        message = f"The key {_shown(twice)} stands twice in one object; each must stand once."
        raise BadRequestError(message, code="json_duplicate_key")
    return value


def _refuse_constant(name: str) -> Any:  # noqa: ANN401  never returns
    message = f"{name} is no JSON number; a number must be finite."
    raise BadRequestError(message, code="json_not_finite")


def _integer(text: str) -> int:
    if len(text) > 20 or not -_INTEGER_64 <= int(text) < _INTEGER_64:
        message = f"The integer {text[:24]}{'…' if len(text) > 24 else ''} does not fit into 64 bits."
        raise BadRequestError(message, code="json_integer_range")
    return int(text)


def _number(text: str) -> float:
    value = float(text) if len(text) <= _LONGEST_NUMBER else math.inf
    if not math.isfinite(value):
        message = (
            f"The number {text[:24]}{'…' if len(text) > 24 else ''} is too long or too great for a float."
        )
        raise BadRequestError(message, code="json_number_range")
    return value


def _check_texts(value: Any) -> None:  # noqa: ANN401  any JSON value
    waiting = [value]
    while waiting:
        current = waiting.pop()
        if isinstance(current, dict):
            waiting.extend(current.keys())
            waiting.extend(current.values())
        elif isinstance(current, list):
            waiting.extend(current)
        elif isinstance(current, str) and (found := _FORBIDDEN.search(current)):
            kind = "lone surrogate" if found.group() >= "\ud800" else "control character"
            message = f"A text holds the {kind} U+{ord(found.group()):04X}; it must hold visible characters."
            raise BadRequestError(message, code="json_bad_character")


def _shown(text: str) -> str:
    return json.dumps(text[:64])


@dataclass(frozen=True, slots=True, kw_only=True)
class Streamed:
    """Requests whose body goes to their route as it comes, because no memory should hold it."""

    path: re.Pattern[str]
    media_type: str
    limit_bytes: int

    def covers(self, scope: Scope) -> bool:
        """Whether a request is one of them."""
        media_type = Headers(scope=scope).get("content-type", "").partition(";")[0]
        is_of_type = media_type.strip().lower() == self.media_type
        return scope["method"] == "POST" and is_of_type and self.path.fullmatch(scope["path"]) is not None


class GateMiddleware:
    """Reads each body up to its limit, and lets only well-formed requests through."""

    def __init__(self, app: ASGIApp, *, body_limit_bytes: int, streamed: Streamed | None = None) -> None:
        """Stand in front of `app`; the body of what is `streamed` is counted, and not read."""
        self._app = app
        self._limit = body_limit_bytes
        self._streamed = streamed

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        if self._streamed is not None and self._streamed.covers(scope):
            await self._stream(scope, receive, send, self._streamed.limit_bytes)
            return
        try:
            _check_target(scope)
            body = await self._read(scope, receive)
            await self._check(scope, body)
        except ServiceError as error:
            await problem_of(error)(scope, receive, send)
            return
        await self._app(scope, _once(body, receive), send)

    async def _stream(self, scope: Scope, receive: Receive, send: Send, limit: int) -> None:
        try:
            _check_target(scope)
            _check_declared(scope, limit)
        except ServiceError as error:
            await problem_of(error)(scope, receive, send)
            return
        scope["state"]["body_is_json"] = False
        await self._app(scope, _counted(receive, limit), send)

    async def _read(self, scope: Scope, receive: Receive) -> bytes:
        _check_declared(scope, self._limit)
        chunks: list[bytes] = []
        length = 0
        while True:
            message = await receive()
            if message["type"] == "http.disconnect":
                reason = "The caller left before its request was whole."
                raise BadRequestError(reason, code="disconnected")
            chunks.append(message.get("body", b""))
            length += len(chunks[-1])
            if length > self._limit:
                raise _too_large(self._limit)
            if not message.get("more_body", False):
                return b"".join(chunks)

    async def _check(self, scope: Scope, body: bytes) -> None:
        content_type = Headers(scope=scope).get("content-type", "").lower()
        media_type, _, parameters = content_type.partition(";")
        media_type = media_type.strip()
        scope["state"]["body_is_json"] = not body or media_type == "application/json"
        if not body:
            return
        if media_type == "application/json":
            charset = parameters.replace(" ", "").replace('"', "")
            if charset not in {"", "charset=utf-8"}:
                message = f"JSON comes in UTF-8; the Content-Type says {parameters.strip()[:60]!r}."
                raise UnsupportedTypeError(message)
            if len(body) > _IN_A_THREAD_ABOVE:
                await run_sync(read_json, body)
            else:
                read_json(body)
        elif media_type not in _OTHER_TYPES:
            message = f"A body comes as application/json; the Content-Type says {media_type[:60]!r}."
            raise UnsupportedTypeError(message)


def _check_target(scope: Scope) -> None:
    path, query = scope.get("raw_path") or b"", scope["query_string"]
    if len(path) + len(query) > MAX_TARGET:
        message = f"The address has {len(path) + len(query)} bytes; it may have {MAX_TARGET}."
        raise BadRequestError(message, code="address_too_long")
    for part in (path, query):
        try:
            text = unquote_to_bytes(part).decode("utf-8")
        except UnicodeDecodeError:
            wanted = "The address must be UTF-8, percent-encoded."
            raise BadRequestError(wanted, code="address_bad") from None
        if _CONTROL.search(text):
            found = "The address holds a control character."
            raise BadRequestError(found, code="address_bad")


def _check_declared(scope: Scope, limit: int) -> None:
    declared = Headers(scope=scope).get("content-length", "0")
    if len(declared) > 18 or int(declared or 0) > limit:
        raise _too_large(limit)


def _too_large(limit: int) -> TooLargeError:
    return TooLargeError(f"The body is longer than {limit} bytes, the most that the service reads.")


def _counted(receive: Receive, limit: int) -> Receive:
    """Return a `receive` that refuses what goes beyond the limit."""
    length = 0

    async def receive_counted() -> Message:
        nonlocal length
        message = await receive()
        length += len(message.get("body", b""))
        if length > limit:
            raise _too_large(limit)
        return message

    return receive_counted


def _once(body: bytes, receive: Receive) -> Receive:
    """Return a `receive` that gives the body that was read, and then what comes after it."""
    given = False

    async def receive_body() -> Message:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return receive_body
