"""A lesion's voxels with the frames that they lie on."""

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from measurement.errors import MaskShapeError
from measurement.geometry.plane import ImagePlane

Voxels: TypeAlias = NDArray[np.bool_] | NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class LesionVolume:
    """A mask, or an image of probabilities, in the acquired slices.

    Parameters
    ----------
    voxels
        Shape (slices, rows, columns): booleans, or probabilities from 0 to 1.
    planes
        The frame of each slice, in the order of the slices; all of one size and spacing.

    Raises
    ------
    MaskShapeError
        Voxels and planes do not fit together.
    """

    voxels: Voxels
    planes: tuple[ImagePlane, ...]

    def __post_init__(self) -> None:
        """Refuse voxels without a place."""
        sizes = {
            (plane.rows, plane.columns, plane.row_spacing, plane.column_spacing) for plane in self.planes
        }
        if len(sizes) != 1 or self.voxels.shape != (len(self.planes), *next(iter(sizes))[:2]):
            raise MaskShapeError(self.voxels.shape, f"{self.voxels.dtype} on {len(self.planes)} planes")

    @property
    def spacing(self) -> tuple[float, float]:
        """(row, column), mm."""
        return self.planes[0].row_spacing, self.planes[0].column_spacing
