"""When a first response is to be confirmed, and by which scheduled timepoint (RECIST 1.1 section 4.6)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from imaging_service.timepoints.records import Timepoint
from measurement.protocol.criteria import ConfirmationRules

_RANKS = {"PR": 1, "CR": 2}
_ENDED_BY = frozenset({"PD"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """One reader's overall response at a timepoint."""

    slot: int
    imaged_on: date
    response: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfirmationDue:
    """A response of one reader that nothing has confirmed yet."""

    slot: int
    response: str
    responded_on: date
    earliest_on: date
    """First day on which imaging counts."""
    number: int | None
    """The scheduled timepoint that satisfies it; None when the calendar has ended."""
    closes_on: date | None
    """Last day of that timepoint's window."""


def confirmations_due(
    answers: Sequence[Answered], timepoints: Sequence[Timepoint], rules: ConfirmationRules
) -> Sequence[ConfirmationDue]:
    """Return for each reader the first response that waits for its confirmation.

    Parameters
    ----------
    answers
        Of one subject, in any order.
    timepoints
        The subject's calendar.
    rules
        The protocol's; without confirmation nothing is due.
    """
    if not rules.required:
        return ()
    slots = sorted({each.slot for each in answers})
    found = [_due([each for each in answers if each.slot == slot], timepoints, rules) for slot in slots]
    return [each for each in found if each is not None]


def _due(
    answers: Sequence[Answered], timepoints: Sequence[Timepoint], rules: ConfirmationRules
) -> ConfirmationDue | None:
    in_order = sorted(answers, key=lambda each: each.imaged_on)
    interval = timedelta(days=rules.interval_days)
    for position, first in enumerate(in_order):
        rank = _RANKS.get(first.response or "")
        if rank is None:
            continue
        later = in_order[position + 1 :]
        earliest_on = first.imaged_on + interval
        is_confirmed = any(
            each.imaged_on >= earliest_on and _RANKS.get(each.response or "", 0) >= rank for each in later
        )
        if is_confirmed or any(each.response in _ENDED_BY for each in later):
            return None
        last_read = max(each.imaged_on for each in in_order)
        target = _satisfying(timepoints, max(earliest_on, last_read + timedelta(days=1)), last_read)
        return ConfirmationDue(
            slot=first.slot,
            response=first.response or "",
            responded_on=first.imaged_on,
            earliest_on=earliest_on,
            number=None if target is None else target.number,
            closes_on=None if target is None else target.closes_on,
        )
    return None


def _satisfying(timepoints: Sequence[Timepoint], earliest_on: date, after: date) -> Timepoint | None:
    """Return the first scheduled timepoint after a day whose window, or imaging, reaches another one."""
    scheduled = sorted(
        (each for each in timepoints if each.number and each.nominal_on is not None),
        key=lambda each: each.number or 0,
    )
    for each in scheduled:
        if each.imaged_on is not None:
            reaches = each.imaged_on >= earliest_on
        else:
            reaches = each.closes_on is not None and each.closes_on >= earliest_on
        if reaches and (each.imaged_on or each.nominal_on or after) > after:
            return each
    return None
