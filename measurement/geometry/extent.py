"""What a mask says beyond its diameters in the plane: volume, greatest diameter in space, centroid."""

import math
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.spatial import ConvexHull

from measurement.errors import BoundaryError, SpacingInvalidError
from measurement.geometry.components import Choice, Component, component_of
from measurement.geometry.longest import OFFSETS
from measurement.geometry.mask import Spacing, checked_mask, checked_spacing
from measurement.geometry.outline import Boundary, Mask
from measurement.units import Millimetres

Floats: TypeAlias = NDArray[np.float64]

FACES = np.concatenate([0.5 * np.eye(3), -0.5 * np.eye(3)])
"""From a voxel's centre to its sides' centres, in voxels."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LesionExtent:
    """A lesion's size in space. RECIST does not use it."""

    volume_mm3: float  # voxels inside times a voxel's volume; holes do not count
    maximum_3d_diameter_mm: Millimetres
    centroid: tuple[
        float, float, float
    ]  # (slice, row, column), voxels, (0, 0, 0) at the first voxel's centre


def measure_extent(
    mask: ArrayLike,
    spacing: Spacing,
    *,
    boundary: Boundary = Boundary.HALF_PIXEL,
    component: Choice = Component.ONLY,
) -> LesionExtent:
    """Measure a lesion in space.

    Parameters
    ----------
    mask
        Shape (slices, rows, columns); booleans, or numbers that are 0 or 1.
    spacing
        (slice, row, column), mm; the slice spacing is the distance of neighbouring centres.
    boundary
        Where the surface runs: half-way to the neighbours outside, through centres, or around the voxels.
    component
        As in `measurement.geometry.mask.measure_mask`.

    Raises
    ------
    SpacingInvalidError
        Not three positive, finite numbers.
    MeasurementError
        As `measurement.geometry.mask.measure_mask`.

    Examples
    --------
    >>> measure_extent([[[1, 1, 1]]], (3, 1, 0.5))
    LesionExtent(volume_mm3=4.5, maximum_3d_diameter_mm=3.1622776601683795, centroid=(0.0, 0.0, 1.0))
    """
    if boundary not in OFFSETS:
        raise BoundaryError(boundary, tuple(OFFSETS))
    steps = checked_spacing(spacing, 3)
    if len(steps) != 3:
        raise SpacingInvalidError(list(spacing))
    lesion = component_of(checked_mask(mask), component)
    voxels = np.argwhere(lesion)
    middle, down, across = voxels.mean(axis=0).tolist()
    return LesionExtent(
        volume_mm3=len(voxels) * math.prod(steps),
        maximum_3d_diameter_mm=_longest(_corners(lesion), np.array(steps), boundary),
        centroid=(middle, down, across),
    )


def _corners(lesion: Mask) -> Floats:
    """Return the voxels at the corners of the lesion's convex hull, shape (N, 3), and perhaps some others."""
    slices, rows = np.nonzero(lesion.any(axis=2))
    columns = lesion[slices, rows]
    ends = columns.argmax(axis=1), columns.shape[1] - 1 - columns[:, ::-1].argmax(axis=1)
    voxels = np.concatenate([np.stack([slices, rows, end], axis=1) for end in ends]).astype(np.float64)
    # voxels with their sides' centres always have a hull, even those of one plane or line
    hull = ConvexHull((voxels[:, np.newaxis] + FACES).reshape(-1, 3))
    corners: Floats = voxels[np.unique(hull.vertices // len(FACES))]
    return corners


def _longest(corners: Floats, steps: Floats, boundary: Boundary) -> Millimetres:
    """Return the greatest distance from surface to surface, one corner after the other."""
    longest = 0.0
    for corner in corners:
        apart = np.abs(corners - corner) * steps
        squared = ((apart + steps if boundary is Boundary.PIXEL_CORNERS else apart) ** 2).sum(axis=1)
        if boundary is Boundary.HALF_PIXEL:
            squared += ((apart + steps) ** 2 - apart**2).max(axis=1)
        longest = max(longest, float(squared.max()))
    return Millimetres(math.sqrt(longest))
