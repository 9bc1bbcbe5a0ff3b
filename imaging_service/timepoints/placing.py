"""Which timepoint a study of a known subject answers."""

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from imaging_service.timepoints.doubts import Confidence, Doubt, DoubtCode
from measurement.protocol.schedule import Anchor, PlacementKind, Schedule


class Placement(StrEnum):
    """Where a study date fell: the calendar's own words, what closes a calendar, and a person's decision."""

    BASELINE = PlacementKind.BASELINE.value
    IN_WINDOW = PlacementKind.IN_WINDOW.value
    EARLY = PlacementKind.EARLY.value
    LATE = PlacementKind.LATE.value
    BETWEEN_WINDOWS = PlacementKind.BETWEEN_WINDOWS.value
    BEFORE_BASELINE = PlacementKind.BEFORE_BASELINE.value
    AFTER_LAST = PlacementKind.AFTER_LAST.value
    AFTER_PROGRESSION = "after_progression"
    AFTER_WITHDRAWAL = "after_withdrawal"


CONFIDENCE = {
    Placement.BASELINE: Confidence.HIGH,
    Placement.IN_WINDOW: Confidence.HIGH,
    Placement.EARLY: Confidence.MEDIUM,
    Placement.LATE: Confidence.MEDIUM,
    Placement.BETWEEN_WINDOWS: Confidence.LOW,
    Placement.AFTER_LAST: Confidence.LOW,
    Placement.AFTER_PROGRESSION: Confidence.LOW,
    Placement.AFTER_WITHDRAWAL: Confidence.LOW,
}
"""How far each placement may be trusted; ``before_baseline`` is never matched without a person."""

SCHEDULED = {Placement.BASELINE, Placement.IN_WINDOW, Placement.EARLY, Placement.LATE}
"""Placements that answer a scheduled timepoint; the others make an unscheduled one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """The days of a subject on which placing depends."""

    anchor_on: date | None
    cycle_starts: Sequence[date] = ()
    """Days on which treatment cycles 1, 2, … began, as far as known."""
    progression_on: date | None = None
    """The one that ends imaging, as the protocol says whose does."""
    progression_words: str = "documented by the site"
    """Whose it is."""
    withdrawal_on: date | None = None
    death_on: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ImagingDay:
    """What a study says about when and how it was made."""

    imaged_on: date | None
    date_is_unreadable: bool
    modalities: Sequence[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A timepoint for a study."""

    number: int | None
    """None for an unscheduled timepoint."""
    imaged_on: date
    placement: Placement | None
    """None where a person has chosen a timepoint and no calendar says anything about the day."""
    confidence: Confidence
    sentence: str


def place(
    day: ImagingDay, course: Course, *, schedule: Schedule, modalities: AbstractSet[str], today: date
) -> Place | Doubt:
    """Return the timepoint that a study of this day answers, or why a person must say.

    Parameters
    ----------
    day
        The study's date and modalities.
    course
        The subject's days.
    schedule
        The protocol's calendar.
    modalities
        Modalities (0008,0060) that the protocol reads, of which one must be in the study; empty: any.
    today
        The latest day that can have happened.
    """
    doubt = _wrong_modality(day, modalities) or _unusable_date(day, course, schedule, today)
    if doubt is not None or day.imaged_on is None or course.anchor_on is None:
        return doubt or _no_date(day)
    closed = _after_the_calendar(day.imaged_on, course)
    if closed is not None:
        return closed
    found = schedule.place(day.imaged_on, course.anchor_on, course.cycle_starts)
    placement = Placement(found.kind.value)
    if placement is Placement.BEFORE_BASELINE:
        return Doubt(code=DoubtCode.BEFORE_BASELINE, sentence=found.reason)
    return Place(
        number=found.number if placement in SCHEDULED else None,
        imaged_on=day.imaged_on,
        placement=placement,
        confidence=CONFIDENCE[placement],
        sentence=found.reason,
    )


def _wrong_modality(day: ImagingDay, wanted: AbstractSet[str]) -> Doubt | None:
    if not wanted or wanted & set(day.modalities):
        return None
    found = ", ".join(day.modalities) or "none"
    return Doubt(
        code=DoubtCode.WRONG_MODALITY,
        sentence=f"The study's modalities are {found}; the protocol reads {', '.join(sorted(wanted))}.",
    )


def _unusable_date(day: ImagingDay, course: Course, schedule: Schedule, today: date) -> Doubt | None:
    if day.imaged_on is None:
        return _no_date(day)
    if day.imaged_on > today:
        return Doubt(
            code=DoubtCode.FUTURE_STUDY_DATE,
            sentence=f"The study is dated {day.imaged_on}, which is in the future; "
            f"the latest possible date is {today}.",
        )
    if course.death_on is not None and day.imaged_on > course.death_on:
        return Doubt(
            code=DoubtCode.AFTER_DEATH,
            sentence=f"The study is dated {day.imaged_on}, and the subject died on {course.death_on}.",
        )
    if course.anchor_on is None:
        return Doubt(code=DoubtCode.NO_ANCHOR, sentence=_ANCHOR_SENTENCES[schedule.anchor])
    return None


def _no_date(day: ImagingDay) -> Doubt:
    if day.date_is_unreadable:
        return Doubt(
            code=DoubtCode.BAD_STUDY_DATE,
            sentence="The Study Date (0008,0020) is not a date; YYYYMMDD was wanted.",
        )
    return Doubt(code=DoubtCode.NO_STUDY_DATE, sentence="The study has no Study Date (0008,0020).")


def _after_the_calendar(imaged_on: date, course: Course) -> Place | None:
    for closed_on, placement, what in (
        (course.withdrawal_on, Placement.AFTER_WITHDRAWAL, "the subject's withdrawal"),
        (course.progression_on, Placement.AFTER_PROGRESSION, f"the progression {course.progression_words}"),
    ):
        if closed_on is not None and imaged_on > closed_on:
            return Place(
                number=None,
                imaged_on=imaged_on,
                placement=placement,
                confidence=CONFIDENCE[placement],
                sentence=f"Imaged on {imaged_on}, after {what} on {closed_on}; kept as unscheduled.",
            )
    return None


_ANCHOR_SENTENCES = {
    Anchor.FIRST_DOSE: "The subject's calendar starts with the first dose, which has no date yet.",
    Anchor.RANDOMISATION: "The subject's calendar starts with randomisation, which has no date yet.",
    Anchor.ENROLMENT: "The subject's calendar starts with enrolment, which has no date yet.",
    Anchor.CONSENT: "The subject's calendar starts with the consent, which has no date yet.",
    Anchor.BASELINE_IMAGING: "The subject's calendar starts with baseline imaging, which is not there yet.",
}
