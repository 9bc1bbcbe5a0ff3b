"""The database of the service: two engines, one transaction a request, and the column types."""

import json
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import uuid4

from sqlalchemy import (
    JSON,
    Connection,
    DateTime,
    Dialect,
    Engine,
    MetaData,
    String,
    create_engine,
    event,
    make_url,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.engine import URL
from sqlalchemy.exc import ArgumentError, OperationalError
from sqlalchemy.orm import DeclarativeBase, Session
from sqlalchemy.types import TypeDecorator

from imaging_service.errors import SettingsError

SCHEMA = "service"
"""Schema of the service in PostgreSQL; SQLite has none."""


class Base(DeclarativeBase):
    """Parent of every table of the service.

    A table whose rows say nothing about the trial (a cursor, a queue, a counter) declares
    ``__table_args__ = {"info": {"audited": False}}``: it may change without an audit entry.
    Relationships are declared ``lazy="raise"``: what a query needs, it names.
    """

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(column_0_label)s",
            "uq": "uq_%(table_name)s_%(column_0_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )


class UtcDateTime(TypeDecorator[datetime]):
    """An aware instant in UTC, to the microsecond; sorts as text in SQLite."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> Any:  # noqa: ANN401  as SQLAlchemy declares it
        """Keep text in SQLite, which has no instants."""
        if dialect.name == "sqlite":
            return dialect.type_descriptor(String(27))
        return dialect.type_descriptor(DateTime(timezone=True))

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> Any:  # noqa: ANN401
        """Refuse a naive instant."""
        if value is None:
            return None
        if value.tzinfo is None:
            message = f"An instant needs its time zone; {value.isoformat()} has none."
            raise ValueError(message)
        value = value.astimezone(UTC)
        return value.strftime("%Y-%m-%dT%H:%M:%S.%fZ") if dialect.name == "sqlite" else value

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:  # noqa: ANN401, ARG002
        """Return it in UTC."""
        if value is None:
            return None
        instant = datetime.fromisoformat(value) if isinstance(value, str) else value
        return instant.astimezone(UTC)


class DecimalText(TypeDecorator[Decimal]):
    """A decimal number as text: 12.50 comes back as 12.50, not as 12.5 nor 12.499999."""

    impl = String(40)
    cache_ok = True

    def process_bind_param(self, value: Decimal | None, dialect: Dialect) -> str | None:  # noqa: ARG002
        """Refuse what is not a number."""
        if value is None:
            return None
        if not value.is_finite():
            message = f"A stored number must be finite; found {value}."
            raise ValueError(message)
        return format(value, "f")

    def process_result_value(self, value: str | None, dialect: Dialect) -> Decimal | None:  # noqa: ARG002
        """Return the same digits."""
        return None if value is None else Decimal(value)


Json = JSON(none_as_null=True).with_variant(JSONB(none_as_null=True), "postgresql")
"""A JSON value; ``None`` is SQL's NULL."""


def new_id() -> str:
    """Return a key for a new row: a random UUID (RFC 9562, version 4) as text."""
    return str(uuid4())


class ServiceSession(Session):
    """A session of the service; `imaging_service.audit` watches what it commits."""


class Database:
    """The service's database, SQLite or PostgreSQL.

    SQLite has a writer engine, whose transactions take the write lock at once (``BEGIN IMMEDIATE``), and a
    reader engine beside it, as one engine for both dead-locks when a reader wants to write. PostgreSQL
    needs only one pool.

    Parameters
    ----------
    url
        ``sqlite:///path`` or ``postgresql://…``. A missing folder of a SQLite file is made.
    connections
        Connections for each engine, at most.
    wait_seconds
        How long to wait for a lock or a connection.

    Raises
    ------
    SettingsError
        The address is of another kind, or the folder cannot be written to.
    """

    def __init__(self, url: str, *, connections: int = 20, wait_seconds: float = 30.0) -> None:
        """Connect lazily: nothing is opened before the first use, but a missing folder is made."""
        self.url = _parsed(url)
        self.connections = connections
        self.wait_seconds = wait_seconds
        if self.is_sqlite:
            _make_folder(self.url)
            self.writer = _sqlite_engine(self.url, "BEGIN IMMEDIATE", 5, wait_seconds)
            self.reader = _sqlite_engine(self.url, "BEGIN", connections, wait_seconds)
        else:
            self.writer = self.reader = _postgresql_engine(self.url, connections, wait_seconds)

    @property
    def is_sqlite(self) -> bool:
        """Whether this is SQLite."""
        return self.url.get_backend_name() == "sqlite"

    def writing_session(self) -> ServiceSession:
        """Return a session on the writer engine; the caller commits and closes it."""
        return ServiceSession(self.writer, expire_on_commit=False)

    def reading_session(self) -> ServiceSession:
        """Return a session on the reader engine; the caller closes it."""
        return ServiceSession(self.reader, expire_on_commit=False)

    @contextmanager
    def write(self) -> Iterator[Session]:
        """Give a session whose transaction is committed at the end, or rolled back by an exception."""
        with self.writing_session() as session, session.begin():
            yield session

    @contextmanager
    def read(self) -> Iterator[Session]:
        """Give a session to read from; nothing done in it is kept."""
        with self.reading_session() as session:
            yield session

    def create_all(self) -> None:
        """Create every imported table in an empty database: for tests; elsewhere migrations do it."""
        with self.writer.begin() as connection:
            ensure_schema(connection)
            Base.metadata.create_all(connection)

    def check(self) -> None:
        """Open the database once, for reading and for writing.

        Raises
        ------
        SettingsError
            It cannot be opened: a read-only folder, a server that does not answer, a wrong password.
        """
        try:
            with self.writer.begin(), self.reader.begin():
                pass
        except OperationalError as error:
            where = self.url.render_as_string(hide_password=True)
            reason = str(error.orig).strip().splitlines()[0].rstrip(".")
            message = f"The database {where} cannot be opened: {reason}; set IMAGING_SERVICE_DATABASE_URL."
            raise SettingsError(message) from error

    def close(self) -> None:
        """Close every connection."""
        self.writer.dispose()
        self.reader.dispose()


def ensure_schema(connection: Connection) -> None:
    """Create the service's schema in PostgreSQL when it is missing."""
    if connection.dialect.name == "postgresql":
        connection.execute(text(f'CREATE SCHEMA IF NOT EXISTS "{SCHEMA}"'))


def _parsed(url: str) -> URL:
    try:
        parsed = make_url(url)
    except ArgumentError as error:
        message = "The database_url is no address; it must be like sqlite:///data/service.sqlite."
        raise SettingsError(message) from error
    if parsed.get_backend_name() == "sqlite":
        return parsed.set(drivername="sqlite+pysqlite")
    if parsed.get_backend_name() in {"postgresql", "postgres"}:
        return parsed.set(drivername="postgresql+psycopg")
    message = f"The database is {parsed.get_backend_name()!r}; it must be sqlite or postgresql."
    raise SettingsError(message)


def _make_folder(url: URL) -> None:
    if not url.database or url.database == ":memory:":
        message = "The SQLite database is in memory; it must be a file, as several connections share it."
        raise SettingsError(message)
    folder = Path(url.database).parent
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        message = f"The folder {folder} of the database cannot be made: {error.strerror}."
        raise SettingsError(message) from error


def _sqlite_engine(url: URL, begin: str, connections: int, wait_seconds: float) -> Engine:
    engine = create_engine(
        url,
        pool_size=connections,
        max_overflow=0,
        pool_timeout=wait_seconds,
        hide_parameters=True,  # a message must not quote a row
        connect_args={"check_same_thread": False, "timeout": wait_seconds},
        json_serializer=_json_text,
    )

    @event.listens_for(engine, "connect")
    def _(connection: sqlite3.Connection, _record: object) -> None:
        connection.isolation_level = None  # transactions begin where we say, below
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=FULL")  # a commit survives a power cut
        connection.execute("PRAGMA foreign_keys=ON")
        connection.execute("PRAGMA recursive_triggers=ON")  # REPLACE fires the audit's delete trigger too

    @event.listens_for(engine, "begin")
    def _(connection: Connection) -> None:
        connection.exec_driver_sql(begin)

    return engine


def _postgresql_engine(url: URL, connections: int, wait_seconds: float) -> Engine:
    return create_engine(
        url,
        pool_size=connections,
        max_overflow=connections,
        pool_timeout=wait_seconds,
        hide_parameters=True,  # a message must not quote a row
        pool_pre_ping=True,
        connect_args={
            "options": f"-c search_path={SCHEMA} -c lock_timeout={int(wait_seconds * 1000)} -c timezone=UTC",
            "connect_timeout": max(2, int(wait_seconds)),
        },
        json_serializer=_json_text,
    )


def _json_text(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))


def is_busy(error: Exception) -> bool:
    """Whether `error` says that the database was locked or gone, so that trying again may help."""
    if not isinstance(error, OperationalError):
        return False
    found = str(error.orig).lower()
    return error.connection_invalidated or any(
        word in found
        for word in (
            "locked",
            "lock timeout",
            "deadlock",
            "could not serialize",
            "connection",
            "disk is full",
        )
    )
