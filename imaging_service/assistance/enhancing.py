"""Uptake of contrast agent in a dynamic series: exploratory, no response follows from it."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

import numpy as np
from numpy.typing import NDArray
from sqlalchemy.orm import Session

from imaging_service.accounts.principal import Principal
from imaging_service.assistance import repository
from imaging_service.assistance.errors import PhasesRefusedError, SeriesMissingError
from imaging_service.assistance.pixels import InstanceSource, values_of
from imaging_service.assistance.proposal import FrameOf, Point
from imaging_service.assistance.same_place import show_the_same
from imaging_service.assistance.uptake import PhasesAsked, StoredUptake
from imaging_service.database import Database, new_id
from imaging_service.reads import service as reads
from imaging_service.reads.act import ReadAct
from imaging_service.reads.read import Read
from imaging_service.timepoints import service as timepoints
from imaging_service.timepoints.facts import stored_plane
from imaging_service.timepoints.records import StoredSeries
from imaging_service.trials import service as trials
from measurement.assist.enhancement import functional_tumour_volume
from measurement.assist.series_volume import volume_of
from measurement.errors import MeasurementError
from measurement.geometry.plane import ImagePlane
from measurement.protocol.enhancement import EnhancementThresholds

LARGEST_PHASE = 60_000_000
"""Voxels of a phase beyond which three of them would not fit into memory."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Uptake:
    """What was computed."""

    volume_ml: float
    median_signal_enhancement_ratio: float | None
    thresholds: EnhancementThresholds


@dataclass(frozen=True, slots=True, kw_only=True)
class _Phase:
    """The frames of a series in the order in which they lie in the patient."""

    frames: Sequence[FrameOf]
    planes: Sequence[ImagePlane]
    spacing_mm: float


def compute(
    database: Database, archive: InstanceSource, principal: Principal, read_id: str, asked: PhasesAsked
) -> Uptake:
    """Compute the volume that enhances as tumours do; nothing is kept, and no transaction is held meanwhile.

    Raises
    ------
    NotFoundError, ForbiddenError, AlreadySignedError
        The draft is not there, or not the caller's, or signed.
    SeriesMissingError
        A series is not the timepoint's.
    PhasesRefusedError
        The phases do not show the same places, or are no volumes.
    """
    with database.read() as session:
        read = reads.find_read(session, principal, read_id)
        reads.require_own_draft(principal, read)
        phases = _phases(session, read, asked)
        protocol = trials.protocol_version(session, principal.scope, read.trial_id, read.protocol_version)
    first = phases[0]
    plane = first.planes[0]
    try:
        found = functional_tumour_volume(
            (_values(archive, phases[0]), _values(archive, phases[1]), _values(archive, phases[2])),
            (first.spacing_mm, plane.row_spacing, plane.column_spacing),
            protocol.enhancement,
            _region(first, asked.region),
        )
    except MeasurementError as error:
        raise PhasesRefusedError(str(error)) from error
    return Uptake(
        volume_ml=found.volume_ml,
        median_signal_enhancement_ratio=found.median_signal_enhancement_ratio,
        thresholds=protocol.enhancement,
    )


def keep(act: ReadAct, read_id: str, asked: PhasesAsked, uptake: Uptake) -> StoredUptake:
    """Keep what was computed beside the draft.

    Raises
    ------
    NotFoundError, ForbiddenError, AlreadySignedError
        The draft is not there any more, or was signed meanwhile.
    """
    read = reads.find_read(act.session, act.principal, read_id, lock=True)
    reads.require_own_draft(act.principal, read)
    stored = StoredUptake(
        uptake_id=new_id(),
        read_id=read_id,
        asked=asked,
        volume_ml=uptake.volume_ml,
        median_signal_enhancement_ratio=uptake.median_signal_enhancement_ratio,
        thresholds={name: str(value) for name, value in asdict(uptake.thresholds).items()},
        computed_at=act.now,
    )
    repository.add_uptake(act.session, stored)
    act.record(
        "compute uptake",
        read_id,
        after={"uptake_id": stored.uptake_id, "early": asked.early, "volume_ml": stored.volume_ml},
    )
    return stored


def uptakes(session: Session, principal: Principal, read_id: str) -> Sequence[StoredUptake]:
    """Return what was computed beside a read, the first one first.

    Raises
    ------
    NotFoundError
        There is no such read that the principal may see.
    """
    return repository.uptakes(session, reads.find_read(session, principal, read_id))


def _phases(session: Session, read: Read, asked: PhasesAsked) -> tuple[_Phase, _Phase, _Phase]:
    known = {each.series_instance_uid: each for each in timepoints.series_of(session, read.timepoint_id)}
    before, early, late = (_phase(known, uid) for uid in (asked.before, asked.early, asked.late))
    for other in (early, late):
        if not _show_the_same(before, other):
            message = "The phases of a dynamic series show the same places; these differ in size or position."
            raise PhasesRefusedError(message)
    return before, early, late


def _phase(known: Mapping[str, StoredSeries], uid: str) -> _Phase:
    if uid not in known:
        raise SeriesMissingError(uid)
    frames, planes = [], []
    for instance in known[uid].instances:
        for number, frame in enumerate(instance.frames, start=1):
            if "plane" in frame:
                frames.append(FrameOf(sop_instance_uid=instance.sop_instance_uid, frame=number))
                planes.append(stored_plane(frame["plane"]))
    if sum(plane.rows * plane.columns for plane in planes) > LARGEST_PHASE:
        message = f"The series {uid} is too large for this; at most {LARGEST_PHASE} pixels are taken."
        raise PhasesRefusedError(message)
    try:
        volume = volume_of(np.zeros((len(planes), *_size(planes)), dtype=np.float32), planes)
    except MeasurementError as error:
        message = f"The series {uid} is no volume of one phase: {error}"
        raise PhasesRefusedError(message) from error
    return _Phase(
        frames=[frames[place] for place in volume.order], planes=volume.planes, spacing_mm=volume.spacing_mm
    )


def _size(planes: Sequence[ImagePlane]) -> tuple[int, int]:
    return (planes[0].rows, planes[0].columns) if planes else (1, 1)


def _show_the_same(one: _Phase, other: _Phase) -> bool:
    """Whether two phases have slices in the same places."""
    return len(one.planes) == len(other.planes) and all(map(show_the_same, one.planes, other.planes))


def _values(archive: InstanceSource, phase: _Phase) -> NDArray[np.float32]:
    values = values_of(archive, phase.frames)
    return np.stack([values[frame] for frame in phase.frames])


def _region(phase: _Phase, corners: tuple[Point, Point] | None) -> NDArray[np.bool_]:
    """Return where to look, shape (slices, rows, columns)."""
    looked_at = np.ones((len(phase.planes), *_size(phase.planes)), dtype=np.bool_)
    if corners is not None:
        (left, right), (top, bottom) = (sorted(pair) for pair in zip(*corners, strict=True))
        row, column = np.ogrid[: looked_at.shape[1], : looked_at.shape[2]]
        looked_at &= (row >= top) & (row <= bottom) & (column >= left) & (column <= right)
    return looked_at
