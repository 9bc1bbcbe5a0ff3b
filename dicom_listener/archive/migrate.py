"""Bring the archive's database to this version of its tables."""

from pathlib import Path

from sqlalchemy import text

from dicom_listener.archive.database import Database
from dicom_listener.archive.tables import SCHEMA
from dicom_listener.errors import ArchiveError, ArchiveVersionError

HEAD = "0004"
"""The last revision."""

_MIGRATIONS = Path(__file__).parent / "migrations"


def migrate(database: Database, revision: str = "head") -> None:
    """Run the revisions up to one that the database has not seen, all in one transaction.

    Raises
    ------
    ArchiveVersionError
        When the database was written by a later version.
    FolderUnusableError
        When the folder of an SQLite file cannot be made.
    """
    if revision != "head" or not is_current(database):
        database.prepare_folder()
        _upgrade(database, revision)


def is_current(database: Database) -> bool:
    """Tell whether the database is at the last revision, as it is at every start but the first."""
    schema = f"{SCHEMA}." if database.engine.dialect.name == "postgresql" else ""
    try:
        with database.read() as connection:
            found = connection.execute(text(f"SELECT version_num FROM {schema}archive_version"))  # noqa: S608 - ours
            return found.scalar_one_or_none() == HEAD
    except ArchiveError:
        return False


def _upgrade(database: Database, revision: str) -> None:
    from alembic import command  # noqa: PLC0415 - slow to import, and seldom needed
    from alembic.config import Config  # noqa: PLC0415 - as above
    from alembic.util import CommandError  # noqa: PLC0415 - as above

    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS))
    with database.write() as connection:
        if connection.dialect.name == "postgresql":
            connection.execute(text(f"CREATE SCHEMA IF NOT EXISTS {SCHEMA}"))
        config.attributes["connection"] = connection
        try:
            command.upgrade(config, revision)
        except CommandError as error:
            raise ArchiveVersionError(database.address) from error
