"""A timepoint's images for whom the timepoint is open to; for everybody else there are none."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from sqlalchemy.orm import Session

from dicom_listener.errors import InstanceUnknownError, ObjectMissingError
from imaging_service.accounts.principal import Principal
from imaging_service.errors import ConflictError, NotFoundError, RefusedError
from imaging_service.images.dicomweb import repository
from imaging_service.images.dicomweb.access import is_unblinded
from imaging_service.images.dicomweb.blinding import is_readable
from imaging_service.images.rendering import FrameUnreadableError, Window, render
from imaging_service.reads import service as reads
from imaging_service.subjects import service as subjects
from imaging_service.timepoints import service as timepoints
from imaging_service.timepoints.records import StoredSeries, Timepoint


class InstanceSource(Protocol):
    """Where the bytes are; `dicom_listener.archive.archive.Archive` is one."""

    def read(self, sop_instance_uid: str) -> bytes:
        """Return the instance as a DICOM file."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenTimepoint:
    """A timepoint that the caller may look at."""

    timepoint: Timepoint
    reading_id: str
    series: Sequence[StoredSeries]


def open_timepoint(session: Session, principal: Principal, timepoint_id: str) -> OpenTimepoint:
    """Return the series of a timepoint; for the blinded, images alone, none of the site's own answers.

    Raises
    ------
    NotFoundError
        There is no such timepoint, or it is not open to the caller: the two answers are the same.
    """
    if not reads.is_open_to(session, principal, timepoint_id):
        raise timepoints.no_such_timepoint(timepoint_id)
    timepoint = timepoints.find_timepoint(session, principal.scope, timepoint_id)
    subject = subjects.find_subject(session, principal.scope, timepoint.trial_id, timepoint.subject_id)
    series = timepoints.series_of(session, timepoint_id)
    if not is_unblinded(principal, timepoint.trial_id):
        series = _readable(series)
    return OpenTimepoint(timepoint=timepoint, reading_id=subject.reading_id, series=series)


def check_frame(session: Session, principal: Principal, sop_instance_uid: str, frame: int) -> str:
    """Return the study of a frame that the caller may look at.

    Raises
    ------
    NotFoundError
        There is no such frame, or its timepoint is not open to the caller: the two answers are the same.
    """
    found = timepoints.instance(session, sop_instance_uid)
    if found is None or not reads.is_open_to(session, principal, found[0]):
        raise _no_such_frame(sop_instance_uid, frame)
    timepoint_id, instance = found
    if not 1 <= frame <= len(instance.frames):
        raise _no_such_frame(sop_instance_uid, frame)
    if not is_readable(instance.sop_class_uid, is_identity_removed=False):
        shown = open_timepoint(session, principal, timepoint_id).series
        if not any(each.sop_instance_uid == sop_instance_uid for part in shown for each in part.instances):
            raise _no_such_frame(sop_instance_uid, frame)
    study = repository.study_of(session, sop_instance_uid)
    if study is None:
        raise _no_such_frame(sop_instance_uid, frame)
    return study


def frame_as_png(archive: InstanceSource, sop_instance_uid: str, frame: int, window: Window | None) -> bytes:
    """Return a frame, which `check_frame` has let pass, as a PNG file.

    Raises
    ------
    ConflictError
        The archive has lost the instance.
    RefusedError
        The pixels cannot be decoded.
    """
    try:
        content = archive.read(sop_instance_uid)
    except (InstanceUnknownError, ObjectMissingError):
        message = "The archive has lost the bytes of this instance; the operator can restore them."
        raise ConflictError(message, code="object_missing") from None
    try:
        return render(content, frame, window)
    except FrameUnreadableError as error:
        raise RefusedError(str(error), code="frame_unreadable") from error


def _readable(series: Sequence[StoredSeries]) -> Sequence[StoredSeries]:
    shown = [
        replace(
            part,
            instances=[
                instance
                for instance in part.instances
                if is_readable(
                    instance.sop_class_uid,
                    is_identity_removed=bool(part.facts.get("is_identity_removed")),
                )
            ],
        )
        for part in series
    ]
    return [part for part in shown if part.instances]


def _no_such_frame(sop_instance_uid: str, frame: int) -> NotFoundError:
    return NotFoundError(f"There is no frame {frame} of an instance {sop_instance_uid!r}.")
