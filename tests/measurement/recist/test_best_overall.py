from datetime import date, timedelta

import pytest

from measurement.recist.best_overall import best_overall_response, confirmed_best_overall_response
from measurement.recist.confirmation import Occasion
from measurement.recist.responses import BestResponse, OverallResponse
from tests.measurement.known_answers import known_answers
from tests.measurement.recist.switches import criteria_with

START = date(2026, 1, 5)


def occasions(text: str) -> list[Occasion]:
    """Read ``42:PR -:NE``: a response on its day after the start, or never imaged."""
    pairs = [each.split(":") for each in text.split()]
    return [
        Occasion(
            f"TP{number}", None if day == "-" else START + timedelta(days=int(day)), OverallResponse(word)
        )
        for number, (day, word) in enumerate(pairs, start=1)
    ]


@pytest.mark.parametrize("row", known_answers("recist/best_response.csv"))
def test_best_overall_response(row: dict[str, str]) -> None:
    switches = [switch for switch in row["switches"].split() if switch != "targets=no"]
    rules = criteria_with(" ".join(switches)).confirmation
    has_targets = "targets=no" not in row["switches"]
    sequence = occasions(row["responses"])
    best = best_overall_response(sequence, anchor_on=START, rules=rules, has_targets=has_targets)
    confirmed = confirmed_best_overall_response(
        sequence, anchor_on=START, rules=rules, has_targets=has_targets
    )
    assert best.response is BestResponse(row["unconfirmed"])
    assert confirmed.response is BestResponse(row["confirmed"])
    assert [query.code for query in confirmed.queries] == row["queries"].split()


def test_a_confirmed_response_is_dated_by_the_first_response_that_was_confirmed() -> None:
    sequence = occasions("42:PR 84:SD 126:PR 168:CR 210:CR")
    confirmed = confirmed_best_overall_response(sequence, anchor_on=START)
    assert confirmed.response is BestResponse.CR
    assert confirmed.timepoint_id == "TP4"
    assert confirmed.confirmed_by == "TP5"
    assert confirmed.responded_on == START + timedelta(days=126)


def test_an_unconfirmed_response_is_dated_by_the_first_response() -> None:
    best = best_overall_response(occasions("42:PR 84:CR"), anchor_on=START)
    assert best.timepoint_id == "TP2"
    assert best.responded_on == START + timedelta(days=42)


def test_no_response_has_no_response_date() -> None:
    assert best_overall_response(occasions("42:SD"), anchor_on=START).responded_on is None


def test_without_a_start_no_minimum_applies() -> None:
    best = best_overall_response(occasions("10:SD"), anchor_on=None)
    assert best.response is BestResponse.SD
    assert best.reasons[0].sentence == "SD at TP1; without a start no minimum applies."


def test_a_best_response_says_why() -> None:
    (reason,) = confirmed_best_overall_response(occasions("42:PR 84:SD"), anchor_on=START).reasons
    assert reason.sentence == "PR at TP1 lies 42 days after the start, and SD needs at least 35."
    assert reason.source == "E09 4.4.3 Table 3; 4.6.3"
