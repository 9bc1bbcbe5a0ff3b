"""Brings a database up to this version of the service, whole or not at all."""

import logging
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text
from sqlalchemy.exc import SQLAlchemyError

from imaging_service.database import Database, ensure_schema
from imaging_service.errors import SettingsError
from imaging_service.jobs import installation

_LOCK = 0x6D_69_67_72  # 'migr', PostgreSQL's advisory lock: of several that start at once, one migrates
_HERE = Path(__file__).parent
logging.getLogger("alembic").setLevel(logging.WARNING)  # below that it tells of itself only


def config_for(connection: Connection) -> Config:
    """Return Alembic's configuration over an open transaction."""
    config = Config()
    config.set_main_option("script_location", str(_HERE).replace("%", "%%"))
    config.attributes["connection"] = connection
    return config


def migrate(database: Database, revision: str = "head") -> str:
    """Apply what is missing up to a revision, our part in one transaction; return the newest that there is.

    Raises
    ------
    SettingsError
        If the database cannot be reached or written to, or is newer than this version.
    """
    try:
        with database.writer.begin() as connection:
            _refuse_newer(database, connection)
            if not database.is_sqlite:
                connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
                ensure_schema(connection)
            command.upgrade(config_for(connection), revision)
        if not database.is_sqlite and installation.is_installable():
            installation.install(database.writer)
    except SQLAlchemyError as error:
        raise unusable(database, error) from error
    return head()


def require_migrated(database: Database) -> None:
    """Refuse a database that is not at this version's revision.

    Raises
    ------
    SettingsError
        If it is older, newer, empty, or cannot be reached.
    """
    try:
        with database.reader.connect() as connection:
            found = _revision(connection)
            _refuse_newer(database, connection)
    except SQLAlchemyError as error:
        raise unusable(database, error) from error
    if found != head():
        message = (
            f"The database {shown(database)} is at revision {found or 'none'} and this version needs "
            f"{head()}: run `imaging-service migrate`."
        )
        raise SettingsError(message)


def head() -> str:
    """Return the newest revision that this version knows."""
    return str(_scripts().get_current_head())


def shown(database: Database) -> str:
    """Return the database's address without its password."""
    return database.url.set(drivername=database.url.get_backend_name()).render_as_string(hide_password=True)


def unusable(database: Database, error: SQLAlchemyError) -> SettingsError:
    """Return the sentence for a database that refused."""
    found = str(getattr(error, "orig", None) or error).strip().splitlines()[0]
    return SettingsError(f"The database {shown(database)} cannot be used: {found}.")


def _refuse_newer(database: Database, connection: Connection) -> None:
    found = _revision(connection)
    if found is not None and found not in {script.revision for script in _scripts().walk_revisions()}:
        message = (
            f"The database {shown(database)} is at revision {found}, which this version does not know; "
            f"its newest is {head()}: install the version that wrote it."
        )
        raise SettingsError(message)


def revision_of(database: Database) -> str | None:
    """Return the revision that a database is at."""
    with database.reader.connect() as connection:
        return _revision(connection)


def _revision(connection: Connection) -> str | None:
    return MigrationContext.configure(connection).get_current_revision()


def _scripts() -> ScriptDirectory:
    return ScriptDirectory(str(_HERE))
