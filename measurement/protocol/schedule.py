"""When a subject's timepoints are expected, and where a study that came in belongs."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from measurement.protocol.criteria import require


class Anchor(StrEnum):
    """Day from which a subject's calendar and durations are counted."""

    FIRST_DOSE = "first_dose"
    RANDOMISATION = "randomisation"
    ENROLMENT = "enrolment"
    CONSENT = "consent"
    BASELINE_IMAGING = "baseline_imaging"


class PlacementKind(StrEnum):
    """How a day of imaging relates to the calendar."""

    BASELINE = "baseline"
    IN_WINDOW = "in_window"
    EARLY = "early"
    LATE = "late"
    BETWEEN_WINDOWS = "between_windows"
    BEFORE_BASELINE = "before_baseline"
    AFTER_LAST = "after_last"


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpectedTimepoint:
    """A timepoint of the calendar.

    Attributes
    ----------
    number
        1, 2, … after baseline.
    nominal_on
        The day it should be imaged.
    opens_on, closes_on
        First and last day of its window, both inside.
    """

    number: int
    nominal_on: date
    opens_on: date
    closes_on: date

    def is_due(self, as_of: date) -> bool:
        """Whether the window has opened by `as_of`."""
        return as_of >= self.opens_on

    def is_overdue(self, as_of: date) -> bool:
        """Whether the window has closed before `as_of`."""
        return as_of > self.closes_on


@dataclass(frozen=True, slots=True, kw_only=True)
class Placement:
    """Where a day of imaging belongs.

    Attributes
    ----------
    kind
        Its relation to the calendar.
    number
        The timepoint it belongs to or lies nearest to, 0 for baseline; `None` when there is none.
    reason
        A sentence with the days that decided.
    """

    kind: PlacementKind
    number: int | None
    reason: str

    @property
    def is_certain(self) -> bool:
        """Whether nobody needs to look at it."""
        return self.kind in {PlacementKind.BASELINE, PlacementKind.IN_WINDOW}


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfirmationDue:
    """When a first response may be confirmed.

    Attributes
    ----------
    earliest_on
        First day that counts.
    timepoint
        The scheduled timepoint that satisfies it; `None` when the calendar has ended.
    """

    earliest_on: date
    timepoint: ExpectedTimepoint | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """The imaging calendar of a trial. Days are counted from the anchor, which is day 0.

    Attributes
    ----------
    anchor
        Day from which everything is counted.
    cycle_days
        Length of a treatment cycle in days.
    cycles_per_timepoint
        Cycles from one timepoint to the next.
    last_timepoint
        Number of the last scheduled timepoint.
    window_before_days, window_after_days
        How many days before and after the nominal day a timepoint may be imaged.
    tolerance_days
        How many days outside its window imaging is still called early or late for that timepoint.
    baseline_days
        Most days from baseline imaging to the anchor (E09 3.2.1).
    horizon_days
        Days from the anchor after which nothing counts; two years, a leap day included.
    calendar_fixed
        Whether a delayed treatment cycle leaves the later timepoints where they were.
    """

    anchor: Anchor = Anchor.FIRST_DOSE
    cycle_days: int = 21
    cycles_per_timepoint: int = 2
    last_timepoint: int = 17
    window_before_days: int = 7
    window_after_days: int = 7
    tolerance_days: int = 7
    baseline_days: int = 28
    horizon_days: int = 731
    calendar_fixed: bool = True

    def __post_init__(self) -> None:
        """Refuse a calendar whose windows overlap or that has no days."""
        for name in ("cycle_days", "cycles_per_timepoint", "last_timepoint", "horizon_days"):
            require(getattr(self, name) >= 1, name, getattr(self, name), "at least 1")
        for name in ("window_before_days", "window_after_days", "tolerance_days", "baseline_days"):
            require(getattr(self, name) >= 0, name, getattr(self, name), "at least 0")
        width = self.window_before_days + self.window_after_days
        require(
            width < self.interval_days,
            "window_before_days + window_after_days",
            width,
            f"less than the {self.interval_days} days between two timepoints",
        )

    @property
    def interval_days(self) -> int:
        """Days from one timepoint to the next."""
        return self.cycle_days * self.cycles_per_timepoint

    def expected(self, anchor_on: date, cycle_starts: Sequence[date] = ()) -> tuple[ExpectedTimepoint, ...]:
        """Return the calendar of one subject, in order.

        Parameters
        ----------
        anchor_on
            The subject's anchor day.
        cycle_starts
            Days on which treatment cycles 1, 2, … really began, as far as known. They move the
            later timepoints only when the calendar is not fixed.

        Returns
        -------
        tuple of ExpectedTimepoint
            Timepoints 1 to `last_timepoint`.
        """
        return tuple(
            self._expected(number, anchor_on, cycle_starts) for number in range(1, self.last_timepoint + 1)
        )

    def _expected(self, number: int, anchor_on: date, cycle_starts: Sequence[date]) -> ExpectedTimepoint:
        cycles = number * self.cycles_per_timepoint
        started_on, remaining = anchor_on, cycles
        if cycle_starts and not self.calendar_fixed:
            known = min(len(cycle_starts), cycles)
            started_on, remaining = cycle_starts[known - 1], cycles - known + 1
        nominal_on = started_on + timedelta(days=remaining * self.cycle_days)
        return ExpectedTimepoint(
            number=number,
            nominal_on=nominal_on,
            opens_on=nominal_on - timedelta(days=self.window_before_days),
            closes_on=nominal_on + timedelta(days=self.window_after_days),
        )

    def place(self, imaged_on: date, anchor_on: date, cycle_starts: Sequence[date] = ()) -> Placement:
        """Say which timepoint a day of imaging belongs to, and why.

        Parameters
        ----------
        imaged_on
            Day of the imaging.
        anchor_on
            The subject's anchor day.
        cycle_starts
            As for `expected`.

        Returns
        -------
        Placement
            Imaging on the anchor day itself is baseline. Outside all windows the number is that
            of the nearest nominal day, the earlier one of two equally near.
        """
        if imaged_on <= anchor_on:
            return self._place_before_start(imaged_on, anchor_on)
        calendar = self.expected(anchor_on, cycle_starts)
        nearest = min(calendar, key=lambda timepoint: abs((imaged_on - timepoint.nominal_on).days))
        day = (imaged_on - anchor_on).days
        number: int | None
        if nearest.opens_on <= imaged_on <= nearest.closes_on:
            kind, number, detail = PlacementKind.IN_WINDOW, nearest.number, "inside its window"
        elif imaged_on < nearest.opens_on:
            missed = (nearest.opens_on - imaged_on).days
            is_close = missed <= self.tolerance_days
            kind = PlacementKind.EARLY if is_close else PlacementKind.BETWEEN_WINDOWS
            number, detail = nearest.number, f"{missed} days before its window"
        else:
            missed = (imaged_on - nearest.closes_on).days
            is_last = nearest.number == self.last_timepoint
            outside = PlacementKind.AFTER_LAST if is_last else PlacementKind.BETWEEN_WINDOWS
            kind = PlacementKind.LATE if missed <= self.tolerance_days else outside
            number = None if kind is PlacementKind.AFTER_LAST else nearest.number
            detail = f"{missed} days after its window"
        nominal = (nearest.nominal_on - anchor_on).days
        reason = f"Imaged on day {day}; timepoint {nearest.number} is nominal on day {nominal}: {detail}."
        return Placement(kind=kind, number=number, reason=reason)

    def _place_before_start(self, imaged_on: date, anchor_on: date) -> Placement:
        before = (anchor_on - imaged_on).days
        reason = f"Imaged {before} days before the start; baseline allows {self.baseline_days}."
        if before <= self.baseline_days:
            return Placement(kind=PlacementKind.BASELINE, number=0, reason=reason)
        return Placement(kind=PlacementKind.BEFORE_BASELINE, number=None, reason=reason)

    def confirmation_due(
        self, responded_on: date, anchor_on: date, interval_days: int, cycle_starts: Sequence[date] = ()
    ) -> ConfirmationDue:
        """Say when a response may be confirmed, and by which scheduled timepoint.

        Parameters
        ----------
        responded_on
            Day of the first CR or PR.
        anchor_on
            The subject's anchor day.
        interval_days
            Fewest days from a response to its confirmation.
        cycle_starts
            As for `expected`.

        Returns
        -------
        ConfirmationDue
            With the first timepoint after the response whose window reaches the earliest day.
        """
        earliest_on = responded_on + timedelta(days=interval_days)
        later = (
            timepoint
            for timepoint in self.expected(anchor_on, cycle_starts)
            if timepoint.nominal_on > responded_on and timepoint.closes_on >= earliest_on
        )
        return ConfirmationDue(earliest_on=earliest_on, timepoint=next(later, None))
