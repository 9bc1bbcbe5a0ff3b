"""A reading room over each kind of database, and a shared one over SQLite alone."""

from collections.abc import Iterator

import pytest

from tests.builders.reading import Imaged, ReadingRoom, reading_room
from tests.builders.service import TestService, running_service


@pytest.fixture
def room(service: TestService) -> ReadingRoom:
    """The reference trial, over SQLite and over PostgreSQL."""
    return reading_room(service)


@pytest.fixture(scope="module")
def quick_room(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ReadingRoom]:
    """The same over SQLite, shared by a module whose tests each enrol their own subjects."""
    folder = tmp_path_factory.mktemp("room")
    with running_service(f"sqlite:///{folder}/database.sqlite") as running:
        yield reading_room(running)


@pytest.fixture
def subject(quick_room: ReadingRoom) -> str:
    """A subject of this test's own."""
    return quick_room.someone()


@pytest.fixture
def baseline(quick_room: ReadingRoom, subject: str) -> Imaged:
    """The subject's baseline images."""
    return quick_room.image(subject, 0)


@pytest.fixture
def read_id(quick_room: ReadingRoom, baseline: Imaged) -> str:
    """The first reader's draft of that baseline."""
    return quick_room.open("reader1", baseline)
