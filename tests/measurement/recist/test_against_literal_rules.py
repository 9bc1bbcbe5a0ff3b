"""Thousands of subjects by dice against the slow, literal rules of a timepoint."""

from collections import Counter
from dataclasses import astuple, replace
from fractions import Fraction
from itertools import product
from random import Random

import pytest

from measurement.protocol.criteria import RECIST_1_1, Criteria
from measurement.recist.assess import assess_subject
from measurement.recist.assessment import TimepointAssessment
from tests.measurement.recist import literal_timepoints
from tests.measurement.recist.literal_timepoints import Answer, Switches
from tests.measurement.recist.random_subjects import subject

SUBJECTS = 1000  # for each position of the switches


def answer(verdict: TimepointAssessment) -> Answer:
    return Answer(
        target=verdict.target_response.value,
        non_target=verdict.non_target_response.value,
        new_lesion=verdict.new_lesion.value,
        overall=verdict.overall_response.value,
        sum_mm=None if verdict.sum_mm is None else Fraction(verdict.sum_mm),
        progression_on=verdict.progression_on,
    )


def criteria_with(switches: Switches) -> Criteria:
    pr_hold, reappearance_after_cr, partial_sum_pd = astuple(switches)
    chosen = replace(
        RECIST_1_1.switches,
        pr_hold=pr_hold,
        reappearance_after_cr=reappearance_after_cr,
        partial_sum_pd=partial_sum_pd,
    )
    return replace(RECIST_1_1, switches=chosen)


@pytest.mark.parametrize("switches", [Switches(*each) for each in product((True, False), repeat=3)], ids=str)
def test_every_timepoint_is_answered_as_the_literal_rules_do(switches: Switches) -> None:
    dice = Random(str(switches))  # noqa: S311 - the same subjects in each run
    criteria = criteria_with(switches)
    overall: Counter[str] = Counter()
    for _ in range(SUBJECTS):
        timepoints = subject(dice)
        given = [answer(each) for each in assess_subject(timepoints, criteria).timepoints]
        assert given == literal_timepoints.answers(timepoints, switches), timepoints
        overall.update(each.overall for each in given)
    # The dice leave no response out, so none agrees by being absent.
    assert {"CR", "PR", "SD", "NON-CR/NON-PD", "PD", "NE", "NED"} == set(overall)
    assert min(overall.values()) >= 10
