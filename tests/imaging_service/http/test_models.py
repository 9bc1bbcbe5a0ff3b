"""What a payload may hold, as a table."""

from datetime import date
from enum import StrEnum
from typing import Any

import pytest
from pydantic import BaseModel, ValidationError

from imaging_service.http.models import Day, Identifier, Reason, RowId, StrictModel, Text, Uid


class Colour(StrEnum):
    RED = "red"


class Inner(StrictModel):
    number: int


class Payload(StrictModel):
    identifier: Identifier = "S01"
    row_id: RowId = "0f0e0d0c-0b0a-4908-8706-050403020100"
    uid: Uid = "1.2.3"
    text: Text = "Ada"
    reason: Reason = "because"
    day: Day = date(2026, 1, 5)
    colour: Colour = Colour.RED
    number: int = 1
    length: float = 1.0
    flag: bool = False
    inner: Inner = Inner(number=1)
    points: tuple[tuple[float, float], ...] = ()


ACCEPTED: list[tuple[str, Any, Any]] = [
    ("identifier", "S01-001.a_B", "S01-001.a_B"),
    ("uid", "1.2.840.10008.5.1.4.1.1.4", "1.2.840.10008.5.1.4.1.1.4"),
    ("uid", "0", "0"),
    ("text", "Dr Ada Lind-Öberg", "Dr Ada Lind-Öberg"),
    ("reason", "first line\nsecond line", "first line\nsecond line"),
    ("day", "2026-01-05", date(2026, 1, 5)),
    ("colour", "red", Colour.RED),
    ("length", 3, 3.0),
    ("inner", {"number": 2}, Inner(number=2)),
    ("points", [[1.5, 2], [3, 4]], ((1.5, 2.0), (3.0, 4.0))),
]


@pytest.mark.parametrize(("name", "value", "expected"), ACCEPTED)
def test_what_a_payload_may_hold(name: str, value: Any, expected: Any):
    assert getattr(Payload.model_validate({name: value}), name) == expected


REFUSED: list[tuple[str, Any]] = [
    ("unknown", 1),
    ("identifier", ""),
    ("identifier", "../etc"),
    ("identifier", "-S01"),
    ("identifier", "a" * 65),
    ("identifier", "S01\n"),
    ("identifier", "Ä"),
    ("identifier", 1),
    ("row_id", "0F0E0D0C-0B0A-4908-8706-050403020100"),
    ("uid", "1.02.3"),
    ("uid", "1..3"),
    ("uid", "1." * 32 + "1"),
    ("uid", "1.2.3\n"),
    ("text", " Ada"),
    ("text", "A\u200bda"),
    ("text", "\u202eadA"),
    ("text", "a" * 201),
    ("reason", "  \n"),
    ("reason", "no"),
    ("day", "2026-02-30"),
    ("day", "2026-01-05T00:00:00"),
    ("day", "20260105"),
    ("day", "0001-01-01"),
    ("day", 1767571200),
    ("colour", "blue"),
    ("number", "1"),
    ("number", 1.0),
    ("number", True),
    ("length", "1.0"),
    ("length", float("nan")),
    ("flag", 1),
    ("flag", "true"),
    ("inner", {"number": 2, "other": 3}),
    ("inner", None),
    ("points", [[1, 2, 3]]),
    ("points", "12"),
]


@pytest.mark.parametrize(("name", "value"), REFUSED)
def test_what_a_payload_may_not_hold(name: str, value: Any):
    with pytest.raises(ValidationError) as refusal:
        Payload.model_validate({name: value})
    assert refusal.value.errors()[0]["loc"][0] == name


def test_a_payload_does_not_change():
    payload = Payload()
    with pytest.raises(ValidationError):
        payload.number = 2


def test_our_own_code_builds_a_payload_from_its_own_values():
    assert Payload(day=date(2026, 1, 6), colour=Colour.RED, inner=Inner(number=3)).inner.number == 3


def test_every_payload_of_the_model_is_strict():
    assert issubclass(Payload, BaseModel)
    assert (Payload.model_config["extra"], Payload.model_config["strict"]) == ("forbid", True)
