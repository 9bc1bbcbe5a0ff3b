"""A subject's endpoints as they follow from the site's own evaluations alone."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from imaging_service.evaluations.evaluation import Placed
from imaging_service.outcomes.courses import DataCut, dates_of
from imaging_service.subjects.records import Subject
from imaging_service.timepoints.records import Timepoint
from measurement.endpoints.course import Course
from measurement.endpoints.outcomes import SubjectOutcomes, subject_outcomes
from measurement.endpoints.reported import Baseline, ReportedResponse, reported_course
from measurement.errors import MeasurementError
from measurement.protocol.trial import TrialProtocol
from measurement.recist.responses import OverallResponse


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteCourse:
    """What the site's evaluations come to, as of a data cut."""

    evaluations: Sequence[Placed]
    """The current ones of images until the cut, by day."""
    course: Course | None
    """None where nothing can follow: the site has said nothing, or what it said contradicts the dates."""
    outcomes: SubjectOutcomes | None
    doubt: str | None


def site_course(
    subject: Subject,
    evaluations: Sequence[Placed],
    calendar: Sequence[Timepoint],
    protocol: TrialProtocol,
    cut: DataCut,
) -> SiteCourse:
    """Return what follows from a site's evaluations by the rules that readers' responses go by."""
    seen = [(each, each.imaged_on) for each in evaluations if _is_seen(each.imaged_on, cut.as_of)]
    shown = [each for each, _ in seen]
    if not seen:
        return SiteCourse(evaluations=shown, course=None, outcomes=None, doubt=None)
    baseline = next(
        (
            Baseline(timepoint_id=each.timepoint_id, imaged_on=each.imaged_on)
            for each in calendar
            if each.number == 0 and each.imaged_on is not None and _is_seen(each.imaged_on, cut.as_of)
        ),
        None,
    )
    try:
        dates = dates_of(subject, protocol, baseline.imaged_on if baseline else None)
        course = reported_course(
            [_reported(each, on) for each, on in seen if on is not None],
            baseline=baseline,
            dates=dates if cut.as_of is None else dates.as_of(cut.as_of),
            protocol=protocol,
        )
    except MeasurementError as error:
        return SiteCourse(evaluations=shown, course=None, outcomes=None, doubt=str(error))
    return SiteCourse(evaluations=shown, course=course, outcomes=subject_outcomes(course), doubt=None)


def _is_seen(imaged_on: date | None, as_of: date | None) -> bool:
    return imaged_on is not None and (as_of is None or imaged_on <= as_of)


def _reported(placed: Placed, imaged_on: date) -> ReportedResponse:
    said = placed.evaluation
    return ReportedResponse(
        timepoint_id=said.timepoint_id,
        number=placed.number,
        imaged_on=imaged_on,
        response=OverallResponse(said.overall_response),
        has_progressed=said.has_progressed,
    )
