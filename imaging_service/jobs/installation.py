"""Procrastinate's tables and functions, kept at the version of the installed library."""

from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

from sqlalchemy import Connection, Engine, text

from imaging_service.database import SCHEMA

_LOCK = 0x70_72_6F_63  # 'proc', PostgreSQL's advisory lock
_TABLE = "procrastinate_migrations"


def is_installable() -> bool:
    """Whether the library is there (the ``postgres`` extra)."""
    return find_spec("procrastinate") is not None


def install(engine: Engine) -> None:
    """Bring Procrastinate's schema in PostgreSQL up to the installed library.

    The library ships the whole schema for a first installation and a script for each later change; which
    scripts have been applied is kept beside them. Each script is a transaction of its own, as PostgreSQL
    wants a new member of an enumeration committed before the next script uses it.
    """
    from procrastinate.schema import SchemaManager  # noqa: PLC0415  of an extra

    scripts = sorted(Path(SchemaManager.get_migrations_path()).glob("*.sql"))
    with _locked(engine) as connection:
        connection.execute(text(f"CREATE TABLE IF NOT EXISTS {_TABLE} (script text PRIMARY KEY)"))
        if not _has_schema(connection):
            _run(connection, SchemaManager.get_schema())
            for script in scripts:
                _note(connection, script)
    for script in scripts:
        with _locked(engine) as connection:
            if not _is_applied(connection, script):
                _run(connection, script.read_text(encoding="utf-8"))
                _note(connection, script)


@contextmanager
def _locked(engine: Engine) -> Iterator[Connection]:
    with engine.begin() as connection:
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
        yield connection


def _has_schema(connection: Connection) -> bool:
    found = connection.scalar(text("SELECT to_regclass(:name)"), {"name": f"{SCHEMA}.procrastinate_jobs"})
    return found is not None


def _is_applied(connection: Connection, script: Path) -> bool:
    applied = text(f"SELECT 1 FROM {_TABLE} WHERE script = :script")  # noqa: S608  our own name
    return connection.scalar(applied, {"script": script.name}) is not None


def _note(connection: Connection, script: Path) -> None:
    connection.execute(text(f"INSERT INTO {_TABLE} VALUES (:script)"), {"script": script.name})  # noqa: S608


def _run(connection: Connection, statements: str) -> None:
    """Execute several statements at once, which only the driver's own cursor does."""
    connection.connection.cursor().execute(statements)
