"""An archive of every earlier version is brought forward with what it holds."""

from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, date, datetime
from typing import Any

import pytest
from alembic.script import ScriptDirectory
from sqlalchemy import (
    Boolean,
    Column,
    Connection,
    Date,
    DateTime,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    insert,
    select,
)

from dicom_listener.archive import migrate as module
from dicom_listener.archive.archive import Archive
from dicom_listener.archive.database import Database
from dicom_listener.archive.migrate import HEAD, is_current, migrate
from dicom_listener.archive.tables import SCHEMA

ROWS = 3
SCRIPTS = ScriptDirectory(str(module.__file__).replace("migrate.py", "migrations"))
EARLIER = sorted(script.revision for script in SCRIPTS.walk_revisions() if not script.is_head)


def value(column: Column[Any], number: int) -> Any:
    """Return a value of the column's kind, another for each number."""
    kinds: list[tuple[type, Any]] = [
        (Boolean, bool(number % 2)),
        (Integer, number),
        (DateTime, datetime(2026, 1, number, 8, 0, 0, number, tzinfo=UTC)),
        (Date, date(2026, 1, number)),
        (LargeBinary, bytes([number])),
    ]
    return next((found for kind, found in kinds if isinstance(column.type, kind)), f"1.2.{number}")


def tables_of(connection: Connection) -> Iterator[Table]:
    metadata = MetaData()
    metadata.reflect(connection, schema=None if connection.dialect.name == "sqlite" else SCHEMA)
    yield from (table for table in metadata.sorted_tables if table.name != "archive_version")


def contents(connection: Connection) -> dict[str, list[dict[str, Any]]]:
    return {
        table.name: [dict(row) for row in connection.execute(select(table)).mappings()]
        for table in tables_of(connection)
    }


@pytest.mark.parametrize("revision", EARLIER)
def test_what_an_earlier_version_kept_is_there_afterwards(database_url: str, revision: str):
    with closing(Database.open(database_url)) as database:
        migrate(database, revision)
        with database.write() as connection:
            for table in tables_of(connection):
                rows = [
                    {column.name: value(column, number) for column in table.columns}
                    for number in range(1, ROWS + 1)
                ]
                connection.execute(insert(table), rows)
            before = contents(connection)
        assert all(len(rows) == ROWS for rows in before.values())
        migrate(database)
        with database.read() as connection:
            after = contents(connection)
    for name, rows in before.items():
        kept = after[name]
        assert len(kept) == ROWS, name
        for row in rows:
            assert any(row.items() <= found.items() for found in kept), (name, row)


def test_an_archive_that_was_brought_forward_is_read(database_url: str):
    with closing(Archive.open(database_url, "memory:")) as archive:
        migrate(archive.database, EARLIER[0])
        migrate(archive.database)
        assert archive.counts()["instances"] == 0


def test_a_start_knows_the_last_revision_without_reading_the_others(database_url: str) -> None:
    assert SCRIPTS.get_heads() == [HEAD]
    with closing(Database.open(database_url)) as database:
        assert not is_current(database)
        migrate(database, EARLIER[-1])
        assert not is_current(database)
        migrate(database)
        assert is_current(database)
