"""Look at timepoints and studies, and decide as a coordinator where a study belongs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

from sqlalchemy.orm import Session

from imaging_service.accounts.act import Act
from imaging_service.accounts.scope import Scope
from imaging_service.errors import ConflictError, NotFoundError, RefusedError
from imaging_service.http.pages import Page, PageRequest
from imaging_service.subjects import service as subjects
from imaging_service.subjects.dates import today_anywhere
from imaging_service.subjects.records import Subject
from imaging_service.timepoints import matching, repository, study_repository
from imaging_service.timepoints.calendar import course_of
from imaging_service.timepoints.doubts import Confidence, Doubt, DoubtCode
from imaging_service.timepoints.placing import ImagingDay, Place, Placement, place
from imaging_service.timepoints.records import (
    BEING_READ,
    WITH_IMAGES,
    Decision,
    DecisionCode,
    Progress,
    StoredInstance,
    StoredSeries,
    Study,
    StudyState,
    Timepoint,
)
from imaging_service.timepoints.repository import Filter
from imaging_service.trials import service as trials


@dataclass(frozen=True, slots=True, kw_only=True)
class Assignment:
    """Where a coordinator puts a study, and why."""

    subject_id: str
    number: int | None  # None for an unscheduled timepoint
    reason: str
    imaged_on: date | None = None  # only for a study without a usable date
    joins_other_study: bool = False  # whether it may stand beside a study that is there already
    seen_version: int | None = None  # what the coordinator has seen; None: whatever counts now


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
    of_timepoint: dict[str, list[Study]] = {}
    for study in study_repository.of_timepoints(session, [each.timepoint_id for each in found]):
        of_timepoint.setdefault(study.verdict.timepoint_id or "", []).append(study)
    return of_timepoint


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


def assign(act: Act, trial_id: str, study_instance_uid: str, assignment: Assignment) -> Study:
    """Put a study on a timepoint, on a person's word; it leaves the timepoint that it was on.

    Raises
    ------
    NotFoundError
        There is no such study or subject in the scope.
    RefusedError
        The calendar has no such timepoint, or the study's date cannot be used and none was given.
    ConflictError
        Its images, or the timepoint's, are being read; the timepoint has another study and the two are
        not to be joined; somebody else has decided meanwhile.
    """
    study = find_study(act.session, act.scope, trial_id, study_instance_uid, lock=True)
    _refuse_stale(study, assignment.seen_version)
    subject = subjects.find_subject(act.session, act.scope, trial_id, assignment.subject_id)
    imaged_on = _imaged_on(act, study, assignment)
    matching.renew_calendar(act, trial_id, subject.subject_id)
    target = _target(act, subject, assignment.number, imaged_on)
    if target is not None and target.timepoint_id == study.verdict.timepoint_id:
        return study
    _refuse_while_read(act, study)
    if target is not None:
        _check_target(act, study, target, assignment)
    matching.take_away(act, study)
    found = _place(act, study, subject, assignment.number, imaged_on)
    answer = matching.Answer(
        subject=subject, place=found, confidence=Confidence.HIGH, sentence=assignment.reason
    )
    matching.put(act, study, answer, code=DecisionCode.ASSIGNED, reason=assignment.reason)
    act.queue.enqueue(act.session, subjects.calendar_job(trial_id, subject.subject_id))
    return find_study(act.session, act.scope, trial_id, study_instance_uid)


def reject(act: Act, trial_id: str, study_instance_uid: str, reason: str, seen_version: int | None) -> Study:
    """Say that a study belongs to no timepoint; it stays in the archive and can be assigned later.

    Raises
    ------
    NotFoundError
        There is no such study in the scope.
    ConflictError
        Its images are being read, or somebody else has decided meanwhile.
    """
    study = find_study(act.session, act.scope, trial_id, study_instance_uid, lock=True)
    _refuse_stale(study, seen_version)
    if study.verdict.state is StudyState.REJECTED:
        return study
    _refuse_while_read(act, study)
    matching.reject(act, study, trial_id, reason)
    return find_study(act.session, act.scope, trial_id, study_instance_uid)


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


def _refuse_stale(study: Study, seen_version: int | None) -> None:
    if seen_version not in (None, study.version):
        message = (
            f"The study has decision {study.version} now, not {seen_version}; read it again and decide anew."
        )
        raise ConflictError(message, code="changed_meanwhile")


def _imaged_on(act: Act, study: Study, assignment: Assignment) -> date:
    today = today_anywhere(act.now)
    is_usable = study.study_date is not None and study.study_date <= today
    if assignment.imaged_on is not None and is_usable and assignment.imaged_on != study.study_date:
        message = (
            f"The study is dated {study.study_date}, not {assignment.imaged_on}; "
            "a day is given only for a study without a usable date."
        )
        raise RefusedError(message, code="imaged_on_differs")
    day = assignment.imaged_on or (study.study_date if is_usable else None)
    if day is None:
        message = "The study has no usable date; give the day of imaging as imaged_on."
        raise RefusedError(message, code="imaged_on_wanted")
    if day > today:
        message = f"The day of imaging is {day}, which is in the future; the latest possible date is {today}."
        raise RefusedError(message, code="imaged_on_future")
    return day


def _target(act: Act, subject: Subject, number: int | None, imaged_on: date) -> Timepoint | None:
    if number is None:
        return repository.unscheduled_on(act.session, subject.trial_id, subject.subject_id, imaged_on)
    target = repository.of_number(act.session, subject.trial_id, subject.subject_id, number)
    if target is None:
        known = [
            each.number for each in calendar(act.session, act.scope, subject.trial_id, subject.subject_id)
        ]
        numbers = [each for each in known if each is not None]
        message = (
            f"The calendar of subject {subject.subject_id!r} has no timepoint {number}; "
            f"it has {min(numbers)} to {max(numbers)}."
        )
        raise RefusedError(message, code="no_such_number")
    return target


def _refuse_while_read(act: Act, study: Study) -> None:
    """Keep images where a reader has opened them, unless another study stays there."""
    if study.verdict.timepoint_id is None:
        return
    timepoint = repository.find(act.session, Scope.all(), study.verdict.timepoint_id, lock=True)
    if timepoint is not None and timepoint.progress in BEING_READ:
        message = (
            f"{timepoint.name} of subject {timepoint.subject_id!r} is {timepoint.progress.replace('_', ' ')} "
            "with this study; images that a reader has opened stay where they are."
        )
        raise ConflictError(message, code="timepoint_in_reading")


def _check_target(act: Act, study: Study, target: Timepoint, assignment: Assignment) -> None:
    if target.progress not in WITH_IMAGES or assignment.joins_other_study:
        return
    others = study_repository.of_timepoints(act.session, [target.timepoint_id])
    uids = ", ".join(each.study_instance_uid for each in others)
    message = (
        f"{target.name} of subject {target.subject_id!r} has the study {uids} already; "
        f"say joins_other_study to put {study.study_instance_uid} beside it, or move that one first."
    )
    raise ConflictError(message, code="timepoint_has_study")


def _place(act: Act, study: Study, subject: Subject, number: int | None, imaged_on: date) -> Place:
    """Say where the day falls; the person's choice of the timepoint stands, whatever that is."""
    protocol = trials.protocol_in_force(act.session, Scope.all(), subject.trial_id, on=act.today)
    baseline = repository.of_number(act.session, subject.trial_id, subject.subject_id, 0)
    course = course_of(subject, protocol.schedule, baseline.imaged_on if baseline else None)
    day = ImagingDay(imaged_on=imaged_on, date_is_unreadable=False, modalities=study.modalities)
    found = place(
        day, course, schedule=protocol.schedule, modalities=frozenset(), today=today_anywhere(act.now)
    )
    if isinstance(found, Doubt):
        is_early = found.code is DoubtCode.BEFORE_BASELINE
        return Place(
            number=number,
            imaged_on=imaged_on,
            placement=Placement.BEFORE_BASELINE if is_early else None,
            confidence=Confidence.HIGH,
            sentence=found.sentence,
        )
    return replace(found, number=number)
