from dataclasses import replace
from datetime import date, timedelta

import pytest

from measurement.errors import ParameterValueError
from measurement.protocol.mapping import from_mapping
from measurement.protocol.schedule import PlacementKind, Schedule
from tests.measurement.known_answers import known_answers

SCHEDULE = Schedule()
START = date(2026, 1, 5)


def on(day: str) -> date:
    return START + timedelta(days=int(day))


@pytest.mark.parametrize("row", known_answers("schedule/expected.csv"))
def test_expected_timepoints(row: dict[str, str]) -> None:
    pairs = [each.split("=") for each in row["switches"].split()]
    schedule = from_mapping(Schedule, {name: int(days) for name, days in pairs})
    calendar = schedule.expected(date.fromisoformat(row["anchor"]))
    timepoint = calendar[int(row["number"]) - 1]
    days = (timepoint.opens_on, timepoint.nominal_on, timepoint.closes_on)
    assert timepoint.number == int(row["number"])
    assert days == tuple(date.fromisoformat(row[name]) for name in ("opens", "nominal", "closes"))


def test_the_calendar_ends_with_the_last_timepoint() -> None:
    assert [each.number for each in SCHEDULE.expected(START)] == list(range(1, 18))


@pytest.mark.parametrize("row", known_answers("schedule/placement.csv"))
def test_placing_a_day_of_imaging(row: dict[str, str]) -> None:
    placement = SCHEDULE.place(on(row["day"]), START)
    assert placement.kind is PlacementKind(row["kind"])
    assert placement.number == (int(row["number"]) if row["number"] else None)
    assert placement.is_certain is (row["kind"] in {"baseline", "in_window"})


@pytest.mark.parametrize("row", known_answers("schedule/delayed_cycles.csv"))
def test_delayed_cycles(row: dict[str, str]) -> None:
    schedule = replace(SCHEDULE, calendar_fixed=row["calendar_fixed"] == "yes")
    calendar = schedule.expected(START, [on(day) for day in row["cycle_starts"].split()])
    assert calendar[int(row["number"]) - 1].nominal_on == on(row["nominal_day"])


@pytest.mark.parametrize("row", known_answers("schedule/confirmation_due.csv"))
def test_confirmation_due(row: dict[str, str]) -> None:
    due = SCHEDULE.confirmation_due(on(row["responded_day"]), START, int(row["interval_days"]))
    number = due.timepoint.number if due.timepoint else None
    assert due.earliest_on == on(row["earliest_day"])
    assert number == (int(row["number"]) if row["number"] else None)


def test_every_day_of_three_years_has_its_place() -> None:
    for day in range(-100, 1000):
        placement = SCHEDULE.place(on(str(day)), START)
        windows = [
            each for each in SCHEDULE.expected(START) if each.opens_on <= on(str(day)) <= each.closes_on
        ]
        assert (placement.kind is PlacementKind.IN_WINDOW) is (len(windows) == 1)


def test_a_placement_says_which_days_decided() -> None:
    assert SCHEDULE.place(on("52"), START).reason == (
        "Imaged on day 52; timepoint 1 is nominal on day 42: 3 days after its window."
    )
    assert SCHEDULE.place(on("-30"), START).reason == "Imaged 30 days before the start; baseline allows 28."


def test_a_timepoint_is_due_from_the_opening_and_overdue_after_the_closing_of_its_window() -> None:
    (timepoint, *_) = SCHEDULE.expected(START)
    days = [on(day) for day in ("34", "35", "49", "50")]
    assert [timepoint.is_due(day) for day in days] == [False, True, True, True]
    assert [timepoint.is_overdue(day) for day in days] == [False, False, False, True]


def test_windows_that_overlap_are_refused() -> None:
    with pytest.raises(ParameterValueError, match="less than the 42 days between two timepoints; found 42"):
        Schedule(window_before_days=21, window_after_days=21)


@pytest.mark.parametrize("name", ["cycle_days", "cycles_per_timepoint", "last_timepoint", "horizon_days"])
def test_a_calendar_without_days_is_refused(name: str) -> None:
    with pytest.raises(ParameterValueError, match=f"'{name}' must be at least 1; found 0"):
        from_mapping(Schedule, {name: 0})
