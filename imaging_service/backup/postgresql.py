"""PostgreSQL schemas: every table as text by COPY, all as of one instant, with no program of the server's."""

import json
from collections.abc import Iterable, Mapping, Sequence
from graphlib import TopologicalSorter
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, text

from imaging_service.backup.manifest import write_durably

_SEQUENCES = "sequences.json"
_TABLES = """
    SELECT relname FROM pg_class JOIN pg_namespace AS spaces ON spaces.oid = relnamespace
    WHERE nspname = :schema AND relkind = 'r' ORDER BY relname
"""
_COLUMNS = """
    SELECT column_name FROM information_schema.columns
    WHERE table_schema = :schema AND table_name = :table AND is_generated = 'NEVER' ORDER BY ordinal_position
"""
_REFERENCES = """
    SELECT origin.relname, target.relname
    FROM pg_constraint
    JOIN pg_class AS origin ON origin.oid = conrelid JOIN pg_class AS target ON target.oid = confrelid
    JOIN pg_namespace AS spaces ON spaces.oid = origin.relnamespace
    WHERE contype = 'f' AND nspname = :schema AND conrelid <> confrelid
"""
_LAST_VALUES = "SELECT sequencename, last_value FROM pg_sequences WHERE schemaname = :schema"


def take(connection: Connection, schema: str, folder: Path) -> None:
    """Write every table of a schema into `folder`.

    Parameters
    ----------
    connection
        In a transaction that sees one state: REPEATABLE READ.
    """
    folder.mkdir(parents=True)
    for table in _tables(connection, schema):
        columns = _listed(connection, schema, table)
        statement = f"COPY (SELECT {columns} FROM {_name(schema, table)}) TO STDOUT"  # noqa: S608  catalogue
        with (folder / f"{table}.copy").open("wb") as file, _cursor(connection).copy(statement) as copy:
            for piece in copy:
                file.write(piece)
    sequences = {row[0]: row[1] for row in connection.execute(text(_LAST_VALUES), {"schema": schema})}
    write_durably(folder / _SEQUENCES, json.dumps(sequences).encode())


def put_back(connection: Connection, schema: str, folder: Path) -> None:
    """Fill the tables of a schema, which exist and hold nothing of anybody's, from `folder`.

    Their guards are off meanwhile: rows that are final come back as they were.
    """
    tables = _in_order(_tables(connection, schema), connection, schema)
    kept = [table for table in tables if (folder / f"{table}.copy").exists()]
    for table in kept:
        connection.execute(text(f"ALTER TABLE {_name(schema, table)} DISABLE TRIGGER USER"))
    for table in reversed(kept):  # a revision's number, and what a migration itself put in
        connection.execute(text(f"DELETE FROM {_name(schema, table)}"))  # noqa: S608  names of the catalogue
    for table in kept:
        statement = f"COPY {_name(schema, table)} ({_listed(connection, schema, table)}) FROM STDIN"
        with (folder / f"{table}.copy").open("rb") as file, _cursor(connection).copy(statement) as copy:
            while piece := file.read(1 << 20):
                copy.write(piece)
    for table in kept:
        connection.execute(text(f"ALTER TABLE {_name(schema, table)} ENABLE TRIGGER USER"))
    _advance(connection, schema, json.loads((folder / _SEQUENCES).read_bytes()))


def is_empty(connection: Connection, schema: str) -> bool:
    """Whether a schema has no table."""
    return not _tables(connection, schema)


def _advance(connection: Connection, schema: str, last_values: Mapping[str, int | None]) -> None:
    """Let each sequence go on where it was, so that no number is given twice."""
    there = {row[0] for row in connection.execute(text(_LAST_VALUES), {"schema": schema})}
    for name, last in last_values.items():
        if last is not None and name in there:
            connection.execute(
                text("SELECT setval(CAST(:name AS regclass), :last)"),
                {"name": _name(schema, name), "last": last},
            )


def _tables(connection: Connection, schema: str) -> Sequence[str]:
    return [str(row[0]) for row in connection.execute(text(_TABLES), {"schema": schema})]


def _in_order(tables: Iterable[str], connection: Connection, schema: str) -> Sequence[str]:
    """Put each table behind those that it refers to."""
    needed: dict[str, set[str]] = {table: set() for table in tables}
    for origin, target in connection.execute(text(_REFERENCES), {"schema": schema}):
        needed[origin].add(target)
    return list(TopologicalSorter(needed).static_order())


def _listed(connection: Connection, schema: str, table: str) -> str:
    rows = connection.execute(text(_COLUMNS), {"schema": schema, "table": table})
    return ", ".join(_quoted(str(row[0])) for row in rows)


def _name(schema: str, table: str) -> str:
    return f"{_quoted(schema)}.{_quoted(table)}"


def _quoted(name: str) -> str:
    doubled = name.replace('"', '""')
    return f'"{doubled}"'


def _cursor(connection: Connection) -> Any:  # noqa: ANN401  the driver's own
    return connection.connection.cursor()
