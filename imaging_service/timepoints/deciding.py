"""A coordinator decides where a study belongs: assign, reject, split, merge; another decision undoes each."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from imaging_service.accounts.act import Act
from imaging_service.errors import ConflictError, RefusedError
from imaging_service.subjects import service as subjects
from imaging_service.timepoints import (
    choosing,
    matching,
    moving,
    renewing,
    repository,
    service,
    study_repository,
)
from imaging_service.timepoints.choosing import Target
from imaging_service.timepoints.doubts import Confidence
from imaging_service.timepoints.moving import Answer
from imaging_service.timepoints.placing import Place
from imaging_service.timepoints.records import DecisionCode, Study, StudyState


@dataclass(frozen=True, slots=True, kw_only=True)
class Assignment:
    """Where a coordinator puts a study, and why."""

    subject_id: str
    number: int | None  # None for an unscheduled timepoint
    reason: str
    imaged_on: date | None = None  # only for a study without a usable date
    joins_other_study: bool = False  # whether it may stand beside a study that is there already
    seen_version: int | None = None  # what the coordinator has seen; None: whatever counts now


@dataclass(frozen=True, slots=True, kw_only=True)
class Splitting:
    """Which series of a study a coordinator gives another timepoint of the same subject, and why."""

    series: Sequence[str]
    number: int | None  # None for an unscheduled timepoint; the study's own puts them back
    reason: str
    imaged_on: date | None = None  # of these series; None: the study's
    joins_other_study: bool = False
    seen_version: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Merging:
    """Beside which study a coordinator puts another one, and why."""

    with_study: str
    reason: str
    seen_version: int | None = None


def assign(act: Act, trial_id: str, study_instance_uid: str, assignment: Assignment) -> Study:
    """Put a whole study on a timepoint, on a person's word; it leaves those that it was on.

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
    study = service.find_study(act.session, act.scope, trial_id, study_instance_uid, lock=True)
    choosing.refuse_stale(study, assignment.seen_version)
    subject = subjects.find_subject(act.session, act.scope, trial_id, assignment.subject_id)
    day = choosing.day_of_imaging(act, study, assignment.imaged_on)
    target = Target(subject=subject, number=assignment.number, imaged_on=day)
    renewing.renew_calendar(act, trial_id, subject.subject_id)
    timepoint = choosing.timepoint_at(act, target)
    on = study_repository.timepoints_of(act.session, study_instance_uid)
    if timepoint is not None and on == [timepoint.timepoint_id]:
        return study
    choosing.refuse_while_read(act, study)
    if timepoint is not None and not assignment.joins_other_study:
        choosing.refuse_occupied(act, study, timepoint)
    return _move(act, study, target, DecisionCode.ASSIGNED, assignment.reason)


def _move(act: Act, study: Study, target: Target, code: DecisionCode, reason: str) -> Study:
    moving.take_away(act, study)
    found = choosing.place_of(act, study, target)
    moving.put(act, study, _answer(target, found, reason), code=code, reason=reason)
    trial_id, subject_id = target.subject.trial_id, target.subject.subject_id
    act.queue.enqueue(act.session, subjects.calendar_job(trial_id, subject_id))
    return service.find_study(act.session, act.scope, trial_id, study.study_instance_uid)


def _answer(target: Target, found: Place, reason: str) -> Answer:
    return Answer(subject=target.subject, place=found, confidence=Confidence.HIGH, sentence=reason)


def reject(act: Act, trial_id: str, study_instance_uid: str, reason: str, seen_version: int | None) -> Study:
    """Say that a study belongs to no timepoint; it stays in the archive and can be assigned later.

    Raises
    ------
    NotFoundError
        There is no such study in the scope.
    ConflictError
        Its images are being read, or somebody else has decided meanwhile.
    """
    study = service.find_study(act.session, act.scope, trial_id, study_instance_uid, lock=True)
    choosing.refuse_stale(study, seen_version)
    if study.verdict.state is StudyState.REJECTED:
        return study
    choosing.refuse_while_read(act, study)
    moving.reject(act, study, trial_id, reason)
    return service.find_study(act.session, act.scope, trial_id, study_instance_uid)


def split(act: Act, trial_id: str, study_instance_uid: str, splitting: Splitting) -> Study:
    """Give series of a matched study another timepoint of its subject; on its own they go back.

    Raises
    ------
    NotFoundError
        There is no such study in the scope.
    RefusedError
        A series is named twice, or is not in the study, or none would stay; the day is in the future; the
        calendar has no such timepoint.
    ConflictError
        The study is on no timepoint; its images are being read; the timepoint has another study and the
        two are not to be joined; somebody else has decided meanwhile.
    """
    study = service.find_study(act.session, act.scope, trial_id, study_instance_uid, lock=True)
    choosing.refuse_stale(study, splitting.seen_version)
    if study.verdict.timepoint_id is None or study.verdict.subject_id is None:
        message = f"The study is {study.verdict.state}; assign it to its subject first, then split it."
        raise ConflictError(message, code="study_not_matched")
    choosing.refuse_while_read(act, study)
    subject = subjects.find_subject(act.session, act.scope, trial_id, study.verdict.subject_id)
    renewing.renew_calendar(act, trial_id, subject.subject_id)
    target = Target(subject=subject, number=splitting.number, imaged_on=_day_of_part(act, study, splitting))
    timepoint = choosing.timepoint_at(act, target)
    returns = timepoint is not None and timepoint.timepoint_id == study.verdict.timepoint_id
    _check_series(act, study, splitting.series, returns=returns)
    if timepoint is not None and not returns and not splitting.joins_other_study:
        choosing.refuse_occupied(act, study, timepoint)
    found = choosing.place_of(act, study, target)
    moving.divide(
        act, study, splitting.series, _answer(target, found, splitting.reason), reason=splitting.reason
    )
    act.queue.enqueue(act.session, subjects.calendar_job(trial_id, subject.subject_id))
    return service.find_study(act.session, act.scope, trial_id, study_instance_uid)


def _day_of_part(act: Act, study: Study, splitting: Splitting) -> date:
    """Return the day of the series: a study of two timepoints has one date for both."""
    if splitting.imaged_on is None:
        own = repository.find(act.session, act.scope, study.verdict.timepoint_id or "")
        return choosing.day_of_imaging(act, study, own.imaged_on if own and not study.study_date else None)
    choosing.refuse_future(act, splitting.imaged_on)
    return splitting.imaged_on


def _check_series(act: Act, study: Study, wanted: Sequence[str], *, returns: bool) -> None:
    twice = [uid for uid, count in Counter(wanted).items() if count > 1]
    if twice:
        message = f"The series {twice[0]} is named {Counter(wanted)[twice[0]]} times; each is wanted once."
        raise RefusedError(message, code="series_twice")
    series = study_repository.series_of_study(act.session, study.study_instance_uid)
    known = {each.series_instance_uid for each in series}
    strange = [uid for uid in wanted if uid not in known]
    if strange:
        message = f"The series {strange[0]} is not in the study; it has {', '.join(sorted(known))}."
        raise RefusedError(message, code="no_such_series")
    stay = {each.series_instance_uid for each in series if each.timepoint_id is None} - set(wanted)
    if not stay and not returns:
        message = "No series would stay on the study's own timepoint; assign the whole study instead."
        raise RefusedError(message, code="nothing_stays")


def merge(act: Act, trial_id: str, study_instance_uid: str, merging: Merging) -> Study:
    """Put a study beside another one of the same subject: together they make one timepoint.

    Raises
    ------
    NotFoundError
        There is no such study in the scope.
    RefusedError
        The two are one, or belong to different subjects.
    ConflictError
        The other one is not on one timepoint; images are being read; somebody else has decided meanwhile.
    """
    first, second = sorted((study_instance_uid, merging.with_study))
    if first == second:
        message = "A study cannot be merged with itself; name the other study."
        raise RefusedError(message, code="same_study")
    found = {
        uid: service.find_study(act.session, act.scope, trial_id, uid, lock=True) for uid in (first, second)
    }
    study, other = found[study_instance_uid], found[merging.with_study]
    choosing.refuse_stale(study, merging.seen_version)
    on = study_repository.timepoints_of(act.session, other.study_instance_uid)
    if len(on) != 1 or other.verdict.subject_id is None:
        message = f"The study {other.study_instance_uid} is on {len(on)} timepoints; it must be on one."
        raise ConflictError(message, code="not_on_one_timepoint")
    _refuse_across_subjects(act, study, other)
    timepoint = repository.find(act.session, act.scope, on[0], lock=True)
    if timepoint is None or timepoint.imaged_on is None:
        raise service.no_such_timepoint(on[0])
    if study_repository.timepoints_of(act.session, study_instance_uid) == on:
        return study
    choosing.refuse_while_read(act, study)
    subject = subjects.find_subject(act.session, act.scope, trial_id, other.verdict.subject_id)
    target = Target(subject=subject, number=timepoint.number, imaged_on=timepoint.imaged_on)
    return _move(act, study, target, DecisionCode.MERGED, merging.reason)


def _refuse_across_subjects(act: Act, study: Study, other: Study) -> None:
    """Refuse when either the books or the study's own attributes name another subject."""
    named = study.verdict.subject_id or matching.claimed_subject(act, study)
    if named not in {None, other.verdict.subject_id}:
        message = (
            f"The study {study.study_instance_uid} is of subject {named!r}, and "
            f"{other.study_instance_uid} of subject {other.verdict.subject_id!r}; "
            "studies of two subjects are never one timepoint."
        )
        raise RefusedError(message, code="other_subject")
