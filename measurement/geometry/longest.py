"""The longest diameter: the points of an outline that are farthest apart, and all pairs that tie."""

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import ConvexHull, QhullError
from scipy.spatial.distance import pdist

from measurement.geometry.outline import Boundary
from measurement.geometry.row_ends import RowEnds, Whole

Floats: TypeAlias = NDArray[np.float64]
Ends: TypeAlias = NDArray[np.float64]
"""Shape (K, 4): column and row of each diameter's start, column and row of its end."""

TIED = 1e-12
"""Squared lengths that differ by less than this share are equal: the same steps, summed in another order."""

ALL_PAIRS_LIMIT = 400
"""Up to as many points all pairs are faster than their convex hull."""

PAIRS_AT_ONCE = 1 << 20
"""Row pairs compared in one array; keeps the memory of large lesions flat."""

# from the pixel centres of a pair to its ends on the outline: the first lies to the right of the second
OFFSETS = {
    Boundary.HALF_PIXEL: ((0.5, 0, -0.5, 0), (0, 0.5, 0, -0.5), (0, -0.5, 0, 0.5)),
    Boundary.PIXEL_CENTRES: ((0, 0, 0, 0),),
    Boundary.PIXEL_CORNERS: ((0.5, 0.5, -0.5, -0.5), (0.5, -0.5, -0.5, 0.5)),
}


def longest_of_rows(
    ends: RowEnds, row_spacing: float, column_spacing: float, boundary: Boundary
) -> tuple[list[int], Ends]:
    """Find the longest in-plane diameters of a mask over all its slices.

    Only the outermost pixels of each row can be an end. For two rows the diameter is longest where the pixels
    are farthest apart across, so the slices can be folded before any length is computed.

    Parameters
    ----------
    ends
        The row ends of a mask that is not empty.
    row_spacing, column_spacing
        Distance between rows and between columns, in mm.
    boundary
        Where the outline runs.

    Returns
    -------
    slices : list of int
        The slice of each of the K equally long diameters.
    ends : numpy.ndarray
        `Ends` in pixels, (0, 0) at the centre of the first pixel.
    """
    rows = np.logical_or.reduce(ends.occupied, axis=0).nonzero()[0]
    top = int(rows[0])
    first, last = ends.first[:, top : rows[-1] + 1], ends.last[:, top : rows[-1] + 1]
    reach = _reach(first, last)
    rows = np.arange(len(reach))
    squared = _squared(reach, rows[:, np.newaxis] - rows, row_spacing, column_spacing, boundary)
    squared[reach < 0] = -1.0  # never in one slice, or shorter than the same two rows the other way round
    limit = float(squared.max()) * (1 - TIED)
    slices, longest = [], []
    for one, other in zip(*(axis.tolist() for axis in (squared >= limit).nonzero()), strict=True):
        for index in (last[:, one] - first[:, other] == reach[one, other]).nonzero()[0].tolist():
            right, left = int(last[index, one]), int(first[index, other])
            for x, y, to_x, to_y in OFFSETS[boundary]:
                across, down = right - left + x - to_x, one - other + y - to_y
                if (across * column_spacing) ** 2 + (down * row_spacing) ** 2 >= limit:
                    slices.append(index)
                    longest.append((right + x, top + one + y, left + to_x, top + other + to_y))
    return slices, np.array(longest, dtype=np.float64)


def longest_of_points(points: Floats) -> Ends:
    """Find the longest diameters between points.

    Parameters
    ----------
    points
        Shape (N, 2), at least two, equal units across and down (mm).

    Returns
    -------
    numpy.ndarray
        `Ends` in the unit of the points.
    """
    if len(points) > ALL_PAIRS_LIMIT:
        points = _hull(points)
    squared = pdist(points, "sqeuclidean")
    pairs = np.flatnonzero(squared >= squared.max() * (1 - TIED))
    # pairs are numbered row by row through the upper triangle
    starts = np.arange(len(points) - 1, 0, -1).cumsum()
    one = starts.searchsorted(pairs, side="right")
    other = pairs - starts[one] + len(points)
    return np.concatenate([points[one], points[other]], axis=1)


def _reach(first: Whole, last: Whole) -> Whole:
    """Return how far the last pixel of one row is from the first of another, most over the slices."""
    step = max(1, PAIRS_AT_ONCE // first.shape[1] ** 2)
    reach = (last[:step, :, np.newaxis] - first[:step, np.newaxis]).max(axis=0)
    for start in range(step, len(first), step):
        stop = start + step
        more = (last[start:stop, :, np.newaxis] - first[start:stop, np.newaxis]).max(axis=0)
        np.maximum(reach, more, out=reach)
    found: Whole = reach
    return found


def _squared(
    across: Whole, down: Whole, row_spacing: float, column_spacing: float, boundary: Boundary
) -> Floats:
    """Return the squared length from outline to outline, of pixel centres that far apart, in mm²."""
    wide: Floats = np.multiply(across, column_spacing, dtype=np.float64)
    tall: Floats = np.multiply(np.abs(down), row_spacing, dtype=np.float64)
    squared = wide * wide
    squared += tall * tall
    if boundary is Boundary.PIXEL_CENTRES:
        return squared
    # the outline adds one pixel's width or height between two pixels' centres, its corners both
    wide *= 2 * column_spacing
    wide += column_spacing**2
    tall *= 2 * row_spacing
    tall += row_spacing**2
    squared += wide + tall if boundary is Boundary.PIXEL_CORNERS else np.maximum(wide, tall)
    return squared


def _hull(points: Floats) -> Floats:
    """Return the corners of the convex hull; all points when they have none, as on one line."""
    try:
        corners: Floats = points[ConvexHull(points).vertices]
    except QhullError:
        return points
    return corners
