from dataclasses import replace

import pytest

from measurement.errors import TimepointSequenceError
from measurement.recist.assess import assess_subject
from measurement.recist.observations import TimepointObservations
from measurement.recist.responses import BestResponse, NonTargetResponse, OverallResponse, TargetResponse
from measurement.recist.sequence import in_order
from tests.measurement.recist.stories import START, day_of, story

EMPTY = {"targets": "", "non_targets": "", "new_lesions": "", "days": ""}


def subject(targets: str, **columns: str) -> list[TimepointObservations]:
    return story({**EMPTY, "targets": targets, **columns})


def codes(timepoints: list[TimepointObservations]) -> list[str]:
    return [query.code for query in in_order(timepoints).queries]


def test_the_order_in_which_timepoints_are_given_does_not_matter() -> None:
    timepoints = subject("T01: 30 20 15 gone gone")
    assert assess_subject(timepoints[::-1], anchor_on=START) == assess_subject(timepoints, anchor_on=START)


def test_without_baseline_nothing_is_evaluable_and_the_baseline_is_asked_for() -> None:
    timepoints = subject("T01: 30 20 60", new_lesions="NEW01: . . !")[1:]
    assessment = assess_subject(timepoints, anchor_on=START)
    assert assessment.baseline is None
    assert [each.overall_response for each in assessment.timepoints] == [OverallResponse.NE] * 2
    assert assessment.timepoints[0].target_response is TargetResponse.NE
    assert assessment.timepoints[0].non_target_response is NonTargetResponse.NE
    assert assessment.best_overall.response is BestResponse.NE
    assert assessment.progression is None
    assert [query.code for query in assessment.queries] == ["baseline_missing"]


def test_no_timepoints_at_all_is_ne_with_a_question() -> None:
    assessment = assess_subject([])
    assert assessment.timepoints == ()
    assert assessment.confirmed_best_overall.response is BestResponse.NE
    assert [query.code for query in assessment.queries] == ["baseline_missing"]


def test_the_same_identifier_twice_is_refused() -> None:
    timepoints = subject("T01: 30 20")
    with pytest.raises(TimepointSequenceError, match="repeated: TP1"):
        assess_subject([*timepoints, timepoints[1]])


def test_of_two_baselines_the_one_nearest_to_the_start_is_used_and_asked_for() -> None:
    early, late, follow_up = subject("T01: 50 30 20", days="-20 -3 42")
    ordered = in_order(
        [late, replace(early, number=0), replace(late, number=0, timepoint_id="B2"), follow_up][1:]
    )
    assert ordered.baseline is not None
    assert ordered.baseline.timepoint_id == "B2"
    assert ordered.follow_ups == (follow_up,)
    assert [query.sentence for query in ordered.queries] == [
        "Timepoints TP0, B2 are all numbered 0 and B2 is used: which one is baseline?"
    ]


def test_a_number_used_twice_is_asked_for() -> None:
    timepoints = subject("T01: 30 20 20")
    assert codes([*timepoints[:2], replace(timepoints[2], number=1)]) == ["number_repeated"]


def test_numbers_against_the_days_are_asked_for_and_the_days_decide() -> None:
    timepoints = subject("T01: 30 20 60", days="-7 84 42")
    assessment = assess_subject(timepoints, anchor_on=START)
    assert [each.timepoint_id for each in assessment.timepoints] == ["TP2", "TP1"]
    assert [query.code for query in assessment.queries] == ["out_of_order"]


def test_imaging_before_baseline_is_asked_for() -> None:
    assert codes(subject("T01: 30 20", days="-7 -9")) == ["imaged_before_baseline"]


def test_a_follow_up_on_the_day_of_baseline_is_asked_for() -> None:
    assert codes(subject("T01: 30 20", days="-7 -7")) == ["day_repeated"]


def test_a_baseline_that_was_not_done_is_asked_for() -> None:
    baseline = TimepointObservations(timepoint_id="B", number=0, not_done="scanner broken")
    assessment = assess_subject([baseline, subject("T01: 30 20")[1]], anchor_on=START)
    assert [query.code for query in assessment.queries] == ["baseline_not_done"]


def test_a_baseline_that_was_not_done_is_none_and_no_proof_that_there_was_no_disease() -> None:
    baseline = TimepointObservations(timepoint_id="B", number=0, not_done="scanner broken")
    assessment = assess_subject([baseline, subject("T01: 30 20")[1]], anchor_on=START)
    assert assessment.baseline is None
    assert [each.overall_response for each in assessment.timepoints] == [OverallResponse.NE]
    assert assessment.best_overall.response is BestResponse.NE


def test_a_baseline_that_was_done_after_one_that_was_not_is_not_asked_for() -> None:
    broken = TimepointObservations(timepoint_id="B", number=0, not_done="scanner broken")
    assessment = assess_subject([broken, *subject("T01: 30 20")], anchor_on=START)
    assert assessment.queries == ()
    assert [each.overall_response for each in assessment.timepoints] == [OverallResponse.PR]


def test_unscheduled_timepoints_count_like_any_other() -> None:
    timepoints = subject("T01: 30 20 26", days="-7 42 60")
    assessment = assess_subject([*timepoints[:2], replace(timepoints[2], number=None)], anchor_on=START)
    assert [each.overall_response for each in assessment.timepoints] == [
        OverallResponse.PR,
        OverallResponse.PD,
    ]
    assert assessment.timepoints[1].number is None
    assert assessment.queries == ()


def test_a_timepoint_never_imaged_keeps_its_place_among_the_numbers() -> None:
    timepoints = subject("T01: 30 20 . 20", days="-7 42 - 126")
    assert [each.number for each in in_order(timepoints[::-1]).follow_ups] == [1, 2, 3]


def test_timepoints_never_imaged_before_any_other_come_first() -> None:
    timepoints = subject("T01: 30 . . 20", days="-7 - - 126")
    assert [each.number for each in in_order(timepoints[::-1]).follow_ups] == [1, 2, 3]


def test_a_lesion_assessed_twice_at_baseline_counts_once_and_is_asked_for() -> None:
    baseline, follow_up = subject("T01: 30 20")
    doubled = replace(baseline, targets=(*baseline.targets, *baseline.targets))
    assessment = assess_subject([doubled, follow_up], anchor_on=START)
    assert assessment.baseline is not None
    assert assessment.baseline.target_ids == ("T01",)
    assert [query.code for query in assessment.queries] == ["lesion_repeated"]


def test_a_lesion_assessed_twice_at_follow_up_counts_once_and_is_asked_for() -> None:
    baseline, follow_up = subject("T01: 30 20", non_targets="NT01: + +")
    doubled = replace(
        follow_up, targets=follow_up.targets * 2, non_targets=(*follow_up.non_targets, *follow_up.non_targets)
    )
    assessment = assess_subject([baseline, doubled], anchor_on=START)
    assert assessment.timepoints[0].sum_mm == 20
    assert [query.code for query in assessment.queries] == ["lesion_repeated", "lesion_repeated"]


def test_a_lesion_in_two_roles_is_a_target_and_asked_for() -> None:
    assessment = assess_subject(subject("T01: 30 30", non_targets="T01: + ."), anchor_on=START)
    assert assessment.baseline is not None
    assert (assessment.baseline.target_ids, assessment.baseline.non_target_ids) == (("T01",), ())
    assert [query.code for query in assessment.queries] == ["lesion_in_two_roles"]


def test_the_day_of_baseline_is_the_start_when_no_other_is_known() -> None:
    timepoints = subject("T01: 30 30 30", days="-7 27 29")
    assert assess_subject(timepoints[:2]).best_overall.response is BestResponse.NE
    assert assess_subject(timepoints).best_overall.timepoint_id == "TP2"
    assert assess_subject(timepoints, anchor_on=day_of(-20)).best_overall.timepoint_id == "TP1"
