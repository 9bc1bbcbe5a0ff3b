"""The outermost layer: nothing leaves without security headers, a log line, a figure, or as a traceback."""

import time

import structlog
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from imaging_service.database import new_id
from imaging_service.http.metrics import Metrics
from imaging_service.http.problems import problem_of

log = structlog.get_logger(__name__)

SECURITY_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'self'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
_OF_EVERY_ANSWER = tuple(
    (name.lower().encode(), value.encode())
    for name, value in (*SECURITY_HEADERS.items(), ("Cache-Control", "no-store"))
)
_ONLY_TLS = (b"strict-transport-security", b"max-age=31536000")


class EdgeMiddleware:
    """Stands before everything else."""

    def __init__(self, app: ASGIApp, *, metrics: Metrics) -> None:
        """Stand in front of `app`."""
        self._app = app
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id = new_id()
        scope.setdefault("state", {})["request_id"] = request_id
        began = time.perf_counter()
        status = 0

        async def finish(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = int(message["status"])
                _add_headers(message, request_id, scope["scheme"])
            await send(message)

        with structlog.contextvars.bound_contextvars(request_id=request_id):
            try:
                await self._app(scope, receive, finish)
            except Exception as error:  # noqa: BLE001  the edge: whatever it is, the caller gets a problem
                response = problem_of(error)
                if status == 0:
                    await response(scope, receive, finish)
            self._note(scope, status, time.perf_counter() - began)

    def _note(self, scope: Scope, status: int, seconds: float) -> None:
        """Log and count the route's template, never the path: a path may name a subject."""
        route = getattr(scope.get("route"), "path_format", None) or "unknown"
        self._metrics.request(scope["method"], route, status, seconds)
        log.info(
            "request",
            method=scope["method"][:16],
            route=route,
            status=status,
            milliseconds=round(seconds * 1000, 1),
            account_id=scope["state"].get("account_id"),
        )


def _add_headers(message: Message, request_id: str, scheme: str) -> None:
    """Add what every answer has; what a route has said itself stays."""
    said = message["headers"] = list(message.get("headers", ()))
    names = {name.lower() for name, _ in said}
    said += [each for each in _OF_EVERY_ANSWER if each[0] not in names]
    if scheme == "https" and _ONLY_TLS[0] not in names:
        said.append(_ONLY_TLS)
    said.append((b"x-request-id", request_id.encode()))
