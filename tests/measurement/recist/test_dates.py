"""On which day a response or a progression was."""

from dataclasses import replace
from datetime import date

from measurement.recist.assess import assess_subject
from measurement.recist.assessment import SubjectAssessment
from measurement.recist.observations import TimepointObservations
from tests.measurement.recist.stories import START, day_of, story

EMPTY = {"targets": "", "non_targets": "", "new_lesions": "", "days": ""}


def imaged_over_days(days: dict[str, int], **columns: str) -> SubjectAssessment:
    """Assess a subject whose first follow-up, nominally on day 42, was imaged lesion by lesion."""
    baseline, follow_up, *later = story({**EMPTY, **columns})
    on = {name: day_of(day) for name, day in days.items()}
    spread = replace(
        follow_up,
        targets=tuple(replace(each, imaged_on=on.get(each.lesion_id)) for each in follow_up.targets),
        non_targets=tuple(replace(each, imaged_on=on.get(each.lesion_id)) for each in follow_up.non_targets),
        new_lesions=tuple(replace(each, imaged_on=on.get(each.lesion_id)) for each in follow_up.new_lesions),
    )
    return assess_subject([baseline, spread, *later], anchor_on=START)


def progressed_on(assessment: SubjectAssessment) -> date | None:
    return assessment.progression.progressed_on if assessment.progression else None


def test_a_response_has_the_last_day_of_its_imaging() -> None:
    assessment = imaged_over_days(
        {"T01": 40, "T02": 45, "NT01": 47}, targets="T01: 30 10; T02: 20 10", non_targets="NT01: + +"
    )
    assert assessment.timepoints[0].assessed_on == day_of(47)
    assert assessment.best_overall.responded_on == day_of(47)


def test_progression_of_the_sum_has_the_day_of_the_last_scan_that_contributes() -> None:
    assessment = imaged_over_days(
        {"T01": 40, "T02": 44, "NT01": 47}, targets="T01: 30 50; T02: 20 20", non_targets="NT01: + +"
    )
    assert progressed_on(assessment) == day_of(44)
    assert assessment.timepoints[0].assessed_on == day_of(44)


def test_a_target_that_is_not_evaluable_does_not_contribute_to_the_day() -> None:
    assessment = imaged_over_days({"T01": 40, "T02": 44}, targets="T01: 30 90; T02: 20 ne")
    assert progressed_on(assessment) == day_of(40)


def test_a_new_lesion_has_the_day_of_its_own_scan() -> None:
    assessment = imaged_over_days({"T01": 46, "NEW01": 40}, targets="T01: 30 30", new_lesions="NEW01: . !")
    assert progressed_on(assessment) == day_of(40)


def test_of_two_new_lesions_the_first_scan_counts() -> None:
    assessment = imaged_over_days(
        {"NEW01": 45, "NEW02": 41}, targets="T01: 30 30", new_lesions="NEW01: . !; NEW02: . !"
    )
    assert progressed_on(assessment) == day_of(41)


def test_unequivocal_progression_has_the_day_of_the_first_scan_that_shows_it() -> None:
    assessment = imaged_over_days(
        {"NT01": 44, "NT02": 41, "T01": 40}, targets="T01: 30 30", non_targets="NT01: + PD; NT02: + PD"
    )
    assert progressed_on(assessment) == day_of(41)


def test_of_several_kinds_of_progression_the_first_day_counts() -> None:
    assessment = imaged_over_days(
        {"T01": 45, "NT01": 43, "NEW01": 44},
        targets="T01: 30 90",
        non_targets="NT01: + PD",
        new_lesions="NEW01: . !",
    )
    assert progressed_on(assessment) == day_of(43)


def test_a_doubt_settled_later_names_both_timepoints() -> None:
    assessment = imaged_over_days({"NEW01": 40}, targets="T01: 30 30 30", new_lesions="NEW01: . ? !")
    progression = assessment.progression
    assert progression is not None
    assert (progression.progressed_on, progression.seen_at, progression.declared_at) == (
        day_of(40),
        "TP1",
        "TP2",
    )
    assert assessment.timepoints[1].assessed_on == day_of(84)
    assert assessment.timepoints[1].progression_on == day_of(40)


def test_progression_of_the_sum_is_not_dated_back_by_a_lesion_still_in_doubt() -> None:
    row = {**EMPTY, "targets": "T01: 30 30 60", "new_lesions": "NEW01: . ? ?"}
    assert progressed_on(assess_subject(story(row), anchor_on=START)) == day_of(84)


def test_a_timepoint_never_imaged_has_no_day() -> None:
    baseline = story({**EMPTY, "targets": "T01: 30"})
    not_done = TimepointObservations(timepoint_id="TP1", number=1, not_done="refused by the subject")
    (verdict,) = assess_subject([*baseline, not_done], anchor_on=START).timepoints
    assert verdict.assessed_on is None
    assert verdict.reasons[0].sentence == "Nothing was assessed: refused by the subject."
