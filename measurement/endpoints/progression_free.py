"""Progression-free time: one list of conditions a guidance, whose order is their precedence.

FDA: Clinical trial endpoints for the approval of cancer drugs and biologics, appendix on progression-free
survival. EMA: Guideline on the evaluation of anticancer medicinal products, appendix 1: events count whatever
was missed or given before them. A condition looks at a subject's case and ends the time, or leaves it to the
next one.
"""

from collections.abc import Callable, Mapping
from datetime import date, timedelta
from types import MappingProxyType
from typing import NamedTuple

from measurement.endpoints.course import Course, Milestone
from measurement.endpoints.time_to_event import Ending, Endpoint, TimeToEvent
from measurement.protocol.trial import CensoringRules


class End(NamedTuple):
    """How and when a time ends."""

    ending: Ending
    at: Milestone


class Case(NamedTuple):
    """What the conditions look at. Everything lies within the horizon.

    Attributes
    ----------
    start
        Where the time starts, and what stands for it.
    has_baseline
        Whether later timepoints had something to be compared with.
    event
        Progression or death, whichever is first; on the same day they are one, the progression.
    death
        The death.
    adequate
        Day and record of the adequate assessments in order of time, also those outside the time.
    horizon_on
        Last day that counts.
    new_therapy_on
        First dose of another therapy, when the protocol censors for it.
    longest_gap_days
        More days than this between two assessments, or the last one and the event, are missed assessments.
    """

    start: Milestone
    has_baseline: bool
    event: End | None
    death: Milestone | None
    adequate: tuple[tuple[date, str], ...]
    horizon_on: date
    new_therapy_on: date | None
    longest_gap_days: int

    def last_adequate(self, until: date) -> Milestone | None:
        """Return the last adequate assessment between the start and a day, both included."""
        for on, record_id in reversed(self.adequate):
            if on <= until:
                return Milestone(on, record_id) if on >= self.start.on else None
        return None

    def is_gap(self, since: date, until: date) -> bool:
        """Whether assessments were missed between two days."""
        return (until - since).days > self.longest_gap_days


Condition = Callable[[Case], End | None]


def without_baseline(case: Case) -> End | None:
    """Without a baseline nothing can progress: the start, unless death comes first of all."""
    if case.has_baseline:
        return None
    if case.death and not case.is_gap(case.start.on, case.death.on):
        return End(Ending.DEATH, case.death)
    return End(Ending.NO_BASELINE, case.start)


def new_therapy_before_event(case: Case) -> End | None:
    """Another therapy without progression: the last adequate assessment until it."""
    started_on = case.new_therapy_on
    if started_on is None or (case.event and case.event.at.on <= started_on):
        return None
    return End(Ending.NEW_THERAPY, case.last_adequate(started_on) or case.start)


def missed_before_event(case: Case) -> End | None:
    """Missed assessments before an event: the last adequate assessment before them."""
    event = case.event
    if event is None:
        return None
    last = case.last_adequate(event.at.on - timedelta(days=1)) or case.start
    return End(Ending.MISSED_ASSESSMENTS, last) if case.is_gap(last.on, event.at.on) else None


def progression_or_death(case: Case) -> End | None:
    """Progression or death, whichever is first."""
    return case.event


def never_assessed(case: Case) -> End | None:
    """Nothing adequate after the start: the start."""
    return None if case.last_adequate(case.horizon_on) else End(Ending.NO_ASSESSMENT, case.start)


def no_event(case: Case) -> End | None:
    """No event: the last adequate assessment."""
    last = case.last_adequate(case.horizon_on)
    return End(Ending.NO_EVENT, last) if last else None


CONDITIONS: Mapping[CensoringRules, tuple[Condition, ...]] = MappingProxyType(
    {
        CensoringRules.FDA: (
            without_baseline,
            new_therapy_before_event,
            missed_before_event,
            progression_or_death,
            never_assessed,
            no_event,
        ),
        CensoringRules.EMA: (
            without_baseline,
            progression_or_death,
            never_assessed,
            no_event,
        ),
    }
)


def progression_free_survival(course: Course, *, rules: CensoringRules | None = None) -> TimeToEvent | None:
    """Return the time from the start to progression or death; ``None`` while it has not started.

    `rules` names another list than the protocol's primary one, for a sensitivity analysis.
    """
    starts_on = course.dates.starts_on
    if starts_on is None:
        return None
    endpoint = Endpoint.PROGRESSION_FREE_SURVIVAL
    return time_free_of_progression(endpoint, Milestone(starts_on, "start"), course, rules)


def time_free_of_progression(
    endpoint: Endpoint, start: Milestone, course: Course, rules: CensoringRules | None = None
) -> TimeToEvent:
    """Return the time from `start`, a day of the course, to progression or death by the list of `rules`."""
    case = _case(start, course)
    conditions = CONDITIONS[rules or course.protocol.endpoints.censoring]
    ending, at = next(filter(None, (condition(case) for condition in conditions)))
    return TimeToEvent(
        endpoint=endpoint, starts_on=start.on, ends_on=at.on, ending=ending, record_id=at.record_id
    )


def _case(start: Milestone, course: Course) -> Case:
    endpoints, schedule = course.protocol.endpoints, course.protocol.schedule
    dates, first = course.dates, course.assessment.progression
    horizon_on = (dates.starts_on or start.on) + timedelta(days=schedule.horizon_days)
    progression = None
    if first and first.progressed_on <= horizon_on:
        progression = Milestone(first.progressed_on, first.seen_at)
    death = Milestone(dates.death_on, "death") if dates.death_on and dates.death_on <= horizon_on else None
    treated_on = dates.new_therapy_on
    return Case(
        start=start,
        has_baseline=course.assessment.baseline is not None,
        event=_event(progression, death),
        death=death,
        adequate=course.adequate,
        horizon_on=horizon_on,
        new_therapy_on=treated_on
        if endpoints.censor_at_new_therapy and treated_on and treated_on <= horizon_on
        else None,
        longest_gap_days=endpoints.missed_assessments_gap * schedule.interval_days
        + endpoints.gap_window_days,
    )


def _event(progression: Milestone | None, death: Milestone | None) -> End | None:
    if progression and (death is None or progression.on <= death.on):
        return End(Ending.PROGRESSION, progression)
    return End(Ending.DEATH, death) if death else None
