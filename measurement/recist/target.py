"""Response of the target lesions at a timepoint (TRGRESP; E09 4.3.1, 4.3.2; FAQ)."""

from collections.abc import Callable, Iterator
from datetime import date
from decimal import Decimal
from typing import NamedTuple

from measurement.lesions.lesion import TargetObservation, TargetState
from measurement.protocol.criteria import RECIST_1_1, Criteria, SumThresholds
from measurement.recist.baseline import Baseline
from measurement.recist.history import History
from measurement.recist.matching import match
from measurement.recist.observations import TimepointObservations
from measurement.recist.queries import Query
from measurement.recist.reasons import Reason
from measurement.recist.responses import TargetResponse
from measurement.recist.sums import SumOfDiameters, is_normal_node, sum_up, value_of


class TargetVerdict(NamedTuple):
    """What the targets say at a timepoint.

    Attributes
    ----------
    response
        Their response.
    total
        Sum of diameters; `None` when there are no targets to add up.
    last_on
        Day of the last scan that contributes to the sum; it dates a PD.
    reason
        Why.
    queries
        Questions about the data.
    """

    response: TargetResponse
    total: SumOfDiameters | None
    last_on: date | None
    reason: Reason
    queries: tuple[Query, ...]


NO_TARGETS = TargetVerdict(TargetResponse.NA, None, None, Reason("no_targets"), ())


class _Tally(NamedTuple):
    """The targets of one timepoint, added up; those remaining are neither 0 mm nor normal nodes."""

    measured_mm: Decimal
    missing: tuple[str, ...]
    remaining: tuple[str, ...]
    last_on: date | None
    record_ids: tuple[str, ...]
    queries: tuple[Query, ...]


def is_progression(current: Decimal, nadir: Decimal, sums: SumThresholds = RECIST_1_1.sums) -> bool:
    """Whether a sum has grown from the nadir by both limits of PD, each inclusive.

    Parameters
    ----------
    current
        Sum in mm; of an incomplete one, the part that was measured.
    nadir
        Smallest complete sum before, in mm.
    sums
        The protocol's numbers.

    Examples
    --------
    >>> is_progression(Decimal("12.6"), Decimal("10.5"))
    False
    >>> is_progression(Decimal("30.0"), Decimal("25.0"))
    True
    """
    growth = current - nadir
    return growth >= sums.progression_absolute_mm and growth >= sums.progression_increase * nadir


def is_partial_response(current: Decimal, baseline: Decimal, sums: SumThresholds = RECIST_1_1.sums) -> bool:
    """Whether a sum has fallen from the baseline by the limit of PR, inclusive.

    Parameters
    ----------
    current
        Complete sum in mm.
    baseline
        Complete sum at baseline in mm, above 0.
    sums
        The protocol's numbers.

    Examples
    --------
    >>> is_partial_response(Decimal("9.8"), Decimal("14.0"))
    True
    """
    return baseline - current >= sums.partial_response_decrease * baseline


def response_of_sums(
    *, baseline: Decimal, nadir: Decimal, current: Decimal, sums: SumThresholds = RECIST_1_1.sums
) -> TargetResponse:
    """Compare a complete sum with baseline and nadir, and nothing else.

    CR is decided on the lesions, not on the sum (a node of 8 mm leaves a sum above zero), and
    the switches need the timepoints between; `assess_targets` knows both.

    Parameters
    ----------
    baseline
        Complete sum at baseline in mm, above 0.
    nadir
        Smallest complete sum before, baseline included, in mm.
    current
        Complete sum in mm.
    sums
        The protocol's numbers.

    Returns
    -------
    TargetResponse
        ``PD`` before ``PR``: growth from the nadir outweighs shrinkage from baseline.
    """
    if is_progression(current, nadir, sums):
        return TargetResponse.PD
    return TargetResponse.PR if is_partial_response(current, baseline, sums) else TargetResponse.SD


def assess_targets(observed: TimepointObservations, history: History, criteria: Criteria) -> TargetVerdict:
    """Derive the target response of a timepoint.

    Parameters
    ----------
    observed
        What was seen.
    history
        What earlier timepoints proved; with a baseline.
    criteria
        The trial's criteria.

    Returns
    -------
    TargetVerdict
        A target without an observation is not evaluable, and a query.
    """
    baseline = history.baseline
    if not baseline or not baseline.targets:
        return _without_targets(observed)
    tally = _tally(observed, baseline, criteria.sums)
    response, code, facts = _respond(tally, baseline.sum_mm, history, criteria)
    queries = tally.queries
    if code == "reappeared_after_cr" and _is_doubtful(tally, history, criteria.sums):
        names = tally.remaining
        facts_asked = (", ".join(names), observed.timepoint_id)
        queries = (*queries, Query("reappeared_after_cr", observed.timepoint_id, names, facts_asked))
    total = sum_up(tally.measured_mm, tally.missing)
    return TargetVerdict(response, total, tally.last_on, Reason(code, facts, tally.record_ids), queries)


_Answer = tuple[TargetResponse, str, tuple[object, ...]]
"""A response, the code of its reason, and the facts of that reason."""


def _complete_response(
    tally: _Tally, baseline_mm: Decimal | None, _: History, criteria: Criteria
) -> _Answer | None:
    if tally.remaining or tally.missing or baseline_mm is None:
        return None
    return TargetResponse.CR, "all_targets_gone", (criteria.sums.normal_node_below_mm,)


def _reappearance(tally: _Tally, _: Decimal | None, history: History, criteria: Criteria) -> _Answer | None:
    if not (history.had_cr and tally.remaining and criteria.switches.reappearance_after_cr):
        return None
    return TargetResponse.PD, "reappeared_after_cr", (", ".join(tally.remaining),)


def _progression(tally: _Tally, _: Decimal | None, history: History, criteria: Criteria) -> _Answer | None:
    nadir, sums = history.nadir_mm, criteria.sums
    if nadir is None or (tally.missing and not criteria.switches.partial_sum_pd):
        return None
    if not is_progression(tally.measured_mm, nadir, sums):
        return None
    code = "partial_sum_progressed" if tally.missing else "sum_progressed"
    facts = (tally.measured_mm, sums.progression_increase, sums.progression_absolute_mm, nadir)
    return TargetResponse.PD, code, facts


def _not_evaluable(tally: _Tally, baseline_mm: Decimal | None, _: History, __: Criteria) -> _Answer | None:
    if tally.missing:
        return TargetResponse.NE, "targets_not_all_assessed", (", ".join(tally.missing),)
    return (TargetResponse.NE, "baseline_sum_unknown", ()) if baseline_mm is None else None


def _partial_response(
    tally: _Tally, baseline_mm: Decimal | None, _: History, criteria: Criteria
) -> _Answer | None:
    current, sums = tally.measured_mm, criteria.sums
    if baseline_mm is None or not is_partial_response(current, baseline_mm, sums):
        return None
    return TargetResponse.PR, "sum_decreased", (current, sums.partial_response_decrease, baseline_mm)


def _held_response(tally: _Tally, _: Decimal | None, history: History, criteria: Criteria) -> _Answer | None:
    if not (history.holds_response and criteria.switches.pr_hold):
        return None
    return TargetResponse.PR, "response_held", (tally.measured_mm,)


def _stable_disease(tally: _Tally, baseline_mm: Decimal | None, history: History, _: Criteria) -> _Answer:
    return TargetResponse.SD, "neither_pr_nor_pd", (tally.measured_mm, baseline_mm, history.nadir_mm)


PRECEDENCE: tuple[Callable[[_Tally, Decimal | None, History, Criteria], _Answer | None], ...] = (
    _complete_response,
    _reappearance,
    _progression,
    _not_evaluable,
    _partial_response,
    _held_response,
)
"""The rules of target response; the first that answers wins, and SD is what remains (E09 4.3.1)."""


def _respond(tally: _Tally, baseline_mm: Decimal | None, history: History, criteria: Criteria) -> _Answer:
    for rule in PRECEDENCE:
        if answer := rule(tally, baseline_mm, history, criteria):
            return answer
    return _stable_disease(tally, baseline_mm, history, criteria)


def _is_doubtful(tally: _Tally, history: History, sums: SumThresholds) -> bool:
    """Whether only the reappearance makes this PD, so that the CR itself may be doubted."""
    if history.has_progressed or history.nadir_mm is None:
        return False
    return not is_progression(tally.measured_mm, history.nadir_mm, sums)


def _tally(observed: TimepointObservations, baseline: Baseline, sums: SumThresholds) -> _Tally:
    """Add up the targets, each of the baseline once."""
    where, day = observed.timepoint_id, observed.imaged_on
    targets, at_baseline, absent, queries = match(observed.targets, baseline.targets, where, "target")
    measured, last_on = Decimal(0), None
    missing: list[str] = []
    remaining: list[str] = []
    for target, before in zip(targets, at_baseline, strict=True):
        if target.method is not before.method or target.is_nodal is not before.is_nodal:
            queries += tuple(_changes(target, before, where))
        value = target.diameter
        if value is None:
            value = value_of(target, sums)
            if value is None:
                missing.append(target.lesion_id)
                continue
            if target.state is TargetState.MERGED:
                queries += tuple(_merger_queries(target, observed))
        measured += value
        if value and not (before.is_nodal and is_normal_node(target, value, sums)):
            remaining.append(target.lesion_id)
        imaged_on = target.imaged_on or day
        if imaged_on is not last_on and (last_on is None or (imaged_on is not None and imaged_on > last_on)):
            last_on = imaged_on
    record_ids = tuple([target.record_id for target in targets if target.record_id])
    return _Tally(measured, (*missing, *absent), tuple(remaining), last_on, record_ids, queries)


def _changes(target: TargetObservation, at_baseline: TargetObservation, where: str) -> Iterator[Query]:
    """Ask about a lesion that is not what it was, or not measured as it was (E09 3.2.2)."""
    name = target.lesion_id
    if target.is_nodal is not at_baseline.is_nodal:
        facts = (name, _kind(at_baseline), _kind(target), where)
        yield Query("nodal_changed", where, (name,), facts)
    if target.method and at_baseline.method and target.method is not at_baseline.method:
        facts = (name, at_baseline.method.value, target.method.value, where)
        yield Query("method_changed", where, (name,), facts)


def _kind(target: TargetObservation) -> str:
    return "a lymph node" if target.is_nodal else "no lymph node"


def _merger_queries(target: TargetObservation, observed: TimepointObservations) -> Iterator[Query]:
    """Ask when no other target carries the diameter of the mass."""
    carriers = {
        other.lesion_id
        for other in observed.targets
        if other.state not in {TargetState.MERGED, TargetState.ABSENT}
    }
    if target.merged_into not in carriers:
        where, name = observed.timepoint_id, target.lesion_id
        yield Query("merged_into_unknown", where, (name,), (name, target.merged_into, where))


def _without_targets(observed: TimepointObservations) -> TargetVerdict:
    """Answer that target response does not apply, and ask about targets observed all the same."""
    if not observed.targets:
        return NO_TARGETS
    _, _, _, queries = match(observed.targets, {}, observed.timepoint_id, "target")
    return NO_TARGETS._replace(queries=tuple(queries))
