"""Diameters of a lesion that is given as a contour, or as an image whose level line is the contour."""

import math
from collections.abc import Iterator
from typing import TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import ndimage
from skimage.measure import find_contours

from measurement.errors import EmptyOutlineError, MaskShapeError
from measurement.geometry.components import Choice, Component, component_of
from measurement.geometry.diameters import LesionDiameters, diameters_of_outlines
from measurement.geometry.longest import TIED, Ends, longest_of_points
from measurement.geometry.mask import Spacing, checked_spacing
from measurement.geometry.outline import Boundary, Edges, edges_of_polygon
from measurement.geometry.plane import ImagePlane, Points, checked_points
from measurement.units import Millimetres

Image: TypeAlias = NDArray[np.float64]


def measure_contour(points: ArrayLike, spacing: Spacing) -> LesionDiameters:
    """Measure the longest diameter of a closed contour, and the short axis across it.

    Parameters
    ----------
    points
        Shape (N, 2), (column, row), pixels; at least three points, the last joined to the first.
    spacing
        (row, column), mm.

    Returns
    -------
    LesionDiameters
        With end points in pixels, (column, row), and slice index 0.

    Raises
    ------
    PointShapeError, EmptyOutlineError
        Not finite points, or fewer than three different ones.
    SpacingInvalidError
        Not two positive, finite numbers.
    OutlineCrossesItselfError
        What is inside the contour is not defined.

    Examples
    --------
    >>> square = measure_contour([(0, 0), (4, 0), (4, 4), (0, 4)], (1, 1))
    >>> round(square.longest_diameter.length_mm, 3), round(square.short_axis.length_mm, 3)
    (5.657, 5.657)
    """
    pixels, scale = _checked(points, spacing)
    ends = longest_of_points(pixels * scale) / (*scale, *scale)
    row, column = scale[::-1]
    return diameters_of_outlines([(0, edges_of_polygon(pixels), ends)], row, column, Boundary.OUTLINE)


def longest_diameter_of_contour(points: ArrayLike, spacing: Spacing) -> Millimetres:
    """Measure the longest diameter of a contour alone; it may cross itself, all else as `measure_contour`."""
    pixels, scale = _checked(points, spacing)
    x, y, to_x, to_y = longest_of_points(pixels * scale)[0].tolist()
    return Millimetres(math.hypot(to_x - x, to_y - y))


def measure_contour_on(plane: ImagePlane, points: ArrayLike) -> LesionDiameters:
    """Measure a contour that was drawn on a frame.

    Parameters
    ----------
    plane
        The frame.
    points
        Shape (N, 2), (column, row), pixels; or shape (N, 3), (x, y, z), mm in the patient.

    Raises
    ------
    PointOffPlaneError, PointOutsideImageError
        A point does not lie on the frame.
    MeasurementError
        As `measure_contour`.
    """
    is_patient = np.ndim(points) == 2 and np.shape(points)[1] == 3
    pixels = plane.to_pixel(points) if is_patient else checked_points(points, 2)
    plane.require_inside(pixels)
    return measure_contour(pixels, (plane.row_spacing, plane.column_spacing))


def measure_level(
    image: ArrayLike, spacing: Spacing, *, level: float = 0.5, component: Choice = Component.ONLY
) -> LesionDiameters:
    """Measure the sub-pixel contour at a level of a grey or probability image.

    Between pixel centres the image is interpolated linearly; it ends half a pixel outside the outermost ones.
    In a slice, what the lesion encloses counts as lesion.

    Parameters
    ----------
    image
        Shape (slices, rows, columns) or (rows, columns); finite. The lesion is what is above the level.
    spacing
        (row, column) or (slice, row, column), mm.
    level
        The contour's level, in the unit of the image.
    component
        Which of several separate pieces above the level is the lesion: a rule, or the index of a voxel in it.

    Returns
    -------
    LesionDiameters
        With end points in pixels, (column, row), (0, 0) at the centre of the first pixel.

    Raises
    ------
    MaskShapeError
        Not an image of two or three axes of finite numbers.
    SpacingInvalidError, EmptyOutlineError, SeveralComponentsError, ComponentMissingError
        As `measurement.geometry.mask.measure_mask`.
    """
    voxels = np.asarray(image, dtype=np.float64)
    if voxels.ndim not in (2, 3) or not np.isfinite(voxels).all():
        raise MaskShapeError(voxels.shape, voxels.dtype)
    row, column = checked_spacing(spacing, 3)[-2:]
    above = voxels > level
    lesion = component_of(above, component)
    # other pieces go under the level; a pixel between them and the lesion keeps the lesion's contour in place
    others = above & ~lesion
    voxels = np.where(others, level, voxels).reshape(-1, *voxels.shape[-2:])
    slices = [
        (index, polygons)
        for index, polygons in enumerate(_level_lines(voxels, lesion.reshape(voxels.shape), level))
        if polygons
    ]
    outlines = _longest_outlines(slices, np.array([column, row]))
    return diameters_of_outlines(outlines, row, column, Boundary.OUTLINE)


def _checked(points: ArrayLike, spacing: Spacing) -> tuple[Points, tuple[float, float]]:
    """Return the points, shape (N, 2), pixels, and (column spacing, row spacing)."""
    pixels = checked_points(points, 2)
    row, column = checked_spacing(spacing, 2)
    if len(pixels) < 3:
        raise EmptyOutlineError(len(pixels), "points")
    return pixels, (column, row)


def _level_lines(voxels: Image, lesion: NDArray[np.bool_], level: float) -> Iterator[list[Points]]:
    """Yield each slice's outer contours, polygons of shape (N, 2), (column, row), pixels."""
    for image, inside in zip(voxels, lesion, strict=True):
        if not inside.any():
            yield []
            continue
        filled = ndimage.binary_fill_holes(inside)
        rim = np.pad(np.where(filled & ~inside, image.max(), image), 1, mode="edge")
        inner = rim[1:-1, 1:-1].copy()
        # mirrored at the level, the rim puts the contour half a pixel outside
        rim = np.minimum(rim, 2 * level - rim)
        rim[1:-1, 1:-1] = inner
        lines: list[Points] = find_contours(rim, level, fully_connected="high")  # type: ignore[no-untyped-call] # untyped library
        yield [line[:-1, ::-1] - 1 for line in lines]


def _longest_outlines(
    slices: list[tuple[int, list[Points]]], scale: Points
) -> Iterator[tuple[int, Edges, Ends]]:
    """Yield the slices with the longest of all diameters: index, edges and ends, in pixels."""
    found = [
        (index, polygons, longest_of_points(np.concatenate(polygons) * scale)) for index, polygons in slices
    ]
    squared = [float(((ends[0, :2] - ends[0, 2:]) ** 2).sum()) for _, _, ends in found]
    for (index, polygons, ends), length in zip(found, squared, strict=True):
        if length >= max(squared) * (1 - TIED):
            yield index, np.concatenate([*map(edges_of_polygon, polygons)], axis=1), ends / np.tile(scale, 2)
