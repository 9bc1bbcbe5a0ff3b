"""Start the whole service as its own process, with settings from the environment, and stop it."""

import os
import signal
import socket
import subprocess
import sysconfig
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from imaging_service.demo.errors import DemoError
from imaging_service.demo.waiting import until
from imaging_service.processes.one_machine import addresses_in

HOST = "127.0.0.1"
_READY_SECONDS = 180.0
_STOP_SECONDS = 20.0
_LAST_LINES = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Installation:
    """Where the demo's service keeps its data and listens."""

    folder: Path
    http_port: int
    dicom_port: int
    ae_title: str = "IMAGING"
    quiet_period_seconds: float = 3.0  # a real trial waits a minute or more

    @property
    def address(self) -> str:
        """Where REST is served."""
        return f"http://{HOST}:{self.http_port}"

    @property
    def studies(self) -> Path:
        """The files that the PACS push."""
        return self.folder / "studies"

    @property
    def log(self) -> Path:
        """What the service says."""
        return self.folder / "service.log"

    @property
    def environment(self) -> Mapping[str, str]:
        """The settings of all processes, as they read them."""
        return {
            **os.environ,
            **addresses_in(self.folder),
            "DICOM_LISTENER_HOST": HOST,
            "DICOM_LISTENER_PORT": str(self.dicom_port),
            "DICOM_LISTENER_AE_TITLE": self.ae_title,
            "DICOM_LISTENER_QUIET_PERIOD_SECONDS": str(self.quiet_period_seconds),
            "IMAGING_SERVICE_HOST": HOST,
            "IMAGING_SERVICE_PORT": str(self.http_port),
            "IMAGING_SERVICE_JOBS": "embedded",
            # the demo prints its passwords: making them costly to guess would only slow 60 signatures
            "IMAGING_SERVICE_PASSWORD_MEMORY_KIB": "8192",
            "IMAGING_SERVICE_PASSWORD_PASSES": "1",
        }

    def run(self, command: Sequence[str], *, typed: str = "") -> str:
        """Run one of the installed commands to its end and return what it printed.

        Raises
        ------
        DemoError
            With what the command said, when it failed.
        """
        done = subprocess.run(  # noqa: S603  own commands, arguments from the demo's story
            [_installed(command[0]), *command[1:]],
            input=typed,
            capture_output=True,
            text=True,
            env=self.environment,
            check=False,
        )
        if done.returncode != 0:
            message = f"`{' '.join(command)}` failed: {(done.stderr or done.stdout).strip()[-300:]}"
            raise DemoError(message)
        return done.stdout


def check_port(port: int, name: str) -> None:
    """Refuse a port that somebody else listens on.

    Raises
    ------
    DemoError
        With the port and the option that chooses another.
    """
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError as error:
            message = f"Port {port} of {HOST} is taken ({error.strerror}); choose another with {name}."
            raise DemoError(message) from error


@contextmanager
def running(installation: Installation) -> Iterator[subprocess.Popen[bytes]]:
    """Start ``imaging-service up``, wait until both doors are open, and stop it at the end."""
    installation.folder.mkdir(parents=True, exist_ok=True)
    with installation.log.open("ab") as log:
        process = subprocess.Popen(  # noqa: S603  own command
            [_installed("imaging-service"), "up", "--data", str(installation.folder)],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            env=installation.environment,
            start_new_session=True,  # Ctrl-C reaches the demo alone, which then stops the service in order
        )
    try:
        _wait_until_ready(installation, process)
        yield process
    finally:
        _stop(process)


def _wait_until_ready(installation: Installation, process: subprocess.Popen[bytes]) -> None:
    def look() -> bool | None:
        if process.poll() is not None:
            last = installation.log.read_text(errors="replace").splitlines()[-_LAST_LINES:]
            message = "The service ended before it was ready:\n" + "\n".join(last)
            raise DemoError(message)
        return True if _is_serving(installation) and _is_listening(installation) else None

    until(look, seconds=_READY_SECONDS, what=f"the service to be ready (see {installation.log})")


def _is_serving(installation: Installation) -> bool:
    try:
        return httpx.get(f"{installation.address}/health/ready", timeout=5.0).is_success
    except httpx.TransportError:
        return False


def _is_listening(installation: Installation) -> bool:
    try:
        socket.create_connection((HOST, installation.dicom_port), timeout=5.0).close()
    except OSError:
        return False
    return True


def _stop(process: subprocess.Popen[bytes]) -> None:
    """Ask the supervisor to stop everything; when it does not, end its whole session."""
    process.terminate()
    try:
        process.wait(_STOP_SECONDS)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _installed(name: str) -> str:
    """Return the path of a command of this environment."""
    return str(Path(sysconfig.get_path("scripts")) / name)
