"""The server: uvicorn with our protocol, on a socket of our own."""

import asyncio
import errno
import gc
import os
import resource
import socket
import sys
from collections.abc import Callable
from functools import partial

import uvicorn
from starlette.types import ASGIApp

from imaging_service.errors import SettingsError
from imaging_service.http.protocol import Limits, protocol_with
from imaging_service.http.tls import server_context
from imaging_service.settings import ServiceSettings

_HEAD_BYTES = 32_768
_BACKLOG = 1024
_OTHER_FILES = 512
"""File descriptors besides connections: databases, objects, libraries."""
_THREAD_TURN_SECONDS = 0.0005


class Server(uvicorn.Server):
    """A server that says when it is ready."""

    def __init__(
        self, config: uvicorn.Config, on_ready: Callable[[], None] | None = None, *, handshake_seconds: float
    ) -> None:
        """Call `on_ready` once requests are answered."""
        super().__init__(config)
        self._on_ready = on_ready
        self._handshake_seconds = handshake_seconds

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, and say so; a TLS handshake has a deadline too, which uvicorn has no option for."""
        loop = asyncio.get_running_loop()
        if self.config.ssl is not None:
            limited = partial(loop.create_server, ssl_handshake_timeout=self._handshake_seconds)
            loop.create_server = limited  # type: ignore[method-assign]
        await super().startup(sockets)
        if self._on_ready is not None:
            self._on_ready()


def settle() -> None:
    """Prepare this process for many short requests, once everything that lasts is loaded.

    What lasts is set aside from garbage collection, a full round of which would halt a request for a tenth of
    a second. A thread that computes gives way ten times sooner than Python's 5 ms, as each request goes to
    and fro between the event loop and threads some six times.
    """
    gc.collect()
    gc.freeze()
    sys.setswitchinterval(_THREAD_TURN_SECONDS)


def make_server(
    app: ASGIApp, settings: ServiceSettings, on_ready: Callable[[], None] | None = None
) -> Server:
    """Return a server for `app`; run it with the sockets of `bind`."""
    limits = Limits(
        head=settings.head_deadline_seconds,
        body=settings.body_deadline_seconds,
        body_rate=settings.body_least_bytes_per_second,
        answer=settings.answer_deadline_seconds,
        idle=settings.keep_alive_seconds,
        connections=settings.connection_limit,
    )
    config = uvicorn.Config(
        app,
        http=protocol_with(limits),
        ws="none",
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_keep_alive=max(1, int(settings.keep_alive_seconds)),
        timeout_graceful_shutdown=10,
        h11_max_incomplete_event_size=_HEAD_BYTES,
    )
    config.load()
    config.ssl = server_context(settings)
    return Server(config, on_ready, handshake_seconds=settings.head_deadline_seconds)


def serve(app: ASGIApp, settings: ServiceSettings, on_ready: Callable[[str], None] | None = None) -> None:
    """Serve `app` until SIGINT or SIGTERM.

    Parameters
    ----------
    app
        The application.
    settings
        Address, port and limits.
    on_ready
        Told the web address once requests are answered.

    Raises
    ------
    SettingsError
        The address or the port cannot be had.
    """
    listening = bind(settings.host, settings.port)
    address = address_of(listening, is_tls=settings.tls_certificate is not None)
    _allow_files(settings.connection_limit + _OTHER_FILES)
    settle()
    make_server(app, settings, None if on_ready is None else lambda: on_ready(address)).run([listening])


def bind(host: str, port: int) -> socket.socket:
    """Return a listening socket.

    Raises
    ------
    SettingsError
        The port is taken, is not allowed, or the host is not this machine's.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)  # asyncio then sets TCP_NODELAY
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((host, port))
        listening.listen(_BACKLOG)
    except OSError as error:
        listening.close()
        raise SettingsError(_sentence(host, port, error)) from error
    return listening


def _sentence(host: str, port: int, error: OSError) -> str:
    setting = "set IMAGING_SERVICE_PORT to a free one"
    if error.errno == errno.EADDRINUSE:
        return f"Port {port} of {host} is taken by another program; {setting}."
    if error.errno == errno.EACCES:
        return f"Port {port} of {host} is not allowed to this user; {setting}, above 1023."
    reason = os.strerror(error.errno) if error.errno and error.errno > 0 else str(error)
    return (
        f"The service cannot listen on {host}: {reason}; "
        "set IMAGING_SERVICE_HOST to an address of this machine."
    )


def address_of(listening: socket.socket, *, is_tls: bool = False) -> str:
    """Return the web address of a listening socket."""
    host, port = listening.getsockname()[:2]
    scheme = "https" if is_tls else "http"
    return f"{scheme}://[{host}]:{port}" if ":" in host else f"{scheme}://{host}:{port}"


def _allow_files(wanted: int) -> None:
    """Raise this process's limit of open files as far as it may be raised."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    if soft != resource.RLIM_INFINITY and soft < most:
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
