"""Give readers out of a trial's pool to the subjects that wait for them, and others in their place."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from itertools import groupby
from typing import Any

from sqlalchemy.orm import Session

from imaging_service.accounts import service as accounts
from imaging_service.accounts.act import Act
from imaging_service.accounts.blinding import refuse_blinded
from imaging_service.accounts.principal import Principal
from imaging_service.accounts.scope import Scope
from imaging_service.clock import Clock
from imaging_service.errors import ConflictError, NotFoundError, RefusedError
from imaging_service.http.pages import Page, PageRequest
from imaging_service.jobs.port import Handler, Job, WorkerContext
from imaging_service.reads import assignment_repository, repository
from imaging_service.reads.act import ReadAct
from imaging_service.reads.assigning import Candidate, Draw, choose, reason_of
from imaging_service.reads.assignment import Assignment
from imaging_service.subjects import service as subjects
from imaging_service.trials import seating
from imaging_service.trials import service as trials
from imaging_service.trials.records import ReaderPlan
from measurement.protocol.trial import ReaderAssignment

_EVERYWHERE = Scope.all()


def assign_waiting(act: Act, trial_id: str) -> Sequence[Assignment]:
    """Give every subject that can be read the readers that it lacks, in the order of their baselines.

    Doing it twice changes nothing. While the pool has fewer accounts than a subject needs readers, nobody
    is drawn and all wait.

    Parameters
    ----------
    act
        The system's.
    trial_id
        The trial.
    """
    plan = seating.reader_plan(act.session, trial_id, lock=True)
    if plan is None:
        return ()
    readers = _readers(act.session, trial_id, act.today)
    pool = [each.account_id for each in accounts.reader_pool(act.session, trial_id)]
    if len(pool) < readers:
        return ()
    found: list[Assignment] = []
    for subject_id in assignment_repository.waiting(act.session, _EVERYWHERE, trial_id, readers):
        before = assignment_repository.of_subject(act.session, trial_id, subject_id)
        for slot in sorted(set(range(1, readers + 1)) - {each.slot for each in before}):
            drawn = _draw(act, plan, subject_id, slot, pool, [*before, *found])
            if drawn is not None:
                found.append(drawn)
    return found


def _draw(  # noqa: PLR0913, PLR0917  a draw has this many facts
    act: Act,
    plan: ReaderPlan,
    subject_id: str,
    slot: int,
    pool: Sequence[str],
    known: Iterable[Assignment],
) -> Assignment | None:
    counts = assignment_repository.subjects_of_each(act.session, plan.trial_id)
    candidates = [Candidate(account_id=each, subjects=counts.get(each, 0)) for each in pool]
    taken = {each.account_id for each in known if each.subject_id == subject_id and each.slot != slot}
    draw = Draw(
        assignment=plan.assignment,
        seed=plan.seed,
        trial_id=plan.trial_id,
        subject_id=subject_id,
        slot=slot,
    )
    chosen = choose(draw, candidates, taken)
    if chosen is None:
        return None
    return _keep(
        act,
        Assignment(
            trial_id=plan.trial_id,
            subject_id=subject_id,
            slot=slot,
            edition=1,
            account_id=chosen,
            candidates=candidates,
            reason=reason_of(draw, candidates, chosen),
            assigned_by=act.by,
            assigned_at=act.now,
        ),
    )


def _keep(act: Act, assignment: Assignment, *, before: Assignment | None = None) -> Assignment:
    assignment_repository.add(act.session, assignment)
    act.record(
        "assign reader",
        "reader assignment",
        f"{assignment.trial_id} {assignment.subject_id} {assignment.slot}",
        before=None if before is None else {"edition": before.edition, "account_id": before.account_id},
        after={"edition": assignment.edition, "account_id": assignment.account_id},
        reason=assignment.reason,
    )
    return assignment


def _readers(session: Session, trial_id: str, today: date) -> int:
    return trials.protocol_in_force(session, _EVERYWHERE, trial_id, on=today).readers.count


def differing(plan: ReaderPlan, of_subject: Sequence[Assignment]) -> Iterator[Assignment]:
    """Yield the draws of a subject that, made again from what is stored, give another reader.

    Parameters
    ----------
    plan
        The seed.
    of_subject
        Every assignment of the subject.
    """
    for each in of_subject:
        if each.candidates is None:
            continue  # a coordinator chose
        draw = Draw(
            assignment=plan.assignment,
            seed=plan.seed,
            trial_id=plan.trial_id,
            subject_id=each.subject_id,
            slot=each.slot,
        )
        taken = {
            other.account_id
            for other in of_subject
            if other.slot != each.slot and (other.assigned_at, other.slot) < (each.assigned_at, each.slot)
        }
        if choose(draw, each.candidates, taken) != each.account_id:
            yield each


@dataclass(frozen=True, slots=True, kw_only=True)
class Seats:
    """How the subjects of a trial get their readers, and which of them wait."""

    assignment: ReaderAssignment
    plan: ReaderPlan | None
    """None where readers are fixed."""
    pool: Mapping[str, int]
    """Of each account in the pool, by name, how many subjects it reads."""
    waiting: Sequence[str]
    """Subjects in the scope that can be read and lack a reader."""
    differing: Sequence[str]
    """Slots of subjects in the scope whose draw, made again, gives another reader."""


def seats(session: Session, principal: Principal, trial_id: str, today: date) -> Seats:
    """Return how a trial's subjects get their readers.

    Raises
    ------
    NotFoundError
        There is no such trial in the scope.
    ForbiddenError
        The caller reads or adjudicates in the trial.
    """
    _check_unblinded(session, principal, trial_id)
    plan = seating.reader_plan(session, trial_id)
    if plan is None:
        return Seats(assignment=ReaderAssignment.FIXED, plan=None, pool={}, waiting=(), differing=())
    counts = assignment_repository.subjects_of_each(session, trial_id)
    pool = accounts.reader_pool(session, trial_id)
    readers = _readers(session, trial_id, today)
    return Seats(
        assignment=plan.assignment,
        plan=plan,
        pool={each.account: counts.get(each.account_id, 0) for each in pool},
        waiting=assignment_repository.waiting(session, principal.scope, trial_id, readers),
        differing=[
            each.name
            for _, of_subject in groupby(
                assignment_repository.every(session, principal.scope, trial_id),
                key=lambda assignment: assignment.subject_id,
            )
            for each in differing(plan, list(of_subject))
        ],
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedAssignment:
    """An assignment as a coordinator sees it."""

    assignment: Assignment
    account: str
    """The name that the reader signs in with."""
    is_current: bool


def assignments(
    session: Session, principal: Principal, trial_id: str, page: PageRequest
) -> Page[NamedAssignment]:
    """Return every assignment of the subjects in the scope, replaced ones included.

    Raises
    ------
    NotFoundError
        There is no such trial in the scope.
    ForbiddenError
        The caller reads or adjudicates in the trial.
    """
    _check_unblinded(session, principal, trial_id)
    found = assignment_repository.of_trial(session, principal.scope, trial_id, page)
    names = accounts.names(session, {each.account_id for each, _ in found.items})
    items = [
        NamedAssignment(assignment=each, account=names[each.account_id], is_current=is_current)
        for each, is_current in found.items
    ]
    return Page(items=items, next_cursor=found.next_cursor)


def _check_unblinded(session: Session, principal: Principal, trial_id: str) -> None:
    trials.find_trial(session, principal.scope, trial_id)
    refuse_blinded(principal, trial_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class Replacement:
    """Another reader for a slot of a subject."""

    account: str
    reason: str
    seen: int
    """Edition of the assignment that the coordinator saw."""


def reassign(act: ReadAct, trial_id: str, subject_id: str, slot: int, wanted: Replacement) -> NamedAssignment:
    """Give a slot of a subject to another reader of the pool; drafts of the one before are closed.

    Parameters
    ----------
    act
        The coordinator's.
    trial_id, subject_id, slot
        The slot.
    wanted
        Who reads it from now on.

    Raises
    ------
    NotFoundError
        There is no such subject in the scope, nobody reads the slot yet, or there is no such account.
    ForbiddenError
        The caller reads or adjudicates in the trial.
    RefusedError
        The account is not in the trial's pool.
    ConflictError
        Readers are fixed, somebody has replaced the reader meanwhile, the account has read the subject in
        another slot, or the reader has signed and is still in the pool.
    """
    session = act.session
    _check_unblinded(session, act.principal, trial_id)
    subjects.find_subject(session, act.principal.scope, trial_id, subject_id)
    if seating.reader_plan(session, trial_id, lock=True) is None:
        message = (
            f"The readers of trial {trial_id!r} are fixed; a slot gets another reader by its permission."
        )
        raise ConflictError(message, code="readers_fixed")
    known = assignment_repository.of_subject(session, trial_id, subject_id)
    before = next((each for each in reversed(known) if each.slot == slot), None)
    if before is None:
        message = f"Nobody reads slot {slot} of subject {subject_id!r} yet; its readers are drawn first."
        raise NotFoundError(message)
    after = accounts.find_account(session, wanted.account).account_id
    if after == before.account_id:
        return NamedAssignment(assignment=before, account=wanted.account, is_current=True)
    _check_replacement(act, before, known, wanted, after)
    _close_drafts(act, before, wanted.reason)
    kept = _keep(
        act.act,
        replace(
            before,
            edition=before.edition + 1,
            account_id=after,
            candidates=None,
            reason=wanted.reason,
            assigned_by=act.act.by,
            assigned_at=act.now,
        ),
        before=before,
    )
    return NamedAssignment(assignment=kept, account=wanted.account, is_current=True)


def _check_replacement(
    act: ReadAct, before: Assignment, known: Iterable[Assignment], wanted: Replacement, after: str
) -> None:
    if wanted.seen != before.edition:
        message = (
            f"Edition {before.edition} says who reads slot {before.slot}, not {wanted.seen}; "
            "look again and decide anew."
        )
        raise ConflictError(message, code="changed_meanwhile")
    pool = {each.account_id for each in accounts.reader_pool(act.session, before.trial_id)}
    if after not in pool:
        message = (
            f"The account {wanted.account!r} is not in the pool of readers of trial {before.trial_id!r}."
        )
        raise RefusedError(message, code="not_in_pool")
    if any(each.account_id == after and each.slot != before.slot for each in known):
        message = (
            f"The account {wanted.account!r} reads or has read another slot of subject "
            f"{before.subject_id!r}; slot {before.slot} needs an independent reader."
        )
        raise ConflictError(message, code="reader_not_independent")
    has_signed = repository.has_signed(act.session, before.trial_id, before.subject_id, before.slot)
    if has_signed and before.account_id in pool:
        message = (
            f"The reader of slot {before.slot} has signed a read of subject {before.subject_id!r} and keeps "
            "the subject, unless the account leaves the pool."
        )
        raise ConflictError(message, code="reader_has_signed")


def _close_drafts(act: ReadAct, before: Assignment, reason: str) -> None:
    """Close the drafts of the slot that follow no signed read; one that does goes on with the slot."""
    where = (before.trial_id, before.subject_id, before.slot)
    repository.lock_reading(act.session, *where)
    read_ids = repository.first_drafts(act.session, *where)
    repository.close(act.session, read_ids, act.now)
    for read_id in read_ids:
        act.record("close draft", read_id, after={"closed_at": act.now}, reason=reason)


def assign_readers(context: WorkerContext, payload: Mapping[str, Any]) -> None:
    """Give readers to the subjects of a trial that wait for them."""
    services = context.services
    with context.completion() as session:
        act = Act.of_worker(session, services.queue, services.clock.now())
        assign_waiting(act, str(payload["trial_id"]))


HANDLERS: Mapping[str, Handler] = {seating.ASSIGN_READERS: assign_readers}
"""The jobs of this chapter."""


def missing_jobs(clock: Clock) -> Callable[[Session], Iterable[Job]]:
    """Return what names the jobs of trials with subjects that wait for readers, and readers for them."""

    def derive(session: Session) -> Iterable[Job]:
        for plan in seating.reader_plans(session):
            readers = _readers(session, plan.trial_id, clock.now().date())
            is_enough = len(accounts.reader_pool(session, plan.trial_id)) >= readers
            if is_enough and assignment_repository.waiting(session, _EVERYWHERE, plan.trial_id, readers):
                yield seating.assignment_job(plan.trial_id)

    return derive
