"""From the log into the archive: in order, once, and later where it cannot be now."""

import os
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import Connection
from sqlalchemy.exc import DataError
from structlog.testing import capture_logs

from dicom_listener.archive import index, log_positions, tables
from dicom_listener.archive.archive import Archive
from dicom_listener.archive.backlog import Backlog
from dicom_listener.archive.integrity import verify
from dicom_listener.archive.log_reader import LogReader
from dicom_listener.archive.marks import Marks
from dicom_listener.archive.migrate import migrate
from dicom_listener.archive.records import ChangeKind, FindingCode, Outcome
from dicom_listener.archive.segment_log import SegmentLog
from dicom_listener.errors import OutOfResourcesError
from dicom_listener.intake.log_keeper import LogKeeper
from dicom_listener.intake.place import Placer
from dicom_listener.intake.receive import Intake
from dicom_listener.operations.health import Health
from dicom_listener.settings import ConflictPolicy, ListenerSettings
from tests.dicom_listener.conftest import arrival
from tests.dicom_listener.instances import mr_instance
from tests.dicom_listener.logs import entries, entry, opened

STUDY = "1.2.826.0.1.3680043.8.498.1"
AWAY = OutOfResourcesError(what="The database", reason="it is away")


def position(archive: Archive, log: str) -> int:
    with archive.database.read() as connection:
        return log_positions.position_of(connection, log)


@contextmanager
def logged(archive: Archive, *names: str) -> Iterator[list[SegmentLog]]:
    """Open logs of these names beside an archive, as they were left."""
    root = archive.backlog.root
    assert root is not None
    logs = []
    for name in names:
        log = SegmentLog(root / name, maximum_bytes=2**20, segment_bytes=2**18)
        log.open(lambda identity: position(archive, identity))
        logs.append(log)
    yield logs
    for log in logs:
        log.close()


def placer(archive: Archive) -> Placer:
    assert archive.backlog.root is not None
    return Placer(archive, archive.backlog.root, maximum_inflated=2**20)


def outcomes(archive: Archive) -> list[tuple[str, Outcome]]:
    filed = Archive(archive.database, archive.objects).receipts_after(0)
    return [(each.receipt.sop_instance_uid, each.receipt.outcome) for each in filed]


def test_what_is_placed_is_as_if_it_had_been_indexed_at_once(archive: Archive) -> None:
    first = entry(mr_instance(SOPInstanceUID="1.2.1"))
    other = entry(mr_instance(SOPInstanceUID="1.2.1", SeriesDescription="changed"))
    wrong_patient = entry(mr_instance(SOPInstanceUID="1.2.2", PatientID="S1-002"))
    second = entry(mr_instance(SOPInstanceUID="1.2.3"), calling_ae="MRI_2", site_id="S2")
    with logged(archive, "0") as (log,):
        for each in (first, first, wrong_patient, other, second, other):
            log.append(each)
        assert placer(archive).step() == 6
    assert outcomes(archive) == [
        ("1.2.1", Outcome.STORED),
        ("1.2.1", Outcome.ALREADY_STORED),
        ("1.2.2", Outcome.STORED),
        ("1.2.1", Outcome.CONFLICT_KEPT),
        ("1.2.3", Outcome.STORED),
        ("1.2.1", Outcome.CONFLICT_KEPT),
    ]
    assert archive.read("1.2.1") == first.before + bytes(first.data_set)
    study = archive.study(STUDY)
    assert study is not None
    assert (study.number_of_instances, len(study.sources)) == (3, 2)
    assert {finding.code for finding in archive.findings_of(STUDY)} == {
        FindingCode.PATIENT_MISMATCH,
        FindingCode.CONTENT_CONFLICT,
    }
    assert {change.kind for change in archive.changes_after(0)} == {
        ChangeKind.PATIENT_MISMATCH,
        ChangeKind.CONFLICT_KEPT,
    }
    assert list(verify(archive)) == [None] * 4


def test_rows_written_together_are_the_rows_written_one_by_one(
    local_archive: Archive, tmp_path: Path
) -> None:
    sent = [arrival(mr_instance(SOPInstanceUID=f"1.2.{n % 9}", InstanceNumber=n // 9)) for n in range(20)]
    for each in sent:
        Intake(archive=local_archive).receive(each)
    url, objects = f"sqlite:///{tmp_path}/other/index.sqlite", str(tmp_path / "other" / "objects")
    with closing(Archive.open(url, objects)) as other:
        migrate(other.database)
        other.objects.prepare()
        with logged(other, "0") as (log,):
            intake = Intake(archive=other, log=log)
            assert {intake.receive(each).outcome for each in sent} == {Outcome.STORED}
            assert placer(other).step() == 20
        for name in ROWS:
            assert rows_of(other, name) == rows_of(local_archive, name), name


ROWS = ("studies", "series", "instances", "conflicts", "findings", "receipts", "changes", "sources")


def rows_of(archive: Archive, name: str) -> list[dict[str, object]]:
    table = tables.metadata.tables[f"{tables.SCHEMA}.{name}"]
    with archive.database.read() as connection:
        rows = connection.execute(table.select()).mappings().all()
    left_out = {"last_receipt", "last_received_at"} if name == "studies" else set()
    plain = [{key: value for key, value in row.items() if key not in left_out} for row in rows]
    return plain if name == "receipts" else sorted(plain, key=str)


def test_a_process_that_ends_after_the_rows_are_written_does_not_write_them_again(archive: Archive) -> None:
    with logged(archive, "0") as (log,):
        for each in entries(5):
            log.append(each)
        assert placer(archive).step() == 5
    root = archive.backlog.root
    assert root is not None
    Marks(root / "0", is_writer=True).indexed = 0  # the marks are lost, as after a power cut
    with logged(archive, "0") as (log,):
        assert placer(archive).step() == 0
        log.append(entry(mr_instance(SOPInstanceUID="1.2.99")))
        assert placer(archive).step() == 1
    assert [outcome for _, outcome in outcomes(archive)] == [Outcome.STORED] * 6


def test_a_process_that_ends_before_the_rows_are_written_leaves_them_to_the_next(
    archive: Archive, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_arguments: object) -> None:
        raise AWAY

    with logged(archive, "0") as (log,):
        for each in entries(5):
            log.append(each)
        with monkeypatch.context() as patch:
            patch.setattr(index, "add_all", fail)
            assert placer(archive).step() == 0
        assert archive.backlog.waiting().is_stalled
    with logged(archive, "0"):
        assert archive.backlog.waiting().instances == 5
        assert placer(archive).step() == 5
    assert [outcome for _, outcome in outcomes(archive)] == [Outcome.STORED] * 5
    assert list(verify(archive)) == [None] * 5


@pytest.mark.parametrize("door", ["put_all", "write"])
def test_while_store_or_database_is_away_the_log_takes_what_comes_and_nobody_waits_for_it(
    archive: Archive, monkeypatch: pytest.MonkeyPatch, door: str
) -> None:
    def fail(*_arguments: object) -> None:
        raise AWAY

    working = placer(archive)
    with logged(archive, "0") as (log,):
        intake = Intake(archive=archive, log=log)
        with monkeypatch.context() as patch:
            patch.setattr(archive.objects if door == "put_all" else archive.database, door, fail)
            for number in range(3):
                sent = arrival(mr_instance(SOPInstanceUID=f"1.2.{number}"))
                assert intake.receive(sent).outcome is Outcome.STORED
                assert working.step() == 0
            began = time.monotonic()
            assert not archive.catch_up(60)
            assert archive.instance("1.2.0") is None
            assert time.monotonic() - began < 60
        assert sum(iter(working.step, 0)) == 3
        assert archive.catch_up(0)
    assert archive.counts()["instances"] == 3


def test_one_that_the_database_refuses_is_set_aside_and_holds_nobody_up(
    archive: Archive, monkeypatch: pytest.MonkeyPatch
) -> None:
    through = index.add_all

    def add_all(connection: Connection, additions: list[index.Addition]) -> object:
        if any(each.header.sop_instance_uid == "1.2.2" for each in additions):
            refused = "INSERT"
            raise DataError(refused, {}, ValueError("out of range"))
        return through(connection, additions)

    monkeypatch.setattr(index, "add_all", add_all)
    with logged(archive, "0") as (log,):
        sent = entries(5)
        for each in sent:
            log.append(each)
        assert placer(archive).step() == 5
        assert archive.catch_up(0)
    assert archive.counts()["instances"] == 4
    (refused,) = [each for each in archive.receipts_after(0) if each.receipt.reason]
    assert (refused.receipt.reason, refused.receipt.digest) == ("not_indexed", sent[2].digest)
    assert archive.objects.get(sent[2].digest) == sent[2].before + bytes(sent[2].data_set)


def test_a_record_that_cannot_be_read_stops_the_placing_and_is_said(archive: Archive) -> None:
    with logged(archive, "0") as (log,):
        for each in entries(3):
            log.append(each)
        root = archive.backlog.root
        assert root is not None
        second = list(LogReader(root / "0", 0).all())[1]
        with second.path.open("r+b") as file:
            file.seek(second.start - 100)
            file.write(b"rotten")
        with capture_logs() as said:
            working = placer(archive)
            assert [working.step(), working.step()] == [1, 0]
        assert archive.backlog.waiting().is_stalled
    reasons = [entry["reason"] for entry in said if entry["event"] == "placing_postponed"]
    assert {"record 2 cannot be read" in reason for reason in reasons} == {True}
    assert archive.counts()["instances"] == 1


def test_a_bit_that_flips_in_the_log_holds_its_instance_and_no_other(archive: Archive) -> None:
    sent = entries(3)
    with logged(archive, "0") as (log,):
        for each in sent:
            log.append(each)
        root = archive.backlog.root
        assert root is not None
        second = list(LogReader(root / "0", 0).all())[1]
        with second.path.open("r+b") as file:
            file.seek(second.start + second.length - 1)
            last = file.read(1)[0]
            file.seek(-1, os.SEEK_CUR)
            file.write(bytes([last ^ 1]))
        working = placer(archive)
        with capture_logs() as said:
            assert working.step() == 3
        assert archive.catch_up(0)
        log.append(sent[1])  # its sender is asked, and sends again
        assert working.step() == 1
    assert [(each["event"], each["log_level"]) for each in said] == [("instance_damaged", "critical")]
    filed = [(each.receipt.outcome, each.receipt.reason) for each in archive.receipts_after(0)]
    assert sorted(filed) == [(Outcome.HELD, "damaged_in_log"), *[(Outcome.STORED, "")] * 3]
    assert set(archive.objects.digests()) == {each.digest for each in sent}
    assert list(verify(archive)) == [None] * 3
    (held,) = (root / "damaged").glob("??/*")
    assert held.read_bytes() == sent[1].before + bytes(sent[1].data_set)[:-1] + bytes([last ^ 1])
    health = Health(archive, str(root.parent), least_free=0)
    (sentence,) = health.findings()
    assert sentence.startswith("The intake log has damaged 1 acknowledged instances")
    held.unlink()
    assert health.findings() == []


def test_one_that_was_torn_before_others_were_acknowledged_is_passed_over(archive: Archive) -> None:
    """A killed process left the second unacknowledged; the next one went on, and then the power failed."""
    sent = entries(4)
    for run in (sent[:2], sent[2:]):
        with logged(archive, "0") as (log,):
            for each in run:
                log.append(each)
    root = archive.backlog.root
    assert root is not None
    second = list(LogReader(root / "0", 0).all())[1]
    with second.path.open("r+b") as file:
        file.seek(second.start + second.length - 1)
        file.write(b"\xff")
    with logged(archive, "0") as (log,), capture_logs() as said:
        assert placer(archive).step() == 3
        log.append(sent[1])
        assert placer(archive).step() == 1
    assert [(each["event"], each["count"]) for each in said] == [("records_passed_over", 1)]
    assert archive.counts()["instances"] == 4
    assert list(verify(archive)) == [None] * 4


def test_what_an_index_made_anew_has_never_heard_of_is_placed(archive: Archive) -> None:
    with logged(archive, "0") as (log,):
        working = placer(archive)
        for each in entries(120, side=48):
            log.append(each)
            working.step()
    with archive.database.write() as connection:
        connection.execute(tables.indexed_logs.delete())
    with logged(archive, "0") as (log,):
        log.append(entry(mr_instance(SOPInstanceUID="1.2.999")))
        working = placer(archive)
        while working.step():
            pass
        assert archive.catch_up(0)
    assert archive.instance("1.2.999") is not None


def test_several_logs_are_placed_in_the_order_of_acknowledgement(archive: Archive) -> None:
    contents = [entry(mr_instance(SOPInstanceUID="1.2.3", InstanceNumber=n)) for n in range(6)]
    with logged(archive, "1", "0", "2") as logs:
        for number, each in enumerate(contents):
            logs[number % 3].append(each)
        assert placer(archive).step() == 6
    assert archive.read("1.2.3").endswith(bytes(contents[0].data_set))
    filed = [each.receipt.digest for each in archive.receipts_after(0)]
    assert filed == [each.digest for each in contents]


def test_a_reader_sees_what_was_acknowledged_before_it_asked(archive: Archive) -> None:
    stopped = threading.Event()
    with logged(archive, "0") as (log,):
        working = placer(archive)
        thread = threading.Thread(target=working.run, args=(stopped,))
        thread.start()
        try:
            for number in range(30):
                log.append(entry(mr_instance(SOPInstanceUID=f"1.2.{number}")))
                assert archive.instance(f"1.2.{number}") is not None
        finally:
            stopped.set()
            working.notice()
            thread.join()


def test_a_listener_places_what_an_earlier_run_with_more_processes_has_left(archive: Archive) -> None:
    with logged(archive, "0", "1", "2") as logs:
        for log, each in zip(logs, entries(3), strict=True):
            log.append(each)
    keeper = LogKeeper(archive, ListenerSettings())
    keeper.start()
    try:
        assert archive.counts()["instances"] == 3
    finally:
        keeper.stop()
    assert [outcome for _, outcome in outcomes(archive)] == [Outcome.STORED] * 3


def test_a_large_instance_waits_for_what_was_acknowledged_before_it(archive: Archive) -> None:
    small = arrival(mr_instance(SOPInstanceUID="1.2.3"))
    large = arrival(mr_instance(SOPInstanceUID="1.2.3", side=1500))
    keeper = LogKeeper(archive, ListenerSettings())
    keeper.start()
    try:
        intake = Intake(archive=archive, log=keeper.log)
        assert intake.receive(small).outcome is Outcome.STORED
        assert intake.receive(large).outcome is Outcome.CONFLICT_KEPT
        refusing = replace(intake, conflicts=ConflictPolicy.REFUSE)
        other = arrival(mr_instance(SOPInstanceUID="1.2.3", PatientName="Other"))
        assert refusing.receive(other).outcome is Outcome.REFUSED_UID_CONFLICT
    finally:
        keeper.stop()
    assert archive.read("1.2.3").endswith(bytes(small.data_set))


def test_where_there_is_no_log_nothing_waits(tmp_path: Path) -> None:
    backlog = Backlog(tmp_path / "nowhere")
    assert backlog.catch_up(0)
    assert backlog.waiting().instances == 0
    opened(tmp_path / "log").close()
    assert Backlog(tmp_path).catch_up(0)
