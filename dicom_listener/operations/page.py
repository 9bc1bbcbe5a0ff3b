"""A small port for those who watch: ``/health/live``, ``/health/ready`` and ``/metrics``.

One request a connection, a head of at most 8 KiB within five seconds, few at a time; nothing that is sent
is ever repeated.
"""

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from socketserver import BaseRequestHandler, ThreadingTCPServer
from time import monotonic
from typing import Any

import structlog
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.multiprocess import MultiProcessCollector

from dicom_listener.errors import AddressTakenError, ArchiveError
from dicom_listener.metrics import REGISTRY
from dicom_listener.operations.health import Health

_log = structlog.get_logger()

_LONGEST_HEAD = 8192
_SECONDS = 5.0
_AT_ONCE = 8
_FIGURES = "text/plain; version=0.0.4; charset=utf-8"
_TEXT = "text/plain; charset=utf-8"
_PHRASES = {
    200: "OK",
    400: "Bad Request",
    404: "Not Found",
    405: "Method Not Allowed",
    503: "Service Unavailable",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a watcher is told."""

    status: int
    body: str
    media_type: str = _TEXT

    def encode(self, *, with_body: bool) -> bytes:
        """Return the response as it goes over the wire (RFC 9112)."""
        body = self.body.encode()
        head = (
            f"HTTP/1.1 {self.status} {_PHRASES[self.status]}\r\n"
            f"Content-Type: {self.media_type}\r\nContent-Length: {len(body)}\r\n"
            "Cache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\nConnection: close\r\n\r\n"
        )
        return head.encode() + (body if with_body else b"")


class _Present:
    """What is looked up when it is asked for."""

    def __init__(self, health: Health) -> None:
        self._health = health

    def collect(self) -> Iterator[GaugeMetricFamily]:
        if (free := self._health.free_bytes()) is not None:
            yield GaugeMetricFamily(
                "dicom_listener_disk_free_bytes", "Room on the disk of the objects.", value=free
            )
        try:
            waiting = self._health.waiting()
        except (ArchiveError, OSError):
            return
        yield GaugeMetricFamily(
            "dicom_listener_backlog_instances",
            "Acknowledged instances that the index does not have yet.",
            value=waiting,
        )


class Watch:
    """Answer watchers about one listener."""

    def __init__(self, health: Health) -> None:
        """Ask `health`, and the figures of the process or of all its kin."""
        self._health = health
        self._registries = [REGISTRY]
        if "PROMETHEUS_MULTIPROC_DIR" in os.environ:
            together = CollectorRegistry()
            MultiProcessCollector(together)  # type: ignore[no-untyped-call] # the library's
            self._registries = [together]
        present = CollectorRegistry()
        present.register(_Present(health))
        self._registries.append(present)

    def answer(self, path: str) -> Answer:
        """Return what stands at `path`."""
        if path == "/health/live":
            return Answer(status=200, body="live\n")
        if path == "/health/ready":
            findings = self._health.findings()
            return Answer(status=503 if findings else 200, body="\n".join(findings or ["ready"]) + "\n")
        if path == "/metrics":
            figures = b"".join(generate_latest(registry) for registry in self._registries)
            return Answer(status=200, body=figures.decode(), media_type=_FIGURES)
        return Answer(status=404, body="There is /health/live, /health/ready and /metrics.\n")


class _Request(BaseRequestHandler):
    """One request and its answer."""

    server: "_Port"

    def handle(self) -> None:
        """Answer within the deadline; whoever is slower is let go."""
        deadline = monotonic() + _SECONDS
        try:
            answer, with_body = self._answer(self._head(deadline))
            self.request.settimeout(max(deadline - monotonic(), 0.1))
            self.request.sendall(answer.encode(with_body=with_body))
        except OSError:
            return

    def _head(self, deadline: float) -> bytes:
        """Read up to the empty line."""
        head = b""
        while b"\r\n\r\n" not in head and len(head) < _LONGEST_HEAD:
            self.request.settimeout(max(deadline - monotonic(), 0.001))
            part = self.request.recv(_LONGEST_HEAD - len(head))
            if not part:
                raise ConnectionResetError
            head += part
        return head

    def _answer(self, head: bytes) -> tuple[Answer, bool]:
        words = head.partition(b"\r\n")[0].split(b" ")
        if len(words) != 3 or not words[2].startswith(b"HTTP/1.") or b"\r\n\r\n" not in head:
            return Answer(status=400, body="Wanted one GET of HTTP/1.1.\n"), True
        if words[0] not in {b"GET", b"HEAD"}:
            return Answer(status=405, body="Only GET and HEAD are answered.\n"), True
        path = words[1].partition(b"?")[0].decode("latin-1")
        return self.server.watch.answer(path), words[0] == b"GET"


class _Port(ThreadingTCPServer):
    """The port; connections beyond a few are closed at once."""

    allow_reuse_address = True
    daemon_threads = True
    block_on_close = False
    request_queue_size = 16

    def __init__(self, address: tuple[str, int], watch: Watch) -> None:
        self.watch = watch
        self._places = threading.BoundedSemaphore(_AT_ONCE)
        super().__init__(address, _Request)

    def process_request(self, request: Any, client_address: Any) -> None:  # noqa: ANN401 - the base's
        """Serve in a thread of its own, while there are few."""
        if not self._places.acquire(blocking=False):
            self.shutdown_request(request)
            return
        super().process_request(request, client_address)

    def process_request_thread(self, request: Any, client_address: Any) -> None:  # noqa: ANN401 - the base's
        """Serve, and free the place."""
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._places.release()

    def handle_error(self, _request: object, _address: object) -> None:
        """Say that something failed, not with which values."""
        _log.warning("watcher_failed")


@contextmanager
def watched(watch: Watch, host: str, port: int) -> Iterator[int]:
    """Answer watchers on a port for the length of a block; yield the port.

    Raises
    ------
    AddressTakenError
        When the port is taken.
    """
    try:
        server = _Port((host, port), watch)
    except OSError as error:
        reason = error.strerror or str(error)
        raise AddressTakenError(host, port, reason, setting="DICOM_LISTENER_OPERATIONS_PORT") from error
    answering = threading.Thread(target=server.serve_forever, args=(0.25,), daemon=True)
    answering.start()
    try:
        yield int(server.server_address[1])
    finally:
        server.shutdown()
        server.server_close()
        answering.join(1.0)
