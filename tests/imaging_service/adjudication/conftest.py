"""Reading rooms with an adjudicator, over each kind of database."""

import pytest

from tests.builders.reading import TRIAL, ReadingRoom
from tests.builders.reading_rooms import quick_room, room

__all__ = ["judged", "quick_judged", "quick_room", "room"]


@pytest.fixture(scope="module")
def judged(room: ReadingRoom) -> ReadingRoom:
    """Seat the adjudicator of the trial."""
    room.service.grant("adjudicator", TRIAL)
    return room


@pytest.fixture(scope="module")
def quick_judged(quick_room: ReadingRoom) -> ReadingRoom:
    """Do the same over SQLite."""
    quick_room.service.grant("adjudicator", TRIAL)
    return quick_room
