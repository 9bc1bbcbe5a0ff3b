"""Look at timepoints and studies, and decide as a coordinator where a study belongs."""

from collections.abc import Mapping, Sequence

from sqlalchemy.orm import Session

from imaging_service.accounts.act import Act
from imaging_service.accounts.scope import Scope
from imaging_service.errors import ConflictError, NotFoundError
from imaging_service.http.pages import Page, PageRequest
from imaging_service.subjects import service as subjects
from imaging_service.timepoints import dates_and_images as dates_and_images  # noqa: PLC0414  opens a door
from imaging_service.timepoints import repository, study_repository
from imaging_service.timepoints.records import (
    WITH_IMAGES,
    Decision,
    Progress,
    StoredInstance,
    StoredSeries,
    Study,
    StudyState,
    Timepoint,
)
from imaging_service.timepoints.repository import Filter
from imaging_service.trials import service as trials


def find_timepoint(session: Session, scope: Scope, timepoint_id: str) -> Timepoint:
    """Return a timepoint.

    Raises
    ------
    NotFoundError
        There is none in the scope.
    """
    found = repository.find(session, scope, timepoint_id)
    if found is None:
        raise no_such_timepoint(timepoint_id)
    return found


def no_such_timepoint(timepoint_id: str) -> NotFoundError:
    """Return the one answer for a timepoint that does not exist or is out of reach."""
    return NotFoundError(f"There is no timepoint {timepoint_id!r}.")


def timepoints(
    session: Session, scope: Scope, trial_id: str, wanted: Filter, page: PageRequest
) -> Page[Timepoint]:
    """Return the wanted timepoints of a trial, by subject and day.

    Raises
    ------
    NotFoundError
        There is no such trial in the scope.
    """
    trials.find_trial(session, scope, trial_id)
    return repository.page(session, scope, trial_id, wanted, page)


def calendar(session: Session, scope: Scope, trial_id: str, subject_id: str) -> Sequence[Timepoint]:
    """Return every timepoint of a subject, in the order of their days.

    Raises
    ------
    NotFoundError
        There is no such subject in the scope.
    """
    subjects.find_subject(session, scope, trial_id, subject_id)
    return repository.of_subject(session, scope, trial_id, subject_id)


def studies_of(session: Session, found: Sequence[Timepoint]) -> Mapping[str, Sequence[Study]]:
    """Return the studies of timepoints that the caller may see, by timepoint."""
    return study_repository.of_timepoints(session, [each.timepoint_id for each in found])


def instances_to_show(session: Session, found: Sequence[Study]) -> Mapping[str, tuple[str, str]]:
    """Return of each study a series and an instance with pixels, where it has any."""
    return study_repository.first_instances(session, [each.study_instance_uid for each in found])


def studies(
    session: Session, scope: Scope, trial_id: str, state: StudyState, page: PageRequest
) -> Page[Study]:
    """Return the studies of a state that belong, or may belong, to a trial.

    Raises
    ------
    NotFoundError
        There is no such trial in the scope.
    """
    trials.find_trial(session, scope, trial_id)
    return study_repository.page(session, scope, trial_id, state, page)


def find_study(
    session: Session, scope: Scope, trial_id: str, study_instance_uid: str, *, lock: bool = False
) -> Study:
    """Return a study that belongs, or may belong, to a trial; `lock` keeps others from deciding about it.

    Raises
    ------
    NotFoundError
        There is none in the scope.
    """
    trials.find_trial(session, scope, trial_id)
    found = study_repository.find_in(session, scope, trial_id, study_instance_uid, lock=lock)
    if found is None:
        message = f"Trial {trial_id!r} has no study {study_instance_uid!r}."
        raise NotFoundError(message)
    return found


def decisions(session: Session, scope: Scope, trial_id: str, study_instance_uid: str) -> Sequence[Decision]:
    """Return every decision about a study, the first one first.

    Raises
    ------
    NotFoundError
        There is no such study in the scope.
    """
    find_study(session, scope, trial_id, study_instance_uid)
    return study_repository.decisions(session, study_instance_uid)


def mark_not_done(act: Act, timepoint_id: str, reason: str) -> Timepoint:
    """Say that an expected timepoint will have no images, and why; images that come later still count.

    Raises
    ------
    NotFoundError
        There is no such timepoint in the scope.
    ConflictError
        It has images.
    """
    timepoint = repository.find(act.session, act.scope, timepoint_id, lock=True)
    if timepoint is None:
        raise no_such_timepoint(timepoint_id)
    if timepoint.progress in WITH_IMAGES:
        message = f"{timepoint.name} of subject {timepoint.subject_id!r} has images of {timepoint.imaged_on}."
        raise ConflictError(message, code="timepoint_has_images")
    _move(act, timepoint, Progress.NOT_DONE, reason=reason)
    return find_timepoint(act.session, act.scope, timepoint_id)


def begin_reading(act: Act, timepoint_id: str) -> None:
    """Note that a reader has opened the timepoint: its images stay with it from now on.

    Raises
    ------
    NotFoundError
        There is no such timepoint.
    """
    timepoint = _locked(act, timepoint_id)
    if timepoint.progress is not Progress.IN_READING:
        _move(act, timepoint, Progress.IN_READING)


def finish_reading(act: Act, timepoint_id: str) -> None:
    """Note that every reader has signed the timepoint.

    Raises
    ------
    NotFoundError
        There is no such timepoint.
    """
    timepoint = _locked(act, timepoint_id)
    if timepoint.progress is not Progress.READ:
        _move(act, timepoint, Progress.READ)


def _locked(act: Act, timepoint_id: str) -> Timepoint:
    timepoint = repository.find(act.session, act.scope, timepoint_id, lock=True)
    if timepoint is None:
        raise no_such_timepoint(timepoint_id)
    return timepoint


def _move(act: Act, timepoint: Timepoint, progress: Progress, *, reason: str | None = None) -> None:
    repository.set_progress(act.session, timepoint.timepoint_id, progress, not_done_reason=reason)
    act.record(
        f"mark timepoint {progress.value.replace('_', ' ')}",
        "timepoint",
        timepoint.timepoint_id,
        before={"progress": timepoint.progress},
        after={"progress": progress},
        reason=reason,
    )


def series_of(session: Session, timepoint_id: str) -> Sequence[StoredSeries]:
    """Return the series of a timepoint that the caller has found to be open to whom it answers."""
    return study_repository.series_of_timepoint(session, timepoint_id)


def instance(session: Session, sop_instance_uid: str) -> tuple[str, StoredInstance] | None:
    """Return an instance with its timepoint's id; the caller checks that the timepoint is open."""
    return study_repository.instance(session, sop_instance_uid)
