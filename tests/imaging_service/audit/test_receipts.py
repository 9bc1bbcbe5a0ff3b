"""The listener's receipts are in the one chain, and whoever touches them is found and named."""

import json
from collections.abc import Iterator
from datetime import timedelta

import pytest
from sqlalchemy import select, text

from dicom_listener.archive import receipts as filed
from dicom_listener.archive.archive import Archive
from dicom_listener.archive.migrate import migrate as migrate_archive
from dicom_listener.archive.records import Outcome, Receipt
from imaging_service.audit import receipts
from imaging_service.audit import service as audit
from imaging_service.audit.actor import WORKER
from imaging_service.audit.chain import ChainFinding, Damage
from imaging_service.audit.tables import AuditEntry
from imaging_service.clock import FixedClock
from imaging_service.database import Database
from tests.builders.service import MONDAY


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    database = Database(database_url)
    database.create_all()
    yield database
    database.close()


@pytest.fixture
def archive(database_url: str) -> Iterator[Archive]:
    """Give an archive on the same kind of server: on PostgreSQL, in its own schema."""
    archive = Archive.open(database_url.replace("database.sqlite", "index.sqlite"), "memory:")
    migrate_archive(archive.database)
    yield archive
    archive.close()


def receive(archive: Archive, count: int) -> None:
    with archive.database.write() as connection:
        for number in range(count):
            filed.append(
                connection,
                Receipt(
                    outcome=Outcome.STORED,
                    reason="",
                    sop_instance_uid=f"1.2.3.{number}",
                    study_instance_uid="1.2",
                    digest="0" * 64,
                    size=1000 + number,
                    calling_ae="PACS",
                    called_ae="LISTENER",
                    peer_address="10.0.0.1",
                    site_id="S01",
                    association_id="",
                    received_at=MONDAY + timedelta(seconds=number),
                ),
            )


def enter_all(database: Database, archive: Archive) -> None:
    while receipts.enter(database, archive, FixedClock(MONDAY)):
        pass


def found(database: Database, archive: Archive) -> list[ChainFinding]:
    with database.read() as session:
        return audit.verify(session) + receipts.verify(session, archive)


def test_every_receipt_is_entered_once_whoever_asks_and_however_often(database: Database, archive: Archive):
    enter_all(database, archive)
    for _ in range(3):
        receive(archive, 400)
        enter_all(database, archive)
        enter_all(database, archive)
    with database.read() as session:
        entries = session.scalars(select(AuditEntry).where(AuditEntry.entity == receipts.ENTITY)).all()
        assert receipts.last_entered(session) == 1200
    assert [entry.actor for entry in entries] == ["system:worker"] * 3
    assert found(database, archive) == []


def test_many_receipts_make_batches_and_a_slower_worker_adds_nothing(database: Database, archive: Archive):
    receive(archive, 501)
    assert receipts.enter(database, archive, FixedClock(MONDAY))

    class Slow:
        """Reads, and by then another worker has entered what it read."""

        def receipts_after(self, sequence: int, limit: int = 100):
            mine = archive.receipts_after(sequence, limit)
            receipts.enter(database, archive, FixedClock(MONDAY))
            return mine

    assert not receipts.enter(database, Slow(), FixedClock(MONDAY))
    with database.read() as session:
        assert receipts.last_entered(session) == 501
    assert found(database, archive) == []


def test_each_receipt_is_covered_by_the_entry_of_its_batch(database: Database, archive: Archive):
    for count in (1, 700, 3, 1):
        receive(archive, count)
        enter_all(database, archive)
        with database.write() as session:
            audit.record(session, WORKER, action="do more", entity="thing", entity_id="1", at=MONDAY)
    receive(archive, 1)  # not entered yet
    with database.read() as session:
        covering = receipts.covering(session, range(1, 707))
        batches = {entry.sequence: json.loads(entry.after or "{}") for entry in covering.values()}
    assert sorted(covering) == list(range(1, 706))
    assert [(each["first"], each["last"]) for _, each in sorted(batches.items())] == [
        (1, 1),
        (2, 501),
        (502, 701),
        (702, 704),
        (705, 705),
    ]
    for sequence, entry in covering.items():
        assert batches[entry.sequence]["first"] <= sequence <= batches[entry.sequence]["last"]


TAMPERING = [
    ("UPDATE receipts SET calling_ae = 'OTHER' WHERE sequence = 2", Damage.CHANGED, "Receipt 2 is not what"),
    (
        "UPDATE receipts SET received_at = '2020-01-01 00:00:00' WHERE sequence = 5",
        Damage.CHANGED,
        "Receipt 5 is not what it was when entry 1 was written.",
    ),
    ("DELETE FROM receipts WHERE sequence = 3", Damage.REMOVED, "Receipt 3 is missing; entry 1 covers it."),
    ("DELETE FROM receipts WHERE sequence = 6", Damage.REMOVED, "Receipt 6 is missing"),
    (
        "UPDATE receipts SET sequence = CASE sequence WHEN 4 THEN 104 ELSE sequence END",
        Damage.REMOVED,
        "Receipt 4 is missing",
    ),
]  # fmt: skip


@pytest.mark.parametrize(
    ("statement", "damage", "sentence"),
    TAMPERING,
    ids=["edit", "a time", "removal", "the last", "renumbering"],
)
def test_a_receipt_that_was_tampered_with_is_named(
    database: Database, archive: Archive, statement: str, damage: Damage, sentence: str
):
    receive(archive, 6)
    enter_all(database, archive)
    tamper(archive, statement)
    (finding,) = found(database, archive)
    assert finding.damage is damage
    assert finding.sentence.startswith(sentence)


def test_a_receipt_put_between_others_is_named(database: Database, archive: Archive):
    receive(archive, 4)
    tamper(archive, "DELETE FROM receipts WHERE sequence = 2")  # a gap, such as a transaction leaves
    enter_all(database, archive)
    assert found(database, archive) == []
    tamper(archive, "UPDATE receipts SET sequence = 2 WHERE sequence = 3")
    assert {(each.damage, each.sentence[:9]) for each in found(database, archive)} == {
        (Damage.REWRITTEN, "Receipt 2"),
        (Damage.REMOVED, "Receipt 3"),
    }


def tamper(archive: Archive, statement: str) -> None:
    """Do what the database's owner can do: take the triggers away first."""
    with archive.database.write() as connection:
        if connection.dialect.name == "sqlite":
            triggers = connection.scalars(text("SELECT name FROM sqlite_master WHERE type = 'trigger'")).all()
            for name in triggers:
                connection.execute(text(f"DROP TRIGGER {name}"))
        else:
            connection.execute(text("SET search_path = archive"))
            connection.execute(text("ALTER TABLE receipts DISABLE TRIGGER ALL"))
        connection.execute(text(statement))
