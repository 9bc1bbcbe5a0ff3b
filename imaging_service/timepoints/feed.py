"""Follow the archive: one transaction for each change, with how far it came."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import structlog
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from dicom_listener.archive.records import Change, ChangeKind
from dicom_listener.errors import ArchiveError
from imaging_service.accounts.act import Act
from imaging_service.clock import Clock
from imaging_service.database import Database
from imaging_service.jobs.port import Handler, Job, JobQueue, WorkerContext
from imaging_service.subjects.service import RENEW_CALENDAR, calendar_job
from imaging_service.timepoints import repository, study_repository
from imaging_service.timepoints.facts import StudyArchive, StudyFacts, gather
from imaging_service.timepoints.following import follow_subject
from imaging_service.timepoints.matching import take_in
from imaging_service.trials import service as trials

TAKE_IN = "take in study"
_CHANGES_AT_ONCE = 100
_STALE_AT_ONCE = 1000
_log = structlog.get_logger(__name__)


def follow_feed(
    database: Database,
    archive: StudyArchive,
    clock: Clock,
    queue: JobQueue,
    *,
    limit: int = _CHANGES_AT_ONCE,
) -> bool:
    """Deal with the changes that follow the last one dealt with; True when there may be more.

    Each change is committed together with the feed's position. A crash anywhere leaves the change to be
    dealt with again from the start, and one that two followers deal with counts once.
    """
    with database.read() as session:
        position = repository.feed_position(session)
    changes = archive.changes_after(position, limit)
    for change in changes:
        _deal_with(change, database, archive, clock, queue)
    return len(changes) == limit


def _deal_with(
    change: Change, database: Database, archive: StudyArchive, clock: Clock, queue: JobQueue
) -> None:
    """Deal with one change; one that fails for what it holds is set aside, so that the others go on."""
    try:
        facts = _facts(change, database, archive)  # before the transaction: headers are many, and read slowly
        with database.write() as session:
            if repository.advance_feed(session, change.sequence):
                act = Act.of_worker(session, queue, clock.now())
                _apply(act, archive, change, facts)
    except _PASSING:
        raise
    except Exception:  # noqa: BLE001  whatever a study holds, it may not stop the feed
        _log.exception("change_set_aside", sequence=change.sequence)
        with database.write() as session:
            if repository.advance_feed(session, change.sequence):
                queue.enqueue(session, take_in_job(change.study_instance_uid))


_PASSING = (ArchiveError, OperationalError, OSError)
"""Troubles that pass: the change is tried again, and none after it before."""


def take_in_job(study_instance_uid: str) -> Job:
    """Return the job that takes a study in apart from the feed; it is parked for a person when it fails."""
    return Job(
        name=TAKE_IN,
        payload={"study_instance_uid": study_instance_uid},
        key=f"{TAKE_IN} {study_instance_uid}",
    )


def _apply(act: Act, archive: StudyArchive, change: Change, facts: StudyFacts | None) -> None:
    if facts is not None:
        take_in(act, facts)
    elif change.kind is ChangeKind.STUDY_REOPENED:
        _note_reopened(act, change.study_instance_uid)
    elif change.kind is ChangeKind.STUDY_SETTLED:
        _log.error("settled_study_missing", sequence=change.sequence)
    else:
        _note_conflicts(act, archive, change.study_instance_uid)


def _facts(change: Change, database: Database, archive: StudyArchive) -> StudyFacts | None:
    if change.kind is not ChangeKind.STUDY_SETTLED:
        return None
    return _new_facts(change.study_instance_uid, database, archive)


def _new_facts(study_instance_uid: str, database: Database, archive: StudyArchive) -> StudyFacts | None:
    with database.read() as session:
        known = study_repository.known_instances(session, study_instance_uid)
    return gather(archive, study_instance_uid, known=known)


def _note_reopened(act: Act, study_instance_uid: str) -> None:
    if study_repository.find(act.session, study_instance_uid, lock=True) is not None:
        study_repository.reopen(act.session, study_instance_uid)
        act.record("reopen study", "study", study_instance_uid)


def _note_conflicts(act: Act, archive: StudyArchive, study_instance_uid: str) -> None:
    if study_repository.find(act.session, study_instance_uid, lock=True) is not None:
        conflicts = len(archive.conflicts_of(study_instance_uid))
        study_repository.set_conflicts(act.session, study_instance_uid, conflicts)
        act.record("note conflict", "study", study_instance_uid, after={"conflicts": conflicts})


def renew_calendar(context: WorkerContext, payload: Mapping[str, Any]) -> None:
    """Do what a change of a subject calls for."""
    services = context.services
    with context.completion() as session:
        act = Act.of_worker(session, services.queue, services.clock.now())
        follow_subject(act, str(payload["trial_id"]), str(payload["subject_id"]))


def take_in_study(context: WorkerContext, payload: Mapping[str, Any]) -> None:
    """Take in a study whose change was set aside."""
    services = context.services
    facts = _new_facts(str(payload["study_instance_uid"]), services.database, services.archive)
    with context.completion() as session:
        if facts is not None:
            take_in(Act.of_worker(session, services.queue, services.clock.now()), facts)


HANDLERS: Mapping[str, Handler] = {RENEW_CALENDAR: renew_calendar, TAKE_IN: take_in_study}
"""The jobs of this chapter."""


def missing_jobs(clock: Clock) -> Callable[[Session], Iterable[Job]]:
    """Return what names the jobs of subjects whose calendar lags behind their facts.

    An amendment that takes effect today is one reason: nobody writes anything then.
    """

    def derive(session: Session) -> Iterable[Job]:
        versions = trials.versions_in_force(session, clock.now().date())
        stale = repository.stale_calendars(session, versions, _STALE_AT_ONCE)
        return [calendar_job(trial_id, subject_id) for trial_id, subject_id in stale]

    return derive
