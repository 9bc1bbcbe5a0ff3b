"""These tests need the service without the trial's chapters."""

from collections.abc import Iterator

import pytest

from tests.builders.service import TestService, running_service


@pytest.fixture
def service(database_url: str) -> Iterator[TestService]:
    """Give a service with accounts and audit only, over SQLite and over PostgreSQL."""
    with running_service(database_url, chapters=("accounts", "operations")) as running:
        yield running


@pytest.fixture
def sqlite_service(sqlite_url: str) -> Iterator[TestService]:
    """Give the same over SQLite only, for what no database changes."""
    with running_service(sqlite_url, chapters=("accounts", "operations")) as running:
        yield running
