"""A lesion's longest diameter and short axis, as measured on one slice."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from measurement.geometry.crossing import longest_crossing
from measurement.geometry.findings import FindingCode, GeometryFinding
from measurement.geometry.longest import TIED, Ends
from measurement.geometry.outline import Boundary, Edges
from measurement.units import Millimetres

INSIDE_WANTED = 0.9
"""Below this share inside the lesion, the reader decides whether the diameter is one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Chord:
    """A straight line between two points of an outline."""

    start: tuple[float, float]  # (column, row), pixels, (0, 0) at the centre of the first pixel
    end: tuple[float, float]
    length_mm: Millimetres

    @property
    def points(self) -> tuple[tuple[float, float], tuple[float, float]]:
        """Both ends, as `ImagePlane.to_patient` takes them."""
        return self.start, self.end


@dataclass(frozen=True, slots=True, kw_only=True)
class LesionDiameters:
    """What an outline gives: the longest diameter and the short axis across it."""

    slice_index: int  # counted from 0, in the order in which the slices were given
    longest_diameter: Chord
    short_axis: Chord  # of length zero where the outline has no width
    inside_fraction: float  # share of the longest diameter inside the outline or on it
    boundary: Boundary
    findings: tuple[GeometryFinding, ...] = ()


def diameters_of_outlines(
    outlines: Iterable[tuple[int, Edges, Ends]], row_spacing: float, column_spacing: float, boundary: Boundary
) -> LesionDiameters:
    """Choose among equally long diameters, and describe the choice.

    The one with the longest short axis is taken, and of several such the one most of which lies inside: so
    the answer stays the same when the lesion is mirrored or turned by a right angle.

    Parameters
    ----------
    outlines
        For each slice that has a longest diameter: its index, its `Edges` and its longest `Ends`, in pixels.
    row_spacing, column_spacing
        Distance between rows and between columns, in mm.
    boundary
        Where the outlines run.
    """
    scale = np.array([column_spacing, row_spacing, column_spacing, row_spacing])
    measured = [_measured(index, edges, ends, scale, boundary) for index, edges, ends in outlines]
    best = max(measured, key=lambda diameters: diameters.short_axis.length_mm)
    limit = best.short_axis.length_mm * (1 - TIED)
    equal = [diameters for diameters in measured if diameters.short_axis.length_mm >= limit]
    most = max(diameters.inside_fraction for diameters in equal) * (1 - TIED)
    return next(diameters for diameters in equal if diameters.inside_fraction >= most)


def _measured(
    index: int,
    edges: Edges,
    ends: Ends,
    scale: np.ndarray[tuple[int], np.dtype[np.float64]],
    boundary: Boundary,
) -> LesionDiameters:
    x, y, to_x, to_y = ends[0].tolist()
    if x == to_x and y == to_y:
        point = Chord(start=(x, y), end=(x, y), length_mm=Millimetres(0.0))
        return LesionDiameters(
            slice_index=index,
            longest_diameter=point,
            short_axis=point,
            inside_fraction=1.0,
            boundary=boundary,
        )
    ends_mm = ends * scale
    chosen, crossing = longest_crossing(edges * scale[:, np.newaxis], ends_mm)
    column, row = scale[:2].tolist()
    x, y, to_x, to_y = ends[chosen].tolist()
    length = float(np.hypot((to_x - x) * column, (to_y - y) * row))
    (left, up), (right, down) = crossing.start, crossing.end
    return LesionDiameters(
        slice_index=index,
        longest_diameter=Chord(start=(x, y), end=(to_x, to_y), length_mm=Millimetres(length)),
        short_axis=Chord(
            start=(left / column, up / row),
            end=(right / column, down / row),
            length_mm=Millimetres(crossing.length),
        ),
        inside_fraction=crossing.inside_fraction,
        boundary=boundary,
        findings=_leaving(crossing.inside_fraction),
    )


def _leaving(inside: float) -> tuple[GeometryFinding, ...]:
    if inside >= INSIDE_WANTED:
        return ()
    return (
        GeometryFinding(
            code=FindingCode.DIAMETER_LEAVES_LESION,
            sentence=f"The diameter leaves the lesion: {inside:.0%} of it is inside, "
            f"{INSIDE_WANTED:.0%} are wanted.",
        ),
    )
