"""A reading room whose protocol is amended; each test has its own, as an amendment is for the whole trial."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.builders.reading import PROTOCOL, ReadingRoom, reading_room
from tests.builders.service import running_service

AMENDED_ON = "2024-04-01"
"""Between the first timepoint, of 26 February 2024, and the second one, of 8 April."""


def amendment(*changes: tuple[str, str], version: str = "2.0", effective_on: str | None = AMENDED_ON) -> str:
    """Return the reference protocol with lines changed, as its next version."""
    day = "" if effective_on is None else f"\neffective_on = {effective_on}"
    text = PROTOCOL.read_text()
    for before, after in (('version = "1.0"', f'version = "{version}"{day}'), *changes):
        assert text.count(before) == 1, before
        text = text.replace(before, after)
    return text


@pytest.fixture
def amended_room(sqlite_url: str) -> Iterator[ReadingRoom]:
    """Give the reference trial over SQLite."""
    with running_service(sqlite_url) as running:
        yield reading_room(running)


@pytest.fixture
def amended_room_on_both(database_url: str) -> Iterator[ReadingRoom]:
    """Give the reference trial over each kind of database."""
    with running_service(database_url) as running:
        yield reading_room(running)


def send(room: ReadingRoom, path: str, text: str, account: str = "coordinator", **more: Any) -> Any:
    """Hand a protocol in."""
    headers = {"Content-Type": "application/toml", **more.pop("headers", {})}
    return room.service.post(path, account, content=text.encode(), headers=headers, **more)
