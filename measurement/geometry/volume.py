"""Slices that form a stack: their order, their distances, and what lies between them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from measurement.errors import PlanesNotParallelError
from measurement.geometry.findings import FindingCode, GeometryFinding
from measurement.geometry.plane import ORTHONORMAL_TOLERANCE, ROUNDING, ImagePlane, Points
from measurement.units import Millimetres

SLICE_TOLERANCE = Millimetres(0.1)
"""Distances that differ by less are the same, in mm: positions are written in decimals."""

MISSING_FACTOR = 1.5
"""From this many times the usual distance on, a slice is missing rather than misplaced."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SliceStack:
    """Parallel slices in the order in which they lie in the patient."""

    order: tuple[int, ...]  # indices of the planes as given, along the normal
    spacing_mm: Millimetres | None  # usual distance of neighbouring centres; none for a single position
    gap_mm: Millimetres | None  # not imaged between two slices; negative where they overlap
    findings: tuple[GeometryFinding, ...]


def stack_of(planes: Sequence[ImagePlane]) -> SliceStack:
    """Put slices in order by their positions along their normal, never by a single coordinate.

    Parameters
    ----------
    planes
        At least one, in any order.

    Raises
    ------
    PlanesNotParallelError
        The planes are not parallel, or of different frames of reference.

    Examples
    --------
    >>> slices = [ImagePlane(position=(0, 0, z), row_direction=(1, 0, 0), column_direction=(0, 1, 0),
    ...                      row_spacing=1, column_spacing=1, rows=8, columns=8, slice_thickness=3)
    ...           for z in (4, 0, 12)]
    >>> stack = stack_of(slices)
    >>> stack.order, stack.spacing_mm, stack.gap_mm
    ((1, 0, 2), 6.0, 3.0)
    """
    _check_parallel(planes)
    normal = np.asarray(planes[0].normal)
    offsets = np.array([plane.position for plane in planes]) @ normal
    order = offsets.argsort(kind="stable")
    distances = np.diff(offsets[order])
    apart = distances[distances > SLICE_TOLERANCE]
    spacing = Millimetres(float(np.median(apart))) if apart.size else None
    thicknesses = [plane.slice_thickness for plane in planes if plane.slice_thickness is not None]
    gap = None
    if spacing is not None and thicknesses:
        gap = Millimetres(spacing - min(thicknesses))
    return SliceStack(
        order=tuple(order.tolist()),
        spacing_mm=spacing,
        gap_mm=gap,
        findings=(*_of_positions(distances, spacing), *_of_gap(spacing, gap)),
    )


def _check_parallel(planes: Sequence[ImagePlane]) -> None:
    if not planes:
        raise PlanesNotParallelError(0, "slices")
    directions = np.array([(*plane.row_direction, *plane.column_direction) for plane in planes])
    turned = float(np.abs(directions - directions[0]).max())
    if turned > ORTHONORMAL_TOLERANCE:
        raise PlanesNotParallelError(round(turned, 4), "difference of a direction cosine")
    frames = {plane.frame_of_reference_uid for plane in planes}
    if len(frames) > 1:
        raise PlanesNotParallelError(len(frames), "frames of reference")


def _of_positions(distances: Points, spacing: float | None) -> Iterator[GeometryFinding]:
    """Tell of slices at one place, of missing and of uneven ones."""
    repeated = int((distances <= SLICE_TOLERANCE).sum())
    if repeated:
        yield GeometryFinding(
            code=FindingCode.SLICES_REPEATED,
            sentence=f"{repeated} slices lie where another one lies; each position is wanted once.",
        )
    if spacing is None:
        return
    largest = float(distances.max())
    if largest > MISSING_FACTOR * spacing:
        yield GeometryFinding(
            code=FindingCode.SLICES_MISSING,
            sentence=f"Slices are missing: two neighbours lie {largest:.2f} mm apart "
            f"where {spacing:.2f} mm are usual.",
        )
    kept = distances[(distances > SLICE_TOLERANCE) & (distances <= MISSING_FACTOR * spacing)]
    if np.ptp(kept) > SLICE_TOLERANCE + ROUNDING:
        yield GeometryFinding(
            code=FindingCode.SLICES_UNEVEN,
            sentence=f"Neighbouring slices lie {kept.min():.2f} to {kept.max():.2f} mm apart; "
            f"one distance is wanted, give or take {SLICE_TOLERANCE} mm.",
        )


def _of_gap(spacing: float | None, gap: float | None) -> Iterator[GeometryFinding]:
    """Tell of tissue between slices that is not imaged, or imaged twice."""
    if spacing is None or gap is None or abs(gap) <= SLICE_TOLERANCE + ROUNDING:
        return
    thickness = spacing - gap
    if gap > 0:
        yield GeometryFinding(
            code=FindingCode.SLICES_APART,
            sentence=f"Slices of {thickness:.2f} mm lie {spacing:.2f} mm apart: "
            f"{gap:.2f} mm between two are not imaged.",
        )
    else:
        yield GeometryFinding(
            code=FindingCode.SLICES_OVERLAP,
            sentence=f"Slices of {thickness:.2f} mm lie {spacing:.2f} mm apart: two share {-gap:.2f} mm.",
        )
