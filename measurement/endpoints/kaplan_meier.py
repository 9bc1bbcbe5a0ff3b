"""The product-limit estimate of a survival function, with its quantiles and their intervals.

Kaplan and Meier, J Am Stat Assoc 1958;53:457-481; variance by Greenwood; quantile intervals by Brookmeyer
and Crowley, Biometrics 1982;38:29-41. Where the curve is flat at exactly the wanted height, the quantile is
the midpoint of the flat part, as R's ``quantile`` of a ``survfit`` and SAS's LIFETEST give it. A curve that
stays flat until the last time gives the midpoint up to that time, as R's ``quantile`` does (R's ``print``
gives the first time). An upper limit on the log scale may rise again after it has fallen; the first fall
counts, as the interval holds the times that the test does not reject (R then may give a later time).
"""

import math
from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import NormalDist
from types import MappingProxyType
from typing import NamedTuple

from measurement.errors import MeasurementError
from measurement.protocol.trial import IntervalTransform

_SAME_HEIGHT = 1e-8  # below any step that a cohort can make, above the rounding of a product of floats


class NoObservationsError(MeasurementError):
    """A curve is asked of nobody."""

    def __init__(self) -> None:
        """Say what was wanted."""
        super().__init__("A survival curve needs at least one subject; 0 were given.")


class NegativeTimeError(MeasurementError):
    """A time lies before the start or is not a number."""

    def __init__(self, time: float) -> None:
        """Name the time."""
        super().__init__(f"A survival time must be a finite number of at least 0; found {time}.")


class Observation(NamedTuple):
    """One subject's time and whether it ended in the event (``False``: censored)."""

    time: float
    is_event: bool


class Limits(NamedTuple):
    """A two-sided interval; ``None`` where it is not defined or never reached."""

    lower: float | None
    upper: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """The curve from one distinct time until the next."""

    time: float
    at_risk: int  # subjects whose time is this one or later
    events: int
    censored: int
    survival: float
    standard_error: float | None  # of the survival, by Greenwood; None once it is 0
    limits: Limits


@dataclass(frozen=True, slots=True, kw_only=True)
class Quantile:
    """The time by which a share of the subjects has had the event."""

    probability: float
    time: float | None
    limits: Limits


@dataclass(frozen=True, slots=True, kw_only=True)
class SurvivalCurve:
    """A product-limit estimate; `steps` are ordered by time, one a distinct time."""

    steps: tuple[Step, ...]
    level: float
    transform: IntervalTransform

    @property
    def subjects(self) -> int:
        """Count the subjects at the start."""
        return self.steps[0].at_risk

    @property
    def events(self) -> int:
        """Count the events."""
        return sum(step.events for step in self.steps)

    @property
    def median(self) -> Quantile:
        """Return the median time with its interval."""
        return self.quantile(0.5)

    @property
    def quartiles(self) -> tuple[Quantile, Quantile, Quantile]:
        """Return the times by which a quarter, half and three quarters had the event."""
        return self.quantile(0.25), self.quantile(0.5), self.quantile(0.75)

    def quantile(self, probability: float) -> Quantile:
        """Return the time at which the curve falls to ``1 - probability``, with its interval.

        Parameters
        ----------
        probability
            Share of subjects that has had the event, strictly between 0 and 1.

        Returns
        -------
        Quantile
            Its limits are where the curve's lower and upper limits fall to the same height (Brookmeyer and
            Crowley); ``None`` where a curve does not fall so far.
        """
        height = 1 - probability
        times = [step.time for step in self.steps]
        return Quantile(
            probability=probability,
            time=_falls_to(height, times, [step.survival for step in self.steps]),
            limits=Limits(
                _falls_to(height, times, [step.limits.lower for step in self.steps]),
                _falls_to(height, times, [step.limits.upper for step in self.steps]),
            ),
        )

    def at(self, time: float) -> Step | None:
        """Return the step that holds at `time` (a landmark), or ``None`` beyond the last observed time.

        Before the first time the curve stands at 1, with everybody at risk.
        """
        index = bisect_right(self.steps, time, key=lambda step: step.time)
        if index == 0:
            return Step(
                time=time, at_risk=self.subjects, events=0, censored=0,
                survival=1.0, standard_error=0.0, limits=Limits(1.0, 1.0),
            )  # fmt: skip
        if index == len(self.steps) and time > self.steps[-1].time and self.steps[-1].survival > 0:
            return None
        return self.steps[index - 1]

    def at_risk(self, times: Iterable[float]) -> tuple[int, ...]:
        """Return how many subjects are still observed at each of `times`: theirs is that time or later."""
        observed = [step.time for step in self.steps]
        counts = [step.at_risk for step in self.steps] + [0]
        return tuple(counts[bisect_left(observed, time)] for time in times)


def kaplan_meier(
    observations: Sequence[Observation],
    *,
    level: float = 0.95,
    transform: IntervalTransform = IntervalTransform.LOG_LOG,
) -> SurvivalCurve:
    """Estimate the survival curve of a cohort.

    Parameters
    ----------
    observations
        One a subject, in any order. Of equal times, events come before censorings: who is censored at a
        time was still at risk at it.
    level
        Two-sided confidence level.
    transform
        Scale on which the interval is symmetric.

    Raises
    ------
    NoObservationsError
        When there is none.
    NegativeTimeError
        When a time is negative, infinite or not a number.

    Examples
    --------
    >>> curve = kaplan_meier([Observation(6, True), Observation(10, True), Observation(13, False)])
    >>> [round(step.survival, 4) for step in curve.steps]
    [0.6667, 0.3333, 0.3333]
    >>> curve.median.time
    10
    """
    if not observations:
        raise NoObservationsError
    for observation in observations:
        if not (math.isfinite(observation.time) and observation.time >= 0):
            raise NegativeTimeError(observation.time)
    events = Counter(time for time, is_event in observations if is_event)
    ends = Counter(time for time, _ in observations)
    interval = _INTERVALS[transform]
    z = NormalDist().inv_cdf((1 + level) / 2)
    steps: list[Step] = []
    at_risk, survival, greenwood = len(observations), 1.0, 0.0
    for time in sorted(ends):
        died = events[time]
        survival *= (at_risk - died) / at_risk
        greenwood = greenwood + died / (at_risk * (at_risk - died)) if died < at_risk else math.inf
        ended = survival == 0.0
        steps.append(
            Step(
                time=time,
                at_risk=at_risk,
                events=died,
                censored=ends[time] - died,
                survival=survival,
                standard_error=None if ended else survival * math.sqrt(greenwood),
                limits=Limits(None, None) if ended else interval(survival, z * math.sqrt(greenwood)),
            )
        )
        at_risk -= ends[time]
    return SurvivalCurve(steps=tuple(steps), level=level, transform=transform)


def _log_log(survival: float, margin: float) -> Limits:
    if survival == 1.0:
        return Limits(None, None)  # the scale has no point for certainty
    hazard = math.log(-math.log(survival))
    width = margin / -math.log(survival)
    return Limits(math.exp(-math.exp(hazard + width)), math.exp(-math.exp(hazard - width)))


def _log(survival: float, margin: float) -> Limits:
    return Limits(survival * math.exp(-margin), min(1.0, survival * math.exp(margin)))


def _plain(survival: float, margin: float) -> Limits:
    return Limits(max(0.0, survival * (1 - margin)), min(1.0, survival * (1 + margin)))


# `margin` is z times the standard error of the cumulative hazard (Klein and Moeschberger, section 4.3).
_INTERVALS: Mapping[IntervalTransform, Callable[[float, float], Limits]] = MappingProxyType(
    {IntervalTransform.LOG_LOG: _log_log, IntervalTransform.LOG: _log, IntervalTransform.PLAIN: _plain}
)


def _falls_to(height: float, times: Sequence[float], values: Sequence[float | None]) -> float | None:
    """Return the first time at which `values` falls to `height`, or the middle of its stay at it."""
    curve = [(time, value) for time, value in zip(times, values, strict=True) if value is not None]
    reached = [point for point in curve if point[1] < height + _SAME_HEIGHT]
    if not reached:
        return None
    first, value = reached[0]
    if abs(value - height) > _SAME_HEIGHT:
        return first
    until = next((time for time, later in reached if later < height - _SAME_HEIGHT), times[-1])
    return (first + until) / 2
