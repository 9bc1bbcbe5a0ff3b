"""A real receiver on this machine: it answers as it is told and keeps what it gets."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from json import loads
from threading import Thread
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Received:
    """One delivery as it came."""

    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def told(self) -> dict[str, Any]:
        """The body's JSON."""
        told: dict[str, Any] = loads(self.body)
        return told


@dataclass(kw_only=True)
class Receiver:
    """What a receiver has got, and how it answers."""

    port: int
    status: int = 204
    refused_kinds: set[str] = field(default_factory=set)  # of which it takes none in
    got: list[Received] = field(default_factory=list)  # taken in
    refused: list[Received] = field(default_factory=list)

    @property
    def url(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self.port}/hook"

    def told(self, *names: str) -> Sequence[tuple[Any, ...]]:
        """Return values of what was taken in, in order."""
        return [tuple(each.told[name] for name in names) for each in self.got]


@contextmanager
def receiving(receiver: Receiver | None = None) -> Iterator[Receiver]:
    """Let a receiver answer, on a free port, or on the one that it had before."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            received = Received(path=self.path, headers=dict(self.headers.items()), body=body)
            is_taken = found.status < 300 and received.told["kind"] not in found.refused_kinds
            (found.got if is_taken else found.refused).append(received)
            self.send_response(found.status if is_taken or found.status >= 300 else 503)
            self.send_header("Location", "http://127.0.0.1:1/elsewhere")
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", receiver.port if receiver else 0), Handler)
    found = receiver or Receiver(port=server.server_port)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield found
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
