"""Reading rooms over each kind of database."""

from tests.builders.reading_rooms import quick_room, room

__all__ = ["quick_room", "room"]
