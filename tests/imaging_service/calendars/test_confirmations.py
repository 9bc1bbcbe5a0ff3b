"""When a first response is to be confirmed, and by which timepoint (RECIST 1.1 section 4.6)."""

from dataclasses import replace
from datetime import date, timedelta

import pytest

from imaging_service.calendars.confirmations import Answered, confirmations_due
from imaging_service.timepoints.records import Progress, Timepoint
from measurement.protocol.criteria import ConfirmationRules

START = date(2025, 1, 1)
RULES = ConfirmationRules(interval_days=28)


def day(number: int) -> date:
    return START + timedelta(days=42 * number)


def calendar(last: int = 4) -> list[Timepoint]:
    return [
        Timepoint(
            timepoint_id=str(number),
            trial_id="T",
            subject_id="S",
            site_id="01",
            number=number,
            nominal_on=day(number),
            opens_on=day(number) - timedelta(days=7),
            closes_on=day(number) + timedelta(days=7),
            imaged_on=None,
            progress=Progress.EXPECTED,
            placement=None,
            not_done_reason=None,
            late_instances=0,
            last_received=-1,
            control=None,
        )
        for number in range(last + 1)
    ]


def answers(*responses: str, slot: int = 1) -> list[Answered]:
    """Return responses at timepoints 1, 2 and so on."""
    return [
        Answered(slot=slot, imaged_on=day(number), response=response)
        for number, response in enumerate(responses, start=1)
    ]


@pytest.mark.parametrize(
    ("responses", "number"),
    [
        pytest.param(["SD"], None, id="no response"),
        pytest.param(["PR"], 2, id="first PR"),
        pytest.param(["CR"], 2, id="first CR"),
        pytest.param(["SD", "SD", "PR"], 4, id="a late response"),
        pytest.param(["PR", "PR"], None, id="confirmed"),
        pytest.param(["PR", "CR"], None, id="confirmed by CR"),
        pytest.param(["CR", "PR"], 3, id="PR does not confirm CR"),
        pytest.param(["PR", "NE"], 3, id="not evaluable leaves it open"),
        pytest.param(["PR", "PD"], None, id="progression ends it"),
    ],
)
def test_which_timepoint_confirms(responses: list[str], number: int | None):
    found = confirmations_due(answers(*responses), calendar(), RULES)
    assert [each.number for each in found] == ([] if number is None else [number])


def test_the_earliest_day_is_four_weeks_later():
    (found,) = confirmations_due(answers("PR"), calendar(), RULES)
    assert (found.responded_on, found.earliest_on) == (date(2025, 2, 12), date(2025, 3, 12))
    assert found.closes_on == date(2025, 4, 2)


def test_a_timepoint_imaged_too_soon_does_not_satisfy_it():
    early = calendar()
    early[2] = replace(early[2], imaged_on=day(1) + timedelta(days=20))
    (found,) = confirmations_due(answers("PR"), early, RULES)
    assert found.number == 3


def test_each_reader_waits_for_an_own_confirmation():
    found = confirmations_due([*answers("PR", "PR"), *answers("SD", "PR", slot=2)], calendar(), RULES)
    assert [(each.slot, each.number) for each in found] == [(2, 3)]


def test_after_the_last_timepoint_nothing_satisfies_it():
    (found,) = confirmations_due(answers("SD", "PR"), calendar(last=2), RULES)
    assert (found.number, found.closes_on) == (None, None)


def test_without_confirmation_in_the_protocol_nothing_is_due():
    assert confirmations_due(answers("PR"), calendar(), ConfirmationRules(required=False)) == ()
