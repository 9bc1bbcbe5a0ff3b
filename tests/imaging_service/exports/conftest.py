"""Reading rooms over each kind of database."""

from tests.builders.reading_rooms import baseline, quick_room, read_id, room, subject

__all__ = ["baseline", "quick_room", "read_id", "room", "subject"]
