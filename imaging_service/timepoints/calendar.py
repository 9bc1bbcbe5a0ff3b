"""A subject's expected timepoints, from the protocol's schedule and the subject's own days."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from imaging_service.subjects.records import Subject
from imaging_service.timepoints.placing import Course
from measurement.protocol.schedule import Anchor, Schedule
from measurement.protocol.trial import TrialProtocol, WithdrawalAuthority


@dataclass(frozen=True, slots=True, kw_only=True)
class Slot:
    """An expected timepoint; without days while the subject has no anchor."""

    number: int
    nominal_on: date | None
    opens_on: date | None
    closes_on: date | None

    def is_closed_by(self, last_day: date | None) -> bool:
        """Whether the subject's imaging ended before its window opened."""
        return last_day is not None and self.opens_on is not None and self.opens_on > last_day


def anchor_on(subject: Subject, schedule: Schedule, baseline_imaged_on: date | None) -> date | None:
    """Return the day from which the subject's calendar is counted, or None while it is unknown."""
    return {
        Anchor.FIRST_DOSE: subject.dates.first_dose_on,
        Anchor.RANDOMISATION: subject.dates.randomised_on,
        Anchor.ENROLMENT: subject.enrolled_at.date(),
        Anchor.CONSENT: subject.dates.consent_on,
        Anchor.BASELINE_IMAGING: baseline_imaged_on,
    }[schedule.anchor]


@dataclass(frozen=True, slots=True, kw_only=True)
class CalendarFacts:
    """What a subject's calendar depends on beside the subject's own dates."""

    cycle_starts: Sequence[date] = ()
    """Days on which treatment cycles 1, 2, … began, as far as known."""
    central_progression_on: date | None = None
    """Of the accepted reads."""


def ending_progression(
    subject: Subject, authority: WithdrawalAuthority, facts: CalendarFacts
) -> tuple[date, str] | None:
    """Return the first progression that ends imaging, and whose it is, as the protocol says whose may."""
    of_site = (subject.dates.progression_on, "documented by the site")
    of_readers = (facts.central_progression_on, "that the accepted reads show")
    counting = {
        WithdrawalAuthority.SITE: (of_site,),
        WithdrawalAuthority.CENTRAL: (of_readers,),
        WithdrawalAuthority.EITHER: (of_site, of_readers),
    }[authority]
    known = [(day, words) for day, words in counting if day is not None]
    return min(known, key=lambda each: each[0], default=None)


def closed_on(subject: Subject, authority: WithdrawalAuthority, facts: CalendarFacts) -> date | None:
    """Return the last day on which imaging is expected: progression, withdrawal or death."""
    progression = ending_progression(subject, authority, facts)
    dates = subject.dates
    ends = (None if progression is None else progression[0], dates.withdrawal_on, dates.death_on)
    return min((day for day in ends if day is not None), default=None)


def course_of(
    subject: Subject, protocol: TrialProtocol, baseline_imaged_on: date | None, facts: CalendarFacts
) -> Course:
    """Return the days of a subject on which placing depends."""
    progression = ending_progression(subject, protocol.withdrawal, facts)
    day, words = (None, "") if progression is None else progression
    return Course(
        anchor_on=anchor_on(subject, protocol.schedule, baseline_imaged_on),
        cycle_starts=facts.cycle_starts,
        progression_on=day,
        progression_words=words,
        withdrawal_on=subject.dates.withdrawal_on,
        death_on=subject.dates.death_on,
    )


def slots(schedule: Schedule, anchor: date | None, cycle_starts: Sequence[date] = ()) -> Sequence[Slot]:
    """Return the timepoints that are expected of a subject, baseline first.

    Without an anchor only baseline is expected, on no particular day: it is imaged before the
    treatment that gives the other timepoints their days.

    Examples
    --------
    >>> [str(each.nominal_on) for each in slots(Schedule(last_timepoint=2), date(2024, 1, 15))]
    ['2024-01-15', '2024-02-26', '2024-04-08']
    """
    if anchor is None:
        return [Slot(number=0, nominal_on=None, opens_on=None, closes_on=None)]
    baseline = Slot(
        number=0,
        nominal_on=anchor,
        opens_on=anchor - timedelta(days=schedule.baseline_days),
        closes_on=anchor,
    )
    later = [
        Slot(
            number=each.number,
            nominal_on=each.nominal_on,
            opens_on=each.opens_on,
            closes_on=each.closes_on,
        )
        for each in schedule.expected(anchor, cycle_starts)
    ]
    return [baseline, *later]
