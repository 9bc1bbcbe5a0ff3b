"""The database door: types that lose nothing, durable commits, waiting that ends."""

import sqlite3
import stat
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path

import pytest
from sqlalchemy import MetaData, Table, insert, inspect, select, text
from sqlalchemy.exc import OperationalError, StatementError
from sqlalchemy.schema import Column

from imaging_service.database import Base, Database, DecimalText, Json, UtcDateTime, is_busy
from imaging_service.errors import SettingsError
from tests.builders.service import PASSWORD, running_service

VALUES = Table(
    "values_of_this_test",
    MetaData(),
    Column("at", UtcDateTime()),
    Column("length", DecimalText()),
    Column("json", Json),
    info={"audited": False},
)
NOON_IN_TOKYO = datetime(2026, 1, 5, 12, 0, 0, 1, tzinfo=timezone(timedelta(hours=9)))


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    database = Database(database_url, wait_seconds=0.3)
    database.create_all()
    with database.writer.begin() as connection:
        VALUES.create(connection)
    yield database
    database.close()


def test_values_come_back_as_they_were(database: Database):
    row = {"at": NOON_IN_TOKYO, "length": Decimal("12.50"), "json": {"ä": [1, None]}}
    with database.write() as session:
        session.execute(insert(VALUES).values([row, {"at": None, "length": None, "json": None}]))
    with database.read() as session:
        first, second = session.execute(select(VALUES).order_by(VALUES.c.at.is_(None))).all()
        nulls = session.scalar(text("SELECT count(*) FROM values_of_this_test WHERE json IS NULL"))
    assert (first.at, str(first.length), first.json) == (NOON_IN_TOKYO, "12.50", {"ä": [1, None]})
    assert first.at.tzinfo is UTC
    assert tuple(second) == (None, None, None)
    assert nulls == 1


@pytest.mark.parametrize(
    "value",
    [{"at": datetime(2026, 1, 5)}, {"length": Decimal("NaN")}, {"length": Decimal("Infinity")}],  # noqa: DTZ001
    ids=["a naive instant", "no number", "infinity"],
)
def test_a_value_that_is_none_is_refused(database: Database, value: dict[str, object]):
    with pytest.raises(StatementError), database.write() as session:
        session.execute(insert(VALUES).values(value))


def test_instants_sort_by_time(database: Database):
    instants = [NOON_IN_TOKYO + timedelta(microseconds=step) for step in (5, 0, 999_999, 10_000_000)]
    with database.write() as session:
        session.execute(insert(VALUES).values([{"at": instant} for instant in instants]))
    with database.read() as session:
        assert session.scalars(select(VALUES.c.at).order_by(VALUES.c.at)).all() == sorted(instants)


def test_a_commit_survives_a_power_cut(sqlite_url: str):
    database = Database(sqlite_url)
    with database.writer.connect() as connection:
        pragmas = {
            name: connection.execute(text(f"PRAGMA {name}")).scalar()
            for name in ("journal_mode", "synchronous", "foreign_keys", "recursive_triggers")
        }
    assert pragmas == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "recursive_triggers": 1}
    database.close()


def test_the_service_keeps_to_its_schema_in_postgresql(postgresql_url: str):
    database = Database(postgresql_url)
    database.create_all()
    tables = set(inspect(database.writer).get_table_names(schema="service"))
    assert set(Base.metadata.tables) <= tables
    assert inspect(database.writer).get_table_names(schema="public") == []
    database.close()


def test_a_reader_goes_on_while_a_writer_writes(database: Database):
    with database.write() as writer, database.read() as reader:
        writer.execute(insert(VALUES).values({"length": Decimal(1)}))
        assert reader.execute(select(VALUES)).all() == []


def test_a_second_sqlite_writer_waits_and_is_told_that_it_is_busy(sqlite_url: str):
    database = Database(sqlite_url, wait_seconds=0.2)
    with database.write() as first:
        first.connection()
        with pytest.raises(OperationalError) as refusal, database.write() as second:
            second.connection()
    assert is_busy(refusal.value)
    database.close()


def test_a_locked_database_is_a_503_and_nothing_is_changed(sqlite_url: str):
    with running_service(sqlite_url, chapters=("accounts", "operations")) as service:
        headers = service.headers("administrator")
        service.database.close()
        impatient = Database(sqlite_url, wait_seconds=0.2)
        service.database.writer, service.database.reader = impatient.writer, impatient.reader
        other = sqlite3.connect(service.database.url.database or "", isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        payload = {"account": "ada", "name": "Ada", "roles": ["reader"], "password": PASSWORD}
        answer = service.post("/accounts", headers=headers, json=payload)
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
        assert "please try again" in answer.json()["detail"]
        other.execute("ROLLBACK")
        other.close()
        assert service.post("/accounts", headers=headers, json=payload).status_code == 201


def test_writers_take_turns_whatever_their_number(sqlite_url: str):
    database = Database(sqlite_url, connections=2)
    database.create_all()
    with database.writer.begin() as connection:
        VALUES.create(connection)

    def write() -> None:
        for _ in range(10):
            with database.write() as session:
                session.execute(insert(VALUES).values({"length": Decimal(1)}))

    threads = [threading.Thread(target=write) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with database.read() as session:
        assert len(session.execute(select(VALUES)).all()) == 80
    database.close()


REFUSED = [
    ("sqlite://", "in memory"),
    ("mysql://localhost/x", "'mysql'; it must be sqlite or postgresql"),
    ("sqlite:////dev/null/folder/x.sqlite", "cannot be made"),
    ("nonsense", "is no address"),
]


@pytest.mark.parametrize(("url", "sentence"), REFUSED)
def test_an_address_that_cannot_be_used_is_told(url: str, sentence: str):
    with pytest.raises(SettingsError, match=sentence):
        Database(url)


def test_a_folder_that_cannot_be_written_to_is_told(tmp_path: Path):
    folder = tmp_path / "read-only"
    folder.mkdir()
    folder.chmod(stat.S_IRUSR | stat.S_IXUSR)
    database = Database(f"sqlite:///{folder}/x.sqlite")
    try:
        (folder / "probe").touch()
    except PermissionError:
        with pytest.raises(SettingsError, match="cannot be opened"):
            database.check()
    else:
        database.check()  # root writes anywhere
    finally:
        database.close()
