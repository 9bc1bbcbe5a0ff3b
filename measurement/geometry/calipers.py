"""Lengths from the points that a reader set: one axis, or a long and a short axis."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from measurement.errors import AxesDoNotCrossError, PointShapeError, ZeroLengthError
from measurement.geometry.findings import FindingCode, GeometryFinding
from measurement.geometry.plane import ROUNDING, ImagePlane, Points, Vector, checked_points
from measurement.units import Millimetres


@dataclass(frozen=True, slots=True, kw_only=True)
class Tolerances:
    """What is let pass without a finding; the defaults are the reference protocol's."""

    claim_mm: float = 0.1  # how far a client's length may be from ours
    perpendicular_degrees: float = 10.0  # how far from a right angle two axes may stand


USUAL = Tolerances()

CROSSING_TOLERANCE = Millimetres(0.1)
"""Axes that miss each other by no more than this touch: clients round what they send."""

Pixel: TypeAlias = tuple[float, float]
Axis: TypeAlias = Sequence[Sequence[float]]
"""Two end points, each (column, row) in pixels, (0, 0) at the centre of the first pixel."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LineMeasurement:
    """The length between two points of one frame."""

    start: Pixel  # (column, row), pixels, (0, 0) at the centre of the first pixel
    end: Pixel
    start_mm: Vector  # (x, y, z) in the patient, mm
    end_mm: Vector
    length_mm: Millimetres
    findings: tuple[GeometryFinding, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class BidirectionalMeasurement:
    """A long axis and the short axis that the reader drew across it."""

    long_axis: LineMeasurement
    short_axis: LineMeasurement
    angle_degrees: float  # between the axes in the patient, 0 to 90
    crossing: Pixel  # the long axis' point on the short axis, (column, row)
    findings: tuple[GeometryFinding, ...]  # those of both axes included


def measure_line(
    plane: ImagePlane,
    start: Sequence[float],
    end: Sequence[float],
    *,
    claimed_mm: float | None = None,
    tolerances: Tolerances = USUAL,
) -> LineMeasurement:
    """Measure the distance of two points in the patient.

    Parameters
    ----------
    plane
        The frame on which both points were set.
    start, end
        (column, row), pixels, (0, 0) at the centre of the first pixel.
    claimed_mm
        The length that the client shows, in mm; compared with ours, never used.
    tolerances
        What is let pass without a finding.

    Raises
    ------
    PointShapeError
        A point is not two finite numbers.
    PointOutsideImageError
        A point lies outside the image.
    ZeroLengthError
        Both points are the same.

    Examples
    --------
    >>> plane = ImagePlane(position=(0, 0, 0), row_direction=(1, 0, 0), column_direction=(0, 1, 0),
    ...                    row_spacing=2, column_spacing=1, rows=32, columns=32)
    >>> measure_line(plane, (4, 4), (7, 6)).length_mm
    5.0
    """
    points = _two_points((start, end))
    plane.require_inside(points)
    columns, rows = (points[1] - points[0]).tolist()
    length = math.hypot(columns * plane.column_spacing, rows * plane.row_spacing)
    if length == 0:
        raise ZeroLengthError(*points[0].tolist())
    swapped = math.hypot(columns * plane.row_spacing, rows * plane.column_spacing)
    first, second = plane.to_patient(points).tolist()
    return LineMeasurement(
        start=_pixel(points[0]),
        end=_pixel(points[1]),
        start_mm=(first[0], first[1], first[2]),
        end_mm=(second[0], second[1], second[2]),
        length_mm=Millimetres(length),
        findings=_compared(claimed_mm, length, swapped, tolerances.claim_mm),
    )


def measure_bidirectional(  # noqa: PLR0913 - each axis has its claim
    plane: ImagePlane,
    long_axis: Axis,
    short_axis: Axis,
    *,
    long_claimed_mm: float | None = None,
    short_claimed_mm: float | None = None,
    tolerances: Tolerances = USUAL,
) -> BidirectionalMeasurement:
    """Measure two axes that cross on one frame.

    The axes stay as the reader drew them: a short axis that is the longer one, or that stands askew, is a
    finding and never a correction.

    Parameters
    ----------
    plane
        The frame on which all four points were set.
    long_axis, short_axis
        Two end points each, (column, row), pixels, (0, 0) at the centre of the first pixel.
    long_claimed_mm, short_claimed_mm
        The lengths that the client shows, in mm; compared with ours, never used.
    tolerances
        What is let pass without a finding.

    Raises
    ------
    AxesDoNotCrossError
        The axes are more than 0.1 mm apart.
    MeasurementError
        As `measure_line`, for either axis.
    """
    long_line = measure_line(plane, *_ends(long_axis), claimed_mm=long_claimed_mm, tolerances=tolerances)
    short_line = measure_line(plane, *_ends(short_axis), claimed_mm=short_claimed_mm, tolerances=tolerances)
    crossing = _crossing(plane, long_line, short_line)
    angle = _angle_degrees(plane, long_line, short_line)
    findings = (
        *long_line.findings,
        *short_line.findings,
        *_perpendicular(angle, tolerances.perpendicular_degrees),
        *_ordered(long_line.length_mm, short_line.length_mm),
    )
    return BidirectionalMeasurement(
        long_axis=long_line,
        short_axis=short_line,
        angle_degrees=angle,
        crossing=crossing,
        findings=findings,
    )


def _ends(axis: Axis) -> tuple[Sequence[float], Sequence[float]]:
    if len(axis) != 2:
        raise PointShapeError(2, f"an axis of {len(axis)} points where two are wanted")
    return axis[0], axis[1]


def _two_points(points: Axis) -> Points:
    if any(len(point) != 2 for point in points):
        raise PointShapeError(2, f"points of {[len(point) for point in points]} coordinates")
    return checked_points(points, 2)


def _pixel(point: Points) -> Pixel:
    column, row = point.tolist()
    return column, row


def _compared(
    claimed: float | None, length: float, swapped: float, tolerance: float
) -> tuple[GeometryFinding, ...]:
    """Tell when the client's length is not ours, and when exchanged spacings explain it."""
    if claimed is None or abs(claimed - length) <= tolerance + ROUNDING:
        return ()
    sentence = f"The client shows {claimed:.2f} mm, the points give {length:.2f} mm"
    if abs(claimed - swapped) <= tolerance + ROUNDING:
        return (
            GeometryFinding(
                code=FindingCode.CLAIM_SWAPS_SPACINGS,
                sentence=f"{sentence}; with the two spacings exchanged they would give {swapped:.2f} mm.",
            ),
        )
    return (
        GeometryFinding(
            code=FindingCode.CLAIM_DIFFERS, sentence=f"{sentence}; {tolerance} mm are tolerated."
        ),
    )


def _perpendicular(angle: float, tolerance: float) -> tuple[GeometryFinding, ...]:
    if 90 - angle <= tolerance + ROUNDING:
        return ()
    return (
        GeometryFinding(
            code=FindingCode.NOT_PERPENDICULAR,
            sentence=f"The axes stand at {angle:.1f} degrees; 90 are wanted, give or take {tolerance:g}.",
        ),
    )


def _ordered(long_mm: float, short_mm: float) -> tuple[GeometryFinding, ...]:
    if short_mm <= long_mm:
        return ()
    return (
        GeometryFinding(
            code=FindingCode.SHORT_AXIS_LONGER,
            sentence=f"The short axis of {short_mm:.2f} mm is longer than the long axis of {long_mm:.2f} mm; "
            "exchange them.",
        ),
    )


def _in_plane_mm(plane: ImagePlane, line: LineMeasurement) -> tuple[Points, Points]:
    """Return start and end as (across, down) in mm on the plane, origin at the first pixel's centre."""
    spacing = (plane.column_spacing, plane.row_spacing)
    return np.multiply(line.start, spacing), np.multiply(line.end, spacing)


def _angle_degrees(plane: ImagePlane, one: LineMeasurement, other: LineMeasurement) -> float:
    (start, end), (from_, to) = _in_plane_mm(plane, one), _in_plane_mm(plane, other)
    (a, b), (c, d) = (end - start).tolist(), (to - from_).tolist()
    return math.degrees(math.atan2(abs(a * d - b * c), abs(a * c + b * d)))


def _crossing(plane: ImagePlane, long_line: LineMeasurement, short_line: LineMeasurement) -> Pixel:
    """Return the point of the long axis that meets the short axis, or refuse axes that are apart."""
    start, end = _in_plane_mm(plane, long_line)
    from_, to = _in_plane_mm(plane, short_line)
    along, across, between = end - start, to - from_, from_ - start
    turn = _cross(along, across)
    if turn and 0 <= _cross(between, across) / turn <= 1 and 0 <= _cross(between, along) / turn <= 1:
        point = start + along * (_cross(between, across) / turn)
    else:
        # apart, touching within the rounding, or on one line: the nearest of the four ends decides
        nearest = [(end_, _nearest(end_, start, end)) for end_ in (from_, to)]
        nearest += [(_nearest(end_, from_, to), end_) for end_ in (start, end)]
        gap, point = min(((math.dist(a, b), b) for a, b in nearest), key=lambda pair: pair[0])
        if gap > CROSSING_TOLERANCE:
            raise AxesDoNotCrossError(gap)
    return _pixel(point / (plane.column_spacing, plane.row_spacing))


def _cross(one: Points, other: Points) -> float:
    return float(one[0] * other[1] - one[1] * other[0])


def _nearest(point: Points, start: Points, end: Points) -> Points:
    """Return the point of a segment that is nearest to `point`."""
    along = end - start
    share = min(1.0, max(0.0, float((point - start) @ along) / float(along @ along)))
    nearest: Points = start + share * along
    return nearest
