"""Response of the non-target lesions at a timepoint (NTRGRESP; E09 4.3.3, 4.3.4)."""

from collections.abc import Iterator, Mapping
from datetime import date
from types import MappingProxyType
from typing import NamedTuple

from measurement.lesions.lesion import NonTargetObservation, NonTargetState
from measurement.protocol.criteria import Criteria
from measurement.recist.history import History
from measurement.recist.observations import TimepointObservations
from measurement.recist.queries import Query
from measurement.recist.reasons import Reason
from measurement.recist.responses import NonTargetResponse


class NonTargetVerdict(NamedTuple):
    """What the non-targets say at a timepoint.

    Attributes
    ----------
    response
        Their response.
    progressed_on
        For PD, the first day of the scans that show it.
    reason
        Why.
    queries
        Questions about the data.
    """

    response: NonTargetResponse
    progressed_on: date | None
    reason: Reason
    queries: tuple[Query, ...]


_NOTHING: Mapping[str, NonTargetObservation] = MappingProxyType({})
NO_NON_TARGETS = NonTargetVerdict(NonTargetResponse.NA, None, Reason("no_non_targets"), ())


def assess_non_targets(
    observed: TimepointObservations, history: History, criteria: Criteria
) -> NonTargetVerdict:
    """Derive the non-target response of a timepoint.

    In this order: PD when the reader says so of any lesion, or when one is there again after a
    complete response of the subject; NE when one was not assessed; CR when all are gone;
    otherwise NON-CR/NON-PD.

    Parameters
    ----------
    observed
        What was seen.
    history
        What earlier timepoints proved.
    criteria
        The trial's criteria.

    Returns
    -------
    NonTargetVerdict
        A non-target without an observation is not evaluable, and a query.
    """
    baseline = history.baseline
    followed = baseline.non_targets if baseline else _NOTHING
    if not followed and not observed.non_targets:
        return NO_NON_TARGETS
    assessed = {lesion.lesion_id: lesion for lesion in reversed(observed.non_targets)}
    seen = [assessed[name] for name in followed if name in assessed]
    queries = tuple(_queries(observed, followed, seen, criteria))
    if not followed:
        return NO_NON_TARGETS._replace(queries=queries)
    progressed = [lesion for lesion in seen if lesion.state is NonTargetState.PROGRESSED]
    if progressed:
        return _progression("unequivocal_progression", progressed, observed, queries)
    evaluated = [lesion for lesion in seen if lesion.state is not NonTargetState.NOT_EVALUABLE]
    remaining = [lesion for lesion in evaluated if not _is_gone(lesion, criteria)]
    if remaining and history.had_cr and criteria.switches.reappearance_after_cr:
        return _progression("reappeared_after_cr", remaining, observed, queries)
    records = tuple([lesion.record_id for lesion in seen if lesion.record_id])
    response, code, facts = _remainder(followed, evaluated, remaining)
    return NonTargetVerdict(response, None, Reason(code, facts, records), queries)


def _remainder(
    followed: Mapping[str, NonTargetObservation],
    evaluated: list[NonTargetObservation],
    remaining: list[NonTargetObservation],
) -> tuple[NonTargetResponse, str, tuple[str, ...]]:
    """Return the response short of progression, with the code and facts of its reason."""
    if len(evaluated) != len(followed):
        names = {lesion.lesion_id for lesion in evaluated}
        missing = ", ".join(name for name in followed if name not in names)
        return NonTargetResponse.NE, "non_targets_not_all_assessed", (missing,)
    if remaining:
        return NonTargetResponse.NON_CR_NON_PD, "non_targets_remain", ()
    return NonTargetResponse.CR, "all_non_targets_gone", ()


def _is_gone(lesion: NonTargetObservation, criteria: Criteria) -> bool:
    """Whether a non-target no longer counts as disease: not there, or a normal node (E09 4.3.3)."""
    if lesion.short_axis is not None:
        return lesion.short_axis < criteria.sums.normal_node_below_mm
    return lesion.state is NonTargetState.ABSENT


def _progression(
    code: str,
    lesions: list[NonTargetObservation],
    observed: TimepointObservations,
    queries: tuple[Query, ...],
) -> NonTargetVerdict:
    names = ", ".join(lesion.lesion_id for lesion in lesions)
    days = [lesion.imaged_on or observed.imaged_on for lesion in lesions]
    records = tuple(lesion.record_id for lesion in lesions if lesion.record_id)
    first_on = min((day for day in days if day is not None), default=None)
    return NonTargetVerdict(NonTargetResponse.PD, first_on, Reason(code, (names,), records), queries)


def _queries(
    observed: TimepointObservations,
    followed: Mapping[str, NonTargetObservation],
    seen: list[NonTargetObservation],
    criteria: Criteria,
) -> Iterator[Query]:
    where = observed.timepoint_id
    if len(seen) != len(observed.non_targets):
        yield from _misplaced(observed, followed)
    if len(seen) != len(followed):
        assessed = {lesion.lesion_id for lesion in seen}
        for name in followed:
            if name not in assessed:
                yield Query("non_target_not_assessed", where, (name,), (name, where))
    for lesion in seen:
        name = lesion.lesion_id
        if lesion.state is NonTargetState.PROGRESSED:
            if not lesion.reason:
                yield Query("progression_without_reason", where, (name,), (name, where))
        elif lesion.short_axis is not None:
            yield from _node_queries(lesion, where, criteria)


def _misplaced(
    observed: TimepointObservations, followed: Mapping[str, NonTargetObservation]
) -> Iterator[Query]:
    """Ask about observations of no known lesion, or of one lesion twice."""
    where = observed.timepoint_id
    names = [lesion.lesion_id for lesion in observed.non_targets]
    for name in dict.fromkeys(names):
        if name not in followed:
            yield Query("unknown_non_target", where, (name,), (name, where))
        elif names.count(name) > 1:
            yield Query("lesion_repeated", where, (name,), (name, where))


def _node_queries(lesion: NonTargetObservation, where: str, criteria: Criteria) -> Iterator[Query]:
    """Ask when a node is called gone although its short axis is not normal."""
    if lesion.state is NonTargetState.ABSENT and not _is_gone(lesion, criteria):
        facts = (lesion.lesion_id, lesion.state.value, where, lesion.short_axis)
        yield Query("node_state_contradicted", where, (lesion.lesion_id,), facts)
