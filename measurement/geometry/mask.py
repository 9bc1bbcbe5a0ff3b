"""Diameters of a lesion that is given as a mask."""

import math
from collections.abc import Sequence
from typing import TypeAlias

import numpy as np
from numpy.typing import ArrayLike

from measurement.errors import BoundaryError, MaskShapeError, MaskValueError, SpacingInvalidError
from measurement.geometry.components import Choice, Component, component_of
from measurement.geometry.diameters import LesionDiameters, diameters_of_outlines
from measurement.geometry.longest import OFFSETS, longest_of_rows
from measurement.geometry.outline import Boundary, Edges, Mask, edges_of_mask
from measurement.geometry.row_ends import RowEnds, row_ends_of
from measurement.units import Millimetres

Spacing: TypeAlias = Sequence[float]
"""In mm and in the axis order of the array: (row, column) or (slice, row, column). The distance between rows
is the first value of Pixel Spacing; SimpleITK's GetSpacing has the reverse order."""


def measure_mask(
    mask: ArrayLike,
    spacing: Spacing,
    *,
    boundary: Boundary = Boundary.HALF_PIXEL,
    component: Choice = Component.ONLY,
    fill_holes: bool = True,
) -> LesionDiameters:
    """Measure the longest diameter in the acquired plane, and the short axis across it.

    The longest diameter is the greatest distance of two points of the outline in one slice; the short axis
    the longest chord at a right angle to it that lies inside the outline and touches it. Of equally long
    diameters, the one with the longest short axis is taken.

    Parameters
    ----------
    mask
        Shape (slices, rows, columns) or (rows, columns); booleans, or numbers that are 0 or 1. Slices are the
        acquired ones.
    spacing
        (row, column) or (slice, row, column), mm.
    boundary
        Where the outline runs: `Boundary.HALF_PIXEL`, `PIXEL_CENTRES` or `PIXEL_CORNERS`.
    component
        Which of several separate pieces is the lesion: a rule, or the index of a voxel in it.
    fill_holes
        Count as lesion what it encloses in a slice; this touches the short axis and the share inside only.

    Returns
    -------
    LesionDiameters
        With end points in pixels, (column, row), (0, 0) at the centre of the first pixel.

    Raises
    ------
    MaskShapeError
        Not a mask of two or three axes.
    SpacingInvalidError
        Not as many positive, finite numbers as the mask has axes (or the last two of three).
    EmptyOutlineError, SeveralComponentsError, ComponentMissingError
        No component, several without a choice, or none at the chosen voxel.

    Examples
    --------
    >>> line = measure_mask([[1, 1, 1, 1]], (1.0, 0.5))
    >>> line.longest_diameter.length_mm, line.short_axis.length_mm
    (2.0, 1.0)
    """
    lesion, rows, row, column = _checked(mask, spacing, boundary, component)
    slices, ends = longest_of_rows(rows, row, column, boundary)
    may_have_holes = fill_holes and not rows.are_runs
    outlines = (
        (index, _outline(lesion[index], boundary, fill_holes=may_have_holes), ends[np.equal(slices, index)])
        for index in sorted(set(slices))
    )
    return diameters_of_outlines(outlines, row, column, boundary)


def longest_diameter(
    mask: ArrayLike,
    spacing: Spacing,
    *,
    boundary: Boundary = Boundary.HALF_PIXEL,
    component: Choice = Component.ONLY,
) -> Millimetres:
    """Measure the longest diameter alone; parameters and errors as `measure_mask`."""
    _, rows, row, column = _checked(mask, spacing, boundary, component)
    _, ends = longest_of_rows(rows, row, column, boundary)
    x, y, to_x, to_y = ends[0].tolist()
    return Millimetres(math.hypot((to_x - x) * column, (to_y - y) * row))


def checked_mask(mask: ArrayLike) -> Mask:
    """Return `mask` as booleans of shape (slices, rows, columns), or raise `MaskShapeError`."""
    array = np.asarray(mask)
    if array.ndim not in (2, 3) or array.dtype.kind not in "biuf":
        raise MaskShapeError(array.shape, array.dtype)
    if array.dtype != np.bool_:
        inside = array == 1
        others = array[~(inside | (array == 0))]
        if others.size:
            raise MaskValueError(others[0])
        array = inside
    return array if array.ndim == 3 else array[np.newaxis]


def checked_spacing(spacing: Spacing, axes: int) -> tuple[float, ...]:
    """Return `spacing` as floats, (row, column) at the end, or raise `SpacingInvalidError`."""
    values = tuple(float(value) for value in spacing)
    if len(values) not in (2, axes) or not all(math.isfinite(value) and value > 0 for value in values):
        raise SpacingInvalidError(list(spacing))
    return values


def _checked(
    mask: ArrayLike, spacing: Spacing, boundary: Boundary, component: Choice
) -> tuple[Mask, RowEnds, float, float]:
    """Return the lesion, shape (slices, rows, columns), its row ends, row spacing and column spacing."""
    if boundary not in OFFSETS:
        raise BoundaryError(boundary, tuple(OFFSETS))
    voxels = checked_mask(mask)
    row, column = checked_spacing(spacing, 3)[-2:]
    if not isinstance(component, Component) and len(component) == 2 and len(voxels) == 1:
        component = (0, *component)
    rows = row_ends_of(voxels)
    lesion = component_of(voxels, component, rows)
    return lesion, rows if lesion is voxels else row_ends_of(lesion), row, column


def _outline(image: Mask, boundary: Boundary, *, fill_holes: bool) -> Edges:
    """Return the outline of one slice, in pixels; only the lesion's own rows and columns are looked at."""
    rows = np.logical_or.reduce(image, axis=1).nonzero()[0]
    columns = np.logical_or.reduce(image, axis=0).nonzero()[0]
    top, left = int(rows[0]), int(columns[0])
    edges = edges_of_mask(image[top : rows[-1] + 1, left : columns[-1] + 1], boundary, fill_holes=fill_holes)
    edges[0::2] += left
    edges[1::2] += top
    return edges
