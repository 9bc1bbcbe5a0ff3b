"""Fixtures for every test: a fresh database on each kind of server, and peers that may be missing."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.builders.peers import missing_peer, require_peers
from tests.builders.postgres import PostgresMissingError, PostgresServer, postgres_server

pytest_plugins = ["pytester"]


def pytest_runtest_setup(item: pytest.Item) -> None:
    require_peers(item)


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """One PostgreSQL server for all tests of this process."""
    try:
        with postgres_server() as server:
            yield server
    except PostgresMissingError as error:
        missing_peer(str(error))


@pytest.fixture
def postgresql_url(postgres: PostgresServer) -> Iterator[str]:
    """Address of an empty database on a real PostgreSQL."""
    with postgres.database() as url:
        yield url


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    """Address of a SQLite database that does not exist yet."""
    return f"sqlite:///{tmp_path}/database.sqlite"


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest) -> str:
    """Address of an empty database, once on SQLite and once on PostgreSQL."""
    return str(request.getfixturevalue(f"{request.param}_url"))
