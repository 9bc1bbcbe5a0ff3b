"""The timepoints of a subject in order of time, baseline first."""

from collections.abc import Iterator, Sequence
from datetime import date
from itertools import pairwise
from typing import NamedTuple

from measurement.errors import TimepointSequenceError
from measurement.recist.observations import BASELINE, TimepointObservations
from measurement.recist.queries import Query


class OrderedTimepoints(NamedTuple):
    """What came in, in order.

    Attributes
    ----------
    baseline
        The baseline timepoint; `None` when there is none, or none was done.
    follow_ups
        All other timepoints by day of imaging.
    queries
        Questions about order and numbers.
    """

    baseline: TimepointObservations | None
    follow_ups: tuple[TimepointObservations, ...]
    queries: tuple[Query, ...]


def in_order(timepoints: Sequence[TimepointObservations]) -> OrderedTimepoints:
    """Put the timepoints of one subject in order.

    Of several timepoints numbered 0 the last one imaged is the baseline, being nearest to the
    start (E09 3.2.1), and the others are left out; one that was not done is no baseline, as it
    shows neither disease nor its absence. A timepoint that was never imaged keeps its place among
    its neighbours.

    Parameters
    ----------
    timepoints
        In any order.

    Returns
    -------
    OrderedTimepoints
        What contradicts itself is a query; nothing else is left out.

    Raises
    ------
    TimepointSequenceError
        If two timepoints have the same identifier.
    """
    _refuse_repeated_identifiers(timepoints)
    baselines = [timepoint for timepoint in timepoints if timepoint.number == BASELINE]
    follow_ups = [timepoint for timepoint in timepoints if timepoint.number != BASELINE]
    done = [timepoint for timepoint in baselines if not timepoint.not_done]
    baseline = max(done, key=_imaged_or_never, default=None)
    ordered = tuple(_by_day(follow_ups))
    return OrderedTimepoints(baseline, ordered, tuple(_queries(baseline, done or baselines, ordered)))


def _refuse_repeated_identifiers(timepoints: Sequence[TimepointObservations]) -> None:
    if len({timepoint.timepoint_id for timepoint in timepoints}) == len(timepoints):
        return
    names = [timepoint.timepoint_id for timepoint in timepoints]
    repeated = sorted({name for name in names if names.count(name) > 1})
    message = f"Each timepoint of a subject needs an identifier of its own; repeated: {', '.join(repeated)}."
    raise TimepointSequenceError(message)


def _imaged_or_never(timepoint: TimepointObservations) -> date:
    return timepoint.imaged_on or date.min


def _by_day(timepoints: Sequence[TimepointObservations]) -> list[TimepointObservations]:
    """Sort by day; one without a day follows the dated one of the next lower number."""
    days = [timepoint.imaged_on for timepoint in timepoints]
    if None not in days:
        return sorted(timepoints, key=_imaged_or_never)
    dated = [timepoint for timepoint in timepoints if timepoint.imaged_on is not None]

    def key(timepoint: TimepointObservations) -> tuple[date, int, int]:
        if timepoint.imaged_on is not None:
            return timepoint.imaged_on, 0, 0
        number = timepoint.number
        earlier = [
            other.imaged_on
            for other in dated
            if number is not None and other.number is not None and other.number < number
            if other.imaged_on is not None
        ]
        return max(earlier, default=date.min), 1, number or 0

    return sorted(timepoints, key=key)


def _queries(
    baseline: TimepointObservations | None,
    baselines: Sequence[TimepointObservations],
    ordered: Sequence[TimepointObservations],
) -> Iterator[Query]:
    if baseline is None:
        yield from _missing_baseline(baselines)
    else:
        yield from _baseline_queries(baseline, baselines, ordered)
    dated = [timepoint for timepoint in (baseline, *ordered) if timepoint and timepoint.imaged_on]
    for before, after in pairwise(dated):
        if before.imaged_on == after.imaged_on:
            facts: tuple[object, ...] = (before.timepoint_id, after.timepoint_id, after.imaged_on)
            yield Query("day_repeated", after.timepoint_id, (), facts)
    numbered = [(each.number, each) for each in ordered if each.number is not None]
    for (number, before), (next_number, after) in pairwise(numbered):
        if number == next_number:
            facts = (before.timepoint_id, after.timepoint_id, number)
            yield Query("number_repeated", after.timepoint_id, (), facts)
        elif number > next_number:
            names = (before.timepoint_id, after.timepoint_id)
            yield Query("out_of_order", before.timepoint_id, (), names)


def _missing_baseline(not_done: Sequence[TimepointObservations]) -> Iterator[Query]:
    if not not_done:
        yield Query("baseline_missing")
    for timepoint in not_done:
        yield Query("baseline_not_done", timepoint.timepoint_id, (), (timepoint.timepoint_id,))


def _baseline_queries(
    baseline: TimepointObservations,
    baselines: Sequence[TimepointObservations],
    ordered: Sequence[TimepointObservations],
) -> Iterator[Query]:
    if len(baselines) > 1:
        names = ", ".join(timepoint.timepoint_id for timepoint in baselines)
        yield Query("baseline_repeated", baseline.timepoint_id, (), (names, baseline.timepoint_id))
    for timepoint in ordered:
        if timepoint.imaged_on and baseline.imaged_on and timepoint.imaged_on < baseline.imaged_on:
            facts = (timepoint.timepoint_id, timepoint.imaged_on, baseline.imaged_on)
            yield Query("imaged_before_baseline", timepoint.timepoint_id, (), facts)
