"""Every verdict says why, where that is published, and from which records."""

from dataclasses import replace
from decimal import Decimal

import pytest

from measurement.lesions.lesion import Method
from measurement.recist.assess import RULES_VERSION, assess_subject
from measurement.recist.assessment import TimepointAssessment
from measurement.recist.observations import TimepointObservations
from measurement.recist.queries import QUESTIONS
from measurement.recist.reasons import RULES, Reason
from measurement.recist.sums import IncompleteSum
from tests.measurement.known_answers import known_answers
from tests.measurement.recist.stories import START, mm, story
from tests.measurement.recist.switches import criteria_with

EMPTY = {"targets": "", "non_targets": "", "new_lesions": "", "days": ""}


def verdicts(**columns: str) -> tuple[TimepointAssessment, ...]:
    return assess_subject(story({**EMPTY, **columns}), anchor_on=START).timepoints


def sentences(verdict: TimepointAssessment) -> list[str]:
    return [reason.sentence for reason in verdict.reasons]


def test_a_partial_response_tells_the_sums_it_compared() -> None:
    (verdict,) = verdicts(targets="T01: 14.0 9.8", non_targets="NT01: + +")
    assert sentences(verdict) == [
        "The sum of 9.8 mm is at least 30% below the baseline of 14.0 mm.",
        "Non-targets remain without unequivocal progression.",
        "Target PR, non-target NON-CR/NON-PD, new lesion N.",
    ]
    assert [reason.source for reason in verdict.reasons] == ["E09 4.3.1", "E09 4.3.3", "E09 4.4.1 Table 1"]
    assert [reason.record_ids for reason in verdict.reasons] == [("record-T01",), ("record-NT01",), ()]


def test_progression_tells_the_nadir_and_both_limits() -> None:
    verdict = verdicts(targets="T01: 40 25 30")[1]
    assert sentences(verdict)[0] == "The sum of 30 mm is at least 20% and 5 mm above the nadir of 25 mm."


def test_a_timepoint_after_progression_says_that_it_counts_no_more() -> None:
    assert sentences(verdicts(targets="T01: 20 30 10")[1])[-1] == (
        "This lies after the first progression and counts no more."
    )


def test_a_dated_back_progression_names_both_records() -> None:
    reasons = verdicts(targets="T01: 30 30 30", new_lesions="NEW01: . ? !")[1].reasons
    assert "NEW01 was first seen on 2026-02-16, which dates the progression." in [
        each.sentence for each in reasons
    ]


def test_the_changes_are_exact() -> None:
    verdict = verdicts(targets="T01: 14.0 9.8 10.5")[1]
    assert verdict.change_from_baseline_percent == Decimal(-25)
    assert verdict.change_from_nadir_mm == Decimal("0.7")
    assert verdict.baseline_mm == mm("14.0")
    assert verdict.nadir_mm == mm("9.8")
    assert verdicts(targets="T01: 14.0 9.8")[0].change_from_baseline_percent == Decimal(-30)


def test_an_incomplete_sum_has_no_change() -> None:
    (verdict,) = verdicts(targets="T01: 14.0 9.8; T02: 10 ne")
    assert verdict.sum_of_diameters == IncompleteSum(mm("9.8"), ("T02",))
    assert (verdict.sum_mm, verdict.change_from_baseline_percent, verdict.change_from_nadir_mm) == (None,) * 3


def test_a_change_from_a_nadir_of_0_mm_has_no_percentage() -> None:
    verdict = verdicts(targets="T01: 14.0 gone 6")[1]
    assert verdict.change_from_nadir_percent is None
    assert verdict.change_from_nadir_mm == 6


def test_another_method_than_at_baseline_is_asked_for() -> None:
    baseline, follow_up = story({**EMPTY, "targets": "T01: 30 20"})
    by_ct = _with_method(baseline, Method.CT)
    by_mri = _with_method(follow_up, Method.MRI)
    (query,) = assess_subject([by_ct, by_mri], anchor_on=START).queries
    assert query.sentence == "T01 was measured by ct at baseline and by mri at TP1: can the two be compared?"
    assert assess_subject([by_ct, follow_up], anchor_on=START).queries == ()


def test_a_node_that_is_no_node_at_follow_up_is_asked_for_and_stays_a_node() -> None:
    baseline, follow_up = story({**EMPTY, "targets": "N01*: 18 8"})
    changed = _with_nodal(follow_up, is_nodal=False)
    assessment = assess_subject([baseline, changed], anchor_on=START)
    assert assessment.timepoints[0].overall_response.value == "CR"
    assert [query.code for query in assessment.queries] == ["nodal_changed"]


@pytest.mark.parametrize("code", sorted(RULES))
def test_every_rule_has_a_sentence_and_a_source(code: str) -> None:
    assert RULES[code].sentence.endswith(".")
    assert RULES[code].source


@pytest.mark.parametrize("code", sorted(QUESTIONS))
def test_every_query_is_a_question(code: str) -> None:
    assert QUESTIONS[code].endswith("?")


def test_every_reason_and_query_of_every_story_can_be_told() -> None:
    codes: set[str] = set()
    for parameters in known_answers("recist/subjects.csv"):
        row = parameters.values[0]
        assert isinstance(row, dict)
        subject = assess_subject(story(row), criteria_with(row["switches"]), anchor_on=START)
        best = (*subject.best_overall.reasons, *subject.confirmed_best_overall.reasons)
        reasons = [*best, *(reason for each in subject.timepoints for reason in each.reasons)]
        codes |= {reason.code for reason in reasons}
        texts = [*(each.sentence for each in reasons), *(each.sentence for each in subject.queries)]
        assert not [text for text in texts if "{" in text or "None" in text]
    assert set(RULES) - codes <= {"no_baseline", "stable_minimum_unknown"}


def test_the_rules_have_a_version() -> None:
    assert assess_subject([]).rules_version == RULES_VERSION


def test_a_reason_is_told_with_its_facts() -> None:
    assert Reason("sum_decreased", (Decimal("9.8"), Decimal("0.125"), Decimal(14))).sentence == (
        "The sum of 9.8 mm is at least 12.5% below the baseline of 14 mm."
    )


def _with_method(timepoint: TimepointObservations, method: Method) -> TimepointObservations:
    return replace(timepoint, targets=tuple(replace(each, method=method) for each in timepoint.targets))


def _with_nodal(timepoint: TimepointObservations, *, is_nodal: bool) -> TimepointObservations:
    return replace(timepoint, targets=tuple(replace(each, is_nodal=is_nodal) for each in timepoint.targets))
