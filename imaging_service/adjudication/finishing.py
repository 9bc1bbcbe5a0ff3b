"""When the readers have finished a subject.

A subject is finished when each reader has signed what counts, and nothing more can come to count:

* A reader's course goes up to the reader's own first progression, or else up to the last timepoint with
  images. Every timepoint with images in it is signed, none of them is open again as a draft, and
  at least one lies after baseline.
* Either every reader has progression, or the calendar has come to its end: no scheduled timepoint is
  expected or overdue. Each is read, closed by withdrawal, death or progression, declared not done by a
  person, or missed, which is overdue with a later one imaged.

Images that arrive late within a course, an unlocked read and a calendar that opens again make the subject
unfinished again; images after a reader's progression change nothing for that reader.
"""

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import date, timedelta

from imaging_service.assessments.repository import Response
from imaging_service.timepoints.records import WITH_IMAGES, Progress


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """One timepoint of a subject's calendar."""

    timepoint_id: str
    number: int | None
    imaged_on: date | None
    closes_on: date | None
    progress: Progress

    @property
    def order(self) -> tuple[bool, date, str]:
        """Where it comes in reading: baseline, then by the day of imaging."""
        return self.number != 0, self.imaged_on or date.max, self.timepoint_id


@dataclass(frozen=True, slots=True, kw_only=True)
class ReaderCourse:
    """One reader's answers about a subject, up to the reader's own first progression."""

    answers: tuple[Response, ...]
    is_complete: bool
    """Whether everything in it is signed."""

    @property
    def has_progressed(self) -> bool:
        """Whether the last answer is the first progression."""
        return bool(self.answers) and self.answers[-1].progression_on is not None

    @property
    def read_ids(self) -> tuple[str, ...]:
        """The reads that it consists of, in the order of reading."""
        return tuple(each.read_id for each in self.answers)


def course(answers: Sequence[Response], calendar: Sequence[Place], drafts: AbstractSet[str]) -> ReaderCourse:
    """Cut a reader's answers at the first progression, and say whether anything in between is unsigned.

    Parameters
    ----------
    answers
        The reader's answers that count now, one for each signed timepoint.
    calendar
        The subject's timepoints.
    drafts
        Timepoints of which the reader has a draft, a first one or one that was unlocked.
    """
    ordered = sorted(answers, key=lambda each: each.position)
    end = next((place for place, each in enumerate(ordered) if each.progression_on is not None), None)
    counted = tuple(ordered if end is None else ordered[: end + 1])
    imaged = [each for each in calendar if each.progress in WITH_IMAGES]
    if end is not None:
        last = next(
            (each for each in imaged if each.timepoint_id == counted[-1].timepoint_id),
            None,
        )
        imaged = [each for each in imaged if last is None or each.order <= last.order]
    wanted = {each.timepoint_id for each in imaged}
    is_complete = (
        any(each.number != 0 for each in counted)
        and wanted <= {each.timepoint_id for each in counted}
        and not wanted & drafts
    )
    return ReaderCourse(answers=counted, is_complete=is_complete)


def imaging_over_from(calendar: Sequence[Place]) -> date | None:
    """Return the first day on which no scheduled timepoint is expected or overdue any more.

    ``date.min`` when nothing is awaited; None while something is that no passing of days makes missed.
    """
    received = max(
        (each.number for each in calendar if each.number is not None and each.progress in WITH_IMAGES),
        default=-1,
    )
    over_from = date.min
    for each in calendar:
        if each.progress is not Progress.EXPECTED:
            continue
        if each.number is None or each.number >= received or each.closes_on is None:
            return None
        over_from = max(over_from, each.closes_on + timedelta(days=1))
    return over_from


def is_imaging_over(calendar: Sequence[Place], today: date) -> bool:
    """Whether no scheduled timepoint is expected or overdue any more."""
    return _has_come(imaging_over_from(calendar), today)


def finished_from(courses: Sequence[ReaderCourse], calendar: Sequence[Place]) -> date | None:
    """Return the first day on which every reader has finished the subject, as things are now, or None."""
    if not courses or not all(each.is_complete for each in courses):
        return None
    if all(each.has_progressed for each in courses):
        return date.min
    return imaging_over_from(calendar)


def is_finished(courses: Sequence[ReaderCourse], calendar: Sequence[Place], today: date) -> bool:
    """Whether every reader has finished the subject."""
    return _has_come(finished_from(courses, calendar), today)


def _has_come(day: date | None, today: date) -> bool:
    return day is not None and day <= today
