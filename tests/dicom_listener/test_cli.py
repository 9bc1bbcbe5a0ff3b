"""The command as a process of its own: what it says, how it ends, what a crash leaves."""

import json
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from pydicom import Dataset, dcmwrite
from pynetdicom import AE
from pynetdicom.association import Association
from typer.testing import CliRunner

from dicom_listener import cli
from dicom_listener.archive import destinations
from dicom_listener.archive.archive import Archive
from dicom_listener.archive.destinations import Destination
from dicom_listener.archive.migrate import migrate
from dicom_listener.errors import (
    ArchiveNotReadyError,
    DestinationUnknownError,
    FileUnreadableError,
    SenderRegistrationError,
    SettingError,
)
from dicom_listener.intake.receive import Intake
from dicom_listener.settings import ListenerSettings
from tests.dicom_listener.conftest import arrival
from tests.dicom_listener.instances import EXPLICIT_LE, MR_IMAGE, encoded, mr_instance, with_meta
from tests.dicom_listener.network_services.conftest import shelf

SOON = 60  # seconds after which a test gives up, not what it asks for


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    return os.environ | {
        "DICOM_LISTENER_DATABASE_URL": f"sqlite:///{tmp_path}/archive/index.sqlite",
        "DICOM_LISTENER_OBJECTS": str(tmp_path / "archive" / "objects"),
        "DICOM_LISTENER_PORT": "0",
        "DICOM_LISTENER_QUIET_PERIOD_SECONDS": "0.2",
    }


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-c", "from dicom_listener.cli import main; main()", *arguments]


def run(environment: dict[str, str], *arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        command(*arguments), env=environment, capture_output=True, text=True, timeout=SOON, check=False
    )


@contextmanager
def serving(environment: dict[str, str]) -> Iterator[tuple["subprocess.Popen[str]", int]]:
    """Yield the process and its port, as its ready line says it."""
    process = subprocess.Popen(command("serve"), env=environment, stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    try:
        for line in process.stderr:
            said = json.loads(line)
            if said["event"] == "ready":
                break
        yield process, said["port"]
    finally:
        process.kill()
        process.communicate(timeout=SOON)


@contextmanager
def archive_of(environment: dict[str, str]) -> Iterator[Archive]:
    archive = Archive.open(environment["DICOM_LISTENER_DATABASE_URL"], environment["DICOM_LISTENER_OBJECTS"])
    yield archive
    archive.close()


def register(environment: dict[str, str]) -> None:
    arguments = ["--calling-ae", "MRI_1", "--site", "S1", "--network", "127.0.0.0/8"]
    done = CliRunner().invoke(cli.app, ["senders", "add", *arguments], env=environment)
    assert done.exit_code == 0, done.output


@contextmanager
def associated(port: int) -> Iterator[Association]:
    """Yield an association that may end with its listener."""
    entity = AE(ae_title="MRI_1")
    entity.acse_timeout = entity.dimse_timeout = entity.network_timeout = 5
    entity.add_requested_context(MR_IMAGE, [EXPLICIT_LE])
    association = entity.associate("127.0.0.1", port, ae_title="IMAGING")
    assert association.dul.socket is not None
    transport = association.dul.socket.socket
    assert transport is not None
    try:
        yield association
    finally:
        association.abort()
        transport.close()


WRONG = {
    "a port that is none": ({"DICOM_LISTENER_PORT": "99999"}, "DICOM_LISTENER_PORT is '99999'"),
    "a title that is none": ({"DICOM_LISTENER_AE_TITLE": "A\\B"}, "DICOM_LISTENER_AE_TITLE is"),
    "another database": ({"DICOM_LISTENER_DATABASE_URL": "mysql://x/y"}, "begins with 'mysql'"),
    "a database that is away": (
        {"DICOM_LISTENER_DATABASE_URL": "postgresql://user:secret@127.0.0.1:1/name"},
        "postgresql+psycopg://user:***@127.0.0.1:1/name cannot be used",
    ),
    "a folder in no place": ({"DICOM_LISTENER_OBJECTS": "/proc/archive"}, "cannot write to the folder /proc"),
    "a database in no place": (
        {"DICOM_LISTENER_DATABASE_URL": "sqlite:////proc/archive/index.sqlite"},
        "cannot write to the folder /proc/archive",
    ),
    "another kind of store": ({"DICOM_LISTENER_OBJECTS": "ftp://x/y"}, "is 'ftp://'"),
}


@pytest.mark.parametrize(("changes", "sentence"), WRONG.values(), ids=WRONG)
def test_a_setting_that_cannot_be_used_is_a_sentence_and_exit_code_2(
    environment: dict[str, str],
    changes: dict[str, str],
    sentence: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    for name, value in (environment | changes).items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(sys, "argv", ["dicom-listener", "rebuild"])
    monkeypatch.setattr(os, "_exit", sys.exit)
    with pytest.raises(SystemExit) as end:
        cli.main()
    said = capsys.readouterr()
    assert (end.value.code, said.out) == (2, "")
    assert sentence in said.err
    assert said.err.count("\n") == 1
    assert "secret" not in said.err


def test_a_taken_port_is_a_sentence_and_exit_code_2(environment: dict[str, str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        done = run(environment, "serve", "--port", port)
    assert (done.returncode, done.stdout) == (2, "")
    assert f"127.0.0.1 port {port}: Address already in use" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_read_only_folder_is_a_sentence_and_exit_code_2(
    environment: dict[str, str], tmp_path: Path
) -> None:
    # Root may write to any folder, unless it gives that right up.
    powerless = ["setpriv", "--bounding-set", "-dac_override,-dac_read_search"] if os.geteuid() == 0 else []
    tmp_path.chmod(0o500)
    arguments = powerless + command("serve")
    done = subprocess.run(
        arguments, env=environment, capture_output=True, text=True, timeout=SOON, check=False
    )
    tmp_path.chmod(0o700)
    assert done.returncode == 2
    assert "cannot write to the folder" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_listener_holds_neither_codecs_nor_what_only_settings_need(environment: dict[str, str]) -> None:
    register(environment)
    with serving(environment) as (process, _):
        mapped = Path(f"/proc/{process.pid}/maps").read_text()
        command = Path(f"/proc/{process.pid}/cmdline").read_text().replace("\0", " ")
    assert [each for each in ("numpy", "gdcm", "openjpeg", "pydantic") if each in mapped] == []
    assert "dicom-listener serve" in command


def test_a_termination_signal_ends_it_with_an_association_open(environment: dict[str, str]) -> None:
    register(environment)
    with serving(environment) as (process, port), associated(port) as idle:
        sent = with_meta(mr_instance(SOPInstanceUID="1.2.3"))
        assert idle.send_c_store(sent).Status == 0x0000
        with socket.create_connection(("127.0.0.1", port)):
            process.send_signal(signal.SIGTERM)
            assert process.wait(timeout=SOON) == 0
    with archive_of(environment) as archive:
        assert archive.read("1.2.3").endswith(encoded(sent))


def test_nothing_acknowledged_is_lost_when_it_is_killed_in_the_middle(environment: dict[str, str]) -> None:
    register(environment)
    acknowledged: list[str] = []
    sent = [with_meta(mr_instance(side=64)) for _ in range(120)]

    def push(port: int) -> None:
        # The association ends with the listener, in whatever state it is.
        with suppress(RuntimeError, ValueError), associated(port) as association:
            for data_set in sent:
                status = association.send_c_store(data_set).get("Status")
                acknowledged.extend([data_set.SOPInstanceUID] if status == 0x0000 else [])

    with serving(environment) as (process, port):
        pusher = threading.Thread(target=push, args=(port,))
        pusher.start()
        while pusher.is_alive() and len(acknowledged) < 20:
            pusher.join(0.01)
        process.kill()
        pusher.join(SOON)
    with serving(environment), archive_of(environment) as archive:
        known = {data_set.SOPInstanceUID: data_set for data_set in sent}
        assert 20 <= len(acknowledged) < len(sent)
        for uid in acknowledged:
            assert archive.read(uid).endswith(encoded(known[uid]))
        receipts = archive.receipts_after(0, limit=1000)
        assert {filed.receipt.sop_instance_uid for filed in receipts} >= set(acknowledged)
    checked = CliRunner().invoke(cli.app, ["verify"], env=environment)
    assert checked.exit_code == 0, checked.output


def pushed_until_killed(environment: dict[str, str], acknowledgements: int) -> dict[str, bytes]:
    """Push over four associations, kill the listener in the middle, and return what it had acknowledged."""
    acknowledged: dict[str, bytes] = {}
    sent = [[with_meta(mr_instance(side=64)) for _ in range(60)] for _ in range(4)]

    def push(port: int, series: list[Dataset]) -> None:
        # The association ends with the listener, in whatever state it is.
        with suppress(RuntimeError, ValueError), associated(port) as association:
            for data_set in series:
                if association.send_c_store(data_set).get("Status") == 0x0000:
                    acknowledged[data_set.SOPInstanceUID] = encoded(data_set)

    with serving(environment) as (process, port):
        pushers = [threading.Thread(target=push, args=(port, series)) for series in sent]
        for pusher in pushers:
            pusher.start()
        while any(pusher.is_alive() for pusher in pushers) and len(acknowledged) < acknowledgements:
            pushers[0].join(0.01)
        process.kill()
        for pusher in pushers:
            pusher.join(SOON)
    return acknowledged


def check_nothing_was_lost(environment: dict[str, str], acknowledged: dict[str, bytes]) -> None:
    with serving(environment), archive_of(environment) as archive:
        for uid, content in acknowledged.items():
            assert archive.read(uid).endswith(content)
        assert archive.counts()["instances"] >= len(acknowledged)
    checked = CliRunner().invoke(cli.app, ["verify"], env=environment)
    assert checked.exit_code == 0, checked.output


def test_four_associations_lose_nothing_acknowledged_when_the_listener_is_killed(
    environment: dict[str, str],
) -> None:
    register(environment)
    acknowledged = pushed_until_killed(environment, 40)
    assert len(acknowledged) >= 40
    check_nothing_was_lost(environment, acknowledged)


@pytest.mark.campaign
@pytest.mark.skipif("CAMPAIGN" not in os.environ, reason="the long form runs by 'make campaign'")
def test_a_hundred_kills_lose_nothing_acknowledged(environment: dict[str, str]) -> None:
    register(environment)
    acknowledged: dict[str, bytes] = {}
    for number in range(100):
        acknowledged |= pushed_until_killed(environment, 1 + 2 * number)
    check_nothing_was_lost(environment, acknowledged)


def test_what_it_logs_names_no_patient(environment: dict[str, str]) -> None:
    register(environment)
    process = subprocess.Popen(command("serve"), env=environment, stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    port = json.loads(process.stderr.readline())["port"]
    canary = {"PatientName": "CANARY^ONE", "PatientID": "CANARY-2", "AccessionNumber": "CANARY3"}
    with associated(port) as association:
        association.send_c_store(with_meta(mr_instance(**canary)))
        association.send_c_store(with_meta(mr_instance(**canary, Rows=9)))
        association.send_c_store(with_meta(mr_instance(**canary | {"PatientID": "CANARY\n4"})))
    process.send_signal(signal.SIGTERM)
    _, log = process.communicate(timeout=SOON)
    events = [json.loads(line) for line in log.splitlines()]
    assert [event["event"] for event in events].count("instance_refused") == 2
    assert "CANARY" not in log


def test_senders_are_registered_listed_and_removed(environment: dict[str, str]) -> None:
    runner = CliRunner()
    register(environment)
    listed = runner.invoke(cli.app, ["senders", "list"], env=environment)
    assert listed.output.split() == ["MRI_1", "IMAGING", "S1", "127.0.0.0/8"]
    removed = runner.invoke(cli.app, ["senders", "remove", "--calling-ae", "MRI_1"], env=environment)
    assert removed.exit_code == 0
    assert runner.invoke(cli.app, ["senders", "list"], env=environment).output == ""


def test_a_sender_that_cannot_be_is_refused(environment: dict[str, str]) -> None:
    wrong = ["--calling-ae", "MRI_1", "--site", "S1", "--network", "hospital"]
    done = CliRunner().invoke(cli.app, ["senders", "add", *wrong], env=environment)
    assert isinstance(done.exception, SenderRegistrationError)
    assert str(done.exception).startswith("The network is 'hospital'; wanted an address or CIDR notation")


def test_verify_rebuild_and_stats_tell_what_they_found(environment: dict[str, str], tmp_path: Path) -> None:
    runner = CliRunner()
    with archive_of(environment) as archive:
        migrate(archive.database)
        archive.objects.prepare()
        for number in range(3):
            Intake(archive=archive).receive(arrival(mr_instance(SOPInstanceUID=f"1.2.{number}")))
    assert "3 objects read, 0 damaged." in runner.invoke(cli.app, ["verify"], env=environment).output
    rebuilt = runner.invoke(cli.app, ["rebuild"], env=environment)
    assert (rebuilt.exit_code, rebuilt.output) == (0, "3 objects indexed, 0 damaged.\n")
    counts = runner.invoke(cli.app, ["stats"], env=environment).output.split()
    assert counts[counts.index("instances") + 1] == "3"
    assert counts[counts.index("unplaced") + 1] == "0"
    next(tmp_path.rglob("*.dcm")).unlink()
    damaged = runner.invoke(cli.app, ["verify"], env=environment)
    assert damaged.exit_code == 1
    assert "missing: object" in damaged.output
    assert "2 objects read, 1 damaged." in damaged.output


def test_an_archive_that_was_never_prepared_says_what_to_run(
    environment: dict[str, str], tmp_path: Path
) -> None:
    (tmp_path / "archive").mkdir()
    done = CliRunner().invoke(cli.app, ["stats"], env=environment)
    assert isinstance(done.exception, ArchiveNotReadyError)
    assert "run 'dicom-listener migrate'" in str(done.exception)


@pytest.mark.parametrize(
    ("values", "name"),
    [({"port": -1}, "DICOM_LISTENER_PORT"), ({"quiet_period_seconds": 0}, "DICOM_LISTENER_QUIET_PERIOD")],
)
def test_a_wrong_setting_is_named_as_it_is_set(values: dict[str, object], name: str) -> None:
    with pytest.raises(SettingError, match=name):
        cli._settings(**values)  # noqa: SLF001 - the one place that names them


def test_settings_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DICOM_LISTENER_ACCEPT_FURTHER", '["CT", "PT"]')
    monkeypatch.setenv("DICOM_LISTENER_CONFLICTS", "refuse")
    settings = ListenerSettings()
    assert sorted(settings.accept_further) == ["CT", "PT"]
    assert settings.conflicts == "refuse"


def test_destinations_are_registered_and_instances_sent_there(
    environment: dict[str, str], tmp_path: Path
) -> None:
    runner = CliRunner()
    file = tmp_path / "report.dcm"
    dcmwrite(file, with_meta(mr_instance(SOPInstanceUID="1.2.9")), enforce_file_format=True)
    with archive_of(environment) as archive:
        migrate(archive.database)
        archive.objects.prepare()
        Intake(archive=archive).receive(arrival(mr_instance(SOPInstanceUID="1.2.3", StudyInstanceUID="1.2")))
    with shelf() as there:
        place = ["--ae-title", "SHELF", "--host", "127.0.0.1", "--port", str(there.port)]
        assert runner.invoke(cli.app, ["destinations", "add", *place], env=environment).exit_code == 0
        listed = runner.invoke(cli.app, ["destinations", "list"], env=environment)
        assert listed.output.split() == ["SHELF", "127.0.0.1", str(there.port), "plain"]
        sending = ["send", "--to", "SHELF", "--study", "1.2", str(file)]
        sent = runner.invoke(cli.app, sending, env=environment)
        assert (sent.exit_code, sent.output) == (0, "2 instances sent to SHELF, 0 not taken.\n")
        assert {uid for uid, _, _ in there.received} == {"1.2.3", "1.2.9"}
        there.answer = lambda _event: 0xC123
        refused = runner.invoke(cli.app, sending, env=environment)
        assert refused.exit_code == 1
        assert "not taken: instance 1.2.9, 0xC123" in refused.output
    assert runner.invoke(cli.app, ["destinations", "remove", *place[:2]], env=environment).exit_code == 0
    unknown = runner.invoke(cli.app, sending, env=environment)
    assert isinstance(unknown.exception, DestinationUnknownError)


def test_a_file_that_is_none_is_not_sent(environment: dict[str, str], tmp_path: Path) -> None:
    with archive_of(environment) as archive:
        migrate(archive.database)
        destinations.add(archive.database, Destination(ae_title="SHELF", host="127.0.0.1", port=1))
    (tmp_path / "note.txt").write_text("no DICOM")
    for name in ("note.txt", "missing.dcm"):
        done = CliRunner().invoke(cli.app, ["send", "--to", "SHELF", str(tmp_path / name)], env=environment)
        assert isinstance(done.exception, FileUnreadableError)
