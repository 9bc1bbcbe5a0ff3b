"""From a reader's points to millimetres: which frame, whose image, how long."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from imaging_service.reads.errors import (
    AxesApartError,
    FrameUnknownError,
    FrameUnmeasurableError,
    InstanceElsewhereError,
    PointsRefusedError,
    TimepointWithoutImagesError,
)
from imaging_service.reads.read import Axis, DrawnAxis
from imaging_service.timepoints.facts import stored_plane
from measurement.errors import MeasurementError
from measurement.geometry.calipers import (
    USUAL,
    LineMeasurement,
    Tolerances,
    measure_bidirectional,
    measure_line,
)
from measurement.geometry.findings import GeometryFinding
from measurement.geometry.plane import ImagePlane


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawing:
    """One axis as the reader drew it."""

    axis: Axis
    fragment: int
    """0 for the whole lesion; 1, 2, … for the fragments of a split one."""
    sop_instance_uid: str
    frame: int
    start: tuple[float, float]
    """(column, row) in pixels, (0, 0) at the centre of the first pixel."""
    end: tuple[float, float]
    claimed_mm: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class MeasurableInstance:
    """One instance of a timepoint with the geometry that was copied when its study was matched."""

    study_instance_uid: str
    series_instance_uid: str
    sop_instance_uid: str
    modality: str | None
    frames: Sequence[Mapping[str, Any]]
    """For each frame ``{"plane": …}`` or ``{"refused": sentence}``; frame 1 comes first."""
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """Drawn axes with their lengths, and what the ruler noticed."""

    axes: Sequence[DrawnAxis]
    findings: Sequence[GeometryFinding]


def measure(
    drawings: Sequence[Drawing],
    instances: Mapping[str, MeasurableInstance],
    instance_count: int,
    tolerances: Tolerances = USUAL,
) -> Measured:
    """Compute the length of every axis from its frame's geometry.

    Parameters
    ----------
    drawings
        The axes of one lesion.
    instances
        Those instances of the timepoint that the drawings name, by SOP Instance UID.
    instance_count
        How many instances the timepoint has.
    tolerances
        What the protocol lets pass without a finding.

    Raises
    ------
    ReadRefusedError
        An instance is not the timepoint's, a frame is missing or has no calibrated spacing, points
        lie outside the image, or the two axes lie on different frames.
    """
    axes: list[DrawnAxis] = []
    findings: list[GeometryFinding] = []
    for fragment in sorted({each.fragment for each in drawings}):
        pair = [each for each in drawings if each.fragment == fragment]
        measured = _measure_fragment(pair, instances, instance_count, tolerances)
        axes += measured.axes
        findings += measured.findings
    return Measured(axes=axes, findings=findings)


def _measure_fragment(
    pair: Sequence[Drawing],
    instances: Mapping[str, MeasurableInstance],
    instance_count: int,
    tolerances: Tolerances,
) -> Measured:
    frames = {(each.sop_instance_uid, each.frame) for each in pair}
    if len(frames) > 1:
        raise AxesApartError(frames)
    instance = _instance(pair[0].sop_instance_uid, instances, instance_count)
    plane = _plane(instance, pair[0].frame)
    try:
        lines, findings = _lines(plane, {each.axis: each for each in pair}, tolerances)
    except MeasurementError as error:
        raise PointsRefusedError(error) from error
    axes = [_drawn(each, instance, lines[each.axis]) for each in pair]
    return Measured(axes=axes, findings=findings)


def plane_on(
    instances: Mapping[str, MeasurableInstance], instance_count: int, sop_instance_uid: str, frame: int
) -> ImagePlane:
    """Return the plane of one frame; parameters and errors as `measure`."""
    return _plane(_instance(sop_instance_uid, instances, instance_count), frame)


def _instance(
    uid: str, instances: Mapping[str, MeasurableInstance], instance_count: int
) -> MeasurableInstance:
    if instance_count == 0:
        raise TimepointWithoutImagesError
    if uid not in instances:
        raise InstanceElsewhereError(uid)
    return instances[uid]


def _plane(instance: MeasurableInstance, frame: int) -> ImagePlane:
    if not 1 <= frame <= len(instance.frames):
        raise FrameUnknownError(instance.sop_instance_uid, frame, len(instance.frames))
    stored = instance.frames[frame - 1]
    if "refused" in stored:
        raise FrameUnmeasurableError(instance.sop_instance_uid, frame, stored["refused"])
    return stored_plane(stored["plane"])


def _lines(
    plane: ImagePlane, drawn: Mapping[Axis, Drawing], tolerances: Tolerances
) -> tuple[Mapping[Axis, LineMeasurement], Sequence[GeometryFinding]]:
    long, short = drawn.get(Axis.LONG), drawn.get(Axis.SHORT)
    if long is not None and short is not None:
        both = measure_bidirectional(
            plane,
            (long.start, long.end),
            (short.start, short.end),
            long_claimed_mm=long.claimed_mm,
            short_claimed_mm=short.claimed_mm,
            tolerances=tolerances,
        )
        return {Axis.LONG: both.long_axis, Axis.SHORT: both.short_axis}, both.findings
    (one,) = drawn.values()
    line = measure_line(plane, one.start, one.end, claimed_mm=one.claimed_mm, tolerances=tolerances)
    return {one.axis: line}, line.findings


def _drawn(drawing: Drawing, instance: MeasurableInstance, line: LineMeasurement) -> DrawnAxis:
    return DrawnAxis(
        axis=drawing.axis,
        fragment=drawing.fragment,
        study_instance_uid=instance.study_instance_uid,
        series_instance_uid=instance.series_instance_uid,
        sop_instance_uid=instance.sop_instance_uid,
        modality=instance.modality,
        frame=drawing.frame,
        start=drawing.start,
        end=drawing.end,
        length_mm=line.length_mm,
        claimed_mm=drawing.claimed_mm,
        reported=None,
        plane=instance.frames[drawing.frame - 1]["plane"],
        object_sha256=instance.sha256,
    )
