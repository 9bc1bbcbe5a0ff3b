"""The database of the index: SQLite on one machine, PostgreSQL where there are several."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, make_url, text
from sqlalchemy.engine import URL
from sqlalchemy.exc import ArgumentError, NoSuchModuleError, ProgrammingError, SQLAlchemyError

from dicom_listener.archive.tables import SCHEMA
from dicom_listener.errors import (
    ArchiveError,
    ArchiveNotReadyError,
    DatabaseAddressError,
    FolderUnusableError,
    OutOfResourcesError,
)

_BUSY_MILLISECONDS = 30_000
_WRITERS = 0x61726368  # 'arch', the key of PostgreSQL's advisory lock
_UNDEFINED_TABLE = frozenset({"42P01", "3F000"})


class Database:
    """Transactions on the index.

    SQLite has one engine whose transactions begin IMMEDIATE, for writers, and another for readers:
    a single engine for both dead-locks when a reader turns writer. On PostgreSQL writers queue
    behind an advisory lock, so that sequence numbers become visible in their own order and a
    follower of the change feed misses none.
    """

    def __init__(self, *, writer: Engine, reader: Engine) -> None:
        """Use the two engines; `open` makes them."""
        self._writer = writer
        self._reader = reader

    @classmethod
    def open(cls, address: str) -> "Database":
        """Open the database at `address`, without a first connection.

        Raises
        ------
        DatabaseAddressError
            When the address is neither SQLite's nor PostgreSQL's.
        """
        url = _parse(address)
        options: dict[str, Any] = {"execution_options": {"schema_translate_map": {SCHEMA: None}}}
        if url.get_backend_name() == "sqlite":
            # Few connections: each holds three descriptors, and writers wait for one another anyway.
            writer, reader = (create_engine(url, **options, pool_size=4, max_overflow=4) for _ in range(2))
            event.listen(writer, "connect", _set_up_sqlite)
            event.listen(reader, "connect", _set_up_sqlite)
            event.listen(writer, "begin", _begin_immediate)
            return cls(writer=writer, reader=reader)
        try:
            engine = create_engine(url, pool_pre_ping=True, pool_timeout=10)
        except (NoSuchModuleError, ModuleNotFoundError) as error:
            wanted = "the extra 'postgres' installed (pip install imaging-service[postgres])"
            raise DatabaseAddressError(found="names PostgreSQL", wanted=wanted) from error
        return cls(writer=engine, reader=engine)

    @property
    def engine(self) -> Engine:
        """The engine that migrations use."""
        return self._writer

    @property
    def address(self) -> str:
        """The address without its password, for messages."""
        return self._writer.url.render_as_string(hide_password=True)

    def prepare_folder(self) -> None:
        """Make the folder of an SQLite file.

        Raises
        ------
        FolderUnusableError
            When it cannot be made.
        """
        name = self._writer.url.database
        if self._writer.dialect.name != "sqlite" or not name or name == ":memory:":
            return
        folder = Path(name).parent
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise FolderUnusableError(folder, error.strerror or str(error)) from error

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """Yield the connection of one transaction that is durable when the block has ended.

        Raises
        ------
        OutOfResourcesError
            When the database is away, locked or full; nothing of the transaction remains.
        """
        with _translated(self.address), self._writer.begin() as connection:
            if self._writer.dialect.name == "postgresql":
                connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _WRITERS})
            yield connection

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """Yield a connection that sees one state of the index.

        Raises
        ------
        OutOfResourcesError
            When the database is away.
        """
        with _translated(self.address), self._reader.begin() as connection:
            yield connection

    def close(self) -> None:
        """Close every connection."""
        self._writer.dispose()
        self._reader.dispose()


def _parse(address: str) -> URL:
    try:
        url = make_url(address)
    except ArgumentError as error:
        raise DatabaseAddressError(found="cannot be read") from error
    backend = url.get_backend_name()
    if backend == "sqlite":
        return url
    if backend == "postgresql":
        return url.set(drivername="postgresql+psycopg")
    raise DatabaseAddressError(found=f"begins with {backend!r}")


def _set_up_sqlite(connection: Any, _record: object) -> None:  # noqa: ANN401 - the driver's own type
    # The driver must not begin transactions by itself: IMMEDIATE is ours to say.
    connection.isolation_level = None
    for pragma in (
        f"busy_timeout = {_BUSY_MILLISECONDS}",
        "journal_mode = WAL",
        "synchronous = FULL",  # NORMAL loses acknowledged rows in a power cut
        "foreign_keys = ON",
    ):
        connection.execute(f"PRAGMA {pragma}")


def _begin_immediate(connection: Connection) -> None:
    connection.exec_driver_sql("BEGIN IMMEDIATE")


@contextmanager
def _translated(address: str) -> Iterator[None]:
    try:
        yield
    except SQLAlchemyError as error:
        raise _as_archive_error(error, address) from error


def _as_archive_error(error: SQLAlchemyError, address: str) -> ArchiveError:
    cause = str(getattr(error, "orig", None) or error).strip().splitlines()[0]
    state = getattr(getattr(error, "orig", None), "sqlstate", None)
    if "no such table" in cause or (isinstance(error, ProgrammingError) and state in _UNDEFINED_TABLE):
        return ArchiveNotReadyError(address)
    return OutOfResourcesError(what=f"The database {address}", reason=cause)
