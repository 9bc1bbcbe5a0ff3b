"""Response of the non-target lesions at a timepoint (NTRGRESP; E09 4.3.3, 4.3.4)."""

from collections.abc import Iterator, Mapping
from datetime import date
from types import MappingProxyType
from typing import NamedTuple

from measurement.lesions.lesion import NonTargetObservation, NonTargetState
from measurement.protocol.criteria import Criteria, SumThresholds
from measurement.recist.history import History
from measurement.recist.matching import match
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
    otherwise NON-CR/NON-PD. A node is there again only when the reader calls it unequivocal: a
    few mm more make no disease of it (FAQ, abnormal lymph node).

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
    tally = _tally(observed, followed, criteria.sums)
    if not followed:
        return NO_NON_TARGETS._replace(queries=tally.queries)
    if tally.progressed:
        return _progression("unequivocal_progression", tally.progressed, observed, tally.queries)
    if tally.remaining and history.had_cr and criteria.switches.reappearance_after_cr:
        again = tuple(lesion for lesion in tally.remaining if not lesion.is_nodal)
        if again:
            return _progression("reappeared_after_cr", again, observed, tally.queries)
    response, code, facts = _remainder(tally)
    return NonTargetVerdict(response, None, Reason(code, facts, tally.record_ids), tally.queries)


class _Tally(NamedTuple):
    """The non-targets of one timepoint by what was found of them."""

    progressed: tuple[NonTargetObservation, ...]
    remaining: tuple[NonTargetObservation, ...]
    missing: tuple[str, ...]
    record_ids: tuple[str, ...]
    queries: tuple[Query, ...]


def _tally(
    observed: TimepointObservations, followed: Mapping[str, NonTargetObservation], sums: SumThresholds
) -> _Tally:
    """Sort the non-targets, each of the baseline once."""
    where = observed.timepoint_id
    lesions, _, absent, queries = match(observed.non_targets, followed, where, "non_target")
    progressed: list[NonTargetObservation] = []
    remaining: list[NonTargetObservation] = []
    missing: list[str] = []
    for lesion in lesions:
        state = lesion.state
        if state is NonTargetState.PRESENT and lesion.short_axis is None:
            remaining.append(lesion)
        elif state is NonTargetState.PROGRESSED:
            progressed.append(lesion)
        elif state is NonTargetState.NOT_EVALUABLE:
            missing.append(lesion.lesion_id)
        elif not _is_gone(lesion, sums):
            remaining.append(lesion)
        if state is not NonTargetState.PRESENT:
            queries += tuple(_contradictions(lesion, where, sums))
    record_ids = tuple([lesion.record_id for lesion in lesions if lesion.record_id])
    return _Tally(tuple(progressed), tuple(remaining), (*missing, *absent), record_ids, queries)


def _is_gone(lesion: NonTargetObservation, sums: SumThresholds) -> bool:
    """Whether a non-target no longer counts as disease: not there, or a normal node (E09 4.3.3)."""
    if lesion.short_axis is not None:
        return lesion.short_axis < sums.normal_node_below_mm
    return lesion.state is NonTargetState.ABSENT


def _progression(
    code: str,
    lesions: tuple[NonTargetObservation, ...],
    observed: TimepointObservations,
    queries: tuple[Query, ...],
) -> NonTargetVerdict:
    names = ", ".join(lesion.lesion_id for lesion in lesions)
    days = [lesion.imaged_on or observed.imaged_on for lesion in lesions]
    records = tuple(lesion.record_id for lesion in lesions if lesion.record_id)
    first_on = min((day for day in days if day is not None), default=None)
    return NonTargetVerdict(NonTargetResponse.PD, first_on, Reason(code, (names,), records), queries)


def _remainder(tally: _Tally) -> tuple[NonTargetResponse, str, tuple[str, ...]]:
    """Return the response short of progression, with the code and facts of its reason."""
    if tally.missing:
        return NonTargetResponse.NE, "non_targets_not_all_assessed", (", ".join(tally.missing),)
    if tally.remaining:
        return NonTargetResponse.NON_CR_NON_PD, "non_targets_remain", ()
    return NonTargetResponse.CR, "all_non_targets_gone", ()


def _contradictions(lesion: NonTargetObservation, where: str, sums: SumThresholds) -> Iterator[Query]:
    """Ask for the reason of a progression, and about a node that is gone and yet not normal."""
    name = lesion.lesion_id
    if lesion.state is NonTargetState.PROGRESSED and not lesion.reason:
        yield Query("progression_without_reason", where, (name,), (name, where))
    if lesion.state is NonTargetState.ABSENT and not _is_gone(lesion, sums):
        facts = (name, lesion.state.value, where, lesion.short_axis)
        yield Query("node_state_contradicted", where, (name,), facts)
