"""Whole subjects in a line: what a table row says is what a reader saw.

A lesion is ``NAME: seen seen …``, one word a timepoint, baseline first; lesions are separated by
``;``. A star after the name makes it a lymph node. ``.`` is no observation at all.

=============  =============================================================
target         ``12.5`` measured, ``small`` too small, ``small=4`` too small but measured,
               ``gone``, ``ne``, ``8+7`` split, ``>T01`` merged into T01
non-target     ``+`` present, ``-`` absent, ``PD`` progressed, ``PD?`` progressed without a
               reason, ``ne``, a number for a node's short axis, ``-12`` absent with 12 mm
new            ``?`` equivocal, ``!`` unequivocal, ``x`` refuted
=============  =============================================================
"""

from collections.abc import Mapping
from datetime import date, timedelta
from decimal import Decimal

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

START = date(2026, 1, 5)
NEW_STATES = {
    "?": NewLesionState.EQUIVOCAL,
    "!": NewLesionState.UNEQUIVOCAL,
    "x": NewLesionState.REFUTED,
}
NON_TARGET_STATES = {
    "+": NonTargetState.PRESENT,
    "-": NonTargetState.ABSENT,
    "PD": NonTargetState.PROGRESSED,
    "PD?": NonTargetState.PROGRESSED,
    "ne": NonTargetState.NOT_EVALUABLE,
}


def mm(text: str) -> ReportedMillimetres:
    return ReportedMillimetres(Decimal(text))


def day_of(number: int) -> date:
    return START + timedelta(days=number)


def story(row: Mapping[str, str]) -> list[TimepointObservations]:
    """Return the timepoints of a row with columns targets, non_targets, new_lesions, days."""
    targets, non_targets = _lesions(row["targets"]), _lesions(row["non_targets"])
    new_lesions = _lesions(row["new_lesions"])
    days = row["days"].split() or _usual_days(
        [*targets.values(), *non_targets.values(), *new_lesions.values()]
    )
    return [
        TimepointObservations(timepoint_id=f"TP{index}", number=index, not_done="not imaged")
        if day == "-"
        else TimepointObservations(
            timepoint_id=f"TP{index}",
            number=index,
            imaged_on=day_of(int(day)),
            targets=tuple(_target(name, seen[index]) for name, seen in targets.items() if _has(seen, index)),
            non_targets=tuple(
                _non_target(name, seen[index]) for name, seen in non_targets.items() if _has(seen, index)
            ),
            new_lesions=tuple(
                NewLesionObservation(lesion_id=name, state=NEW_STATES[seen[index]])
                for name, seen in new_lesions.items()
                if _has(seen, index)
            ),
        )
        for index, day in enumerate(days)
    ]


def _lesions(text: str) -> dict[str, list[str]]:
    pairs = [each.partition(":") for each in text.split(";") if each.strip()]
    return {name.strip(): seen.split() for name, _, seen in pairs}


def _usual_days(seen: list[list[str]]) -> list[str]:
    """Return baseline a week before the start, then every six weeks."""
    longest = max((len(each) for each in seen), default=1)
    return ["-7", *(str(42 * number) for number in range(1, longest))]


def _has(seen: list[str], index: int) -> bool:
    return index < len(seen) and seen[index] != "."


def _target(name: str, word: str) -> TargetObservation:
    lesion_id, is_nodal = name.removesuffix("*"), name.endswith("*")
    state, diameter, merged_into = TargetState.MEASURED, None, None
    fragments: tuple[ReportedMillimetres, ...] = ()
    if word == "gone":
        state = TargetState.ABSENT
    elif word == "ne":
        state = TargetState.NOT_EVALUABLE
    elif word.startswith("small"):
        state = TargetState.TOO_SMALL
        diameter = mm(word[6:]) if word != "small" else None
    elif word.startswith(">"):
        state, merged_into = TargetState.MERGED, word[1:]
    elif "+" in word:
        state, fragments = TargetState.SPLIT, tuple(mm(each) for each in word.split("+"))
    else:
        diameter = mm(word)
    return TargetObservation(
        lesion_id=lesion_id,
        state=state,
        is_nodal=is_nodal,
        diameter=diameter,
        fragments=fragments,
        merged_into=merged_into,
        record_id=f"record-{lesion_id}",
    )


def _non_target(name: str, word: str) -> NonTargetObservation:
    lesion_id, is_nodal = name.removesuffix("*"), name.endswith("*")
    state, short_axis = NON_TARGET_STATES.get(word), None
    if state is None:
        state = NonTargetState.ABSENT if word.startswith("-") else NonTargetState.PRESENT
        short_axis = mm(word.removeprefix("-"))
    return NonTargetObservation(
        lesion_id=lesion_id,
        state=state,
        is_nodal=is_nodal,
        short_axis=short_axis,
        reason="a clear increase" if word == "PD" else "",
        record_id=f"record-{lesion_id}",
    )
