"""A subject's expected timepoints, from the protocol's schedule and the subject's own days."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from imaging_service.subjects.records import Subject
from imaging_service.timepoints.placing import Course
from measurement.protocol.schedule import Anchor, Schedule


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


def course_of(subject: Subject, schedule: Schedule, baseline_imaged_on: date | None) -> Course:
    """Return the days of a subject on which placing depends."""
    return Course(
        anchor_on=anchor_on(subject, schedule, baseline_imaged_on),
        progression_on=subject.dates.progression_on,
        withdrawal_on=subject.dates.withdrawal_on,
        death_on=subject.dates.death_on,
    )


def slots(schedule: Schedule, anchor: date | None) -> Sequence[Slot]:
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
        for each in schedule.expected(anchor)
    ]
    return [baseline, *later]
