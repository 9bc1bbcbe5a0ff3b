"""Fixtures of reading rooms, for the conftest of each chapter that needs them.

Tests of a module share a room, and each enrols its own subjects.
"""

from collections.abc import Iterator

import pytest

from tests.builders.reading import Imaged, ReadingRoom, reading_room
from tests.builders.service import running_service


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def room(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ReadingRoom]:
    """Give the reference trial over SQLite and over PostgreSQL."""
    if request.param == "sqlite":
        with running_service(f"sqlite:///{tmp_path_factory.mktemp('room')}/room.sqlite") as running:
            yield reading_room(running)
        return
    server = request.getfixturevalue("postgres")
    with server.database() as url, running_service(url) as running:
        yield reading_room(running)


@pytest.fixture(scope="module")
def quick_room(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ReadingRoom]:
    """Give the same over SQLite, for rules that no database changes."""
    with running_service(f"sqlite:///{tmp_path_factory.mktemp('quick')}/room.sqlite") as running:
        yield reading_room(running)


@pytest.fixture
def subject(quick_room: ReadingRoom) -> str:
    """Enrol a subject of this test's own."""
    return quick_room.someone()


@pytest.fixture
def baseline(quick_room: ReadingRoom, subject: str) -> Imaged:
    """Give that subject baseline images."""
    return quick_room.image(subject, 0)


@pytest.fixture
def read_id(quick_room: ReadingRoom, baseline: Imaged) -> str:
    """Open the first reader's draft of that baseline."""
    return quick_room.open("reader1", baseline)
