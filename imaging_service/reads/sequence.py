"""The order in which a reader meets the timepoints of a subject.

Timepoint n + 1 stays closed to a reader until that reader has signed timepoint n, so that
no later image can colour an earlier answer. A timepoint whose images quality control has not
accepted yet keeps its turn and is closed until they are; one whose images were rejected has none.
Where the protocol lets a reader see all timepoints at once, every accepted one is open; they are signed
in the same order, as each follows the lesions of the earlier ones.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from measurement.protocol.trial import ReadOrder


@dataclass(frozen=True, slots=True, kw_only=True)
class Occasion:
    """One timepoint with images, as one reader meets it."""

    timepoint_id: str
    imaged_on: date
    is_baseline: bool
    is_signed: bool
    """By the reader in question, in any revision."""
    is_ready: bool = True
    """Whether quality control has accepted its images, or the reader had begun before it was asked again."""


def in_reading_order(occasions: Sequence[Occasion]) -> Sequence[Occasion]:
    """Return the occasions as they are read: the baseline, then by the day of imaging."""
    return sorted(occasions, key=lambda each: (not each.is_baseline, each.imaged_on, each.timepoint_id))


def open_to_reader(
    occasions: Sequence[Occasion], order: ReadOrder = ReadOrder.SEQUENTIAL
) -> Sequence[Occasion]:
    """Return what the reader may see: everything signed, and the first that is not, once it is ready.

    Without a baseline there is nothing to follow, and nothing unsigned is open.
    An occasion whose images arrived late, between two that are signed, is the first
    unsigned one and closes what is still unread behind it; signed reads stay readable.

    Examples
    --------
    >>> day = date(2026, 1, 1)
    >>> baseline = Occasion(timepoint_id="a", imaged_on=day, is_baseline=True, is_signed=False)
    >>> later = Occasion(timepoint_id="b", imaged_on=day, is_baseline=False, is_signed=False)
    >>> [each.timepoint_id for each in open_to_reader([later, baseline])]
    ['a']
    """
    ordered = in_reading_order(occasions)
    signed = [each for each in ordered if each.is_signed]
    unsigned = [each for each in ordered if not each.is_signed]
    has_baseline = any(each.is_baseline for each in ordered)
    in_turn = unsigned if order is ReadOrder.ALL_AT_ONCE else unsigned[:1]
    return [*signed, *(each for each in in_turn if each.is_ready and has_baseline)]


def next_to_read(occasions: Sequence[Occasion]) -> Occasion | None:
    """Return the first occasion the reader has not signed, or None after the last."""
    return next((each for each in in_reading_order(occasions) if not each.is_signed), None)
