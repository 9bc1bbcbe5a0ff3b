"""What must hold for any subject, whatever the numbers."""

from dataclasses import replace
from decimal import Decimal
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from measurement.lesions.lesion import (
    NewLesionObservation,
    NewLesionState,
    NonTargetObservation,
    NonTargetState,
    TargetObservation,
    TargetState,
)
from measurement.recist.assess import assess_subject
from measurement.recist.assessment import TimepointAssessment
from measurement.recist.observations import TimepointObservations
from measurement.recist.responses import NewLesionFinding
from measurement.units import ReportedMillimetres
from tests.measurement.recist.stories import START, day_of

# Small sizes and few values, so that limits, nodes of 10 mm and lesions that vanish are met often.
SIZES = st.integers(min_value=0, max_value=30).map(lambda mm: ReportedMillimetres(Decimal(mm)))
BASELINE_SIZES = st.integers(min_value=15, max_value=30).map(lambda mm: ReportedMillimetres(Decimal(mm)))
NODAL = {"T01": False, "T02": False, "T03": True}


def measured(lesion_id: str, mm: ReportedMillimetres) -> TargetObservation:
    state = TargetState.MEASURED if mm else TargetState.ABSENT
    diameter = mm or None
    return TargetObservation(lesion_id=lesion_id, state=state, diameter=diameter, is_nodal=NODAL[lesion_id])


def not_evaluable(lesion_id: str) -> TargetObservation:
    return TargetObservation(lesion_id=lesion_id, state=TargetState.NOT_EVALUABLE, is_nodal=NODAL[lesion_id])


@st.composite
def subjects(draw: st.DrawFn, min_follow_ups: int = 1) -> list[TimepointObservations]:
    """Draw a subject with a sound baseline and up to five timepoints after it."""
    names = draw(st.sampled_from([["T01"], ["T03"], ["T01", "T02"], ["T01", "T03"], ["T01", "T02", "T03"]]))
    baseline = TimepointObservations(
        timepoint_id="TP0",
        number=0,
        imaged_on=day_of(-7),
        targets=tuple(
            measured(name, ReportedMillimetres(Decimal(draw(st.integers(15, 30))))) for name in names
        ),
        non_targets=tuple(
            NonTargetObservation(lesion_id=name, state=NonTargetState.PRESENT)
            for name in draw(st.sampled_from([[], ["NT01"], ["NT01", "NT02"]]))
        ),
    )
    count = draw(st.integers(min_follow_ups, 5))
    return [baseline, *(draw(follow_ups(baseline, number)) for number in range(1, count + 1))]


@st.composite
def follow_ups(draw: st.DrawFn, baseline: TimepointObservations, number: int) -> TimepointObservations:
    states = st.sampled_from([*NonTargetState, NonTargetState.ABSENT, NonTargetState.PRESENT])
    is_seen = st.integers(0, 9).map(bool)
    return TimepointObservations(
        timepoint_id=f"TP{number}",
        number=number,
        imaged_on=day_of(28 * number),
        targets=tuple(
            measured(each.lesion_id, draw(SIZES)) if draw(is_seen) else not_evaluable(each.lesion_id)
            for each in baseline.targets
        ),
        non_targets=tuple(
            NonTargetObservation(lesion_id=each.lesion_id, state=draw(states), reason="clear")
            for each in baseline.non_targets
        ),
        new_lesions=tuple(
            NewLesionObservation(lesion_id=name, state=draw(st.sampled_from(NewLesionState)))
            for name in draw(st.sampled_from([[], [], [], ["NEW01"], ["NEW01", "NEW02"]]))
        ),
    )


WORSE = {"CR": 0, "PR": 1, "SD": 2, "NON-CR/NON-PD": 2, "NE": 3, "PD": 4}


@given(subject=subjects(), growth=st.integers(1, 30), which=st.integers(0, 2))
def test_growth_never_improves_a_response(
    subject: list[TimepointObservations], growth: int, which: int
) -> None:
    last = subject[-1]
    which %= len(last.targets)
    grown = last.targets[which]
    if grown.state is TargetState.NOT_EVALUABLE:
        return
    larger = measured(grown.lesion_id, ReportedMillimetres((grown.diameter or Decimal(0)) + growth))
    targets = (*last.targets[:which], larger, *last.targets[which + 1 :])
    before = assess_subject(subject, anchor_on=START)
    after = assess_subject([*subject[:-1], replace(last, targets=targets)], anchor_on=START)
    for smaller_says, larger_says in [
        (before.timepoints[-1].target_response, after.timepoints[-1].target_response),
        (before.timepoints[-1].overall_response, after.timepoints[-1].overall_response),
        (before.best_overall.response, after.best_overall.response),
        (before.confirmed_best_overall.response, after.confirmed_best_overall.response),
    ]:
        assert WORSE[larger_says] >= WORSE[smaller_says]


def answer(verdict: TimepointAssessment) -> tuple[object, ...]:
    return (
        verdict.timepoint_id,
        verdict.assessed_on,
        verdict.sum_mm,
        verdict.nadir_mm,
        verdict.target_response,
        verdict.non_target_response,
        verdict.new_lesion,
        verdict.overall_response,
        verdict.progression_on,
    )


@given(subject=subjects(), seed=st.integers())
def test_the_order_of_lesions_and_timepoints_does_not_matter(
    subject: list[TimepointObservations], seed: int
) -> None:
    dice = Random(seed)  # noqa: S311 - a shuffle, not a secret
    shuffled = [
        replace(
            each,
            targets=tuple(dice.sample(each.targets, len(each.targets))),
            non_targets=tuple(dice.sample(each.non_targets, len(each.non_targets))),
            new_lesions=tuple(dice.sample(each.new_lesions, len(each.new_lesions))),
        )
        for each in dice.sample(subject, len(subject))
    ]
    one, other = (assess_subject(each, anchor_on=START) for each in (subject, shuffled))
    assert [answer(each) for each in one.timepoints] == [answer(each) for each in other.timepoints]
    assert one.best_overall == other.best_overall
    assert one.confirmed_best_overall == other.confirmed_best_overall


@given(subject=subjects(min_follow_ups=2), cut=st.integers(1, 5))
def test_a_later_data_cut_changes_no_verdict_and_no_declared_progression(
    subject: list[TimepointObservations], cut: int
) -> None:
    """A later timepoint may only settle a doubt, and so date a progression not yet declared back."""
    earlier = assess_subject(subject[: cut + 1], anchor_on=START)
    later = assess_subject(subject, anchor_on=START)
    assert later.timepoints[: len(earlier.timepoints)] == earlier.timepoints
    if earlier.progression is not None:
        assert later.progression == earlier.progression
        assert later.best_overall == earlier.best_overall
        assert later.confirmed_best_overall == earlier.confirmed_best_overall
    elif later.progression is not None:
        doubted = {
            each.timepoint_id for each in earlier.timepoints if each.new_lesion is NewLesionFinding.EQUIVOCAL
        }
        seen_before = {each.timepoint_id for each in earlier.timepoints}
        assert later.progression.seen_at not in seen_before - doubted


@given(subject=subjects())
def test_no_best_response_lies_at_or_after_the_progression(subject: list[TimepointObservations]) -> None:
    assessment = assess_subject(subject, anchor_on=START)
    progression = assessment.progression
    if progression is None:
        return
    order = [each.timepoint_id for each in assessment.timepoints]
    until = order[: order.index(progression.seen_at)]
    for best in (assessment.best_overall, assessment.confirmed_best_overall):
        assert best.response == "PD" or best.timepoint_id in until
        assert best.confirmed_by is None or best.confirmed_by in until


@given(subject=subjects())
def test_confirmation_never_improves_a_best_response(subject: list[TimepointObservations]) -> None:
    assessment = assess_subject(subject, anchor_on=START)
    assert WORSE[assessment.confirmed_best_overall.response] >= WORSE[assessment.best_overall.response]


def padded(diameter: ReportedMillimetres | None) -> ReportedMillimetres | None:
    return None if diameter is None else ReportedMillimetres(diameter.quantize(Decimal("0.00")))


@given(subject=subjects())
def test_a_trailing_zero_changes_nothing(subject: list[TimepointObservations]) -> None:
    longer = [
        replace(
            timepoint,
            targets=tuple(replace(each, diameter=padded(each.diameter)) for each in timepoint.targets),
        )
        for timepoint in subject
    ]
    one, other = (assess_subject(each, anchor_on=START) for each in (subject, longer))
    assert [answer(each) for each in one.timepoints] == [answer(each) for each in other.timepoints]
