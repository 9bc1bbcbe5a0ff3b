"""Look at the calendar of a whole trial."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from sqlalchemy.orm import Session

from imaging_service.accounts.principal import Principal
from imaging_service.adjudication import service as adjudication
from imaging_service.adjudication.repository import Wanted as ReviewsWanted
from imaging_service.assessments import repository as assessments
from imaging_service.assessments.repository import ResponseFilter
from imaging_service.calendars import repository
from imaging_service.calendars.confirmations import Answered, ConfirmationDue, confirmations_due
from imaging_service.calendars.repository import Wanted
from imaging_service.http.pages import Page, PageRequest
from imaging_service.reads.repository import SYSTEM
from imaging_service.site_queries import service as site_queries
from imaging_service.subjects import service as subjects
from imaging_service.subjects.records import Subject
from imaging_service.timepoints import repository as timepoint_repository
from imaging_service.timepoints.calendar import anchor_on
from imaging_service.timepoints.control import ControlState
from imaging_service.timepoints.records import Status, Timepoint
from imaging_service.timepoints.responses import CENTRAL
from imaging_service.trials import service as trials
from measurement.protocol.trial import TrialProtocol, WithdrawalAuthority


class ClosedBy(StrEnum):
    """What ended a subject's imaging."""

    PROGRESSION = "progression"
    CENTRAL_PROGRESSION = "central_progression"
    WITHDRAWAL = "withdrawal"
    DEATH = "death"


@dataclass(frozen=True, slots=True, kw_only=True)
class SubjectCalendar:
    """A subject with its timepoints, in the order of their days."""

    subject: Subject
    anchor_on: date | None
    closed_on: date | None
    closed_by: ClosedBy | None
    central_progression_on: date | None
    open_queries: int
    timepoints: Sequence[Timepoint]
    confirmations: Sequence[ConfirmationDue]


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """How much there is of everything."""

    subjects: int
    timepoints: Mapping[Status, int]
    control: Mapping[ControlState, int]
    unmatched_studies: int


def calendars(
    session: Session, principal: Principal, trial_id: str, wanted: Wanted, request: PageRequest
) -> Page[SubjectCalendar]:
    """Return a page of subjects with their whole calendars, in a fixed number of statements.

    Raises
    ------
    NotFoundError
        There is no such trial in the scope.
    """
    protocol = trials.protocol_in_force(session, principal.scope, trial_id, on=wanted.today)
    page = repository.subject_ids(session, principal.scope, trial_id, wanted, request)
    ids = page.items
    known = {
        each.subject_id: each
        for part in subjects.some_subjects(session, principal.scope, trial_id, ids)
        for each in part
    }
    timepoints = timepoint_repository.of_subjects(session, trial_id, ids)
    central = repository.central_progressions(session, trial_id, ids)
    answers = _answers(session, principal, trial_id, ids)
    asked = site_queries.unfinished_of_subjects(session, trial_id, ids)
    return Page(
        items=[
            _calendar(
                known[each],
                protocol,
                central.get(each),
                timepoints=timepoints.get(each, ()),
                answers=answers.get(each, ()),
                open_queries=asked.get(each, 0),
            )
            for each in ids
        ],
        next_cursor=page.next_cursor,
    )


def _answers(
    session: Session, principal: Principal, trial_id: str, ids: Sequence[str]
) -> Mapping[str, Sequence[Answered]]:
    found: dict[str, list[Answered]] = {}
    wanted = ResponseFilter(subject_ids=tuple(ids))
    for subject_id, slot, imaged_on, response in assessments.overall_responses(
        session, principal, trial_id, wanted
    ):
        answered = Answered(slot=slot, imaged_on=imaged_on, response=response)
        found.setdefault(subject_id, []).append(answered)
    return found


def _calendar(  # noqa: PLR0913  what a subject's calendar is made of
    subject: Subject,
    protocol: TrialProtocol,
    central_on: date | None,
    *,
    timepoints: Sequence[Timepoint],
    answers: Sequence[Answered],
    open_queries: int,
) -> SubjectCalendar:
    baseline_on = next((each.imaged_on for each in timepoints if each.number == 0), None)
    closed_on, closed_by = _closed(subject, central_on, protocol.withdrawal)
    is_open = closed_on is None
    return SubjectCalendar(
        subject=subject,
        anchor_on=anchor_on(subject, protocol.schedule, baseline_on),
        closed_on=closed_on,
        closed_by=closed_by,
        central_progression_on=central_on,
        open_queries=open_queries,
        timepoints=timepoints,
        confirmations=confirmations_due(answers, timepoints, protocol.criteria.confirmation)
        if is_open
        else (),
    )


def _closed(
    subject: Subject, central_on: date | None, authority: WithdrawalAuthority
) -> tuple[date | None, ClosedBy | None]:
    """Return the last day on which imaging is expected, and what ended it; the first end counts."""
    dates = subject.dates
    of_site = dates.progression_on if authority is not WithdrawalAuthority.CENTRAL else None
    of_readers = central_on if authority is not WithdrawalAuthority.SITE else None
    ends = [
        (of_site, ClosedBy.PROGRESSION),
        (of_readers, ClosedBy.CENTRAL_PROGRESSION),
        (dates.withdrawal_on, ClosedBy.WITHDRAWAL),
        (dates.death_on, ClosedBy.DEATH),
    ]
    known = [(day, cause) for day, cause in ends if day is not None]
    return min(known, key=lambda each: each[0], default=(None, None))


def central_progression_on(session: Session, trial_id: str, subject_id: str, today: date) -> date | None:
    """Return the day of the progression that the accepted reads of a subject show, None while none is."""
    protocol = trials.protocol_in_force(session, SYSTEM.scope, trial_id, on=today)
    review = ReviewsWanted(trial_id=trial_id, subject_id=subject_id)
    accepted = adjudication.acceptances(session, SYSTEM, protocol, review, today).get(subject_id)
    if accepted is None or not accepted.is_accepted:
        return None
    answers = assessments.as_of_now(session, SYSTEM, trial_id, subject_ids=[subject_id])
    return next((each.progression_on for each in answers if each.slot == accepted.slot), None)


CENTRAL.answer_with(central_progression_on)


def counts(session: Session, principal: Principal, trial_id: str, today: date) -> Counts:
    """Return how much there is of everything in the caller's part of a trial.

    Raises
    ------
    NotFoundError
        There is no such trial in the scope.
    """
    trials.find_trial(session, principal.scope, trial_id)
    scope = principal.scope
    return Counts(
        subjects=repository.subject_count(session, scope, trial_id),
        timepoints=repository.status_counts(session, scope, trial_id, today),
        control=repository.control_counts(session, scope, trial_id),
        unmatched_studies=repository.waiting_studies(session, scope, trial_id),
    )
