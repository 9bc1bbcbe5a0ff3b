"""Central review searches over timepoints, reads and what follows from them."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import date
from itertools import groupby
from typing import Any

from sqlalchemy.orm import Session

from imaging_service.accounts.blinding import is_blinded
from imaging_service.accounts.principal import Principal
from imaging_service.adjudication import service as adjudication
from imaging_service.adjudication.repository import Wanted
from imaging_service.adjudication.review import Acceptance
from imaging_service.assessments import repository as assessments
from imaging_service.assessments.repository import Assessment, Response, ResponseFilter
from imaging_service.derived import service as derived
from imaging_service.derived.service import Keeper, Renewal
from imaging_service.exports import repository
from imaging_service.exports.discordance import Discordance, discordances
from imaging_service.exports.repository import Placed
from imaging_service.http.pages import Page, PageRequest
from imaging_service.reads import repository as reads
from imaging_service.reads.read import Read
from imaging_service.subjects import service as subjects
from imaging_service.subjects.records import Subject, SubjectVersion
from imaging_service.timepoints import service as timepoints
from imaging_service.timepoints.records import Study, Timepoint
from imaging_service.trials import service as trials
from measurement.protocol.trial import TrialProtocol

FIRST, SECOND = 1, 2
_AT_ONCE = 200


def responses(  # noqa: PLR0913, PLR0917  answers are asked for by this much
    session: Session,
    principal: Principal,
    trial_id: str,
    wanted: ResponseFilter,
    page: PageRequest,
    today: date,
) -> Page[tuple[Response, bool | None]]:
    """Return the answers that count now, one for each timepoint and reader, and whether each is accepted.

    Who reads or adjudicates in the trial, and sees own reads alone, is not told which are accepted.

    Raises
    ------
    NotFoundError
        There is no such trial in the scope.
    """
    trials.find_trial(session, principal.scope, trial_id)
    statement, key = assessments.responses(principal, trial_id, wanted)
    rows = session.execute(page.apply(statement, *key)).all()
    whose = acceptances(session, principal, trial_id, {row.subject_id for row in rows}, today)

    def told(row: Any) -> tuple[Response, bool | None]:  # noqa: ANN401  a row of the statement
        found = assessments.response_of(row)
        return found, None if whose is None else whose[found.subject_id].accepts(found.slot)

    return page.page(rows, lambda row: (row.subject_id, row.slot, row.position, row.timepoint_id), told)


def acceptances(
    session: Session, principal: Principal, trial_id: str, subject_ids: AbstractSet[str], today: date
) -> Mapping[str, Acceptance] | None:
    """Return whose reads count for some subjects; None for who must not know."""
    if is_blinded(principal, trial_id):
        return None
    if not subject_ids:
        return {}
    protocol = trials.protocol_in_force(session, principal.scope, trial_id, on=today)
    wanted = Wanted(trial_id=trial_id, subject_ids=sorted(subject_ids))
    return adjudication.acceptances(session, principal, protocol, wanted, today)


def discordant(
    session: Session, principal: Principal, trial_id: str, page: PageRequest, today: date
) -> Page[Discordance]:
    """Return where the two readers differ, by subject.

    Raises
    ------
    NotFoundError
        There is no such trial in the scope.
    BadRequestError
        The cursor is another list's.
    """
    protocol = trials.protocol_in_force(session, principal.scope, trial_id, on=today)
    if reads.sees_every_read(principal, trial_id):
        basis = derived.basis_of(protocol)
        found = list(repository.page(session, principal.scope, trial_id, basis, page))
        found += _anew(session, principal, protocol, derived.out_of_date(session, trial_id, protocol))
    else:
        found = []  # one reader's own reads differ from nobody's
    after = page.after or ("", -1)
    rest = sorted((each for each in found if each[0] > tuple(after)), key=lambda each: each[0])
    return page.page(rest[: page.limit + 1], lambda each: each[0], lambda each: each[1])


def _anew(
    session: Session, principal: Principal, protocol: TrialProtocol, subject_ids: AbstractSet[str]
) -> Iterator[Placed]:
    """Compare the readers of subjects that something has changed about."""
    ordered = sorted(subject_ids)
    for first in range(0, len(ordered), _AT_ONCE):
        some = ordered[first : first + _AT_ONCE]
        answers = assessments.responses_of_some(session, principal, protocol.trial_id, some)
        for subject_id, of_subject in groupby(answers, lambda each: each.subject_id):
            for place, each in enumerate(_of_subject(of_subject, protocol)):
                yield (subject_id, place), each


def _of_subject(answers: Iterable[Response], protocol: TrialProtocol) -> Iterator[Discordance]:
    by_slot: dict[int, list[Response]] = {FIRST: [], SECOND: []}
    for each in answers:
        by_slot[each.slot].append(each)
    tolerance = protocol.readers.progression_date_tolerance_days
    return discordances(by_slot[FIRST], by_slot[SECOND], tolerance)


def kept_values(session: Session, renewal: Renewal) -> Sequence[Mapping[str, Any]]:
    """Return where the two readers of a subject differ, to be kept."""
    wanted = [renewal.subject_id]
    answers = assessments.responses_of_some(session, reads.SYSTEM, renewal.trial_id, wanted)
    return repository.kept_values(list(_of_subject(answers, renewal.protocol)))


KEEPER = Keeper(row=repository.KEPT, values=kept_values)


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
    accepted: AbstractSet[str]
    """Keys of the reads that carry the accepted flag."""


def history(
    session: Session, principal: Principal, trial_id: str, subject_id: str, today: date
) -> SubjectHistory:
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
    read = reads.reads_of_subject(session, principal, trial_id, subject_id, with_closed=True)
    acceptance = (acceptances(session, principal, trial_id, {subject_id}, today) or {}).get(subject_id)
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
        accepted={each.read_id for each in _newest(read) if acceptance and acceptance.accepts(each.slot)},
    )


def _newest(found: Sequence[Read]) -> Iterator[Read]:
    """Yield the signed reads that no later signed one supersedes."""
    superseded = {each.supersedes for each in found if each.is_signed}
    for each in found:
        if each.is_signed and each.read_id not in superseded:
            yield each
