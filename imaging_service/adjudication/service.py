"""Reviews of subjects, the adjudicator's worklist and cases, and decisions."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date, timedelta
from typing import Any

from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from imaging_service.accounts import service as accounts
from imaging_service.accounts.blinding import refuse_blinded
from imaging_service.accounts.principal import Principal, Role
from imaging_service.accounts.service import Authentication
from imaging_service.adjudication import repository
from imaging_service.adjudication.differences import Difference, differences
from imaging_service.adjudication.errors import (
    EvidenceChangedError,
    NothingToAdjudicateError,
    NotIndependentError,
)
from imaging_service.adjudication.finishing import ReaderCourse, course, finished_from
from imaging_service.adjudication.kept import KeptReview, kept
from imaging_service.adjudication.repository import NamedSubject, Wanted
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
from imaging_service.derived import service as derived
from imaging_service.derived.service import Keeper, Renewal
from imaging_service.errors import NotFoundError
from imaging_service.http.pages import Page, PageRequest, bad_cursor
from imaging_service.notices.kinds import Kind
from imaging_service.notices.service import publish
from imaging_service.reads import repository as reads
from imaging_service.reads.act import ReadAct
from imaging_service.reads.read import Read
from imaging_service.subjects.service import calendar_job
from imaging_service.trials import service as trials
from measurement.protocol.trial import TrialProtocol

_SUBJECTS_AT_ONCE = 200


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
    for first in range(0, len(named), _SUBJECTS_AT_ONCE):
        some = named[first : first + _SUBJECTS_AT_ONCE]
        yield from _reviews(session, protocol, wanted.trial_id, some, today)


def _reviews(
    session: Session,
    protocol: TrialProtocol,
    trial_id: str,
    named: Sequence[NamedSubject],
    today: date,
) -> Iterator[Review]:
    only = [each.subject_id for each in named]
    answers = _answers(session, trial_id, only)
    drafts = reads.drafts(session, reads.SYSTEM, trial_id, only)
    calendars = repository.calendars(session, trial_id, only)
    decided = repository.decisions(session, trial_id, only)
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
        from_day = finished_from(list(courses.values()), calendar)
        finished = from_day is not None and from_day <= today
        yield Review(
            trial_id=trial_id,
            subject_id=each.subject_id,
            site_id=each.site_id,
            reading_id=each.reading_id,
            protocol_version=protocol.version,
            courses=courses,
            finished_from=from_day,
            is_finished=finished,
            differences=_differences(courses, protocol) if finished else (),
            decisions=decided.get(each.subject_id, ()),
        )


def _answers(
    session: Session, trial_id: str, subject_ids: Sequence[str]
) -> Mapping[tuple[str, int], list[Response]]:
    wanted = ResponseFilter(subject_ids=subject_ids)
    statement, _ = assessments.responses(reads.SYSTEM, trial_id, wanted)
    found: dict[tuple[str, int], list[Response]] = {}
    for row in session.execute(statement):
        each = assessments.response_of(row)
        found.setdefault((each.subject_id, each.slot), []).append(each)
    return found


def _differences(courses: Mapping[int, ReaderCourse], protocol: TrialProtocol) -> Sequence[Difference]:
    if SECOND not in courses:
        return ()
    return differences(courses[FIRST].answers[-1], courses[SECOND].answers[-1], protocol.readers)


def page_of_reviews(
    session: Session, principal: Principal, wanted: Wanted, page: PageRequest, today: date
) -> Page[Review]:
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
    named = repository.page_of_subjects(session, principal.scope, wanted, page)
    items = list(_reviews(session, protocol, wanted.trial_id, named.items, today))
    return Page(items=items, next_cursor=named.next_cursor)


def kept_reviews(
    session: Session, principal: Principal, wanted: Wanted, today: date
) -> tuple[TrialProtocol, Iterator[KeptReview]]:
    """Return what is kept of every review, for whom the trial is not blinded; all of it is up to date.

    Raises
    ------
    NotFoundError
        There is no such trial in the scope.
    ForbiddenError
        The caller reads or adjudicates in the trial.
    """
    protocol = trials.protocol_in_force(session, principal.scope, wanted.trial_id, on=today)
    refuse_blinded(principal, wanted.trial_id)
    return protocol, _up_to_date(session, principal, protocol, wanted)


def _up_to_date(
    session: Session, principal: Principal, protocol: TrialProtocol, wanted: Wanted
) -> Iterator[KeptReview]:
    old = derived.out_of_date(session, wanted.trial_id, protocol)
    if wanted.subject_ids is not None:
        old &= frozenset(wanted.subject_ids)
    for each in repository.kept_reviews(session, principal.scope, wanted):
        if each.subject_id not in old:
            yield each
    if old:
        anew = replace(wanted, subject_ids=sorted(old))
        yield from map(kept, reviews(session, principal, protocol, anew, date.max))


def kept_values(session: Session, renewal: Renewal) -> Sequence[Mapping[str, Any]]:
    """Return how far a subject's review has come, to be kept."""
    wanted = Wanted(trial_id=renewal.trial_id, subject_id=renewal.subject_id)
    found = reviews(session, reads.SYSTEM, renewal.protocol, wanted, date.max)
    return [repository.kept_values(kept(each)) for each in found]


KEEPER = Keeper(row=repository.KEPT, values=kept_values)


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
    if wanted.subject_id is not None:
        found = reviews(session, principal, protocol, wanted, today)
        return {each.subject_id: each.acceptance for each in found}
    return {
        each.subject_id: each.acceptance(today) for each in _up_to_date(session, principal, protocol, wanted)
    }


def worklist(
    session: Session, principal: Principal, trial_id: str | None, page: PageRequest, today: date
) -> Page[Review]:
    """Return the open cases of the trials that the caller adjudicates, by their reading ids.

    Raises
    ------
    NotFoundError
        There is no such trial in the scope.
    NotIndependentError
        The caller has read for the trial that is asked for, or sees it unblinded.
    BadRequestError
        The cursor is another list's.
    """
    if trial_id is not None:
        trials.find_trial(session, principal.scope, trial_id)
        _check_blinded(principal, trial_id)
    after = ("", "") if page.after is None else page.after
    if len(after) != 2 or not all(isinstance(each, str) for each in after):
        raise bad_cursor()
    wanted = [
        each
        for each in sorted(principal.scope.trial_ids)
        if trial_id in {None, each} and each >= str(after[0]) and _why_not_blinded(principal, each) is None
    ]
    found: list[Review] = []
    for each in wanted:
        behind = str(after[1]) if each == after[0] else ""
        places = page.limit + 1 - len(found)
        if places > 0:
            found += _open_cases(session, principal, each, behind, places, today)
    return page.page(found, lambda review: (review.trial_id, review.reading_id), lambda review: review)


def _open_cases(  # noqa: PLR0913, PLR0917  a search has this many conditions
    session: Session, principal: Principal, trial_id: str, after: str, places: int, today: date
) -> Sequence[Review]:
    """Return the first open cases behind a reading id that the caller has not read."""
    protocol = trials.protocol_in_force(session, principal.scope, trial_id, on=today)
    own = reads.subjects_read_by(session, trial_id, principal.account_id)
    listed = repository.open_cases(
        session,
        principal.scope,
        Wanted(trial_id=trial_id),
        basis=derived.basis_of(protocol),
        today=today,
        not_of=own,
        after=after,
        limit=places,
    )
    anew = derived.out_of_date(session, trial_id, protocol) - own
    wanted = Wanted(trial_id=trial_id, subject_ids=sorted({*listed, *anew}))
    found = [
        each
        for each in reviews(session, principal, protocol, wanted, today)
        if each.standing is Standing.TO_ADJUDICATE and each.reading_id > after
    ]
    return sorted(found, key=lambda each: each.reading_id)[:places]


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
    publish(
        act.act,
        Kind.ADJUDICATION_DONE,
        trial_id,
        subject_id=review.subject_id,
        reference=decision.decision_id,
    )
    act.act.queue.enqueue(act.session, calendar_job(trial_id, review.subject_id))
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
