"""Answers of searches and of metadata, given again from memory while nothing at all has changed.

An answer is the same only for the same request with the same credentials, while neither database has seen a
commit since before it was made (`stamps`), and for half a minute at most. So whoever was let in, what was
open to a reader and how it was blinded are as exact as if everything were asked anew.
"""

import hashlib
from collections import OrderedDict
from collections.abc import Callable, MutableMapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from threading import Lock
from typing import Any

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from imaging_service.accounts.principal import Principal
from imaging_service.clock import Clock
from imaging_service.images.dicomweb.access import VisibleStudy
from imaging_service.images.dicomweb.stamps import Stamp, Stamps

_FOR = timedelta(seconds=30)
_LONGEST = 8 * 2**20
_MOST_BYTES = 64 * 2**20
_KINDS = (b"application/dicom+json",)
_ASKED = ("authorization", "cookie", "accept", "host", "x-forwarded-proto", "x-forwarded-host")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Answer:
    """What was answered, and until when it holds."""

    stamp: Stamp
    until: datetime
    headers: tuple[tuple[bytes, bytes], ...]
    body: bytes
    etag: bytes
    route: Any
    account_id: str | None


class RememberMiddleware:
    """Stands before the routes of DICOMweb."""

    def __init__(self, app: ASGIApp, *, prefix: str, stamps: Stamps, clock: Clock) -> None:
        """Remember answers below `prefix`."""
        self._app = app
        self._prefix = prefix
        self._stamps = stamps
        self._clock = clock
        self._kept: OrderedDict[bytes, _Answer] = OrderedDict()
        self._bytes = 0
        self._lock = Lock()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http" or scope["method"] != "GET" or not scope["path"].startswith(self._prefix):
            await self._app(scope, receive, send)
            return
        stamp = self._stamps.now()
        if stamp is None:
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        key = _key(scope, headers)
        known = self._found(key, stamp)
        if known is None:
            await self._ask(scope, receive, send, key=key, stamp=stamp)
        else:
            await _give(known, scope, send, asked=headers.get("if-none-match"))

    def _found(self, key: bytes, stamp: Stamp) -> _Answer | None:
        with self._lock:
            known = self._kept.get(key)
            if known is None or known.stamp != stamp or self._clock.now() >= known.until:
                return None
            self._kept.move_to_end(key)
            return known

    async def _ask(self, scope: Scope, receive: Receive, send: Send, *, key: bytes, stamp: Stamp) -> None:
        """Let the routes answer, and keep the answer where it is one that may be given again."""
        start: Message = {}
        parts: list[bytes] | None = []

        async def note(message: Message) -> None:
            nonlocal start, parts
            if message["type"] == "http.response.start":
                start = message
                parts = [] if _is_kept(message) else None
            elif parts is not None:
                parts.append(message.get("body", b""))
                if sum(map(len, parts)) > _LONGEST:
                    parts = None
            await send(message)
            if parts is not None and message["type"] == "http.response.body" and not message.get("more_body"):
                self._keep(key, self._answer(scope, start, b"".join(parts), stamp))

        await self._app(scope, receive, note)

    def _answer(self, scope: MutableMapping[str, Any], start: Message, body: bytes, stamp: Stamp) -> _Answer:
        headers = [(name, value) for name, value in start["headers"] if name in {b"content-type", b"warning"}]
        return _Answer(
            stamp=stamp,
            until=self._clock.now() + _FOR,
            headers=(*headers, (b"cache-control", b"private, no-cache")),
            body=body,
            etag=b'"' + hashlib.sha256(body).hexdigest()[:32].encode() + b'"',
            route=scope.get("route"),
            account_id=scope["state"].get("account_id"),
        )

    def _keep(self, key: bytes, answer: _Answer) -> None:
        with self._lock:
            self._forget(key)
            self._kept[key] = answer
            self._bytes += len(answer.body)
            while self._bytes > _MOST_BYTES:
                self._forget(next(iter(self._kept)))

    def _forget(self, key: bytes) -> None:
        known = self._kept.pop(key, None)
        if known is not None:
            self._bytes -= len(known.body)


class RememberedAccess:
    """What a caller sees of a study, for as long as nothing has changed."""

    def __init__(self, most: int = 1024) -> None:
        """Keep at most so many."""
        self._most = most
        self._kept: OrderedDict[tuple[Principal, str], tuple[Stamp, VisibleStudy | None]] = OrderedDict()
        self._lock = Lock()

    def study(
        self, stamp: Stamp | None, principal: Principal, uid: str, ask: Callable[[], VisibleStudy | None]
    ) -> VisibleStudy | None:
        """Return what `ask` says, or has said under the same stamp, which was taken before it was asked."""
        if stamp is None:
            return ask()
        with self._lock:
            known = self._kept.get((principal, uid))
        if known is not None and known[0] == stamp:
            return known[1]
        found = ask()
        with self._lock:
            self._kept[principal, uid] = (stamp, found)
            if len(self._kept) > self._most:
                self._kept.popitem(last=False)
        return found


def _key(scope: Scope, headers: Headers) -> bytes:
    """Return a digest of everything that an answer depends on; no credential is kept."""
    asked = (headers.get(name, "") for name in _ASKED)
    said = (
        *(str(scope.get("raw_path") or scope["path"]), scope["query_string"].decode("latin-1")),
        *(scope["scheme"], str(scope["state"].get("client_certificate")), *asked),
    )
    return hashlib.sha256(repr(said).encode("utf-8", "surrogateescape")).digest()


def _is_kept(start: Message) -> bool:
    kinds = [value.partition(b";")[0] for name, value in start["headers"] if name == b"content-type"]
    return start["status"] == 200 and bool(kinds) and kinds[0] in _KINDS


async def _give(known: _Answer, scope: MutableMapping[str, Any], send: Send, *, asked: str | None) -> None:
    scope["state"]["account_id"] = known.account_id
    if known.route is not None:
        scope["route"] = known.route
    is_known = asked is not None and known.etag.decode() in [each.strip() for each in asked.split(",")]
    body = b"" if is_known else known.body
    headers = [*known.headers, (b"etag", known.etag)]
    if not is_known:
        headers.append((b"content-length", str(len(body)).encode()))
    await send({"type": "http.response.start", "status": 304 if is_known else 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})
