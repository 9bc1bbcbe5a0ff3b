"""What is done to each attribute: Table E.1-1 of PS3.15 as data, read with the options of this product.

The options are Clean Structured Content (113104), Clean Descriptors (113105), Retain Longitudinal Temporal
Information with Modified Dates (113107), Retain Device Identity (113109) and Retain Safe Private (113111).
"""

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from functools import cache
from importlib.resources import files

METHODS = (
    ("113100", "Basic Application Confidentiality Profile"),
    ("113104", "Clean Structured Content Option"),
    ("113105", "Clean Descriptors Option"),
    ("113107", "Retain Longitudinal Temporal Information Modified Dates Option"),
    ("113109", "Retain Device Identity Option"),
    ("113111", "Retain Safe Private Option"),
)
"""Codes of PS3.16 CID 7050, in the coding scheme DCM."""


class Action(Enum):
    """What is done (PS3.15 Table E.1-1a, and what its options ask for)."""

    REMOVE = "X"
    EMPTY = "Z"
    DUMMY = "D"
    UID = "U"
    CLEAN = "C"  # texts lose what is no known word, dates move, sequences are gone through
    KEEP = "K"


_COLUMNS = ("device", "descriptors", "structured_content", "modified_dates")
"""Options in the order in which they go before the basic profile; a date moves whatever the device says."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SafePrivate:
    """A private attribute that holds acquisition data and nothing else (PS3.15 Table E.3.10-1)."""

    creator: str
    group: int
    element: int  # the low byte
    vr: str


@cache
def actions() -> Mapping[int, Action]:
    """Return the action for each tag of the table; repeating groups are the engine's own."""
    found: dict[int, Action] = {}
    for row in _rows("profile.csv"):
        if len(row["tag"]) == 8 and "x" not in row["tag"]:
            found[int(row["tag"], 16)] = _action(row)
    return found


def _action(row: Mapping[str, str]) -> Action:
    """Return what the table asks for.

    Where the basic profile leaves a choice (``X/Z/D``), the one that keeps any IOD whole is taken: the last.

    Examples
    --------
    >>> _action(dict.fromkeys((*_COLUMNS, "basic"), "") | {"basic": "X/Z/D"})
    <Action.DUMMY: 'D'>
    """
    if row["modified_dates"] == "C":
        return Action.CLEAN
    option = next((row[column] for column in _COLUMNS if row[column]), "")
    return Action(option or row["basic"].rpartition("/")[2])


@cache
def safe_private() -> frozenset[SafePrivate]:
    """Return the private attributes that are kept."""
    return frozenset(
        SafePrivate(
            creator=row["creator"], group=int(row["group"], 16), element=int(row["element"], 16), vr=row["vr"]
        )
        for row in _rows("safe_private.csv")
    )


def _rows(name: str) -> list[dict[str, str]]:
    text = files(__package__).joinpath(name).read_text(encoding="utf-8")
    return list(csv.DictReader(text.splitlines()))
