"""Seats and the pool: who reads in a trial, by its protocol's way of assigning readers.

Where readers are fixed, each slot is one account's. Else accounts are in the trial's pool, and each
subject gets its readers out of it; the chapter of reads does that, when it is asked for it here.
"""

import secrets
from collections.abc import Sequence

from sqlalchemy.orm import Session

from imaging_service.accounts import service as accounts
from imaging_service.accounts.act import Act
from imaging_service.accounts.scope import POOL, Grant
from imaging_service.errors import ConflictError, RefusedError
from imaging_service.jobs.port import Job
from imaging_service.trials import repository
from imaging_service.trials.records import FiledProtocol, ReaderPlan
from measurement.protocol.trial import ReaderAssignment, TrialProtocol

ASSIGN_READERS = "assign readers"
"""Job: give readers to the subjects of a trial that wait for them."""

_SEED_BYTES = 16


def assignment_job(trial_id: str) -> Job:
    """Return the job that gives readers to a trial's subjects; several waiting ones are one."""
    return Job(name=ASSIGN_READERS, payload={"trial_id": trial_id}, key=f"{ASSIGN_READERS} {trial_id}")


def ask_for_readers(act: Act, trial_id: str) -> None:
    """Let the subjects of a trial that wait for readers get them, where the trial has a pool."""
    if repository.reader_plan(act.session, trial_id) is not None:
        act.queue.enqueue(act.session, assignment_job(trial_id))


def reader_plan(session: Session, trial_id: str, *, lock: bool = False) -> ReaderPlan | None:
    """Return how a trial's subjects get readers out of its pool; None where readers are fixed.

    `lock` lets one assign or replace readers of the trial at a time.
    """
    return repository.reader_plan(session, trial_id, lock=lock)


def reader_plans(session: Session) -> Sequence[ReaderPlan]:
    """Return the plan of every trial that has a pool of readers."""
    return repository.reader_plans(session)


def begin_pool(act: Act, protocol: TrialProtocol) -> None:
    """Draw the seed of a new trial whose subjects get their readers out of a pool.

    Raises
    ------
    ConflictError
        Some account has a reader slot of its own in the trial.
    """
    assignment = protocol.readers.assignment
    if assignment is ReaderAssignment.FIXED:
        return
    if accounts.has_seats(act.session, protocol.trial_id):
        message = (
            f"An account has a reader slot of its own in trial {protocol.trial_id!r}, whose readers are "
            f"assigned {assignment.value}; end that permission first."
        )
        raise ConflictError(message, code="readers_from_pool")
    plan = ReaderPlan(
        trial_id=protocol.trial_id,
        assignment=assignment,
        seed=secrets.token_hex(_SEED_BYTES),
        drawn_at=act.now,
    )
    repository.add_reader_plan(act.session, plan)
    after = {"assignment": plan.assignment, "seed": plan.seed}
    act.record("plan reader assignment", "trial", plan.trial_id, after=after)


def check_assignment_stays(protocol: TrialProtocol, latest: FiledProtocol) -> None:
    """Refuse an amendment that assigns readers otherwise, as each subject keeps its own.

    Raises
    ------
    RefusedError
        It does.
    """
    before = latest.writing.protocol().readers.assignment
    after = protocol.readers.assignment
    if after is not before:
        message = (
            f"Version {protocol.version!r} would assign readers {after.value} and version "
            f"{latest.version!r} assigns them {before.value}; the subjects of a trial keep their readers, "
            f"so assignment = {before.value!r} was wanted."
        )
        raise RefusedError(message, code="assignment_changed")


def check_slot(session: Session, permission: Grant) -> None:
    """Refuse a slot of one's own where there is a pool, and the pool where there is none.

    Raises
    ------
    RefusedError
        It is one of these.
    """
    plan = repository.reader_plan(session, permission.trial_id)
    if plan is not None and permission.reader_slot != POOL:
        message = (
            f"The readers of trial {permission.trial_id!r} are assigned {plan.assignment.value} to each "
            "subject; an account reads there by being in the pool, not in a slot of its own."
        )
        raise RefusedError(message, code="readers_from_pool")
    if plan is None and permission.reader_slot == POOL:
        message = (
            f"The readers of trial {permission.trial_id!r} are fixed; an account reads there in slot 1 or 2, "
            "and there is no pool."
        )
        raise RefusedError(message, code="no_reader_pool")


accounts.SEATING.check_with(check_slot)
