"""All of the service on one machine: listener, web service and worker as children of one process.

A child that dies is started again after a pause that doubles. The children hold a lifeline, so that they
end when this process does, whatever ends it.
"""

import os
import secrets
import signal
import socket
import ssl
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from pathlib import Path
from time import monotonic, sleep
from typing import NoReturn

from imaging_service.errors import SettingsError
from imaging_service.processes.lifeline import KERNEL, WATCH

_FIRST_PAUSE_SECONDS = 0.5
_LONGEST_PAUSE_SECONDS = 30.0
_STEADY_SECONDS = 60.0  # a child that lived this long has its next pause from the start
_READY_SECONDS = 60.0
_GRACE_SECONDS = 4.0  # to end by themselves, of the 5 that everything may take
_TICK_SECONDS = 0.05
_ASK_SECONDS = 0.5  # from one question to a child whether it is ready to the next
_ANSWER_SECONDS = 3.0  # for its answer
_WRONG_SETTING = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """Where a child listens."""

    host: str
    port: int
    is_tls: bool = False

    @property
    def dialled(self) -> str:
        """The host to dial from this machine."""
        return {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(self.host, self.host)  # noqa: S104  compared, not bound


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What to run: where things are kept, both doors, and the settings of the children."""

    where: tuple[str, ...]
    dicom: Address
    web: Address
    environment: Mapping[str, str]


@dataclass(slots=True, kw_only=True)
class Child:
    """One program, run again when it dies."""

    name: str
    module: str
    arguments: Sequence[str]
    is_ready: Callable[[], bool]
    gives_way: bool = False  # to a process that has less in memory
    process: subprocess.Popen[bytes] | None = None
    started_at: float = 0.0
    pause: float = _FIRST_PAUSE_SECONDS
    due_at: float = field(default=0.0)
    has_been_ready: bool = False
    asked_at: float = 0.0

    def start(self, lifeline: int, environment: Mapping[str, str]) -> None:
        """Start it with the reading end of the lifeline."""
        who = KERNEL if self.gives_way else WATCH
        command = [sys.executable, "-m", "imaging_service.processes.lifeline", who, str(lifeline)]
        self.process = subprocess.Popen(  # noqa: S603  our own modules
            [*command, self.module, *self.arguments],
            pass_fds=(lifeline,),
            env=dict(environment),
            stdin=subprocess.DEVNULL,
        )
        self.started_at = monotonic()
        self.has_been_ready, self.asked_at = False, 0.0

    def is_known_ready(self) -> bool:
        """Ask it now and then, until it once was: on a busy machine every question makes it later."""
        if self.is_alive and not self.has_been_ready and monotonic() - self.asked_at > _ASK_SECONDS:
            self.has_been_ready = self.is_ready()
            self.asked_at = monotonic()
        return self.is_alive and self.has_been_ready

    @property
    def is_alive(self) -> bool:
        """Whether its process runs."""
        return self.process is not None and self.process.poll() is None

    @property
    def exit_code(self) -> int | None:
        """How it ended last."""
        return None if self.process is None else self.process.returncode

    def await_restart(self) -> None:
        """Note that it has died, and when it is to be started again."""
        now = monotonic()
        if now - self.started_at > _STEADY_SECONDS:
            self.pause = _FIRST_PAUSE_SECONDS
        self.due_at = now + self.pause
        self.pause = min(self.pause * 2, _LONGEST_PAUSE_SECONDS)
        self.process = None


class Supervisor:
    """Keeps the three programs of a plan running."""

    def __init__(self, plan: Plan, say: Callable[[str], None]) -> None:
        self._plan = plan
        self._say = say
        self._is_stopping = False
        self.children = (
            Child(
                name="listener",
                module="dicom_listener.cli",
                arguments=("dicom-listener", "serve"),
                is_ready=lambda: _accepts(plan.dicom),
                gives_way=True,
            ),
            Child(
                name="service",
                module="imaging_service.cli",
                arguments=("imaging-service", "serve"),
                is_ready=lambda: _answers(plan.web),
            ),
            Child(
                name="worker",
                module="imaging_service.cli",
                arguments=("imaging-service", "worker"),
                is_ready=lambda: True,
            ),
        )

    def run(self) -> int:
        """Run until SIGTERM or SIGINT; return the exit code."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._stop)
        reading_end, writing_end = os.pipe()
        try:
            for child in self.children:
                child.start(reading_end, self._plan.environment)
            return self._watch(reading_end)
        finally:
            self._end_all()
            os.close(writing_end)
            os.close(reading_end)

    def _stop(self, *_: object) -> None:
        self._is_stopping = True

    def _watch(self, lifeline: int) -> int:
        deadline = monotonic() + _READY_SECONDS
        is_ready = False
        while not self._is_stopping:
            for child in self.children:
                if not is_ready and not child.is_alive and child.exit_code == _WRONG_SETTING:
                    return _WRONG_SETTING  # it has said why; starting it again cannot help
                self._tend(child, lifeline)
            if not is_ready:
                late = [child.name for child in self.children if not child.is_known_ready()]
                is_ready = not late
                if is_ready:
                    self._tell_where_to_look()
                elif monotonic() > deadline:
                    self._say(f"Not ready after {_READY_SECONDS:g} s: {', '.join(late)}; still trying.")
                    deadline = float("inf")
            sleep(_TICK_SECONDS)
        return 0

    def _tend(self, child: Child, lifeline: int) -> None:
        if child.is_alive:
            return
        if child.process is not None:
            how = _ending(child.process.returncode)
            child.await_restart()
            self._say(f"The {child.name} {how}; it is started again.")
        elif monotonic() >= child.due_at:
            child.start(lifeline, self._plan.environment)

    def _tell_where_to_look(self) -> None:
        web, dicom = self._plan.web, self._plan.dicom
        pids = ", ".join(f"{child.name} {child.process.pid}" for child in self.children if child.process)
        scheme = "https" if web.is_tls else "http"
        self._say(f"Ready. Web: {scheme}://{web.dialled}:{web.port}/docs")
        self._say(
            f"       DICOM: {dicom.host}:{dicom.port} ({self._plan.environment['DICOM_LISTENER_AE_TITLE']})"
        )
        self._say(f"       Data: {', '.join(self._plan.where)}")
        self._say(f"       Processes: {pids}; Ctrl-C ends them all.")

    def _end_all(self) -> None:
        running = [child.process for child in self.children if child.process and child.is_alive]
        for process in running:
            process.terminate()
        deadline = monotonic() + _GRACE_SECONDS
        for process in running:
            try:
                process.wait(timeout=max(0.0, deadline - monotonic()))
            except subprocess.TimeoutExpired:
                process.kill()  # nothing acknowledged is lost: every commit is durable
                process.wait()


def free_or_asked(address: Address, setting: str) -> Address:
    """Return the address, with a free port in place of 0, after proving that it can be listened on.

    Raises
    ------
    SettingsError
        If the port is taken or not allowed, or the host is not this machine's.
    """
    family = socket.AF_INET6 if ":" in address.host else socket.AF_INET
    with closing(socket.socket(family, socket.SOCK_STREAM)) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((address.host, address.port))
            probe.listen(1)
        except OSError as error:
            message = (
                f"Port {address.port} of {address.host} cannot be listened on: {error.strerror or error}; "
                f"set {setting} to a free one."
            )
            raise SettingsError(message) from error
        return Address(host=address.host, port=probe.getsockname()[1])


def require_writable(folder: Path) -> None:
    """Make the folder, and prove that a file can be written there.

    Raises
    ------
    SettingsError
        If not.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe = folder / f".writable-{secrets.token_hex(8)}"
        probe.write_bytes(b"1")
        probe.unlink()
    except OSError as error:
        message = f"The data folder {folder} cannot be written to: {error.strerror or error}."
        raise SettingsError(message) from error


def _accepts(address: Address) -> bool:
    try:
        socket.create_connection((address.dialled, address.port), timeout=1.0).close()
    except OSError:
        return False
    return True


def _answers(address: Address) -> bool:
    connection = (
        HTTPSConnection(address.dialled, address.port, timeout=_ANSWER_SECONDS, context=_any_certificate())
        if address.is_tls
        else HTTPConnection(address.dialled, address.port, timeout=_ANSWER_SECONDS)
    )
    try:
        connection.request("GET", "/health/ready")
        return connection.getresponse().status == 200
    except (OSError, HTTPException):
        return False
    finally:
        connection.close()


def _any_certificate() -> ssl.SSLContext:
    """Return a context for asking a child of ours on this machine whether it is ready; no secret is sent."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def _ending(code: int) -> str:
    if code < 0:
        return f"was ended by {signal.Signals(-code).name}"
    return f"ended with exit code {code}"


def run(plan: Plan, say: Callable[[str], None]) -> NoReturn:
    """Run the plan and exit with its code."""
    sys.exit(Supervisor(plan, say).run())
