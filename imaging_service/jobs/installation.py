"""Procrastinate's tables and functions, kept at the version of the installed library."""

from importlib.util import find_spec
from pathlib import Path

from sqlalchemy import Connection, text

from imaging_service.database import SCHEMA

_TABLE = "procrastinate_migrations"


def is_installable() -> bool:
    """Whether the library is there (the ``postgres`` extra)."""
    return find_spec("procrastinate") is not None


def install(connection: Connection) -> None:
    """Bring Procrastinate's schema in PostgreSQL up to the installed library, within the transaction.

    The library ships the whole schema for a first installation and a script for each later change; which
    scripts have been applied is kept beside them.
    """
    from procrastinate.schema import SchemaManager  # noqa: PLC0415  of an extra

    scripts = sorted(Path(SchemaManager.get_migrations_path()).glob("*.sql"))
    is_new = (
        connection.scalar(text("SELECT to_regclass(:name)"), {"name": f"{SCHEMA}.procrastinate_jobs"}) is None
    )
    connection.execute(text(f"CREATE TABLE IF NOT EXISTS {_TABLE} (script text PRIMARY KEY)"))
    applied = set(connection.scalars(text(f"SELECT script FROM {_TABLE}")))  # noqa: S608  our own name
    if is_new:
        _run(connection, SchemaManager.get_schema())
    for script in scripts:
        if script.name in applied:
            continue
        if not is_new:
            _run(connection, script.read_text(encoding="utf-8"))
        connection.execute(text(f"INSERT INTO {_TABLE} VALUES (:script)"), {"script": script.name})  # noqa: S608


def _run(connection: Connection, statements: str) -> None:
    """Execute several statements at once, which only the driver's own cursor does."""
    connection.connection.cursor().execute(statements)
