"""When a subject is finished, and where finished readers differ: the rules apart from any database."""

from datetime import date, timedelta
from typing import Any

import pytest

from imaging_service.adjudication.differences import differences
from imaging_service.adjudication.finishing import Place, course, is_finished, is_imaging_over
from imaging_service.assessments.repository import Response
from imaging_service.timepoints.records import Progress
from measurement.protocol.trial import AdjudicationVariable, ReaderPlan

START = date(2024, 1, 15)
TODAY = date(2024, 6, 1)


def place(number: int | None, progress: Progress = Progress.READ, *, day: int | None = None) -> Place:
    """Return the timepoint of day 42 k, or an unscheduled one of the day that is given."""
    at = START + timedelta(days=42 * (number or 0) if day is None else day)
    has_images = progress in {Progress.READ, Progress.RECEIVED, Progress.IN_READING}
    return Place(
        timepoint_id=f"t{'u' if number is None else number}",
        number=number,
        imaged_on=at if has_images else None,
        closes_on=None if number is None else at + timedelta(days=7),
        progress=progress,
    )


def answer(
    number: int | None, position: int, *, progression_on: date | None = None, **more: object
) -> Response:
    values: dict[str, Any] = {
        "trial_id": "T",
        "site_id": "S",
        "subject_id": "P",
        "timepoint_id": f"t{'u' if number is None else number}",
        "number": number,
        "imaged_on": START,
        "slot": 1,
        "read_id": f"r{number}",
        "revision": 1,
        "position": position,
        "sum_mm": None,
        "target_response": None,
        "non_target_response": None,
        "new_lesion": None,
        "overall_response": None,
        "best_response": "SD",
        "confirmed_best_response": "SD",
        "responded_on": None,
        "progression_on": progression_on,
    }
    return Response(**{**values, **more})


STABLE = [answer(0, 1), answer(1, 2), answer(2, 3)]
PROGRESSED = [answer(0, 1), answer(1, 2, progression_on=START), answer(2, 3, progression_on=START)]
READ = [place(0), place(1), place(2)]


@pytest.mark.parametrize(
    ("answers", "calendar", "drafts", "expected"),
    [
        (STABLE, READ, set(), True),
        (STABLE[:2], READ, set(), False),
        (STABLE, READ, {"t1"}, False),
        (PROGRESSED, READ, {"t2"}, True),
        (PROGRESSED[:2], READ, set(), True),
        (PROGRESSED, READ, {"t1"}, False),
        (PROGRESSED, [*READ, place(None, Progress.RECEIVED, day=20)], set(), False),
        (PROGRESSED, [*READ, place(None, Progress.RECEIVED, day=60)], set(), True),
        (STABLE, [*READ, place(3, Progress.EXPECTED)], set(), True),
        (STABLE[:1], READ[:1], set(), False),
        ([], [], set(), False),
    ],
    ids=[
        "everything signed",
        "one unsigned",
        "one unlocked",
        "unlocked after progression",
        "unread after progression",
        "progression itself unlocked",
        "late images before progression",
        "images after progression",
        "expected images are not waited for by a reader",
        "baseline alone",
        "nothing",
    ],
)
def test_a_reader_s_course_is_complete(
    answers: list[Response], calendar: list[Place], drafts: set[str], *, expected: bool
) -> None:
    assert course(answers, calendar, drafts).is_complete is expected


@pytest.mark.parametrize(
    ("calendar", "expected"),
    [
        (READ, True),
        ([*READ, place(9, Progress.EXPECTED)], False),
        ([*READ, place(3, Progress.EXPECTED)], False),
        ([place(0), place(1, Progress.EXPECTED), place(2)], True),
        ([*READ, place(3, Progress.NOT_DONE), place(4, Progress.CLOSED)], True),
    ],
    ids=["all read", "one to come", "one overdue", "one missed", "not done and closed"],
)
def test_imaging_is_over(calendar: list[Place], *, expected: bool) -> None:
    assert is_imaging_over(calendar, TODAY) is expected


def test_a_calendar_that_goes_on_is_waited_for_unless_both_have_progression() -> None:
    goes_on = [*READ, place(9, Progress.EXPECTED)]
    stable, progressed = (course(each, goes_on, set()) for each in (STABLE, PROGRESSED))
    assert not is_finished([stable, progressed], goes_on, TODAY)
    assert is_finished([progressed, progressed], goes_on, TODAY)
    assert is_finished([stable, progressed], READ, TODAY)


@pytest.mark.parametrize(("tolerance", "differ"), [(0, True), (6, True), (7, False)])
def test_progression_dates_within_the_tolerance_agree(tolerance: int, *, differ: bool) -> None:
    plan = ReaderPlan(progression_date_tolerance_days=tolerance)
    one = answer(1, 2, progression_on=START)
    other = answer(1, 2, progression_on=START + timedelta(days=7))
    found = [each.variable for each in differences(one, other, plan)]
    assert found == (["progression_date"] if differ else [])


@pytest.mark.parametrize("variable", AdjudicationVariable)
def test_each_variable_is_compared_only_where_the_protocol_says_so(variable: AdjudicationVariable) -> None:
    one = answer(1, 2)
    other = answer(
        1, 2, progression_on=START, responded_on=START, best_response="PR", confirmed_best_response="PR"
    )
    (found,) = differences(one, other, ReaderPlan(adjudication_variables=(variable,)))
    assert found.variable == variable.value
    assert differences(one, one, ReaderPlan(adjudication_variables=(variable,))) == []
