"""Give a trial that receives studies."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.builders.arrivals import TrialHouse, trial_house


@pytest.fixture
def house(database_url: str, tmp_path: Path) -> Iterator[TrialHouse]:
    """Give the reference trial, over SQLite and over PostgreSQL."""
    with trial_house(database_url, tmp_path) as opened:
        yield opened


@pytest.fixture
def sqlite_house(sqlite_url: str, tmp_path: Path) -> Iterator[TrialHouse]:
    """Give the same over SQLite only, for what no database changes."""
    with trial_house(sqlite_url, tmp_path) as opened:
        yield opened
