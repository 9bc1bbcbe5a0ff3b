"""What an amendment would make of survival without progression, and of what readers must agree on."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date
from typing import Any

from imaging_service.adjudication.differences import differences
from imaging_service.adjudication.review import Review
from imaging_service.amendments.change import Amendment, Change, ChangeKind
from imaging_service.amendments.responses import Amended, Course
from imaging_service.assessments.derivation import Inputs, restored
from imaging_service.assessments.repository import Response
from imaging_service.outcomes.courses import course_from
from imaging_service.subjects.records import Subject
from measurement.endpoints.time_to_event import Endpoint
from measurement.errors import MeasurementError
from measurement.protocol.trial import TrialProtocol


def survival_changes(amendment: Amendment, course: Course, derived: Sequence[Amended]) -> Iterator[Change]:
    """Yield how survival without progression would change, judged by the reader's reads."""
    before = _survival(course, amendment.before, restored(course.last.inputs))
    new = next((each.inputs for each in derived if each.answer.read_id == course.last.read_id), None)
    after = _survival(course, amendment.after, new or restored(course.last.inputs))
    if before != after:
        yield Change(
            kind=ChangeKind.PROGRESSION_FREE_SURVIVAL,
            subject_id=course.subject.subject_id,
            site_id=course.subject.site_id,
            slot=course.slot,
            timepoint=None,
            imaged_on=None,
            before=before,
            after=after,
            why=amendment.why(ChangeKind.PROGRESSION_FREE_SURVIVAL),
        )


def _survival(course: Course, protocol: TrialProtocol, inputs: Inputs) -> str:
    try:
        found = course_from(course.subject, course.slot, protocol, inputs)
    except MeasurementError as error:
        return str(error)
    time = found.outcomes.times.get(Endpoint.PROGRESSION_FREE_SURVIVAL)
    if time is None:
        return "not counted"
    what = "event" if time.is_event else "censored"
    return f"{what} on {time.ends_on} after {time.days} days ({time.ending.value})"


def adjudication_changes(
    amendment: Amendment,
    subject: Subject,
    review: Review | None,
    last: Mapping[int, Response],
    derived: Mapping[int, Sequence[Amended]],
) -> Iterator[Change]:
    """Yield whether two finished readers would differ in something else."""
    if review is None or not review.is_finished or len(last) < 2 or amendment.after.readers.count < 2:
        return
    one, other = (_amended(last[slot], derived.get(slot, ())) for slot in (1, 2))
    before = _shown((each.variable, each.reader_1, each.reader_2) for each in review.differences)
    found = differences(one, other, amendment.after.readers)
    after = _shown((each.variable, each.reader_1, each.reader_2) for each in found)
    if before != after:
        yield Change(
            kind=ChangeKind.ADJUDICATION,
            subject_id=subject.subject_id,
            site_id=subject.site_id,
            slot=None,
            timepoint=None,
            imaged_on=None,
            before=before,
            after=after,
            why=amendment.why(ChangeKind.ADJUDICATION),
        )


def _shown(found: Any) -> str:  # noqa: ANN401  any iterable of threes
    return "; ".join(f"{name} {one} and {other}" for name, one, other in found) or "the readers agree"


def _amended(response: Response, derived: Sequence[Amended]) -> Response:
    new = next((each.after for each in derived if each.answer.timepoint_id == response.timepoint_id), None)
    if new is None:
        return response
    progression = new["progression"] or {}
    return replace(
        response,
        best_response=new["best_overall"]["response"],
        confirmed_best_response=new["confirmed_best_overall"]["response"],
        responded_on=_day(new["best_overall"]["responded_on"]),
        progression_on=_day(progression.get("progressed_on")),
    )


def _day(text: str | None) -> date | None:
    return None if text is None else date.fromisoformat(text)
