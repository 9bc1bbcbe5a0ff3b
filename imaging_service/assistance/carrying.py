"""The job that looks where the lesions of a reader's earlier reads lie in the images of the draft."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import structlog
from sqlalchemy.orm import Session

from imaging_service.accounts.act import Act
from imaging_service.assistance import repository
from imaging_service.assistance.pixels import InstanceSource, values_of
from imaging_service.assistance.proposal import FrameOf
from imaging_service.errors import NotFoundError, ServiceError
from imaging_service.jobs.port import Handler, Job, WorkerContext
from imaging_service.reads import service as reads
from imaging_service.reads.read import DrawnAxis, Read
from imaging_service.reads.repository import SYSTEM
from imaging_service.timepoints import service as timepoints
from imaging_service.timepoints.facts import stored_plane
from imaging_service.timepoints.records import StoredSeries
from measurement.assist.expected_place import expected_place
from measurement.assist.registration import register
from measurement.assist.series_volume import SeriesVolume, volume_of
from measurement.errors import MeasurementError
from measurement.geometry.plane import ImagePlane, Vector

CARRY = "carry lesions forward"
LARGEST_VOLUME = 300_000_000
"""Voxels of a series beyond which it is not carried: it would not fit into a worker's memory."""

Place: TypeAlias = Mapping[str, Any]

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Known:
    """A lesion where the reader last measured it."""

    lesion_id: str
    series_instance_uid: str
    timepoint_id: str
    middle: Vector  # (x, y, z), mm, in the frame of reference of that series


def job_for(read_id: str) -> Job:
    """Return the job for a draft."""
    return Job(name=CARRY, payload={"read_id": read_id}, key=f"{CARRY} {read_id}")


def carry(context: WorkerContext, payload: Mapping[str, Any]) -> None:
    """Compute the expected places of a draft and keep them; a draft that is gone needs none."""
    services, read_id = context.services, str(payload["read_id"])
    found: Sequence[Place] | None = None
    with services.database.read() as session:
        inputs = _inputs(session, read_id)
    if inputs is not None:
        found = list(_places(services.archive, *inputs))
    with context.completion() as session:
        if found is not None:
            act = Act.of_worker(session, services.queue, services.clock.now())
            repository.keep_places(session, read_id, found, act.now)
            act.record("expect lesions", "read", read_id, after={"places": [*found]})


HANDLERS: Mapping[str, Handler] = {CARRY: carry}
"""The jobs of this chapter."""


def _inputs(
    session: Session, read_id: str
) -> tuple[Sequence[_Known], Mapping[str, StoredSeries], Sequence[StoredSeries]] | None:
    """Return the known lesions, the series they were measured on, and the series to look in."""
    try:
        read = reads.find_read(session, SYSTEM, read_id)
    except NotFoundError:
        return None
    if read.is_signed or repository.places(session, read) is not None:
        return None
    known = list(_known(reads.earlier_reads(session, SYSTEM, read)))
    measured_on = {
        series.series_instance_uid: series
        for timepoint_id in {each.timepoint_id for each in known}
        for series in timepoints.series_of(session, timepoint_id)
    }
    return known, measured_on, timepoints.series_of(session, read.timepoint_id)


def _known(earlier: Sequence[Read]) -> Iterator[_Known]:
    """Give each lesion as it was last measured; what was never measured has no place."""
    last: dict[str, tuple[Read, DrawnAxis]] = {}
    for read in earlier:
        for lesion in read.lesions:
            if lesion.axes:
                last[lesion.lesion_id] = read, lesion.axes[0]
    for lesion_id, (read, axis) in sorted(last.items()):
        middle = (np.array(axis.start) + np.array(axis.end)) / 2
        x, y, z = stored_plane(axis.plane).to_patient([middle])[0].tolist()
        yield _Known(
            lesion_id=lesion_id,
            series_instance_uid=axis.series_instance_uid,
            timepoint_id=read.timepoint_id,
            middle=(x, y, z),
        )


def _places(
    archive: InstanceSource,
    known: Sequence[_Known],
    measured_on: Mapping[str, StoredSeries],
    current: Sequence[StoredSeries],
) -> Iterator[Place]:
    """Give the place of each lesion; one registration serves all lesions of a series."""
    for series_uid in dict.fromkeys(each.series_instance_uid for each in known):
        lesions = [each for each in known if each.series_instance_uid == series_uid]
        prior = measured_on.get(series_uid)
        match = None if prior is None else _like(prior, current)
        if prior is None or match is None:
            yield from _without(lesions, "No series of this timepoint is like the one it was measured on.")
            continue
        try:
            yield from _carried(archive, lesions, prior, match)
        except (MeasurementError, ServiceError, RuntimeError) as error:  # SimpleITK's own are RuntimeErrors
            _log.warning("lesions_not_carried", error=type(error).__name__)
            yield from _without(lesions, "The two series cannot be laid upon each other.")


def _carried(
    archive: InstanceSource, lesions: Sequence[_Known], prior: StoredSeries, match: StoredSeries
) -> Iterator[Place]:
    before, _ = _volume(archive, prior)
    now, frames = _volume(archive, match)
    registration = register(before, now)
    for each in lesions:
        place = expected_place(registration, now, each.middle)
        if place is None:
            yield from _without([each], "Its place lies outside of what this timepoint shows.")
            continue
        on = frames[place.slice_index]
        yield {
            "lesion_id": each.lesion_id,
            "series_instance_uid": match.series_instance_uid,
            "sop_instance_uid": on.sop_instance_uid,
            "frame": on.frame,
            "point": list(place.point),
            "likeness": place.likeness,
            "confidence": place.confidence.value,
            "doubts": list(place.doubts),
        }


def _without(lesions: Sequence[_Known], why: str) -> Iterator[Place]:
    for each in lesions:
        yield {"lesion_id": each.lesion_id, "doubts": [why]}


def _like(prior: StoredSeries, current: Sequence[StoredSeries]) -> StoredSeries | None:
    """Return the series that was acquired as the prior one: its name, its kind and its direction."""
    candidates = [
        each
        for each in current
        if each.modality == prior.modality and len(_frames(each)) > 1 and _direction(each) is not None
    ]
    axis = _direction(prior)
    if axis is None or not candidates:
        return None

    def likeness(each: StoredSeries) -> tuple[bool, bool, float]:
        direction = _direction(each)
        return (
            each.description == prior.description,
            each.facts.get("has_contrast") == prior.facts.get("has_contrast"),
            0.0 if direction is None else abs(float(np.dot(axis, direction))),
        )

    best = max(candidates, key=likeness)
    return best if likeness(best)[0] or likeness(best)[2] > 0.9 else None


def _direction(series: StoredSeries) -> Vector | None:
    return next((plane.normal for _, plane in _frames(series)), None)


def _frames(series: StoredSeries) -> Sequence[tuple[FrameOf, ImagePlane]]:
    """Return the frames of a series that have a plane."""
    return [
        (FrameOf(sop_instance_uid=instance.sop_instance_uid, frame=number), stored_plane(frame["plane"]))
        for instance in series.instances
        for number, frame in enumerate(instance.frames, start=1)
        if "plane" in frame
    ]


def _volume(archive: InstanceSource, series: StoredSeries) -> tuple[SeriesVolume, Sequence[FrameOf]]:
    """Return a series as a volume, and its frames in the order in which they were given to it."""
    frames = _frames(series)
    planes = [plane for _, plane in frames]
    if sum(plane.rows * plane.columns for plane in planes) > LARGEST_VOLUME:
        message = "The series is too large to be carried."
        raise MeasurementError(message)
    names = [name for name, _ in frames]
    values = values_of(archive, names)
    return volume_of(np.stack([values[name] for name in names]), planes), names
