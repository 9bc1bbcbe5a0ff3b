"""Each reader's course of each subject: stored observations, the subject's days, the protocol in force."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date

from sqlalchemy.orm import Session

from imaging_service.accounts.principal import Principal
from imaging_service.assessments import repository as assessments
from imaging_service.assessments.derivation import Inputs, assess, restored
from imaging_service.assessments.repository import Assessment
from imaging_service.http.pages import PageRequest, decode_cursor
from imaging_service.subjects import service as subjects
from imaging_service.subjects.records import Subject
from imaging_service.timepoints.calendar import anchor_on
from measurement.endpoints.course import Course, SubjectDates
from measurement.endpoints.data_cut import seen_by
from measurement.endpoints.outcomes import SubjectOutcomes, subject_outcomes
from measurement.errors import MeasurementError
from measurement.protocol.trial import TrialProtocol
from measurement.recist.assess import assess_subject

_AT_ONCE = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class DataCut:
    """Up to which day things count."""

    as_of: date | None
    """Nothing later counts; None for everything known."""
    today: date

    @property
    def protocol_on(self) -> date:
        """The day whose protocol version judges."""
        return self.as_of or self.today


@dataclass(frozen=True, slots=True, kw_only=True)
class ReaderCourse:
    """What follows about a subject from one reader's reads, as of a data cut."""

    subject: Subject
    slot: int
    course: Course
    outcomes: SubjectOutcomes
    doubt: str | None
    """Why the reads could not be used; then the subject counts as never assessed."""


def courses_of(
    session: Session,
    principal: Principal,
    subject: Subject,
    protocol: TrialProtocol,
    as_of: date | None,
) -> Sequence[ReaderCourse]:
    """Return a subject's course by each reader of the protocol, in the order of their slots."""
    found = assessments.as_of_now(session, principal, subject.trial_id, [subject.subject_id])
    return list(_courses(subject, protocol, {each.slot: each for each in found}, as_of))


def courses_of_trial(
    session: Session, principal: Principal, trial_id: str, protocol: TrialProtocol, as_of: date | None
) -> Iterator[ReaderCourse]:
    """Yield the course of every subject in the scope by each reader, subjects without a read included.

    Subjects are read some at a time, so that a cohort of any size needs little memory.
    """
    after: tuple[str | int, ...] | None = None
    while True:
        page = subjects.subjects(session, principal.scope, trial_id, PageRequest(_AT_ONCE, after))
        yield from courses_of_some(session, principal, page.items, protocol, as_of)
        if page.next_cursor is None:
            return
        after = decode_cursor(page.next_cursor)


def courses_of_some(
    session: Session,
    principal: Principal,
    some: Sequence[Subject],
    protocol: TrialProtocol,
    as_of: date | None,
) -> Iterator[ReaderCourse]:
    """Yield the courses of some subjects of a trial by each reader."""
    if not some:
        return
    found: dict[str, dict[int, Assessment]] = {}
    for each in assessments.as_of_now(
        session, principal, some[0].trial_id, [subject.subject_id for subject in some]
    ):
        found.setdefault(each.subject_id, {})[each.slot] = each
    for subject in some:
        yield from _courses(subject, protocol, found.get(subject.subject_id, {}), as_of)


def _courses(
    subject: Subject, protocol: TrialProtocol, by_slot: dict[int, Assessment], as_of: date | None
) -> Iterator[ReaderCourse]:
    for slot in range(1, protocol.readers.count + 1):
        newest = by_slot.get(slot)
        inputs = None if newest is None else restored(newest.inputs)
        try:
            yield _course(subject, slot, protocol, inputs, as_of)
        except MeasurementError as error:
            unread = _course(subject, slot, protocol, None, as_of)
            yield replace(unread, doubt=str(error))


def course_from(subject: Subject, slot: int, protocol: TrialProtocol, inputs: Inputs) -> ReaderCourse:
    """Return what would follow about a subject from these inputs, under this protocol.

    Raises
    ------
    MeasurementError
        The observations cannot be judged.
    """
    return _course(subject, slot, protocol, inputs, None)


def _course(
    subject: Subject, slot: int, protocol: TrialProtocol, inputs: Inputs | None, as_of: date | None
) -> ReaderCourse:
    seen = seen_by(() if inputs is None else inputs.observations, as_of)
    baseline_on = next((each.imaged_on for each in seen if each.number == 0), None)
    starts_on = anchor_on(subject, protocol.schedule, baseline_on)
    if inputs is None:
        assessment = assess_subject((), protocol.criteria, anchor_on=starts_on)
    else:
        assessment = assess(replace(inputs, observations=seen, anchor_on=starts_on))
    dates = dates_of(subject, protocol, baseline_on)
    course = Course(
        assessment=assessment, dates=dates if as_of is None else dates.as_of(as_of), protocol=protocol
    )
    return ReaderCourse(
        subject=subject, slot=slot, course=course, outcomes=subject_outcomes(course), doubt=None
    )


def dates_of(subject: Subject, protocol: TrialProtocol, baseline_on: date | None) -> SubjectDates:
    """Return the days that endpoints are counted by; their anchor need not be the calendar's."""
    schedule = replace(protocol.schedule, anchor=protocol.endpoints.anchor)
    return SubjectDates(
        starts_on=anchor_on(subject, schedule, baseline_on),
        death_on=subject.dates.death_on,
        new_therapy_on=subject.dates.new_therapy_on,
        last_alive_on=subject.dates.last_contact_on,
    )
