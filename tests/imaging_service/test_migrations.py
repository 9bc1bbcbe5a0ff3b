"""The history of the tables ends where the code's tables are, in both databases."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.operations.ops import DowngradeOps, MigrationScript, UpgradeOps
from alembic.runtime.migration import MigrationContext
from procrastinate.schema import SchemaManager
from sqlalchemy import inspect, text

from imaging_service import migrations
from imaging_service.database import SCHEMA, Database, ensure_schema
from imaging_service.errors import SettingsError
from imaging_service.migrations.guards import ExecuteOnOp, add_guards
from imaging_service.migrations.migrate import head, migrate, require_migrated
from imaging_service.migrations.scope import is_ours
from imaging_service.migrations.write import write
from imaging_service.tables import all_tables

GUARDS = {
    "sqlite": "SELECT name, sql FROM sqlite_master WHERE type = 'trigger' ORDER BY name",
    "postgresql": """
        SELECT trigger.tgname, pg_get_triggerdef(trigger.oid), function.prosrc
        FROM pg_trigger AS trigger
        JOIN pg_class AS relation ON relation.oid = trigger.tgrelid
        JOIN pg_proc AS function ON function.oid = trigger.tgfoid
        WHERE NOT trigger.tgisinternal AND relation.relname NOT LIKE 'procrastinate%'
        ORDER BY trigger.tgname
    """,
}


INDEXES = {
    "sqlite": "SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL ORDER BY name",
    "postgresql": f"""
        SELECT indexname, indexdef FROM pg_indexes
        WHERE schemaname = '{SCHEMA}' AND tablename NOT LIKE 'procrastinate%'
        AND tablename <> 'alembic_version'
        ORDER BY indexname
    """,  # noqa: S608
}
"""With the condition of a partial index, which `compare_metadata` does not look at."""


VERSIONS = Path(migrations.__file__).parent / "versions"


@pytest.fixture
def database(database_url):
    database = Database(database_url)
    yield database
    database.close()


@pytest.fixture
def migrated(database):
    migrate(database)
    return database


def table_names(database: Database) -> list[str]:
    schema = None if database.is_sqlite else SCHEMA
    return [
        name for name in inspect(database.reader).get_table_names(schema=schema) if is_ours(name, "table", {})
    ]


def told(database: Database, questions: dict[str, str]) -> list[tuple[str, ...]]:
    with database.reader.connect() as connection:
        rows = connection.execute(text(questions[connection.dialect.name]))
        return [(row[0], *(" ".join(part.split()) for part in row[1:])) for row in rows]


def test_a_migrated_database_has_the_tables_of_the_code(migrated):
    with migrated.reader.connect() as connection:
        context = MigrationContext.configure(
            connection, opts={"include_name": is_ours, "compare_type": True, "compare_server_default": True}
        )
        assert compare_metadata(context, all_tables()) == []
    assert set(table_names(migrated)) == {*all_tables().tables, "alembic_version"}


@pytest.mark.parametrize("server", ["sqlite", "postgresql"])
def test_a_migrated_database_has_the_guards_and_indexes_of_the_code(server, request, tmp_path):
    url = request.getfixturevalue(f"{server}_url")
    migrated = Database(url)
    migrate(migrated)
    found, indexes = told(migrated, GUARDS), told(migrated, INDEXES)
    assert {"read_signatures_final_update", "read_signatures_final_delete"} <= {name for name, *_ in found}

    if server == "postgresql":
        with migrated.writer.begin() as connection:
            connection.execute(text(f"DROP SCHEMA {SCHEMA} CASCADE"))
        created = migrated
    else:
        created = Database(f"sqlite:///{tmp_path}/created.sqlite")
    all_tables()
    created.create_all()
    assert told(created, GUARDS) == found
    assert told(created, INDEXES) == indexes
    assert "uq_reads_one_draft" in {name for name, *_ in indexes}
    migrated.close()
    created.close()


def test_the_first_revision_is_not_written_anew_once_another_follows():
    with pytest.raises(SettingsError, match=r"stays as it is, as 0002_.*\.py follows it"):
        write("Everything", is_first=True)
    assert "0001_the_tables_of_the_first_version.py" in {path.name for path in VERSIONS.glob("*.py")}


def test_a_guard_that_is_another_now_is_put_in_place_of_the_one_before(sqlite_url):
    database = Database(sqlite_url)
    migrate(database, "0001")
    with database.writer.begin() as connection:
        connection.execute(text("DROP TRIGGER trial_protocols_final_delete"))
        steps = UpgradeOps([])
        add_guards(MigrationScript("9999", steps, DowngradeOps([])), connection)
    database.close()
    told = [(step.dialect, step.statement) for step in steps.ops if isinstance(step, ExecuteOnOp)]
    assert ("sqlite", "DROP TRIGGER reads_final_update") in told
    assert ("postgresql", "DROP TRIGGER reads_final_update ON reads") in told
    assert not any(" trial_protocols_final_update" in statement for _, statement in told)
    anew = [dialect for dialect, statement in told if "TRIGGER trial_protocols_final_delete " in statement]
    assert anew == ["sqlite", "postgresql"]


def test_a_second_migration_changes_nothing(migrated):
    before = table_names(migrated)
    assert migrate(migrated) == head()
    assert table_names(migrated) == before
    require_migrated(migrated)


def test_of_several_that_migrate_at_once_each_finds_a_migrated_database(database_url):
    def migrate_and_close(_):
        database = Database(database_url)
        try:
            return migrate(database)
        finally:
            database.close()

    with ThreadPoolExecutor(3) as pool:
        assert list(pool.map(migrate_and_close, range(3))) == [head()] * 3


def test_a_migration_that_fails_leaves_nothing(database):
    last = list(all_tables().sorted_tables)[-1].name
    with database.writer.begin() as connection:
        if not database.is_sqlite:
            connection.execute(text(f"CREATE SCHEMA {SCHEMA}"))
        connection.execute(text(f"CREATE TABLE {last} (in_the_way int)"))
    with pytest.raises(SettingsError, match=r"The database .* cannot be used: .*already exists"):
        migrate(database)
    assert table_names(database) == [last]


def test_an_empty_database_is_refused_with_the_command_that_helps(database):
    with pytest.raises(
        SettingsError,
        match=rf"is at revision none and this version needs {head()}: run `imaging-service migrate`",
    ):
        require_migrated(database)


@pytest.mark.parametrize("check", [migrate, require_migrated])
def test_a_database_of_a_newer_version_is_refused(migrated, check):
    with migrated.writer.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(SettingsError, match=rf"is at revision 9999, .*its newest is {head()}"):
        check(migrated)


@pytest.mark.parametrize("check", [migrate, require_migrated])
def test_a_server_that_does_not_answer_is_named_without_its_password(check):
    database = Database("postgresql://reviewer:secret@127.0.0.1:9/trial")
    with pytest.raises(SettingsError) as refused:
        check(database)
    assert "postgresql://reviewer:***@127.0.0.1:9/trial cannot be used" in str(refused.value)
    assert "secret" not in str(refused.value)
    database.close()


def test_procrastinate_s_tables_are_installed_beside_ours(postgresql_url):
    database = Database(postgresql_url)
    migrate(database)
    with database.reader.connect() as connection:
        assert connection.scalar(text("SELECT count(*) FROM procrastinate_jobs")) == 0
        applied = list(connection.scalars(text("SELECT script FROM procrastinate_migrations")))
    migrate(database)
    with database.reader.connect() as connection:
        assert list(connection.scalars(text("SELECT script FROM procrastinate_migrations"))) == applied
    assert "03.04.00_50_post_add_retry_failed_job_procedure.sql" in applied
    database.close()


def test_an_older_procrastinate_is_brought_up_script_by_script(postgresql_url):
    scripts = sorted(Path(SchemaManager.get_migrations_path()).glob("*.sql"))
    older = [script for script in scripts if script.name < "03.04"]
    database = Database(postgresql_url)
    with database.writer.begin() as connection:
        ensure_schema(connection)
        connection.execute(text("CREATE TABLE procrastinate_migrations (script text PRIMARY KEY)"))
    for script in older:
        with database.writer.begin() as connection:
            connection.connection.cursor().execute(script.read_text())
            connection.execute(
                text("INSERT INTO procrastinate_migrations VALUES (:name)"), {"name": script.name}
            )
    migrate(database)
    with database.reader.connect() as connection:
        applied = list(
            connection.scalars(text("SELECT script FROM procrastinate_migrations ORDER BY script"))
        )
        assert applied == [script.name for script in scripts]
        assert connection.scalar(
            text("SELECT count(*) FROM pg_proc WHERE proname = 'procrastinate_retry_job_v2'")
        )
    database.close()
