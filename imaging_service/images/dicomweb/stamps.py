"""Has anything changed? A cheap answer of the databases themselves, for answers that are kept in memory."""

import sqlite3
from threading import Lock

from sqlalchemy import Engine

from dicom_listener.archive.database import Database as ArchiveDatabase

Stamp = tuple[int, ...]
"""Two equal stamps: in between nobody has committed anything."""


class Stamps:
    """Tells the state of databases by SQLite's count of commits, which every commit of anybody raises.

    PostgreSQL has no such count: there no stamp is given, and nothing is answered from memory.
    """

    def __init__(self, *engines: Engine) -> None:
        """Watch the databases of `engines`."""
        self._engines = engines
        self._connections: list[sqlite3.Connection] | None = None
        self._lock = Lock()

    @classmethod
    def of(cls, service: Engine, archive: ArchiveDatabase | None) -> "Stamps":
        """Watch the service's database and the archive's; without an archive there is nothing to watch."""
        return cls() if archive is None else cls(service, archive.engine)

    def now(self) -> Stamp | None:
        """Return the stamp of this moment, or None where none can be had."""
        with self._lock:
            if not self._engines:
                return None
            try:
                if self._connections is None:
                    self._connections = [_watching(engine) for engine in self._engines]
                versions = [each.execute("PRAGMA data_version").fetchone()[0] for each in self._connections]
            except (sqlite3.Error, LookupError):
                return None
        return tuple(versions)

    def close(self) -> None:
        """Let go of the databases."""
        with self._lock:
            for each in self._connections or ():
                each.close()
            self._connections = None


def _watching(engine: Engine) -> sqlite3.Connection:
    """Return a connection of its own, which never writes: the count tells of commits by others only."""
    name = engine.url.database
    if engine.dialect.name != "sqlite" or not name or name == ":memory:":
        raise LookupError(engine.dialect.name)
    return sqlite3.connect(f"file:{name}?mode=ro", uri=True, check_same_thread=False, isolation_level=None)
