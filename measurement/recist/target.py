"""Response of the target lesions at a timepoint (TRGRESP; E09 4.3.1, 4.3.2; FAQ)."""

from collections.abc import Callable, Iterator
from datetime import date
from decimal import Decimal
from typing import NamedTuple

from measurement.lesions.lesion import TargetObservation, TargetState
from measurement.protocol.criteria import RECIST_1_1, Criteria, SumThresholds
from measurement.recist.baseline import Baseline
from measurement.recist.history import History
from measurement.recist.observations import TimepointObservations
from measurement.recist.queries import Query
from measurement.recist.reasons import Reason
from measurement.recist.responses import TargetResponse
from measurement.recist.sums import SumOfDiameters, is_normal_node, sum_up, value_of
from measurement.units import ReportedMillimetres


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
    response, code, facts = _respond(_Situation(tally, baseline.sum_mm, history, criteria))
    queries = tally.queries
    if code == "reappeared_after_cr" and _is_doubtful(tally, history, criteria.sums):
        names = tally.remaining
        facts_asked = (", ".join(names), observed.timepoint_id)
        queries = (*queries, Query("reappeared_after_cr", observed.timepoint_id, names, facts_asked))
    total = sum_up(tally.measured_mm, tally.missing)
    return TargetVerdict(response, total, tally.last_on, Reason(code, facts, tally.record_ids), queries)


class _Situation(NamedTuple):
    """What the rules of target response look at."""

    tally: _Tally
    baseline_mm: ReportedMillimetres | None
    history: History
    criteria: Criteria


_Answer = tuple[TargetResponse, str, tuple[object, ...]]
"""A response, the code of its reason, and the facts of that reason."""


def _complete_response(now: _Situation) -> _Answer | None:
    if now.tally.remaining or now.tally.missing or now.baseline_mm is None:
        return None
    return TargetResponse.CR, "all_targets_gone", (now.criteria.sums.normal_node_below_mm,)


def _reappearance(now: _Situation) -> _Answer | None:
    remaining = now.tally.remaining
    if not (remaining and now.history.had_target_cr and now.criteria.switches.reappearance_after_cr):
        return None
    return TargetResponse.PD, "reappeared_after_cr", (", ".join(remaining),)


def _progression(now: _Situation) -> _Answer | None:
    tally, nadir, sums = now.tally, now.history.nadir_mm, now.criteria.sums
    if nadir is None or (tally.missing and not now.criteria.switches.partial_sum_pd):
        return None
    if not is_progression(tally.measured_mm, nadir, sums):
        return None
    code = "partial_sum_progressed" if tally.missing else "sum_progressed"
    facts = (tally.measured_mm, sums.progression_increase, sums.progression_absolute_mm, nadir)
    return TargetResponse.PD, code, facts


def _not_evaluable(now: _Situation) -> _Answer | None:
    if now.tally.missing:
        return TargetResponse.NE, "targets_not_all_assessed", (", ".join(now.tally.missing),)
    return (TargetResponse.NE, "baseline_sum_unknown", ()) if now.baseline_mm is None else None


def _partial_response(now: _Situation) -> _Answer | None:
    current, start, sums = now.tally.measured_mm, now.baseline_mm, now.criteria.sums
    if start is None or not is_partial_response(current, start, sums):
        return None
    return TargetResponse.PR, "sum_decreased", (current, sums.partial_response_decrease, start)


def _held_response(now: _Situation) -> _Answer | None:
    if not (now.history.holds_response and now.criteria.switches.pr_hold):
        return None
    return TargetResponse.PR, "response_held", (now.tally.measured_mm,)


def _stable_disease(now: _Situation) -> _Answer:
    facts = (now.tally.measured_mm, now.baseline_mm, now.history.nadir_mm)
    return TargetResponse.SD, "neither_pr_nor_pd", facts


PRECEDENCE: tuple[Callable[[_Situation], _Answer | None], ...] = (
    _complete_response,
    _reappearance,
    _progression,
    _not_evaluable,
    _partial_response,
    _held_response,
)
"""The rules of target response; the first that answers wins, and SD is what remains (E09 4.3.1)."""


def _respond(now: _Situation) -> _Answer:
    for rule in PRECEDENCE:
        answer = rule(now)
        if answer is not None:
            return answer
    return _stable_disease(now)


def _is_doubtful(tally: _Tally, history: History, sums: SumThresholds) -> bool:
    """Whether only the reappearance makes this PD, so that the CR itself may be doubted."""
    if history.has_progressed or history.nadir_mm is None:
        return False
    return not is_progression(tally.measured_mm, history.nadir_mm, sums)


def _tally(observed: TimepointObservations, baseline: Baseline, sums: SumThresholds) -> _Tally:
    """Add up the targets, each of the baseline once, in the order they were observed."""
    followed, where, day = baseline.targets, observed.timepoint_id, observed.imaged_on
    measured, last_on = Decimal(0), None
    assessed: set[str] = set()
    missing: list[str] = []
    remaining: list[str] = []
    records: list[str] = []
    queries: list[Query] = []
    for target in observed.targets:
        name = target.lesion_id
        at_baseline = followed.get(name)
        if at_baseline is None or name in assessed:
            queries.append(_misplaced(name, where, is_known=at_baseline is not None))
            continue
        assessed.add(name)
        records.append(target.record_id)
        if target.method is not at_baseline.method or target.is_nodal is not at_baseline.is_nodal:
            queries.extend(_changes(target, at_baseline, where))
        value = value_of(target, sums)
        if value is None:
            missing.append(name)
            continue
        measured += value
        if value and not (at_baseline.is_nodal and is_normal_node(target, value, sums)):
            remaining.append(name)
        imaged_on = target.imaged_on or day
        if last_on is None or (imaged_on is not None and imaged_on > last_on):
            last_on = imaged_on
        if target.state is TargetState.MERGED:
            queries.extend(_merger_queries(target, observed))
    if len(assessed) != len(followed):
        absent = [name for name in followed if name not in assessed]
        missing.extend(absent)
        queries.extend(Query("target_not_assessed", where, (name,), (name, where)) for name in absent)
    record_ids = tuple(filter(None, records))
    return _Tally(measured, tuple(missing), tuple(remaining), last_on, record_ids, tuple(queries))


def _misplaced(name: str, where: str, *, is_known: bool) -> Query:
    return Query("lesion_repeated" if is_known else "unknown_target", where, (name,), (name, where))


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
    where = observed.timepoint_id
    queries = tuple(_misplaced(target.lesion_id, where, is_known=False) for target in observed.targets)
    return NO_TARGETS._replace(queries=queries)
