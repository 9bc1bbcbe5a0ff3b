"""What counts as a difference between two readers, as a table."""

from datetime import date
from typing import Any

import pytest

from imaging_service.assessments.repository import Response
from imaging_service.exports.discordance import Variable, discordances

DAY = date(2024, 2, 26)


def response(timepoint: str, overall: str | None = "SD", **more: Any) -> Response:
    values: dict[str, Any] = {
        "trial_id": "T",
        "site_id": "S01",
        "subject_id": "A",
        "timepoint_id": timepoint,
        "number": int(timepoint),
        "imaged_on": DAY,
        "slot": 1,
        "read_id": f"read-{timepoint}",
        "revision": 1,
        "position": int(timepoint) + 1,
        "sum_mm": None,
        "target_response": overall,
        "non_target_response": None,
        "new_lesion": None,
        "overall_response": overall,
        "best_response": "SD",
        "confirmed_best_response": "SD",
        "responded_on": None,
        "progression_on": None,
    }
    return Response(**{**values, **more})


BASELINE = response("0", None)


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        pytest.param([BASELINE], [BASELINE], [], id="nothing but equal baselines"),
        pytest.param([BASELINE, response("1")], [BASELINE, response("1")], [], id="all the same"),
        pytest.param(
            [BASELINE, response("1", "PR")],
            [BASELINE, response("1", "SD")],
            [Variable.OVERALL_RESPONSE],
            id="one timepoint",
        ),
        pytest.param(
            [BASELINE, response("1", best_response="PR")],
            [BASELINE, response("1")],
            [Variable.BEST_OVERALL_RESPONSE],
            id="the best response",
        ),
        pytest.param(
            [BASELINE, response("1", best_response="PR"), response("2")],
            [BASELINE, response("1")],
            [],
            id="one reader is ahead: best responses are not compared yet",
        ),
        pytest.param(
            [BASELINE, response("1", progression_on=DAY)],
            [BASELINE, response("1")],
            [Variable.PROGRESSION],
            id="progression yes and no",
        ),
        pytest.param(
            [BASELINE, response("1", progression_on=DAY)],
            [BASELINE, response("1", progression_on=DAY.replace(day=28))],
            [Variable.PROGRESSION_DATE],
            id="two days apart, none tolerated",
        ),
        pytest.param(
            [BASELINE, response("1", responded_on=DAY)],
            [BASELINE, response("1", responded_on=DAY.replace(day=27))],
            [Variable.FIRST_RESPONSE_DATE],
            id="first responses on two days",
        ),
    ],
)
def test_differences(first: list[Response], second: list[Response], expected: list[Variable]) -> None:
    assert [each.variable for each in discordances(first, second, 0)] == expected


def test_progression_dates_within_the_protocols_tolerance_agree() -> None:
    one = [response("1", progression_on=DAY)]
    other = [response("1", progression_on=DAY.replace(day=28))]
    assert list(discordances(one, other, 2)) == []


def test_every_variable_can_be_found() -> None:
    one = [response("1", "PR", best_response="PR", confirmed_best_response="PR", responded_on=DAY)]
    other_day = DAY.replace(day=20)
    other = [response("1", "SD", responded_on=other_day, progression_on=other_day)]
    third = [response("1", "PR", progression_on=DAY)]
    found = {each.variable for each in (*discordances(one, other, 0), *discordances(other, third, 0))}
    assert found == set(Variable)
