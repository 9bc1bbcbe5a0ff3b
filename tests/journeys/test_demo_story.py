"""The demo as a newcomer runs it: one command, the whole story, exit code 0; the second run is the same."""

import signal
import socket
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

from fixtures.demo.story import load_story
from imaging_service.demo.people import SPONSOR
from imaging_service.demo.rest import Caller
from imaging_service.demo.running import Installation
from tests.journeys.stage import installation_in

PROGRAM = Path(sysconfig.get_path("scripts")) / "imaging-service"


def test_demo_plays_the_whole_story_and_plays_it_again_with_the_same_answers(tmp_path: Path) -> None:
    installation = installation_in(tmp_path / "demo")
    first = run([*options_of(installation), "--exit"])
    assert first.returncode == 0, first.stdout[-3000:] + first.stderr[-3000:]
    assert "Every answer is the one that was worked out by hand." in first.stdout
    assert all(subject.subject_id in tables_of(first.stdout) for subject in load_story().subjects)
    assert "Calling AE Title not recogni" in first.stdout.replace("Not Recogni", "not recogni")
    second = played_and_left_running(installation)
    assert tables_of(second) == tables_of(first.stdout)


def played_and_left_running(installation: Installation) -> str:
    """Play the story, sign in while the service stays up, end it with Ctrl-C, and return what was printed."""
    command = [str(PROGRAM), "demo", "--stay", *options_of(installation)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        printed = ""
        for line in process.stdout:
            printed += line
            if "stays up" in line:
                break
        with Caller(installation.address, SPONSOR.account, SPONSOR.password) as sponsor:
            assert sponsor.get("/accounts/me")["roles"] == ["sponsor"]
        process.send_signal(signal.SIGINT)
        printed += process.stdout.read()
    assert process.returncode == 0
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", installation.http_port))
    return printed


@pytest.mark.parametrize("port", ["--port", "--dicom-port"])
def test_a_taken_port_is_a_sentence(tmp_path: Path, port: str) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        number = str(taken.getsockname()[1])
        done = run(["--data", str(tmp_path), port, number])
    assert done.returncode == 1
    assert f"Port {number} of 127.0.0.1 is taken" in done.stderr
    assert port in done.stderr
    assert "Traceback" not in done.stderr


def test_without_a_checkout_the_demo_says_what_it_needs(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; "
        "from imaging_service.demo.checkout import require_checkout; "
        "sys.path = [entry for entry in sys.path if not Path(entry, 'fixtures').is_dir()]; "
        "require_checkout()"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert "run it from a checkout" in done.stderr


def options_of(installation: Installation) -> list[str]:
    ports = ["--port", str(installation.http_port), "--dicom-port", str(installation.dicom_port)]
    return ["--data", str(installation.folder), *ports, "--quiet-period-seconds", "2"]


def run(arguments: list[str]) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [str(PROGRAM), "demo", *arguments], capture_output=True, text=True, check=False, timeout=400
    )


def tables_of(output: str) -> str:
    """Return what is printed from the first table on, without where to look."""
    return output[output.index("Timepoints (") : output.index("Web address")]
