"""When a subject's treatment cycles began: a delayed one moves timepoints where the protocol says so."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from itertools import pairwise

from sqlalchemy.orm import Session

from imaging_service.accounts.act import Act
from imaging_service.accounts.scope import Scope
from imaging_service.errors import ConflictError, RefusedError
from imaging_service.subjects import repository as subject_repository
from imaging_service.subjects import service as subjects
from imaging_service.subjects.dates import today_anywhere
from imaging_service.subjects.records import Subject
from imaging_service.timepoints import repository
from imaging_service.timepoints.records import Cycles


@dataclass(frozen=True, slots=True, kw_only=True)
class CycleDates:
    """On which days cycles began, and why this is written now."""

    started_on: Sequence[date]  # of cycles 1, 2, …
    reason: str
    seen_version: int | None = None  # what was looked at; None: whatever counts now


def history(session: Session, scope: Scope, trial_id: str, subject_id: str) -> Sequence[Cycles]:
    """Return all that was ever known of a subject's cycles, the first version first.

    Raises
    ------
    NotFoundError
        There is no such subject in the scope.
    """
    subjects.find_subject(session, scope, trial_id, subject_id)
    return repository.cycles_history(session, trial_id, subject_id)


def write(act: Act, trial_id: str, subject_id: str, dates: CycleDates) -> Cycles:
    """Write down when a subject's cycles began; the calendar follows.

    Raises
    ------
    NotFoundError
        There is no such subject in the scope.
    RefusedError
        The days are not in order, in the future, before the first dose, or after the death.
    ConflictError
        Somebody has written them meanwhile.
    """
    subject = subjects.find_subject(act.session, act.scope, trial_id, subject_id)
    subject_repository.lock(act.session, trial_id, subject_id)
    newest = repository.newest_cycles(act.session, trial_id, subject_id)
    version = 0 if newest is None else newest.version
    if dates.seen_version not in {None, version}:
        message = f"The cycles have version {version} now, not {dates.seen_version}; read them again."
        raise ConflictError(message, code="changed_meanwhile")
    _check(subject, dates.started_on, today_anywhere(act.now))
    if newest is not None and tuple(newest.started_on) == tuple(dates.started_on):
        return newest
    written = Cycles(
        version=version + 1,
        started_on=tuple(dates.started_on),
        reason=dates.reason,
        recorded_by=act.by,
        recorded_at=act.now,
    )
    repository.add_cycles(act.session, trial_id, subject_id, written)
    act.record(
        "write cycles",
        "subject",
        f"{trial_id} {subject_id}",
        before={"started_on": [] if newest is None else list(newest.started_on)},
        after={"started_on": list(written.started_on)},
        reason=dates.reason,
    )
    act.queue.enqueue(act.session, subjects.calendar_job(trial_id, subject_id))
    return written


def _check(subject: Subject, days: Sequence[date], today: date) -> None:
    first_dose, death = subject.dates.first_dose_on, subject.dates.death_on
    for number, (earlier, later) in enumerate(pairwise(days), start=1):
        if later <= earlier:
            message = f"Cycle {number + 1} began on {later}, not after cycle {number} on {earlier}."
            raise RefusedError(message, code="cycles_out_of_order")
    for number, day in enumerate(days, start=1):
        if day > today:
            message = f"Cycle {number} begins on {day}, which is in the future; the latest date is {today}."
            raise RefusedError(message, code="cycle_in_the_future")
        if first_dose is not None and day < first_dose:
            message = f"Cycle {number} began on {day}, before the first dose on {first_dose}."
            raise RefusedError(message, code="cycle_before_first_dose")
        if death is not None and day > death:
            message = f"Cycle {number} began on {day}, after the death on {death}."
            raise RefusedError(message, code="cycle_after_death")
