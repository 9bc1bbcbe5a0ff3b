from contextlib import suppress
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, inspect, text

from dicom_listener.archive import tables
from dicom_listener.archive.archive import Archive
from dicom_listener.archive.database import Database
from dicom_listener.archive.migrate import migrate
from dicom_listener.errors import (
    ArchiveNotReadyError,
    ArchiveVersionError,
    DatabaseAddressError,
    FolderUnusableError,
    OutOfResourcesError,
)
from dicom_listener.intake.receive import Intake
from tests.dicom_listener.conftest import arrival
from tests.dicom_listener.instances import mr_instance


def qualified(connection: Connection, table: str) -> str:
    return table if connection.dialect.name == "sqlite" else f"{tables.SCHEMA}.{table}"


def test_the_revisions_make_the_tables_that_the_code_uses(archive: Archive) -> None:
    with archive.database.write() as connection:
        if connection.dialect.name == "postgresql":
            options = {
                "include_schemas": True,
                "version_table": "archive_version",
                "version_table_schema": tables.SCHEMA,
            }
            context = MigrationContext.configure(connection, opts=options)
            assert compare_metadata(context, tables.metadata) == []
        found = inspect(connection)
        schema = None if connection.dialect.name == "sqlite" else tables.SCHEMA
        for table in tables.metadata.sorted_tables:
            columns = {column["name"] for column in found.get_columns(table.name, schema=schema)}
            assert columns == {column.name for column in table.columns}
            indexes = {index["name"] for index in found.get_indexes(table.name, schema=schema)}
            assert indexes >= {index.name for index in table.indexes}


def test_a_second_migration_changes_nothing(archive: Archive) -> None:
    Intake(archive=archive).receive(arrival(mr_instance()))
    migrate(archive.database)
    assert archive.counts()["instances"] == 1


def test_a_database_of_a_later_version_is_left_alone(archive: Archive) -> None:
    with archive.database.write() as connection:
        table = qualified(connection, "archive_version")
        connection.execute(text(f"UPDATE {table} SET version_num = '9999'"))  # noqa: S608 - a fixed name
    with pytest.raises(ArchiveVersionError, match="later version"):
        migrate(archive.database)


@pytest.mark.parametrize("table", ["receipts", "changes"])
@pytest.mark.parametrize("change", ["UPDATE {table} SET sequence = sequence + 1000", "DELETE FROM {table}"])
def test_receipts_and_changes_can_be_added_to_and_nothing_else(
    archive: Archive, table: str, change: str
) -> None:
    intake = Intake(archive=archive)
    first = mr_instance(SOPInstanceUID="1.2.3")
    intake.receive(arrival(first))
    intake.receive(arrival(mr_instance(SOPInstanceUID="1.2.3", PatientName="Other")))
    with (
        pytest.raises(OutOfResourcesError, match="append-only"),
        archive.database.write() as connection,
    ):
        connection.execute(text(change.format(table=qualified(connection, table))))
    assert len(archive.receipts_after(0)) == 2
    assert len(archive.changes_after(0)) == 1


def test_a_database_without_an_archive_says_so(database_url: str, tmp_path: Path) -> None:
    archive = Archive.open(database_url, str(tmp_path))
    with pytest.raises(ArchiveNotReadyError, match="dicom-listener migrate"):
        archive.changes_after(0)
    archive.close()


@pytest.mark.parametrize("address", ["", "nonsense", "mysql://host/name", "postgresql+asyncpg:/x"])
def test_an_address_of_no_known_database_is_refused(address: str) -> None:
    with pytest.raises(DatabaseAddressError, match="wanted sqlite:///path or postgresql://"):
        Database.open(address)


def test_a_password_is_in_no_message() -> None:
    database = Database.open("postgresql://user:secret@127.0.0.1:1/name")
    with pytest.raises(OutOfResourcesError) as refusal, database.read():
        pass
    assert "secret" not in str(refusal.value)
    database.close()


def test_a_folder_for_the_database_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    database = Database.open(f"sqlite:///{tmp_path}/file/index.sqlite")
    with pytest.raises(FolderUnusableError, match="file"):
        migrate(database)


def test_sqlite_keeps_a_commit_through_a_power_cut(sqlite_url: str) -> None:
    database = Database.open(sqlite_url)
    with database.write() as connection:
        assert connection.execute(text("PRAGMA journal_mode")).scalar_one() == "wal"
        full = 2  # https://sqlite.org/pragma.html#pragma_synchronous
        assert connection.execute(text("PRAGMA synchronous")).scalar_one() == full
    database.close()


def test_a_failed_transaction_leaves_nothing(archive: Archive) -> None:
    Intake(archive=archive).receive(arrival(mr_instance()))
    with suppress(ZeroDivisionError), archive.database.write() as connection:
        connection.execute(tables.instances.delete())
        raise ZeroDivisionError
    assert archive.counts()["instances"] == 1
