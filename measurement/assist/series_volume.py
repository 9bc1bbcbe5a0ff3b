"""A series as one volume: evenly spaced parallel slices with their place in the patient."""

# SimpleITK has no annotations
# mypy: disallow-untyped-calls=False

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import SimpleITK
from numpy.typing import ArrayLike, NDArray

from measurement.errors import MaskShapeError, StackUnevenError
from measurement.geometry.plane import ImagePlane, Vector
from measurement.geometry.volume import MISSING_FACTOR, stack_of

Voxels: TypeAlias = NDArray[np.float32]


@dataclass(frozen=True, slots=True, kw_only=True)
class SeriesVolume:
    """Slices in the order in which they lie in the patient."""

    voxels: Voxels  # (slices, rows, columns), along the normal
    planes: tuple[ImagePlane, ...]
    order: tuple[int, ...]  # index of each slice as it was given
    spacing_mm: float  # of neighbouring slices

    def to_simpleitk(self) -> SimpleITK.Image:
        """Return the volume with its spacing, origin and directions, axes (column, row, slice)."""
        first = self.planes[0]
        image = SimpleITK.GetImageFromArray(self.voxels)
        image.SetSpacing((first.column_spacing, first.row_spacing, self.spacing_mm))
        image.SetOrigin(first.position)
        axes = np.array([first.row_direction, first.column_direction, first.normal]).T
        image.SetDirection(axes.ravel().tolist())
        return image

    def nearest_slice(self, point: Vector) -> tuple[int, float]:
        """Return the slice nearest to a patient point, counted in the volume, and its distance in mm."""
        along = np.array([plane.offset for plane in self.planes]) - np.dot(self.planes[0].normal, point)
        nearest = int(np.abs(along).argmin())
        return nearest, float(abs(along[nearest]))


def volume_of(slices: ArrayLike, planes: Sequence[ImagePlane]) -> SeriesVolume:
    """Put the slices of a series together.

    Parameters
    ----------
    slices
        Shape (slices, rows, columns), any unit, in any order.
    planes
        The frame of each slice, in the same order; all of one size and spacing.

    Raises
    ------
    MaskShapeError
        Slices and planes do not fit together.
    PlanesNotParallelError
        The planes are not parallel, or of different frames of reference.
    StackUnevenError
        Fewer than two slices, or neighbours at other than one distance.
    """
    voxels = np.asarray(slices, dtype=np.float32)
    sizes = {(plane.rows, plane.columns, plane.row_spacing, plane.column_spacing) for plane in planes}
    if len(sizes) != 1 or voxels.shape != (len(planes), *next(iter(sizes))[:2]):
        raise MaskShapeError(voxels.shape, f"{voxels.dtype} on {len(planes)} planes")
    stack = stack_of(planes)
    ordered = tuple(planes[index] for index in stack.order)
    distances = np.diff([plane.offset for plane in ordered])
    usual = stack.spacing_mm
    if (
        usual is None
        or distances.min() <= usual / MISSING_FACTOR
        or distances.max() >= usual * MISSING_FACTOR
    ):
        raise StackUnevenError(len(planes), min(distances, default=0.0), max(distances, default=0.0))
    return SeriesVolume(
        voxels=np.ascontiguousarray(voxels[list(stack.order)]),
        planes=ordered,
        order=stack.order,
        spacing_mm=usual,
    )
