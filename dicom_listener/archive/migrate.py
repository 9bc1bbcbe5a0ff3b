"""Bring the archive's database to this version of its tables."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.util import CommandError
from sqlalchemy import text

from dicom_listener.archive.database import Database
from dicom_listener.archive.tables import SCHEMA
from dicom_listener.errors import ArchiveVersionError

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
    database.prepare_folder()
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
