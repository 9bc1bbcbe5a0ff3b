"""``imaging-service up``: three programs on one machine, kept running, ended together."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from imaging_service.errors import SettingsError
from imaging_service.processes.one_machine import plan
from imaging_service.processes.supervisor import Address, Child, free_or_asked
from tests.builders.peers import free_port
from tests.imaging_service.jobs.conftest import wait_until

ROOT = str(Path(__file__).parents[2])
PROGRAMS = {
    "listener": "dicom-listener serve",
    "service": "imaging-service serve",
    "worker": "imaging-service worker",
}

_START_SECONDS = 240.0  # three programs import much, on a machine that may be busy with other tests


@dataclass(frozen=True, kw_only=True)
class Up:
    """A running supervisor with its children."""

    process: subprocess.Popen[bytes]
    folder: Path
    web: int
    dicom: int

    def said(self) -> str:
        return (self.folder / "out").read_text()

    def children(self) -> Mapping[str, int]:
        """Return the children's processes by name."""
        listed = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text()
        commands = {int(pid): command_of(int(pid)) for pid in listed.split()}
        return {
            name: pid
            for name, program in PROGRAMS.items()
            for pid, line in commands.items()
            if program in line
        }

    def is_ready(self) -> bool:
        return len(self.children()) == len(PROGRAMS) and self._is_web_ready() and self._takes_dicom()

    def _is_web_ready(self) -> bool:
        try:
            return httpx.get(f"http://127.0.0.1:{self.web}/health/ready").is_success
        except httpx.TransportError:
            return False

    def _takes_dicom(self) -> bool:
        try:
            socket.create_connection(("127.0.0.1", self.dicom)).close()
        except OSError:
            return False
        return True


def command_of(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_text().replace("\0", " ")
    except FileNotFoundError:
        return ""


def is_running(pid: int) -> bool:
    try:
        return "State:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except FileNotFoundError:
        return False


@contextmanager
def running_up(folder: Path, **settings: str) -> Iterator[Up]:
    web, dicom = free_port(), free_port()
    environment = {
        **os.environ,
        "PYTHONPATH": ROOT,
        "IMAGING_SERVICE_PORT": str(web),
        "DICOM_LISTENER_PORT": str(dicom),
        **settings,
    }
    command = [sys.executable, "-m", "imaging_service.cli", "up", "--data", "kept"]
    with (folder / "out").open("wb") as out, (folder / "err").open("wb") as err:
        process = subprocess.Popen(command, cwd=folder, env=environment, stdout=out, stderr=err)
    up = Up(process=process, folder=folder, web=web, dicom=dicom)
    children: Mapping[str, int] = {}
    try:
        yield up
        children = up.children() if process.poll() is None else {}
    finally:
        process.terminate()
        process.wait()
        wait_until(lambda: not any(map(is_running, children.values())), "The end of every child")


@pytest.mark.timeout(600)
def test_it_starts_three_programs_and_starts_again_what_dies_and_ends_them_all(tmp_path):
    with running_up(tmp_path) as up:
        wait_until(lambda: "Ready. Web:" in up.said(), "Readiness", _START_SECONDS)
        wait_until(up.is_ready, "An answer of each", _START_SECONDS)
        assert f"http://127.0.0.1:{up.web}/docs" in up.said()
        assert f"127.0.0.1:{up.dicom} (IMAGING)" in up.said()
        assert (tmp_path / "kept/service/service.sqlite").exists()
        assert (tmp_path / "kept/archive/index.sqlite").exists()

        before = up.children()
        mapped = Path(f"/proc/{before['listener']}/maps").read_text()
        assert not [each for each in ("numpy", "pydantic", "uvicorn") if each in mapped]
        for pid in before.values():
            os.kill(pid, signal.SIGKILL)
        wait_until(
            lambda: set(up.children().values()).isdisjoint(before.values()) and up.is_ready(),
            "A new set",
            _START_SECONDS,
        )
        for name in PROGRAMS:
            assert f"The {name} was ended by SIGKILL; it is started again." in up.said()

        after = up.children()
        up.process.send_signal(signal.SIGINT)
        assert up.process.wait(_START_SECONDS) == 0
        assert not any(map(is_running, after.values()))
    assert "Traceback" not in (tmp_path / "err").read_text()


def test_the_children_of_a_killed_supervisor_end(tmp_path):
    with running_up(tmp_path) as up:
        wait_until(lambda: len(up.children()) == len(PROGRAMS), "Three children", _START_SECONDS)
        children = up.children()
        up.process.kill()
        up.process.wait()
        wait_until(lambda: not any(map(is_running, children.values())), "The end of every child")


def test_a_program_that_cannot_start_as_it_is_set_up_ends_everything_with_its_sentence(tmp_path):
    with running_up(tmp_path, DICOM_LISTENER_OBJECTS="ftp://host/folder") as up:
        assert up.process.wait(_START_SECONDS) == 2
    err = (tmp_path / "err").read_text()
    assert "The objects address is 'ftp://'; wanted a folder or s3://bucket/prefix." in err
    assert "Traceback" not in err
    assert "Ready" not in up.said()


STUBBORN = """
import signal, time
from pathlib import Path

def main():
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    Path("stubborn-is-up").touch()
    while True:
        time.sleep(1)
"""

SUPERVISE_STUBBORN = """
import os, sys
from imaging_service.processes.supervisor import Address, Child, Plan, Supervisor

here = Address(host="127.0.0.1", port=0)
plan = Plan(where=(), dicom=here, web=here, environment={**os.environ, "DICOM_LISTENER_AE_TITLE": "IMAGING"})
kept = Supervisor(plan, print)
kept.children = (Child(name="stubborn", module="stubborn", arguments=("stubborn",), is_ready=lambda: True),)
sys.exit(kept.run())
"""


def test_a_program_that_does_not_want_to_end_is_ended(tmp_path):
    (tmp_path / "stubborn.py").write_text(STUBBORN)
    process = subprocess.Popen(
        [sys.executable, "-c", SUPERVISE_STUBBORN],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": f"{ROOT}:{tmp_path}"},
    )
    wait_until((tmp_path / "stubborn-is-up").exists, "The stubborn program")
    (child,) = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    process.terminate()
    assert process.wait() == 0
    assert not is_running(int(child))


def test_pauses_double_up_to_half_a_minute_and_begin_anew_after_a_steady_minute(monkeypatch):
    now = 1000.0
    monkeypatch.setattr("imaging_service.processes.supervisor.monotonic", lambda: now)
    child = Child(name="worker", module="", arguments=(), is_ready=lambda: True)
    pauses = []
    for _ in range(8):
        child.started_at = now
        child.await_restart()
        pauses.append(child.due_at - now)
    assert pauses == [0.5, 1, 2, 4, 8, 16, 30, 30]
    child.started_at = now - 61
    child.await_restart()
    assert child.due_at - now == 0.5


@pytest.fixture
def on_one_machine(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("imaging_service.processes.operation.configure_logs", lambda _level: None)
    monkeypatch.setattr(os, "environ", dict(os.environ))
    os.environ |= {"IMAGING_SERVICE_PORT": "0", "DICOM_LISTENER_PORT": "0"}
    return tmp_path


@pytest.mark.parametrize("setting", ["IMAGING_SERVICE_PORT", "DICOM_LISTENER_PORT"])
def test_a_taken_port_is_told_before_anything_is_made(on_one_machine, setting):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        os.environ[setting] = str(port)
        with pytest.raises(
            SettingsError, match=f"Port {port} of 127.0.0.1 cannot be .*; set {setting} to a free"
        ):
            plan(Path("kept"))
    assert not list(on_one_machine.rglob("*.sqlite"))


def test_everything_is_kept_in_one_folder_unless_it_is_set_elsewhere(on_one_machine):
    os.environ["IMAGING_SERVICE_DATABASE_URL"] = "sqlite:///elsewhere/ours.sqlite"
    environment = plan(Path("kept")).environment
    assert environment["IMAGING_SERVICE_DATABASE_URL"] == "sqlite:///elsewhere/ours.sqlite"
    assert environment["IMAGING_SERVICE_DATA"] == "kept/service"
    for address in ("DICOM_LISTENER_DATABASE_URL", "IMAGING_SERVICE_ARCHIVE_DATABASE_URL"):
        assert environment[address] == "sqlite:///kept/archive/index.sqlite"
    for address in ("DICOM_LISTENER_OBJECTS", "IMAGING_SERVICE_ARCHIVE_OBJECTS"):
        assert environment[address] == "kept/archive/objects"
    assert (on_one_machine / "elsewhere/ours.sqlite").exists()


def test_a_port_of_0_becomes_a_free_one_that_stays_the_same_at_every_start(on_one_machine):
    chosen = plan(on_one_machine / "kept")
    assert chosen.environment["IMAGING_SERVICE_PORT"] == str(chosen.web.port) != "0"
    assert chosen.environment["DICOM_LISTENER_PORT"] == str(chosen.dicom.port) != "0"


def test_an_address_of_another_machine_cannot_be_listened_on():
    with pytest.raises(SettingsError, match=r"Port 0 of 192\.0\.2\.1 cannot be listened on"):
        free_or_asked(Address(host="192.0.2.1", port=0), "IMAGING_SERVICE_PORT")
