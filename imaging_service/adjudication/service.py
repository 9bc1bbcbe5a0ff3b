"""Reviews of subjects, the adjudicator's worklist and cases, and decisions."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date, timedelta

from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from imaging_service.accounts import service as accounts
from imaging_service.accounts.principal import Principal, Role
from imaging_service.accounts.service import Authentication
from imaging_service.adjudication import repository
from imaging_service.adjudication.differences import Difference, differences
from imaging_service.adjudication.errors import (
    EvidenceChangedError,
    NothingToAdjudicateError,
    NotIndependentError,
)
from imaging_service.adjudication.finishing import ReaderCourse, course, is_finished
from imaging_service.adjudication.repository import Wanted
from imaging_service.adjudication.review import (
    FIRST,
    SECOND,
    Acceptance,
    Decision,
    Review,
    Standing,
    record_hash,
)
from imaging_service.assessments import repository as assessments
from imaging_service.assessments.repository import Assessment, Response, ResponseFilter
from imaging_service.database import new_id
from imaging_service.errors import ForbiddenError, NotFoundError
from imaging_service.http.pages import Page, PageRequest, bad_cursor, encode_cursor
from imaging_service.reads import repository as reads
from imaging_service.reads.act import ReadAct
from imaging_service.reads.read import Read
from imaging_service.trials import service as trials
from measurement.protocol.trial import TrialProtocol


def reviews(
    session: Session, principal: Principal, protocol: TrialProtocol, wanted: Wanted, today: date
) -> Iterator[Review]:
    """Yield the review of each wanted subject in the scope, by the subjects' names.

    The reads are seen as the system sees them, blinded or not: the caller of this function answers for
    what of a review reaches whom.

    Parameters
    ----------
    session
        The transaction.
    principal
        Gives the scope.
    protocol
        Says how many readers there are and what they must agree on.
    wanted
        Which subjects.
    today
        The day as of which timepoints are overdue or missed.
    """
    named = repository.subjects(session, principal.scope, wanted)
    only = named[0].subject_id if len(named) == 1 else wanted.subject_id
    answers = _answers(session, wanted.trial_id, only)
    drafts = reads.drafts(session, reads.SYSTEM, wanted.trial_id, only)
    calendars = repository.calendars(session, wanted.trial_id, only)
    decided = repository.decisions(session, wanted.trial_id, only)
    for each in named:
        calendar = calendars.get(each.subject_id, ())
        courses = {
            slot: course(
                answers.get((each.subject_id, slot), ()),
                calendar,
                drafts.get((each.subject_id, slot), frozenset()),
            )
            for slot in range(FIRST, protocol.readers.count + 1)
        }
        finished = is_finished(list(courses.values()), calendar, today)
        yield Review(
            trial_id=wanted.trial_id,
            subject_id=each.subject_id,
            site_id=each.site_id,
            reading_id=each.reading_id,
            protocol_version=protocol.version,
            courses=courses,
            is_finished=finished,
            differences=_differences(courses, protocol) if finished else (),
            decisions=decided.get(each.subject_id, ()),
        )


def _answers(
    session: Session, trial_id: str, subject_id: str | None
) -> Mapping[tuple[str, int], list[Response]]:
    statement, _ = assessments.responses(reads.SYSTEM, trial_id, ResponseFilter(subject_id=subject_id))
    found: dict[tuple[str, int], list[Response]] = {}
    for row in session.execute(statement):
        each = assessments.response_of(row)
        found.setdefault((each.subject_id, each.slot), []).append(each)
    return found


def _differences(courses: Mapping[int, ReaderCourse], protocol: TrialProtocol) -> Sequence[Difference]:
    if SECOND not in courses:
        return ()
    return differences(courses[FIRST].answers[-1], courses[SECOND].answers[-1], protocol.readers)


def reviews_of_trial(
    session: Session, principal: Principal, wanted: Wanted, today: date
) -> tuple[TrialProtocol, Sequence[Review]]:
    """Return the reviews of a trial's subjects, for whom the trial is not blinded.

    Raises
    ------
    NotFoundError
        There is no such trial in the scope.
    ForbiddenError
        The caller reads or adjudicates in the trial.
    """
    protocol = trials.protocol_in_force(session, principal.scope, wanted.trial_id, on=today)
    refuse_blinded(principal, wanted.trial_id)
    return protocol, list(reviews(session, principal, protocol, wanted, today))


def refuse_blinded(principal: Principal, trial_id: str) -> None:
    """Refuse who reads in the trial, or adjudicates, whatever other roles there are.

    Raises
    ------
    ForbiddenError
        The caller does.
    """
    if principal.scope.reader_slot(trial_id) is not None or principal.has(Role.ADJUDICATOR):
        message = f"The account reads or adjudicates in trial {trial_id!r} and stays blinded there."
        raise ForbiddenError(message, code="blinded")


def acceptances(
    session: Session,
    principal: Principal,
    protocol: TrialProtocol,
    wanted: Wanted,
    today: date,
) -> Mapping[str, Acceptance]:
    """Return whose reads count for each subject in the scope.

    Raises
    ------
    ForbiddenError
        The caller reads or adjudicates in the trial.
    """
    refuse_blinded(principal, wanted.trial_id)
    return {each.subject_id: each.acceptance for each in reviews(session, principal, protocol, wanted, today)}


def page_of(
    found: Sequence[Review], page: PageRequest, *, by: Callable[[Review], tuple[str, str]]
) -> Page[Review]:
    """Cut a page out of reviews that are in the order of the key `by`.

    Raises
    ------
    BadRequestError
        The cursor is another list's.
    """
    after = ("", "") if page.after is None else page.after
    if len(after) != 2 or not all(isinstance(each, str) for each in after):
        raise bad_cursor()
    rest = [each for each in found if by(each) > after]
    shown = rest[: page.limit]
    is_more = len(rest) > page.limit
    return Page(items=shown, next_cursor=encode_cursor(by(shown[-1])) if is_more else None)


def worklist(session: Session, principal: Principal, trial_id: str | None, today: date) -> Sequence[Review]:
    """Return the open cases of the trials that the caller adjudicates, by their reading ids.

    Raises
    ------
    NotFoundError
        There is no such trial in the scope.
    NotIndependentError
        The caller has read for the trial that is asked for, or sees it unblinded.
    """
    if trial_id is not None:
        trials.find_trial(session, principal.scope, trial_id)
        _check_blinded(principal, trial_id)
    wanted = [
        each
        for each in sorted(principal.scope.trial_ids)
        if trial_id in {None, each} and _why_not_blinded(principal, each) is None
    ]
    found: list[Review] = []
    for each in wanted:
        protocol = trials.protocol_in_force(session, principal.scope, each, on=today)
        own = reads.subjects_read_by(session, each, principal.account_id)
        found += [
            review
            for review in reviews(session, principal, protocol, Wanted(trial_id=each), today)
            if review.standing is Standing.TO_ADJUDICATE and review.subject_id not in own
        ]
    return sorted(found, key=lambda each: (each.trial_id, each.reading_id))


def _why_not_blinded(principal: Principal, trial_id: str) -> str | None:
    if principal.scope.reader_slot(trial_id) is not None:
        return f"The account reads for trial {trial_id!r}; nobody adjudicates an own read."
    unblinded = sorted(each for each in reads.UNBLINDED if principal.has(each))
    if unblinded:
        return (
            f"The account sees trial {trial_id!r} unblinded as {' and '.join(unblinded)}; "
            "an adjudicator must be another person."
        )
    return None


def _check_blinded(principal: Principal, trial_id: str) -> None:
    found = _why_not_blinded(principal, trial_id)
    if found is not None:
        raise NotIndependentError(found)


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """What an adjudicator sees of a subject: both readers' reads and what follows from them."""

    review: Review
    readers: Mapping[int, Sequence[tuple[Read, Assessment]]]


def find_case(session: Session, principal: Principal, trial_id: str, reading_id: str, today: date) -> Case:
    """Return an open case, or one that has been decided, with both readers' signed reads.

    Raises
    ------
    NotFoundError
        There is no such subject in the scope, or both readers have not finished it and differed.
    NotIndependentError
        The caller has read the subject or sees the trial unblinded.
    """
    review = _case(session, principal, trial_id, reading_id, today)
    return Case(
        review=review,
        readers={slot: list(_read(session, found)) for slot, found in review.courses.items()},
    )


def _case(session: Session, principal: Principal, trial_id: str, reading_id: str, today: date) -> Review:
    protocol = trials.protocol_in_force(session, principal.scope, trial_id, on=today)
    _check_blinded(principal, trial_id)
    wanted = Wanted(trial_id=trial_id, reading_id=reading_id)
    review = next(reviews(session, principal, protocol, wanted, today), None)
    if review is None:
        raise _no_case(reading_id)
    if review.subject_id in reads.subjects_read_by(session, trial_id, principal.account_id):
        message = f"The account has read {reading_id}; nobody adjudicates an own read."
        raise NotIndependentError(message)
    if review.standing not in {Standing.TO_ADJUDICATE, Standing.ADJUDICATED}:
        raise _no_case(reading_id)
    return review


def _no_case(reading_id: str) -> NotFoundError:
    return NotFoundError(f"There is no case {reading_id!r} to adjudicate.")


def _read(session: Session, found: ReaderCourse) -> Iterator[tuple[Read, Assessment]]:
    for read_id in found.read_ids:
        read = reads.find(session, reads.SYSTEM, read_id)
        assessment = None if read is None else assessments.newest_of(session, reads.SYSTEM, read)
        if read is not None and assessment is not None:
            yield read, assessment


@dataclass(frozen=True, slots=True, kw_only=True)
class Choosing:
    """What an adjudicator says by signing."""

    chosen_slot: int
    reason: str
    meaning: str
    evidence_sha256: str
    """Of the case as the adjudicator has seen it."""
    authentication: Authentication
    """The password, entered again."""
    valid_for: timedelta


def decide(act: ReadAct, trial_id: str, reading_id: str, choosing: Choosing) -> Decision:
    """Sign the choice of a reader; it never changes.

    Raises
    ------
    NotFoundError
        There is no such case.
    NotIndependentError
        The caller has read the subject or sees the trial unblinded.
    NothingToAdjudicateError
        The case is decided already.
    EvidenceChangedError
        The reads changed after the caller looked at them.
    UnauthenticatedError
        The re-entered password was used already or is too old.
    """
    review = _case(act.session, act.principal, trial_id, reading_id, act.now.date())
    if review.evidence_sha256 != choosing.evidence_sha256:
        raise EvidenceChangedError(reading_id)
    if review.standing is not Standing.TO_ADJUDICATE:
        raise NothingToAdjudicateError(reading_id, review.standing)
    accounts.use_authentication(
        act.session, act.principal, choosing.authentication, now=act.now, valid_for=choosing.valid_for
    )
    decision = _decision(act, review, choosing)
    try:
        repository.add(act.session, decision)
    except IntegrityError:
        raise NothingToAdjudicateError(reading_id, Standing.ADJUDICATED) from None
    act.act.record(
        "adjudicate subject",
        "adjudication",
        decision.decision_id,
        after={
            "edition": decision.edition,
            "chosen_slot": decision.chosen_slot,
            "evidence_sha256": decision.evidence_sha256,
            "meaning": decision.meaning,
            "name": decision.printed_name,
            "record_hash": decision.record_hash,
            "authentication_id": choosing.authentication.authentication_id,
        },
        reason=decision.reason,
    )
    return decision


def _decision(act: ReadAct, review: Review, choosing: Choosing) -> Decision:
    unsigned = Decision(
        decision_id=new_id(),
        trial_id=review.trial_id,
        subject_id=review.subject_id,
        edition=len(review.decisions) + 1,
        read_ids=review.read_ids,
        differences=[asdict(each) for each in review.differences],
        evidence_sha256=review.evidence_sha256,
        protocol_version=review.protocol_version,
        chosen_slot=choosing.chosen_slot,
        reason=choosing.reason,
        account_id=act.principal.account_id,
        printed_name=act.principal.name,
        role=Role.ADJUDICATOR.value,
        meaning=choosing.meaning,
        signed_at=act.now,
        authenticated_at=choosing.authentication.at,
        record_hash="",
    )
    return replace(unsigned, record_hash=record_hash(unsigned))
