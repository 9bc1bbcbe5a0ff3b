"""SQLite databases: one consistent copy while others write, by SQLite's own backup."""

import os
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path
from urllib.parse import quote

from imaging_service.backup.errors import BackupError
from imaging_service.backup.manifest import flush


def take(source: Path, target: Path) -> None:
    """Copy a database as it is at one instant into one file; writers go on meanwhile.

    Raises
    ------
    BackupError
        There is no such database, or the copy is not sound.
    """
    if not source.is_file():
        message = f"There is no database at {source} to back up."
        raise BackupError(message)
    origin = sqlite3.connect(f"file:{quote(str(source))}?mode=ro", uri=True)
    with closing(origin), closing(sqlite3.connect(target)) as copy:
        origin.backup(copy)
        copy.execute("PRAGMA journal_mode=DELETE")
        found = copy.execute("PRAGMA integrity_check").fetchone()[0]
    if found != "ok":
        message = (
            f"The copy of {source} is not sound ({str(found)[:200]}); the database itself may be damaged."
        )
        raise BackupError(message)
    flush(target)


def put_back(source: Path, target: Path) -> None:
    """Place a copy where the database is to be; it appears whole or not at all."""
    target.parent.mkdir(parents=True, exist_ok=True)
    partial = target.with_name(f"{target.name}.partial")
    shutil.copyfile(source, partial)
    flush(partial)
    partial.replace(target)
    flush(target.parent)


def settle(path: Path) -> None:
    """Bring a copy that was opened since back into one file."""
    with closing(sqlite3.connect(path)) as copy:
        copy.execute("PRAGMA journal_mode=DELETE")
    flush(path)


def is_empty(path: Path) -> bool:
    """Whether nothing is at the database's place."""
    return not os.path.lexists(path)
