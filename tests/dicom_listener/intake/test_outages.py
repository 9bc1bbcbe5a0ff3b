"""Disks that fill up, databases that are locked, clocks that go back: told, survived, nothing lost."""

import os
import sqlite3
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from dicom_listener.archive.archive import Archive
from dicom_listener.archive.integrity import verify
from dicom_listener.archive.migrate import migrate
from dicom_listener.archive.records import Outcome
from dicom_listener.intake.log_keeper import LogKeeper
from dicom_listener.intake.receive import Intake
from tests.dicom_listener.conftest import arrival
from tests.dicom_listener.durability.workload import keeper_of, opened
from tests.dicom_listener.instances import mr_instance

ENOUGH = 400
_MEGABYTES = 16


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """Give a file system of few megabytes."""
    folder = tmp_path / "small"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={_MEGABYTES}m", "tmpfs", str(folder)],
        check=False,
        capture_output=True,
    )
    if mounted.returncode:
        pytest.skip("only root may mount a small file system")
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


@contextmanager
def kept(folder: Path) -> Iterator[tuple[Archive, LogKeeper]]:
    with closing(opened(folder)) as archive:
        migrate(archive.database)
        archive.objects.prepare()
        keeper = keeper_of(archive)
        keeper.start()
        try:
            yield archive, keeper
        finally:
            keeper.stop()


def await_all(archive: Archive) -> None:
    """Wait for what is placed when the placer tries again."""
    for _ in range(600):
        if archive.catch_up(0.1):
            return
        time.sleep(0.1)
    pytest.fail("what was acknowledged was not placed")


def receive(archive: Archive, keeper: LogKeeper, number: int) -> Outcome:
    sent = arrival(mr_instance(SOPInstanceUID=f"1.2.{number}", side=128))
    return Intake(archive=archive, log=keeper.log).receive(sent).outcome


def test_on_a_full_disk_success_is_said_of_what_is_kept_alone(small_disk: Path) -> None:
    with kept(small_disk) as (archive, keeper):
        filler = small_disk / "filler"
        filler.write_bytes(bytes((_MEGABYTES - 6) * 2**20))
        outcomes = [receive(archive, keeper, number) for number in range(ENOUGH)]
        assert set(outcomes) == {Outcome.STORED, Outcome.REFUSED_OUT_OF_RESOURCES}
        stored = [number for number, outcome in enumerate(outcomes) if outcome is Outcome.STORED]
        filler.unlink()
        await_all(archive)
        assert archive.counts()["instances"] == len(stored)
        assert all(archive.read(f"1.2.{number}") for number in stored)
        assert list(filter(None, verify(archive))) == []
        refused = next(number for number in range(ENOUGH) if number not in stored)
        assert receive(archive, keeper, refused) is Outcome.STORED
    assert not list((small_disk / "objects" / "spool").iterdir())


def test_while_the_database_is_locked_the_log_keeps_what_comes(tmp_path: Path) -> None:
    with kept(tmp_path) as (archive, keeper):
        with closing(sqlite3.connect(tmp_path / "index.sqlite", isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            assert [receive(archive, keeper, number) for number in range(5)] == [Outcome.STORED] * 5
            assert not archive.catch_up(0.2)
            other.execute("ROLLBACK")
        await_all(archive)
        assert archive.counts()["instances"] == 5


def test_a_clock_that_is_set_back_changes_no_order(tmp_path: Path) -> None:
    with kept(tmp_path) as (archive, keeper):
        intake = Intake(archive=archive, log=keeper.log)
        for number in range(6):
            sent = arrival(mr_instance(SOPInstanceUID="1.2.3", InstanceNumber=number))
            at = datetime.now(UTC) - timedelta(hours=number)
            intake.receive(replace(sent, provenance=replace(sent.provenance, received_at=at)))
        filed = archive.receipts_after(0)
    assert [each.sequence for each in filed] == list(range(1, 7))
    arrived = [each.receipt.received_at for each in filed]
    assert arrived == sorted(arrived, reverse=True)
    assert [each.receipt.outcome for each in filed] == [Outcome.STORED] + [Outcome.CONFLICT_KEPT] * 5


def test_an_object_store_that_comes_back_gets_what_was_acknowledged_meanwhile(tmp_path: Path) -> None:
    with kept(tmp_path) as (archive, keeper):
        objects = tmp_path / "objects"
        assert receive(archive, keeper, 0) is Outcome.STORED
        assert archive.catch_up(60)
        (objects / "spool").rename(objects / "gone")
        assert [receive(archive, keeper, number) for number in (1, 2)] == [Outcome.STORED] * 2
        assert not archive.catch_up(60)
        assert os.listdir(objects / "gone") == []  # noqa: PTH208 - names alone
        (objects / "gone").rename(objects / "spool")
        await_all(archive)
        assert archive.counts()["instances"] == 3
