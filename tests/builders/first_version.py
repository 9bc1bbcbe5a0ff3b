"""A database as the first version left it: its tables, its guards, and a trial that was really read.

``fixtures/databases/first_version.jsonl`` has a line for each row. The version whose tables the first
revision makes wrote them, over REST, so that later revisions are tried on what they will meet.
"""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Date, Table, insert, text

from imaging_service.database import Database, DecimalText, UtcDateTime
from imaging_service.migrations.migrate import migrate
from imaging_service.tables import all_tables

FIRST = "0001"
STORED = Path(__file__).parents[2] / "fixtures" / "databases" / "first_version.jsonl"

Rows = Mapping[str, list[dict[str, Any]]]
"""The rows of each table, with Python's values."""


def stored_rows() -> Rows:
    """Return every row of the first version's database, by table."""
    tables = all_tables().tables
    found: dict[str, list[dict[str, Any]]] = {}
    with STORED.open(encoding="utf-8") as lines:
        for line in lines:
            entry = json.loads(line)
            table = tables[entry["table"]]
            row = {name: _value(table, name, value) for name, value in entry["row"].items()}
            found.setdefault(table.name, []).append(row)
    return found


def _value(table: Table, name: str, value: Any) -> Any:
    kind = table.columns[name].type
    if value is None:
        return None
    if isinstance(kind, UtcDateTime):
        return datetime.fromisoformat(value)
    if isinstance(kind, Date):
        return date.fromisoformat(value)
    return Decimal(value) if isinstance(kind, DecimalText) else value


def first_version(database: Database) -> Rows:
    """Make an empty database one of the first version, and return what is in it."""
    migrate(database, FIRST)
    rows = stored_rows()
    with database.writer.begin() as connection, _guards_lifted(connection):
        for table in all_tables().sorted_tables:
            if table.name in rows:
                connection.execute(insert(table), rows[table.name])
                _count_on(connection, table)
    return rows


@contextmanager
def _guards_lifted(connection: Connection) -> Iterator[None]:
    """Let the rows of signed reads be put in place, as they were before they were signed."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("SET LOCAL session_replication_role = replica"))
        yield
        return
    guards = connection.execute(text("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'")).all()
    for name, _ in guards:
        connection.execute(text(f'DROP TRIGGER "{name}"'))
    yield
    for _, statement in guards:
        connection.exec_driver_sql(statement)


def _count_on(connection: Connection, table: Table) -> None:
    """Let PostgreSQL number new rows after those that are there."""
    key = next(iter(table.primary_key.columns))
    if connection.dialect.name == "postgresql" and key.type.python_type is int:
        connection.execute(
            text(
                "SELECT setval(sequence, highest) FROM "  # noqa: S608  names of our own
                f"(SELECT pg_get_serial_sequence('{table.name}', '{key.name}') AS sequence, "
                f"max({key.name}) AS highest FROM {table.name}) AS found WHERE sequence IS NOT NULL"
            )
        )
