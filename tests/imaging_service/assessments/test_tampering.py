"""Whoever has the database's own password: refused by triggers, and found where the triggers are gone."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import date, datetime
from typing import Any

import pytest
from sqlalchemy import JSON, Column, Connection, text
from sqlalchemy.exc import DBAPIError, IntegrityError

from imaging_service.assessments import proof
from imaging_service.assessments.proof import Difference
from imaging_service.database import Base, DecimalText, ServiceSession, UtcDateTime
from imaging_service.reads.repository import SYSTEM
from tests.builders.reading import TRIAL, ReadingRoom, measured

SIGNED = ("reads", "read_lesions", "read_axes", "read_signatures", "assessments")

NOT_SEEN = {
    ("reads", "version"): "counts the edits of the draft, and is no part of what was signed",
    ("assessments", "assessment_id"): "a random key that nothing follows from",
    ("assessments", "because_of"): "the audit's entry of the act says it",
    ("assessments", "derived_at"): "the audit's entry of the act says it",
    ("assessments", "edition"): "one edition alone has any number",
}
"""What no recomputation can find, and why."""


@pytest.fixture(scope="module")
def signed(room: ReadingRoom) -> str:
    """Give a subject with a baseline and a follow-up, both signed."""
    subject = room.someone()
    images = [room.image(subject, number) for number in range(2)]
    lesions = [{"T01": measured(images[0], 50.0, "liver")}, {"T01": measured(images[1], 30.0)}]
    room.course("reader1", images, lesions)
    return subject


@contextmanager
def undone(room: ReadingRoom, *, guarded: bool) -> Iterator[Connection]:
    """Give a transaction that is rolled back, with or without the guards of the database."""
    with room.service.database.writer.connect() as connection:
        if not guarded:
            _without_triggers(connection)
        yield connection
        connection.rollback()


def _without_triggers(connection: Connection) -> None:
    if connection.dialect.name == "postgresql":
        connection.execute(text("SET LOCAL session_replication_role = replica"))
        return
    found = connection.execute(text("SELECT name FROM sqlite_master WHERE type = 'trigger'")).scalars()
    for name in found.all():
        connection.execute(text(f'DROP TRIGGER "{name}"'))


def other_value(column: "Column[Any]") -> Any:
    """Return a value that the column does not have."""
    kind = column.type
    if isinstance(kind, UtcDateTime):
        return "2001-01-01T00:00:00.000000Z"
    if isinstance(kind, DecimalText):
        return "99.9"
    if isinstance(kind, JSON):
        return '["tampered"]'
    return {str: "tampered", int: 77, float: 7.7, date: "2001-01-01", datetime: "2001-01-01"}[
        kind.python_type
    ]


def change(connection: Connection, table: str, column: "Column[Any]", subject: str) -> None:
    """Change one column of a signed record."""
    of_subject = "SELECT read_id FROM reads WHERE subject_id = :subject AND number = 1"
    where = f"read_id IN ({of_subject})"
    if column.type.python_type is bool:
        statement = f"UPDATE {table} SET {column.name} = NOT {column.name} WHERE {where}"  # noqa: S608
        connection.execute(text(statement), {"subject": subject})
        return
    kind = f"CAST(:value AS {column.type.compile(connection.dialect)})"
    value = ":value" if connection.dialect.name == "sqlite" else kind
    statement = f"UPDATE {table} SET {column.name} = {value} WHERE {where}"  # noqa: S608
    connection.execute(text(statement), {"subject": subject, "value": other_value(column)})


def found_in(room: ReadingRoom, connection: Connection, subject: str) -> Sequence[Difference]:
    with ServiceSession(connection, join_transaction_mode="rollback_only") as session:
        on = room.service.clock.now().date()
        return proof.recompute(session, SYSTEM, TRIAL, on=on, subject_id=subject).differences


COLUMNS = [
    pytest.param(table, column.name, id=f"{table}.{column.name}")
    for table in SIGNED
    for column in Base.metadata.tables[table].columns
]


def test_nothing_is_found_where_nobody_was(room: ReadingRoom, signed: str) -> None:
    with undone(room, guarded=False) as connection:
        assert found_in(room, connection, signed) == ()


@pytest.mark.parametrize(("table", "name"), COLUMNS)
def test_the_database_refuses_to_change_what_is_signed(
    room: ReadingRoom, signed: str, table: str, name: str
) -> None:
    column = Base.metadata.tables[table].columns[name]
    with undone(room, guarded=True) as connection, pytest.raises(DBAPIError, match="never changes"):
        change(connection, table, column, signed)


@pytest.mark.parametrize("table", SIGNED)
def test_the_database_refuses_to_remove_what_is_signed(room: ReadingRoom, signed: str, table: str) -> None:
    where = "read_id IN (SELECT read_id FROM reads WHERE subject_id = :subject)"
    with undone(room, guarded=True) as connection, pytest.raises(DBAPIError, match="never changes"):
        connection.execute(text(f"DELETE FROM {table} WHERE {where}"), {"subject": signed})  # noqa: S608


@pytest.mark.parametrize(("table", "name"), COLUMNS)
def test_without_guards_the_change_is_found(room: ReadingRoom, signed: str, table: str, name: str) -> None:
    column = Base.metadata.tables[table].columns[name]
    with undone(room, guarded=False) as connection:
        try:
            change(connection, table, column, signed)
        except IntegrityError:
            return  # a key or a constraint refuses it still
        found = found_in(room, connection, signed)
    is_seen = (table, name) not in NOT_SEEN
    assert bool(found) is is_seen, NOT_SEEN.get((table, name))
    assert all(each.sentence.endswith(".") for each in found)


@pytest.mark.parametrize("table", [*SIGNED[1:], "audit_entries"])
def test_without_guards_a_removal_is_found(room: ReadingRoom, signed: str, table: str) -> None:
    key = "entity_id" if table == "audit_entries" else "read_id"
    where = f"{key} IN (SELECT read_id FROM reads WHERE subject_id = :subject AND number = 1)"  # noqa: S608
    with undone(room, guarded=False) as connection:
        if table == "read_lesions":
            connection.execute(text(f"DELETE FROM read_axes WHERE {where}"), {"subject": signed})  # noqa: S608
        connection.execute(text(f"DELETE FROM {table} WHERE {where}"), {"subject": signed})  # noqa: S608
        assert found_in(room, connection, signed)
