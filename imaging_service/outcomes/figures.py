"""What plots of a cohort are drawn from: survival step by step, and each subject's course on its own days."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from imaging_service.outcomes.courses import ReaderCourse
from measurement.endpoints.kaplan_meier import SurvivalCurve
from measurement.endpoints.time_to_event import Endpoint
from measurement.protocol.trial import TrialProtocol
from measurement.recist.assessment import TimepointAssessment
from measurement.recist.responses import NewLesionFinding, OverallResponse


@dataclass(frozen=True, slots=True, kw_only=True)
class CoursePoint:
    """A reader's verdict on a timepoint, counted from the subject's start."""

    timepoint_id: str
    number: int | None
    days: int
    """Since the day from which progression-free survival is counted; that day itself is 0."""
    change_percent: Decimal | None
    """Of the sum of diameters since baseline."""
    overall_response: str
    has_new_lesion: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class CourseFigure:
    """A subject's course as a waterfall, a spider and a swimmer plot show it."""

    subject_id: str
    site_id: str
    slot: int
    starts_on: date | None
    best_response: str
    confirmed_best_response: str
    best_change_percent: Decimal | None
    """Smallest change since baseline until progression; what follows progression is no best."""
    days: int | None
    """Until progression, death or censoring, first and last day included."""
    is_event: bool | None
    ending: str | None
    points: Sequence[CoursePoint]


@dataclass(frozen=True, slots=True, kw_only=True)
class CohortPlots:
    """A cohort as plots show it."""

    protocol: TrialProtocol
    curves: Mapping[int | None, Mapping[Endpoint, SurvivalCurve]]
    """By reader's slot, or under None for the reads that count; of every subject."""
    courses: Sequence[CourseFigure]
    """Of the subjects on the page."""
    next_cursor: str | None


def figure_of(found: ReaderCourse) -> CourseFigure:
    """Return a reader's course of a subject on the subject's own days."""
    starts_on = found.course.dates.starts_on
    time = found.outcomes.times.get(Endpoint.PROGRESSION_FREE_SURVIVAL)
    verdicts = found.course.assessment.timepoints
    return CourseFigure(
        subject_id=found.subject.subject_id,
        site_id=found.subject.site_id,
        slot=found.slot,
        starts_on=starts_on,
        best_response=found.course.assessment.best_overall.response.value,
        confirmed_best_response=found.course.assessment.confirmed_best_overall.response.value,
        best_change_percent=_best_change(verdicts),
        days=None if time is None else time.days,
        is_event=None if time is None else time.is_event,
        ending=None if time is None else time.ending.value,
        points=[]
        if starts_on is None
        else [_point(each, each.assessed_on, starts_on) for each in verdicts if each.assessed_on is not None],
    )


def _best_change(verdicts: Sequence[TimepointAssessment]) -> Decimal | None:
    changes = []
    for each in verdicts:
        if each.change_from_baseline_percent is not None:
            changes.append(each.change_from_baseline_percent)
        if each.overall_response is OverallResponse.PD:
            break
    return min(changes, default=None)


def _point(found: TimepointAssessment, on: date, starts_on: date) -> CoursePoint:
    return CoursePoint(
        timepoint_id=found.timepoint_id,
        number=found.number,
        days=(on - starts_on).days,
        change_percent=found.change_from_baseline_percent,
        overall_response=found.overall_response.value,
        has_new_lesion=found.new_lesion is NewLesionFinding.UNEQUIVOCAL,
    )
