"""Subjects by dice: few sizes and exact limits, so that every rule and its edge are met often."""

from collections.abc import Sequence
from datetime import date, timedelta
from decimal import Decimal
from random import Random

from measurement.lesions.lesion import (
    NewLesionObservation,
    NewLesionState,
    NonTargetObservation,
    NonTargetState,
    TargetObservation,
    TargetState,
)
from measurement.recist.observations import TimepointObservations
from measurement.units import ReportedMillimetres
from tests.measurement.recist.stories import day_of

TARGETS = {"T01": False, "T02": False, "N01": True}
NON_TARGETS = {"NT01": False, "NT02": False, "NN01": True}
NEW = ("NEW01", "NEW02")
NON_TARGET_STATES = (
    *[NonTargetState.ABSENT] * 6,
    *[NonTargetState.PRESENT] * 4,
    NonTargetState.NOT_EVALUABLE,
    NonTargetState.PROGRESSED,
)
NEW_STATES = (NewLesionState.EQUIVOCAL, *NewLesionState)


def subject(dice: Random) -> list[TimepointObservations]:
    """Return a subject with a sound baseline and up to six timepoints after it."""
    targets = {name: is_node for name, is_node in TARGETS.items() if dice.random() < 0.6}
    non_targets = {name: is_node for name, is_node in NON_TARGETS.items() if dice.random() < 0.4}
    baseline = TimepointObservations(
        timepoint_id="TP0",
        number=0,
        imaged_on=day_of(-7),
        targets=tuple(
            _measured(name, dice.randint(150, 400), is_node, None) for name, is_node in targets.items()
        ),
        non_targets=tuple(
            NonTargetObservation(lesion_id=name, state=NonTargetState.PRESENT, is_nodal=is_node)
            for name, is_node in non_targets.items()
        ),
    )
    subject = [baseline]
    for number in range(1, dice.randint(2, 7)):
        subject.append(_follow_up(subject, number, dice))
    return subject


def _follow_up(before: Sequence[TimepointObservations], number: int, dice: Random) -> TimepointObservations:
    where, baseline, day = f"TP{number}", before[0], day_of(42 * number)
    if dice.random() < 0.04:
        return TimepointObservations(timepoint_id=where, number=number, not_done="not imaged")
    return TimepointObservations(
        timepoint_id=where,
        number=number,
        imaged_on=day,
        targets=_targets(before, day, dice),
        non_targets=tuple(
            _non_target(each.lesion_id, each.is_nodal, day, dice) for each in baseline.non_targets
        ),
        new_lesions=tuple(
            NewLesionObservation(lesion_id=name, state=dice.choice(NEW_STATES), imaged_on=_scan(day, dice))
            for name in NEW
            if dice.random() < (0.5 if _was_seen(name, before) else 0.07)
        ),
    )


def _was_seen(name: str, before: Sequence[TimepointObservations]) -> bool:
    return any(each.lesion_id == name for timepoint in before for each in timepoint.new_lesions)


def _targets(
    before: Sequence[TimepointObservations], day: date, dice: Random
) -> tuple[TargetObservation, ...]:
    """Return the targets, the last of them of just the size that meets or misses a limit."""
    baseline = before[0].targets
    vanish = dice.random() < 0.35
    seen = [_target(each, day, dice, vanish=vanish) for each in baseline]
    if not seen or dice.random() < 0.5 or any(each.diameter is None for each in seen):
        return tuple(seen)
    sums = [
        sum(each.diameter for each in timepoint.targets if each.diameter is not None)
        for timepoint in before
        if timepoint.targets and all(each.diameter is not None for each in timepoint.targets)
    ]
    limits = (sums[0] * Decimal("0.7"), min(sums) * Decimal("1.2"), min(sums) + 5)
    others = sum(each.diameter for each in seen[:-1] if each.diameter is not None)
    step = dice.choice((Decimal("-0.1"), Decimal(0), Decimal("0.1")))
    tenths = int((dice.choice(limits) - others + step) * 10)
    if tenths > 0:
        seen[-1] = _measured(seen[-1].lesion_id, tenths, seen[-1].is_nodal, seen[-1].imaged_on)
    return tuple(seen)


def _target(baseline: TargetObservation, day: date, dice: Random, *, vanish: bool) -> TargetObservation:
    name, is_nodal, imaged_on = baseline.lesion_id, baseline.is_nodal, _scan(day, dice)
    if vanish and dice.random() < 0.85:
        return _measured(name, dice.randint(40, 99) if is_nodal else 0, is_nodal, imaged_on)
    kind = dice.random()
    if kind < 0.75:
        return _measured(name, dice.choice((0, 50, 99, 100, 101, 150, 200, 300)), is_nodal, imaged_on)
    state = dice.choice(
        [TargetState.ABSENT, TargetState.TOO_SMALL, TargetState.NOT_EVALUABLE, TargetState.SPLIT]
    )
    fragments = tuple(_mm(dice.choice((50, 99, 100))) for _ in range(2)) if state is TargetState.SPLIT else ()
    return TargetObservation(
        lesion_id=name, state=state, is_nodal=is_nodal, fragments=fragments, imaged_on=imaged_on
    )


def _non_target(name: str, is_nodal: bool, day: date, dice: Random) -> NonTargetObservation:  # noqa: FBT001 - as in the table above
    state = dice.choice(NON_TARGET_STATES)
    short_axis = None
    if is_nodal and state in {NonTargetState.PRESENT, NonTargetState.ABSENT} and dice.random() < 0.5:
        short_axis = _mm(dice.choice((80, 99, 100, 120)))
    return NonTargetObservation(
        lesion_id=name,
        state=state,
        is_nodal=is_nodal,
        short_axis=short_axis,
        reason="clear",
        imaged_on=_scan(day, dice),
    )


def _measured(name: str, tenths: int, is_nodal: bool, imaged_on: date | None) -> TargetObservation:  # noqa: FBT001 - as in the table above
    return TargetObservation(
        lesion_id=name,
        state=TargetState.MEASURED,
        is_nodal=is_nodal,
        diameter=_mm(tenths),
        imaged_on=imaged_on,
    )


def _mm(tenths: int) -> ReportedMillimetres:
    return ReportedMillimetres(Decimal(tenths).scaleb(-1))


def _scan(day: date, dice: Random) -> date | None:
    """Return the day of a lesion's own scan, which may lie some days after the timepoint's first."""
    return day + timedelta(days=dice.randint(0, 3)) if dice.random() < 0.3 else None
