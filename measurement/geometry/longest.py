"""The longest diameter: the points of an outline that are farthest apart, and all pairs that tie."""

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import ConvexHull, QhullError
from scipy.spatial.distance import pdist

from measurement.geometry.outline import Boundary, Mask

Floats: TypeAlias = NDArray[np.float64]
Integers: TypeAlias = NDArray[np.intp]
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
    Boundary.HALF_PIXEL: np.array([[0.5, 0, -0.5, 0], [0, 0.5, 0, -0.5], [0, -0.5, 0, 0.5]]),
    Boundary.PIXEL_CENTRES: np.zeros((1, 4)),
    Boundary.PIXEL_CORNERS: np.array([[0.5, 0.5, -0.5, -0.5], [0.5, -0.5, -0.5, 0.5]]),
}


def longest_of_mask(
    mask: Mask, row_spacing: float, column_spacing: float, boundary: Boundary
) -> tuple[Integers, Ends]:
    """Find the longest in-plane diameters of a mask over all its slices.

    Only the outermost pixels of each row can be an end. For two rows the diameter is longest where the pixels
    are farthest apart across, so the slices can be folded before any length is computed.

    Parameters
    ----------
    mask
        Shape (slices, rows, columns); not empty.
    row_spacing, column_spacing
        Distance between rows and between columns, in mm.
    boundary
        Where the outline runs.

    Returns
    -------
    slices : numpy.ndarray
        Shape (K,), the slice of each of the K equally long diameters.
    ends : numpy.ndarray
        `Ends` in pixels, (0, 0) at the centre of the first pixel.
    """
    top, first, last = _row_ends(mask)
    reach = _reach(first, last)
    rows = np.arange(len(reach))
    down: Floats = np.multiply(np.abs(rows[:, np.newaxis] - rows), row_spacing, dtype=np.float64)
    across: Floats = np.multiply(reach, column_spacing, dtype=np.float64)
    squared = _squared(across, down, row_spacing, column_spacing, boundary)
    squared[reach < 0] = -1.0  # never in one slice, or shorter than the same two rows the other way round
    limit = squared.max() * (1 - TIED)
    one, other = np.nonzero(squared >= limit)
    slices, pair = np.nonzero(last[:, one] - first[:, other] == reach[one, other])
    one, other = one[pair], other[pair]
    centres = np.array([last[slices, one], one + top, first[slices, other], other + top]).T
    ends = centres[:, np.newaxis] + OFFSETS[boundary]
    steps = (ends[..., :2] - ends[..., 2:]) * (column_spacing, row_spacing)
    steps *= steps
    is_longest = steps[..., 0] + steps[..., 1] >= limit
    return slices[is_longest.nonzero()[0]], ends[is_longest]


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


def _row_ends(mask: Mask) -> tuple[int, Integers, Integers]:
    """Return the first occupied row, and each row's first and last pixel, shape (slices, rows from there).

    Where a slice has no pixel in a row, the first lies beyond the last column and the last before the first.
    """
    occupied: Mask = np.logical_or.reduce(mask, axis=2)
    rows = np.flatnonzero(np.logical_or.reduce(occupied, axis=0))
    inside = slice(rows[0], rows[-1] + 1)
    occupied, mask = occupied[:, inside], mask[:, inside]
    columns = mask.shape[2]
    first = np.where(occupied, mask.argmax(axis=2), columns)
    last = np.where(occupied, columns - 1 - mask[:, :, ::-1].argmax(axis=2), -1)
    return int(rows[0]), first, last


def _reach(first: Integers, last: Integers) -> Integers:
    """Return how far the last pixel of one row is from the first of another, most over the slices."""
    step = max(1, PAIRS_AT_ONCE // first.shape[1] ** 2)
    reach = (last[:step, :, np.newaxis] - first[:step, np.newaxis]).max(axis=0)
    for start in range(step, len(first), step):
        stop = start + step
        more = (last[start:stop, :, np.newaxis] - first[start:stop, np.newaxis]).max(axis=0)
        np.maximum(reach, more, out=reach)
    found: Integers = reach
    return found


def _squared(across: Floats, down: Floats, row: float, column: float, boundary: Boundary) -> Floats:
    """Return the squared length from outline to outline, of pixel centres that far apart."""
    wider, taller = across + column, down + row
    across, down, wider, taller = across * across, down * down, wider * wider, taller * taller
    if boundary is Boundary.PIXEL_CENTRES:
        return across + down
    if boundary is Boundary.PIXEL_CORNERS:
        return wider + taller
    return np.maximum(wider + down, across + taller)


def _hull(points: Floats) -> Floats:
    """Return the corners of the convex hull; all points when they have none, as on one line."""
    try:
        corners: Floats = points[ConvexHull(points).vertices]
    except QhullError:
        return points
    return corners
