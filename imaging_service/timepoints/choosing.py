"""What a person's decision about a study must hold: a usable day, a timepoint, nobody who reads there yet."""

from dataclasses import dataclass, replace
from datetime import date

from imaging_service.accounts.act import Act
from imaging_service.accounts.scope import Scope
from imaging_service.errors import ConflictError, RefusedError
from imaging_service.subjects.dates import today_anywhere
from imaging_service.subjects.records import Subject
from imaging_service.timepoints import moving, renewing, repository, study_repository
from imaging_service.timepoints.doubts import Confidence, Doubt, DoubtCode
from imaging_service.timepoints.placing import ImagingDay, Place, Placement, place
from imaging_service.timepoints.records import WITH_IMAGES, Study, Timepoint
from imaging_service.trials import service as trials


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """The timepoint of a subject that a person has chosen, and the day of its imaging."""

    subject: Subject
    number: int | None  # None for an unscheduled timepoint
    imaged_on: date


def refuse_stale(study: Study, seen_version: int | None) -> None:
    """Refuse a decision about something that has changed since it was looked at.

    Raises
    ------
    ConflictError
        Another decision counts now.
    """
    if seen_version not in {None, study.version}:
        message = (
            f"The study has decision {study.version} now, not {seen_version}; read it again and decide anew."
        )
        raise ConflictError(message, code="changed_meanwhile")


def refuse_future(act: Act, day: date) -> None:
    """Refuse a day that has begun nowhere yet.

    Raises
    ------
    RefusedError
        It is one.
    """
    today = today_anywhere(act.now)
    if day > today:
        message = f"The day of imaging is {day}, which is in the future; the latest possible date is {today}."
        raise RefusedError(message, code="imaged_on_future")


def day_of_imaging(act: Act, study: Study, stated: date | None) -> date:
    """Return the day of a study: its own, or the stated one where it has none that can be used.

    Raises
    ------
    RefusedError
        It has one and another is stated, it has none and none is stated, or it is in the future.
    """
    is_usable = study.study_date is not None and study.study_date <= today_anywhere(act.now)
    if stated is not None and is_usable and stated != study.study_date:
        message = (
            f"The study is dated {study.study_date}, not {stated}; "
            "a day is given only for a study without a usable date."
        )
        raise RefusedError(message, code="imaged_on_differs")
    day = stated or (study.study_date if is_usable else None)
    if day is None:
        message = "The study has no usable date; give the day of imaging as imaged_on."
        raise RefusedError(message, code="imaged_on_wanted")
    refuse_future(act, day)
    return day


def timepoint_at(act: Act, target: Target) -> Timepoint | None:
    """Return the timepoint that is meant; None for an unscheduled one that is yet to be made.

    Raises
    ------
    RefusedError
        The subject's calendar has no timepoint of this number.
    """
    trial_id, subject_id = target.subject.trial_id, target.subject.subject_id
    if target.number is None:
        return repository.unscheduled_on(act.session, trial_id, subject_id, target.imaged_on)
    found = repository.of_number(act.session, trial_id, subject_id, target.number)
    if found is None:
        every = repository.of_subject(act.session, act.scope, trial_id, subject_id)
        numbers = [each.number for each in every if each.number is not None]
        message = (
            f"The calendar of subject {subject_id!r} has no timepoint {target.number}; "
            f"it has {min(numbers)} to {max(numbers)}."
        )
        raise RefusedError(message, code="no_such_number")
    return found


def refuse_while_read(act: Act, study: Study) -> None:
    """Keep images where a reader has opened them.

    Raises
    ------
    ConflictError
        A timepoint with images of the study is being read, or was.
    """
    timepoint = moving.being_read(act, study)
    if timepoint is not None:
        message = (
            f"{timepoint.name} of subject {timepoint.subject_id!r} is {timepoint.progress.replace('_', ' ')} "
            "with this study; images that a reader has opened stay where they are."
        )
        raise ConflictError(message, code="timepoint_in_reading")


def refuse_occupied(act: Act, study: Study, target: Timepoint) -> None:
    """Refuse a timepoint that has images of another study.

    Raises
    ------
    ConflictError
        It has.
    """
    if target.progress not in WITH_IMAGES:
        return
    there = study_repository.of_timepoints(act.session, [target.timepoint_id]).get(target.timepoint_id, ())
    others = [
        each.study_instance_uid for each in there if each.study_instance_uid != study.study_instance_uid
    ]
    if others:
        message = (
            f"{target.name} of subject {target.subject_id!r} has the study {', '.join(others)} already; "
            f"say joins_other_study to put {study.study_instance_uid} beside it, or move that one first."
        )
        raise ConflictError(message, code="timepoint_has_study")


def place_of(act: Act, study: Study, target: Target) -> Place:
    """Say where the day falls; the person's choice of the timepoint stands, whatever that is."""
    subject = target.subject
    protocol = trials.protocol_in_force(act.session, Scope.all(), subject.trial_id, on=act.today)
    course = renewing.course(act, subject, protocol)
    day = ImagingDay(imaged_on=target.imaged_on, date_is_unreadable=False, modalities=study.modalities)
    found = place(
        day, course, schedule=protocol.schedule, modalities=frozenset(), today=today_anywhere(act.now)
    )
    if isinstance(found, Doubt):
        is_early = found.code is DoubtCode.BEFORE_BASELINE
        return Place(
            number=target.number,
            imaged_on=target.imaged_on,
            placement=Placement.BEFORE_BASELINE if is_early else None,
            confidence=Confidence.HIGH,
            sentence=found.sentence,
        )
    return replace(found, number=target.number)
