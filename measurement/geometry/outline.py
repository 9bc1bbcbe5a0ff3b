"""A lesion's outline in one slice, as straight edges in pixels."""

from enum import StrEnum
from itertools import pairwise
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

Mask: TypeAlias = NDArray[np.bool_]
Edges: TypeAlias = NDArray[np.float64]
"""Shape (4, N): column and row of each edge's start, column and row of its end. In no order; together closed.
Pixels with (0, 0) at the centre of the first pixel, or mm from there, as the function says."""


class Boundary(StrEnum):
    """Where the outline of a lesion runs. One convention per trial, kept with every value."""

    HALF_PIXEL = (
        "half_pixel"  # half-way between a pixel inside and its neighbour outside (marching squares at 0.5)
    )
    PIXEL_CENTRES = "pixel_centres"  # through the centres of the outermost pixels
    PIXEL_CORNERS = "pixel_corners"  # around the outermost pixels' own squares
    OUTLINE = "outline"  # through the points of a contour


def edges_of_mask(mask: Mask, boundary: Boundary, *, fill_holes: bool = True) -> Edges:
    """Return the outline of everything in one slice.

    Pixels that touch at a corner belong together.

    Parameters
    ----------
    mask
        Shape (rows, columns).
    boundary
        Where the outline runs.
    fill_holes
        Leave out the outlines of holes.

    Returns
    -------
    numpy.ndarray
        `Edges` in pixels.
    """
    padded = np.zeros((mask.shape[0] + 2, mask.shape[1] + 2), dtype=np.uint8)
    padded[1:-1, 1:-1] = mask
    if fill_holes:
        padded = _filled(padded)
    return _square_edges(padded) if boundary is Boundary.PIXEL_CORNERS else _marched_edges(padded, boundary)


def edges_of_polygon(points: NDArray[np.float64]) -> Edges:
    """Return the edges of one closed polygon, shape (N, 2), in the unit of its points."""
    edges = np.empty((4, len(points)))
    edges[:2] = points.T
    edges[2:, :-1] = edges[:2, 1:]
    edges[2:, -1] = edges[:2, 0]
    return edges


def _filled(padded: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Fill holes: background that is not connected with the rim through pixel sides."""
    changes = np.count_nonzero(padded[:, 1:] != padded[:, :-1])
    if changes == 2 * np.count_nonzero(padded.any(axis=1)):
        return padded  # every row is one run of pixels: nothing is enclosed
    labels, count = ndimage.label(padded == 0)
    if count == 1:
        return padded
    filled: NDArray[np.uint8] = (labels != labels[0, 0]).view(np.uint8)
    return filled


def _square_edges(padded: NDArray[np.uint8]) -> Edges:
    """Return the pixel sides between inside and outside."""
    row, column = np.nonzero(padded[:, 1:] != padded[:, :-1])
    upright = np.stack([column - 0.5, row - 1.5, column - 0.5, row - 0.5])
    row, column = np.nonzero(padded[1:] != padded[:-1])
    level = np.stack([column - 1.5, row - 0.5, column - 0.5, row - 0.5])
    return np.concatenate([upright, level], axis=1)


def _marched_edges(padded: NDArray[np.uint8], boundary: Boundary) -> Edges:
    """March the squares between four pixel centres; a square's code has a bit for each centre inside."""
    pairs = padded[:, :-1] + 2 * padded[:, 1:]
    codes = pairs[:-1] + 4 * pairs[1:]
    row, column = ((codes + 1 & 15) > 1).nonzero()
    codes = codes[row, column]
    double = IS_DOUBLE.take(codes).nonzero()[0]
    first, second = TABLES[boundary]
    edges: Edges = first.take(codes, axis=1)
    if double.size:
        edges = np.concatenate([edges, second.take(codes[double], axis=1)], axis=1)
        row, column = np.append(row, row[double]), np.append(column, column[double])
    edges[0::2] += column
    edges[1::2] += row
    return edges


def _table(offset: float) -> tuple[Edges, Edges]:
    """Return each code's one or two edges, shape (4, 16), relative to the square's first pixel.

    An edge's ends lie on sides of the square, `offset` of the way from the pixel inside to the one outside.
    """
    corners = [(0, 0), (1, 0), (1, 1), (0, 1)]  # (column, row), around the square
    bits = [1, 2, 8, 4]
    tables = np.zeros((2, 4, 16))
    for code in range(1, 15):
        inside = [bool(code & bit) for bit in bits]
        ends = {}
        for side, (here, there) in enumerate(pairwise([0, 1, 2, 3, 0])):
            if inside[here] != inside[there]:
                near, far = (here, there) if inside[here] else (there, here)
                ends[side] = [p + offset * (q - p) for p, q in zip(corners[near], corners[far], strict=True)]
        # of two pixels inside that touch at a corner, each edge cuts off one pixel outside
        cuts = (
            [(corner - 1) % 4 for corner in range(4) if not inside[corner]] if len(ends) == 4 else [min(ends)]
        )
        for number, side in enumerate(cuts):
            other = (side + 1) % 4 if len(ends) == 4 else max(ends)
            tables[number, :, code] = ends[side] + ends[other]
    # the padding puts the first square's first pixel at (-1, -1)
    return tables[0] - 1, tables[1] - 1


TABLES = {Boundary.HALF_PIXEL: _table(0.5), Boundary.PIXEL_CENTRES: _table(0.0)}
IS_DOUBLE = np.isin(np.arange(16), (0b0110, 0b1001))
