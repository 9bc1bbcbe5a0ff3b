"""A pair of requests to one address, and the small words of recipes for such pairs."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from tests.builders.reading import ReadingRoom

REASON = "As the site reports."
_numbers = count(1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Write:
    """Two requests to one address by one account; either may come first."""

    account: str | None
    path: str
    """Below /api/v1."""
    bodies: tuple[Any, Any] = ({}, {})
    headers: Mapping[str, str] = field(default_factory=dict)
    statuses: frozenset[tuple[int, int]]
    """What both answers may be, the smaller first."""


Recipe = Callable[[ReadingRoom], Write]


def new_name(of: str) -> str:
    return f"{of}-{next(_numbers):04}"


def same(body: Any) -> tuple[Any, Any]:
    return body, body


def pairs(*pairs: tuple[int, int]) -> frozenset[tuple[int, int]]:
    return frozenset(pairs)
