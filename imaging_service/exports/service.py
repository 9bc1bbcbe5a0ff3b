"""Central review searches over timepoints, reads and what follows from them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from sqlalchemy.orm import Session

from imaging_service.accounts.principal import Principal
from imaging_service.assessments import repository as assessments
from imaging_service.assessments.repository import Assessment, Response, ResponseFilter
from imaging_service.exports.discordance import Discordance, discordances
from imaging_service.http.pages import Page, PageRequest, encode_cursor
from imaging_service.reads import repository as reads
from imaging_service.reads.read import Read
from imaging_service.subjects import service as subjects
from imaging_service.subjects.records import Subject, SubjectVersion
from imaging_service.timepoints import service as timepoints
from imaging_service.timepoints.records import Study, Timepoint
from imaging_service.trials import service as trials

FIRST, SECOND = 1, 2


def responses(
    session: Session, principal: Principal, trial_id: str, wanted: ResponseFilter, page: PageRequest
) -> Page[Response]:
    """Return the answers that count now, one for each timepoint and reader.

    Raises
    ------
    NotFoundError
        There is no such trial in the scope.
    """
    trials.find_trial(session, principal.scope, trial_id)
    statement, key = assessments.responses(principal, trial_id, wanted)
    rows = session.execute(page.apply(statement, *key)).all()
    return page.page(
        rows,
        lambda row: (row.subject_id, row.slot, row.position, row.timepoint_id),
        assessments.response_of,
    )


def discordant(
    session: Session, principal: Principal, trial_id: str, page: PageRequest, *, tolerance_days: int
) -> Page[Discordance]:
    """Return where the two readers differ, by subject.

    Raises
    ------
    NotFoundError
        There is no such trial in the scope.
    """
    trials.find_trial(session, principal.scope, trial_id)
    after = page.after or ("", -1)
    found = [
        (key, each)
        for key, each in _differences(session, principal, trial_id, tolerance_days)
        if key > tuple(after)
    ]
    shown = found[: page.limit]
    is_more = len(found) > page.limit
    return Page(
        items=[each for _, each in shown], next_cursor=encode_cursor(shown[-1][0]) if is_more else None
    )


def _differences(
    session: Session, principal: Principal, trial_id: str, tolerance_days: int
) -> Iterator[tuple[tuple[str, int], Discordance]]:
    statement, key = assessments.responses(principal, trial_id, ResponseFilter())
    every = [assessments.response_of(row) for row in session.execute(statement.order_by(*key))]
    for subject_id, of_subject in groupby(every, lambda each: each.subject_id):
        by_slot: dict[int, list[Response]] = {FIRST: [], SECOND: []}
        for each in of_subject:
            by_slot[each.slot].append(each)
        for place, found in enumerate(discordances(by_slot[FIRST], by_slot[SECOND], tolerance_days)):
            yield (subject_id, place), found


@dataclass(frozen=True, slots=True, kw_only=True)
class TimepointHistory:
    """A timepoint with its studies, what was read on them, and what followed."""

    timepoint: Timepoint
    studies: Sequence[Study]
    reads: Sequence[tuple[Read, Assessment | None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class SubjectHistory:
    """Everything about a subject, with reasons and sources."""

    subject: Subject
    versions: Sequence[SubjectVersion]
    timepoints: Sequence[TimepointHistory]


def history(session: Session, principal: Principal, trial_id: str, subject_id: str) -> SubjectHistory:
    """Return a subject's whole history, from the days that were recorded to the answers that followed.

    Raises
    ------
    NotFoundError
        There is no such subject in the scope.
    """
    scope = principal.scope
    subject = subjects.find_subject(session, scope, trial_id, subject_id)
    found = timepoints.calendar(session, scope, trial_id, subject_id)
    studies = timepoints.studies_of(session, found)
    answers = {
        each.read_id: each for each in assessments.newest(session, principal, trial_id, subject_id=subject_id)
    }
    read = reads.reads_of_subject(session, principal, trial_id, subject_id)
    return SubjectHistory(
        subject=subject,
        versions=subjects.history(session, scope, trial_id, subject_id),
        timepoints=[
            TimepointHistory(
                timepoint=timepoint,
                studies=studies.get(timepoint.timepoint_id, ()),
                reads=[
                    (each, answers.get(each.read_id))
                    for each in read
                    if each.timepoint_id == timepoint.timepoint_id
                ],
            )
            for timepoint in found
        ],
    )
