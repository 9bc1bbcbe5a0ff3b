"""A lesion's longest diameter and short axis, as measured on one slice."""

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from measurement.geometry.crossing import Crossing, longest_crossing
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

    Raises
    ------
    OutlineCrossesItselfError
        An outline of points crosses itself.
    """
    measured = [
        described
        for index, edges, ends in outlines
        for described in _measured(index, edges, ends, (column_spacing, row_spacing), boundary)
    ]
    if len(measured) == 1:
        return measured[0]
    limit = max(each.short_axis.length_mm for each in measured) * (1 - TIED)
    equal = [each for each in measured if each.short_axis.length_mm >= limit]
    most = max(each.inside_fraction for each in equal) * (1 - TIED)
    return next(each for each in equal if each.inside_fraction >= most)


def _measured(
    index: int, edges: Edges, ends: Ends, scale: tuple[float, float], boundary: Boundary
) -> Iterator[LesionDiameters]:
    """Yield the description of each longest diameter of one slice."""
    column, row = scale
    edges_mm = edges * np.array([[column], [row], [column], [row]])
    for x, y, to_x, to_y in ends.tolist():
        ends_mm = x * column, y * row, to_x * column, to_y * row
        length = math.dist(ends_mm[:2], ends_mm[2:])
        crossing = (
            longest_crossing(edges_mm, ends_mm, may_cross=boundary is Boundary.OUTLINE)
            if length
            else Crossing(start=ends_mm[:2], end=ends_mm[:2], length=0.0, inside_fraction=1.0)
        )
        (left, up), (right, down) = crossing.start, crossing.end
        yield LesionDiameters(
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
