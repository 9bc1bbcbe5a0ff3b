"""The stored audit: appended in the transaction of its change, final, and whole under concurrency."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import func, insert, select, text, update
from sqlalchemy.exc import DatabaseError

from imaging_service.accounts.tables import Account
from imaging_service.audit import repository, witness
from imaging_service.audit import service as audit
from imaging_service.audit.actor import WORKER
from imaging_service.audit.chain import Damage, entry_hash
from imaging_service.audit.service import UnauditedChangeError
from imaging_service.audit.tables import TRIGGERS, AuditEntry
from imaging_service.database import Database, new_id
from imaging_service.errors import SettingsError
from tests.builders.service import TestService

AT = datetime(2026, 1, 5, 8, 0, 0, 123456, tzinfo=UTC)


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    database = Database(database_url)
    database.create_all()
    yield database
    database.close()


def act(database: Database, number: int) -> None:
    with database.write() as session:
        for part in ("begin", "end"):
            audit.record(
                session,
                WORKER,
                action=f"{part} act",
                entity="act",
                entity_id=str(number),
                before={"ä": None},
                after={"diameter": "12.50", "number": number},
                reason="because of ünïcode",
                at=AT,
            )


def count(database: Database) -> int:
    with database.read() as session:
        return session.scalar(select(func.count()).select_from(AuditEntry)) or 0


def test_many_transactions_at_once_make_one_whole_chain(database: Database):
    with ThreadPoolExecutor(12) as pool:
        list(pool.map(lambda number: act(database, number), range(60)))
    with database.read() as session:
        assert audit.verify(session) == []
        rows = session.execute(select(AuditEntry).order_by(AuditEntry.sequence)).scalars().all()
    assert [row.sequence for row in rows] == list(range(1, 121))
    assert all(a.entity_id == b.entity_id for a, b in zip(rows[::2], rows[1::2], strict=True))
    assert rows[0].at == AT


FORBIDDEN = [
    "UPDATE audit_entries SET reason = 'other'",
    "UPDATE audit_entries SET sequence = 99 WHERE sequence = 1",
    "DELETE FROM audit_entries",
]
FORBIDDEN_ON = {
    "sqlite": ["INSERT OR REPLACE INTO audit_entries SELECT * FROM audit_entries WHERE sequence = 1"],
    "postgresql": ["TRUNCATE audit_entries"],
}


def test_no_statement_changes_or_removes_an_entry(database: Database):
    act(database, 1)
    kind = database.url.get_backend_name()
    for statement in [*FORBIDDEN, *FORBIDDEN_ON[kind]]:
        with pytest.raises(DatabaseError, match="never changed or removed"), database.write() as session:
            session.execute(text(statement))
    assert count(database) == 2
    with database.read() as session:
        assert audit.verify(session) == []


def without_triggers(database: Database, statement: str) -> None:
    """Do what the database's owner can do: take the triggers away first."""
    names = [statement.split()[2] for statement in TRIGGERS[database.url.get_backend_name()]]
    with database.writer.begin() as connection:
        for name in names:
            if database.is_sqlite:
                connection.execute(text(f"DROP TRIGGER IF EXISTS {name}"))
        if not database.is_sqlite:
            connection.execute(text("ALTER TABLE audit_entries DISABLE TRIGGER ALL"))
        connection.execute(text(statement))


TAMPERING = [
    ("UPDATE audit_entries SET reason = 'other' WHERE sequence = 3", Damage.CHANGED, 3),
    ("UPDATE audit_entries SET at = '2026-01-05T08:00:00.123457Z' WHERE sequence = 4", Damage.CHANGED, 4),
    ("UPDATE audit_entries SET account_id = 'x' WHERE sequence = 5", Damage.CHANGED, 5),
    ("DELETE FROM audit_entries WHERE sequence = 6", Damage.REMOVED, 6),
    ("DELETE FROM audit_entries WHERE sequence > 8", Damage.CUT_OFF, 9),
]


@pytest.mark.parametrize(
    ("statement", "damage", "sequence"),
    TAMPERING,
    ids=["edit", "edit of a microsecond", "actor", "row", "tail"],
)
def test_tampering_below_the_triggers_is_named(
    database: Database, tmp_path: Path, statement: str, damage: Damage, sequence: int
):
    for number in range(5):
        act(database, number)
    with database.read() as session:
        witness.keep(tmp_path / "heads.jsonl", audit.head(session), AT)
    without_triggers(database, statement)
    with database.read() as session:
        found = audit.verify(session, witness.read(tmp_path / "heads.jsonl"))
    assert [(finding.damage, finding.sequence) for finding in found] == [(damage, sequence)]


def test_two_entries_that_changed_places_are_both_named(database: Database):
    for number in range(3):
        act(database, number)
    for statement in (
        "UPDATE audit_entries SET sequence = -2 WHERE sequence = 2",
        "UPDATE audit_entries SET sequence = 2 WHERE sequence = 5",
        "UPDATE audit_entries SET sequence = 5 WHERE sequence = -2",
    ):
        without_triggers(database, statement)
    with database.read() as session:
        found = audit.verify(session)
    assert {(each.damage, each.sequence) for each in found} == {(Damage.SWAPPED, 2), (Damage.SWAPPED, 5)}


def test_an_entry_that_was_rewritten_with_a_fitting_hash_is_named(database: Database):
    for number in range(2):
        act(database, number)
    with database.read() as session:
        link = list(repository.links(session))[1]
    forged = entry_hash({**link.content, "actor": "somebody else"}, link.previous_hash)
    values = f"actor = 'somebody else', hash = '{forged}'"
    without_triggers(database, f"UPDATE audit_entries SET {values} WHERE sequence = 2")  # noqa: S608  our own hash
    with database.read() as session:
        found = audit.verify(session)
    assert [(each.damage, each.sequence) for each in found] == [(Damage.REWRITTEN, 2)]


def account(name: str) -> Account:
    return Account(account_id=new_id(), account=name, name=name, roles=[], password_hash=None, created_at=AT)


def test_a_change_without_an_entry_is_not_committed(database: Database):
    with pytest.raises(UnauditedChangeError, match="accounts"), database.write() as session:
        session.add(account("ada"))
    row = account("bob")
    values = {column.name: getattr(row, column.name) for column in Account.__table__.columns}
    with pytest.raises(UnauditedChangeError), database.write() as session:
        session.execute(insert(Account).values(values))
    with pytest.raises(UnauditedChangeError), database.write() as session:
        session.execute(update(Account).values(name="x"))
    with database.read() as session:
        assert session.scalars(select(Account)).all() == []


def test_a_change_that_fails_leaves_no_entry(database: Database):
    class DecidedOtherwiseError(Exception):
        pass

    def fail() -> None:
        with database.write() as session:
            audit.record(session, WORKER, action="act", entity="act", entity_id="1", at=AT)
            session.flush()
            raise DecidedOtherwiseError

    with pytest.raises(DecidedOtherwiseError):
        fail()
    assert count(database) == 0


def test_an_entry_of_a_savepoint_goes_with_its_savepoint(database: Database):
    with database.write() as session:
        audit.record(session, WORKER, action="keep", entity="act", entity_id="1", at=AT)
        savepoint = session.begin_nested()
        audit.record(session, WORKER, action="lose", entity="act", entity_id="2", at=AT)
        session.add(account("ada"))
        session.flush()
        savepoint.rollback()
        with session.begin_nested():
            audit.record(session, WORKER, action="keep too", entity="act", entity_id="3", at=AT)
    with database.read() as session:
        actions = session.scalars(select(AuditEntry.action).order_by(AuditEntry.sequence)).all()
        assert actions == ["keep", "keep too"]
        assert audit.verify(session) == []


def test_a_witness_is_kept_once_and_a_damaged_file_is_told(database: Database, tmp_path: Path):
    path = tmp_path / "folder" / "heads.jsonl"
    assert witness.read(path) == []
    for number in range(2):
        act(database, number)
        with database.read() as session:
            witness.keep(path, audit.head(session), AT)
            witness.keep(path, audit.head(session), AT)
    assert [head.sequence for head in witness.read(path)] == [2, 4]
    path.write_text('{"sequence": 2}\n')
    with pytest.raises(SettingsError, match="Line 1"):
        witness.read(path)


def test_the_audit_is_read_by_thing_by_page_and_as_csv(service: TestService):
    created = service.post(
        "/accounts",
        "administrator",
        json={"account": "ada", "name": "=Ada", "roles": ["reader"]},
    ).json()
    about = f"entity=account&entity_id={created['account_id']}"
    entries = service.get(f"/audit?{about}", "administrator").json()["items"]
    assert [(entry["actor"], entry["action"]) for entry in entries] == [("Administrator", "create account")]
    assert entries[0]["after"] == {"account": "ada", "name": "=Ada", "roles": ["reader"]}

    first = service.get("/audit?limit=3", "administrator").json()
    second = service.get(f"/audit?limit=3&cursor={first['next_cursor']}", "administrator").json()
    assert [entry["sequence"] for entry in first["items"] + second["items"]] == [1, 2, 3, 4, 5, 6]

    table = service.get("/audit", "administrator", headers={"Accept": "text/csv"})
    assert table.headers["content-type"].startswith("text/csv")
    assert table.text.splitlines()[0].startswith("sequence,at,account_id,actor,action")


def test_the_head_and_the_verification_agree(service: TestService):
    service.token("administrator")
    head = service.get("/audit/head", "administrator").json()
    verification = service.get("/audit/verification", "administrator").json()
    assert verification["is_whole"]
    assert verification["head"]["hash"] == head["hash"]
