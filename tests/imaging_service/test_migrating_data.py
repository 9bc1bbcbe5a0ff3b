"""A database of the first version, with a trial in it, is brought to the newest tables and loses nothing."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import DatabaseError, IntegrityError

from imaging_service.audit import service as audit
from imaging_service.database import Database
from imaging_service.migrations.migrate import head, migrate, revision_of
from imaging_service.tables import all_tables
from tests.builders.first_version import FIRST, Rows, first_version
from tests.builders.reading import TRIAL
from tests.builders.service import PASSWORD, TestService, running_service


class Migrated:
    """The service over the migrated database, and what was in it before."""

    def __init__(self, service: TestService, rows: Rows) -> None:
        self.service = service
        self.rows = rows


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def migrated(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Migrated]:
    if request.param == "sqlite":
        yield from brought_forward(f"sqlite:///{tmp_path_factory.mktemp('first')}/service.sqlite")
        return
    with request.getfixturevalue("postgres").database() as url:
        yield from brought_forward(url)


def brought_forward(url: str) -> Iterator[Migrated]:
    database = Database(url)
    rows = first_version(database)
    assert revision_of(database) == FIRST
    assert migrate(database) == revision_of(database) == head() != FIRST
    database.close()
    with running_service(url, is_new=False) as service:
        yield Migrated(service, rows)


def test_every_row_is_there_with_every_value(migrated: Migrated) -> None:
    assert sum(map(len, migrated.rows.values())) > 150
    with migrated.service.database.read() as session:
        for name, rows in migrated.rows.items():
            table = all_tables().tables[name]
            columns = [table.columns[column] for column in rows[0]]
            found = [dict(row) for row in session.execute(select(*columns)).mappings()]
            assert told(found) == told(rows), name


def told(rows: list[dict[str, Any]]) -> list[str]:
    """Return rows as texts in order; PostgreSQL keeps the keys of a JSON value in an order of its own."""
    return sorted(json.dumps(row, sort_keys=True, default=str) for row in rows)


def test_the_audit_chain_verifies_from_its_first_entry(migrated: Migrated) -> None:
    with migrated.service.database.read() as session:
        assert audit.verify(session) == []
    before = migrated.rows["audit_entries"]
    assert [each["sequence"] for each in before] == list(range(1, len(before) + 1))


def test_every_stored_answer_still_follows_from_what_was_signed(migrated: Migrated) -> None:
    found = migrated.service.get(f"/trials/{TRIAL}/assessments/recomputation", "coordinator").json()
    assert found == {"checked": len(migrated.rows["assessments"]), "differences": []}


def guarded(rows: Rows) -> Iterator[tuple[str, str, Any]]:
    """Name a key of a row of every kind that was final before."""
    signed = next(each["read_id"] for each in rows["reads"] if each["signed_at"] is not None)
    for table in ("reads", "read_lesions", "read_axes", "read_signatures"):
        yield table, "read_id", signed
    yield "audit_entries", "sequence", 1
    yield "trial_protocols", "trial_id", TRIAL
    yield "assessments", "assessment_id", rows["assessments"][0]["assessment_id"]
    yield "adjudication_decisions", "decision_id", rows["adjudication_decisions"][0]["decision_id"]
    yield "site_evaluations", "evaluation_id", rows["site_evaluations"][0]["evaluation_id"]


def test_what_was_final_is_final(migrated: Migrated) -> None:
    for table, key, value in guarded(migrated.rows):
        for change in (f"UPDATE {table} SET {key} = {key}", f"DELETE FROM {table}"):  # noqa: S608
            statement = text(f"{change} WHERE {key} = :value")
            with (
                pytest.raises(DatabaseError, match="change"),
                migrated.service.database.write() as session,
            ):
                session.execute(statement, {"value": value})


def test_a_slot_still_has_one_reader(migrated: Migrated) -> None:
    change = text("UPDATE account_grants SET reader_slot = 1 WHERE reader_slot = 2")
    with pytest.raises(IntegrityError), migrated.service.database.write() as session:
        session.execute(change)


def test_reading_goes_on_where_it_stopped(migrated: Migrated) -> None:
    """Comes last: a draft of the first version is signed in this one."""
    service = migrated.service
    draft = next(
        each["read_id"] for each in migrated.rows["reads"] if each["signed_at"] is None and each["slot"] == 2
    )
    body = {"password": PASSWORD, "meaning": "I confirm this read."}
    signed = service.post(f"/reads/{draft}/signature", "reader2", json=body)
    assert signed.status_code == 201, signed.text
    assert service.get(f"/reads/{draft}", "reader2").json()["status"] == "signed"
    with service.database.read() as session:
        assert audit.verify(session) == []
