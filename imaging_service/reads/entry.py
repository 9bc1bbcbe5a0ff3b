"""What a reader enters about one lesion, and the rules it must meet before it is kept."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from imaging_service.reads.errors import (
    AxisMissingError,
    AxisUnwantedError,
    BaselineNewLesionError,
    LesionFactsError,
    LesionNameError,
    LesionNotAtBaselineError,
    MergeError,
    ReasonMissingError,
    StateError,
    TooManyTargetsError,
    TooManyTargetsInOrganError,
)
from imaging_service.reads.measuring import Drawing
from imaging_service.reads.read import Axis, LesionRecord, Read
from measurement.lesions.lesion import Nature, NewLesionState, NonTargetState, Role, TargetState
from measurement.lesions.organs import organ_of
from measurement.protocol.criteria import MeasurabilityLimits

_NAME = re.compile(r"(T|NT|NEW)[0-9]{2}")
_ROLES = {"T": Role.TARGET, "NT": Role.NON_TARGET, "NEW": Role.NEW}

STATES = {
    (Role.TARGET, True): frozenset({TargetState.MEASURED}),
    (Role.TARGET, False): frozenset(TargetState),
    (Role.NON_TARGET, True): frozenset({NonTargetState.PRESENT}),
    (Role.NON_TARGET, False): frozenset(NonTargetState),
    (Role.NEW, False): frozenset(NewLesionState),
}
"""(role, whether at baseline) → states. What is chosen at baseline is there and, as a target, measured."""

NEEDS_REASON = {
    (Role.TARGET, TargetState.NOT_EVALUABLE),
    (Role.NON_TARGET, NonTargetState.NOT_EVALUABLE),
    (Role.NON_TARGET, NonTargetState.PROGRESSED),
    (Role.NEW, NewLesionState.REFUTED),
}
"""States that say nothing without the reader's reason (E09 4.3.4: progression must be unequivocal)."""

HAS_AXES = {
    (Role.TARGET, TargetState.MEASURED),
    (Role.TARGET, TargetState.TOO_SMALL),
    (Role.TARGET, TargetState.SPLIT),
    (Role.NON_TARGET, NonTargetState.PRESENT),
    (Role.NON_TARGET, NonTargetState.PROGRESSED),
    (Role.NEW, NewLesionState.EQUIVOCAL),
    (Role.NEW, NewLesionState.UNEQUIVOCAL),
}
"""States in which there is something to draw on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """What the reader enters; facts that last may be left out after baseline."""

    lesion_id: str
    role: Role | None = None
    location: str | None = None
    organ: str | None = None
    is_nodal: bool | None = None
    nature: Nature | None = None
    is_irradiated: bool | None = None
    progressed_since_irradiation: bool | None = None
    state: str
    reason: str | None = None
    merged_into: str | None = None
    drawings: Sequence[Drawing] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class LesionFacts:
    """What stays the same about a lesion from its first read on."""

    role: Role
    location: str
    organ: str
    is_nodal: bool
    nature: Nature
    is_irradiated: bool
    progressed_since_irradiation: bool


def role_of(lesion_id: str) -> Role:
    """Return the role that a lesion's name says.

    Raises
    ------
    LesionNameError
        It says none.

    Examples
    --------
    >>> role_of("NT02").value
    'non_target'
    """
    found = _NAME.fullmatch(lesion_id)
    if found is None:
        raise LesionNameError(lesion_id)
    return _ROLES[found[1]]


def facts_of(entry: Entry, read: Read, earlier: Sequence[Read]) -> LesionFacts:
    """Return the lasting facts of the lesion: as first entered, or as entered now.

    Parameters
    ----------
    entry
        What the reader enters now.
    read
        The draft.
    earlier
        Signed reads of the same reader and subject, in reading order.

    Raises
    ------
    ReadRefusedError
        The lesion is new at baseline, was not chosen at baseline, or contradicts what was entered before.
    """
    role = role_of(entry.lesion_id)
    if entry.role not in (None, role):
        message = f"{entry.lesion_id} is the name of a {role.value}; found the role {entry.role}."
        raise LesionFactsError(message)
    if read.is_baseline and role is Role.NEW:
        raise BaselineNewLesionError(entry.lesion_id)
    known = next((found for each in earlier if (found := each.lesion(entry.lesion_id))), None)
    if known is not None and not read.is_baseline:
        return _unchanged(entry, known)
    if not read.is_baseline and role is not Role.NEW:
        baseline = next((each for each in earlier if each.is_baseline), None)
        chosen = (
            [] if baseline is None else [each.lesion_id for each in baseline.lesions if each.role is role]
        )
        raise LesionNotAtBaselineError(entry.lesion_id, sorted(chosen))
    return _first(entry, role)


def _first(entry: Entry, role: Role) -> LesionFacts:
    if entry.location is None:
        message = f"{entry.lesion_id} is entered for the first time; its location was wanted, found none."
        raise LesionFactsError(message)
    is_nodal = bool(entry.is_nodal)
    return LesionFacts(
        role=role,
        location=entry.location,
        organ=entry.organ or organ_of(entry.location, is_nodal=is_nodal),
        is_nodal=is_nodal,
        nature=entry.nature or Nature.SOFT_TISSUE,
        is_irradiated=bool(entry.is_irradiated),
        progressed_since_irradiation=bool(entry.progressed_since_irradiation),
    )


def _unchanged(entry: Entry, known: LesionRecord) -> LesionFacts:
    facts = LesionFacts(
        role=known.role,
        location=known.location,
        organ=known.organ,
        is_nodal=known.is_nodal,
        nature=known.nature,
        is_irradiated=known.is_irradiated,
        progressed_since_irradiation=known.progressed_since_irradiation,
    )
    for name in ("location", "organ", "is_nodal", "nature"):
        given, stored = getattr(entry, name), getattr(facts, name)
        if given is not None and given != stored:
            message = (
                f"{entry.lesion_id} was first entered with {name} {stored!r}; found {given!r}. "
                "What lasts is changed where it was first entered."
            )
            raise LesionFactsError(message)
    return facts


def check_state(entry: Entry, facts: LesionFacts, read: Read, earlier: Sequence[Read]) -> None:
    """Refuse a state that the role has not, or that lacks what it needs.

    Raises
    ------
    ReadRefusedError
        With the state found and the states wanted, or with what is missing.
    """
    wanted = STATES[facts.role, read.is_baseline]
    if entry.state not in wanted:
        raise StateError(entry.lesion_id, entry.state, [each.value for each in wanted])
    if (facts.role, entry.state) in NEEDS_REASON and not (entry.reason or "").strip():
        raise ReasonMissingError(entry.lesion_id, entry.state)
    _check_merge(entry, facts, earlier)
    _check_axes(entry, facts)


def _check_merge(entry: Entry, facts: LesionFacts, earlier: Sequence[Read]) -> None:
    is_merged = facts.role is Role.TARGET and entry.state == TargetState.MERGED
    others = sorted(
        each.lesion_id
        for read in earlier
        if read.is_baseline
        for each in read.of_role(Role.TARGET)
        if each.lesion_id != entry.lesion_id
    )
    if is_merged and entry.merged_into not in others:
        message = (
            f"{entry.lesion_id} is merged into {entry.merged_into or 'nothing named'}; "
            f"another target was wanted: {', '.join(others) or 'there is none'}."
        )
        raise MergeError(message)
    if not is_merged and entry.merged_into is not None:
        message = (
            f"{entry.lesion_id} is {entry.state} and names {entry.merged_into}; only a merged target does."
        )
        raise MergeError(message)


def _check_axes(entry: Entry, facts: LesionFacts) -> None:
    if (facts.role, entry.state) not in HAS_AXES:
        if entry.drawings:
            raise AxisUnwantedError(entry.lesion_id, entry.state, len(entry.drawings))
        return
    fragments = sorted({each.fragment for each in entry.drawings})
    is_split = facts.role is Role.TARGET and entry.state == TargetState.SPLIT
    if is_split and (len(fragments) < 2 or 0 in fragments):
        found = len([each for each in fragments if each])
        raise AxisMissingError(entry.lesion_id, "the axes of at least 2 fragments", f"{found} fragments")
    if not is_split and fragments not in ([], [0]):
        message = f"{entry.lesion_id} is {entry.state} and has fragments; only a split target does."
        raise LesionFactsError(message)
    must_be_measured = facts.role is Role.TARGET and entry.state in (TargetState.MEASURED, TargetState.SPLIT)
    for fragment in fragments or ([0] if must_be_measured else []):
        _check_counted(entry, facts, fragment)


def _check_counted(entry: Entry, facts: LesionFacts, fragment: int) -> None:
    """Refuse to derive the axis that counts from the other one."""
    drawn = {each.axis for each in entry.drawings if each.fragment == fragment}
    wanted = Axis.SHORT if facts.is_nodal else Axis.LONG
    if wanted not in drawn and (facts.role is Role.TARGET or drawn):
        what = (
            "its short axis drawn, as it is a lymph node" if facts.is_nodal else "its longest diameter drawn"
        )
        found = ", ".join(f"a {each.value} axis" for each in sorted(drawn)) or "no axis"
        raise AxisMissingError(entry.lesion_id, what, found)


def check_target_count(entry: Entry, facts: LesionFacts, read: Read, limits: MeasurabilityLimits) -> None:
    """Refuse a target beyond the protocol's number, in all or in one organ (E09 4.2).

    Raises
    ------
    TooManyTargetsError, TooManyTargetsInOrganError
        With those chosen already.
    """
    if facts.role is not Role.TARGET or not read.is_baseline:
        return
    others = [each for each in read.of_role(Role.TARGET) if each.lesion_id != entry.lesion_id]
    if len(others) >= limits.max_targets:
        raise TooManyTargetsError(entry.lesion_id, [each.lesion_id for each in others], limits.max_targets)
    same = [each.lesion_id for each in others if each.organ == facts.organ]
    if len(same) >= limits.max_targets_per_organ:
        raise TooManyTargetsInOrganError(entry.lesion_id, facts.organ, same, limits.max_targets_per_organ)


def same_content(one: LesionRecord, other: LesionRecord) -> bool:
    """Whether two records say the same, whatever their versions."""
    return replace(one, version=0) == replace(other, version=0)
