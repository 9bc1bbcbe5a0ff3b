"""What surrounds a seed, in millimetres, with the lesion brighter than what is around it."""

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import ndimage

from measurement.assist.seed import Seed
from measurement.errors import LesionNotFoundError, MaskShapeError
from measurement.geometry.plane import ImagePlane, Points
from measurement.units import Millimetres

Grid: TypeAlias = NDArray[np.float64]

ALIKE = "all values around it are alike"

CORE = Millimetres(1.5)
"""What lies this near to the seed is taken to be lesion, in mm."""

SMOOTHING = Millimetres(0.7)
"""Standard deviation of the Gaussian that quietens noise, in mm."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Neighbourhood:
    """Values around a seed on a square grid, the seed at its centre; a dark lesion is turned bright.

    Offsets from the seed are (along a row, along a column), in mm.
    """

    values: Grid  # (rows, columns), smoothed
    step_mm: float
    reach_mm: tuple[float, float]  # (along a row, along a column)
    core: float  # value of the lesion at the seed
    background: float  # a first guess of what surrounds it

    @property
    def distance_mm(self) -> Grid:
        """Distance of each grid point from the seed."""
        half_rows, half_columns = (size // 2 for size in self.values.shape)
        down, across = np.ogrid[-half_rows : half_rows + 1, -half_columns : half_columns + 1]
        distance: Grid = np.hypot(down, across) * self.step_mm
        return distance

    def at(self, offsets: Points) -> Grid:
        """Return the values at offsets from the seed, shape (..., 2), (along a row, along a column), mm."""
        half_rows, half_columns = (size // 2 for size in self.values.shape)
        across, down = np.moveaxis(offsets / self.step_mm, -1, 0)
        sampled: Grid = ndimage.map_coordinates(
            self.values, [down + half_rows, across + half_columns], order=1, mode="nearest"
        )
        return sampled


def neighbourhood_of(image: ArrayLike, plane: ImagePlane, seed: Seed) -> Neighbourhood:
    """Sample what surrounds a seed.

    Parameters
    ----------
    image
        Shape (rows, columns), any unit; for a dynamic series the first subtraction after contrast.
    plane
        The frame.
    seed
        Where the reader points.

    Raises
    ------
    MaskShapeError
        The image is not of the frame's size, or not finite.
    PointOutsideImageError
        The seed does not lie on the frame.
    LesionNotFoundError
        Nothing around the seed differs from it.
    """
    pixels = np.asarray(image, dtype=np.float64)
    if pixels.shape != (plane.rows, plane.columns) or not np.isfinite(pixels).all():
        raise MaskShapeError(pixels.shape, f"{pixels.dtype} on a frame of {plane.rows} by {plane.columns}")
    plane.require_inside(np.array([seed.centre]))
    step = min(plane.row_spacing, plane.column_spacing)
    reach = seed.reach_mm(plane.row_spacing, plane.column_spacing)
    values = _sampled(pixels, plane, seed, reach, step)
    core, background, turned = _levels(values, step)
    return Neighbourhood(
        values=-values if turned else values,
        step_mm=step,
        reach_mm=reach,
        core=-core if turned else core,
        background=-background if turned else background,
    )


def _sampled(pixels: Grid, plane: ImagePlane, seed: Seed, reach: tuple[float, float], step: float) -> Grid:
    """Return the smoothed values on the square grid."""
    smoothing = max(0.5, SMOOTHING / step)
    # the grid ends beyond the reach, so that the rim of the search has an outside
    half_columns, half_rows = (int(each / step) + 3 for each in reach)
    column, row = seed.centre
    rows = row + np.arange(-half_rows, half_rows + 1) * step / plane.row_spacing
    columns = column + np.arange(-half_columns, half_columns + 1) * step / plane.column_spacing
    grid = np.meshgrid(rows, columns, indexing="ij")
    sampled = ndimage.map_coordinates(pixels, grid, order=1, mode="nearest")
    smoothed: Grid = ndimage.gaussian_filter(sampled, smoothing)
    return smoothed


def _levels(values: Grid, step: float) -> tuple[float, float, bool]:
    """Return the values of lesion and background at first sight, and whether the lesion is the darker one."""
    half_rows, half_columns = (size // 2 for size in values.shape)
    down, across = np.ogrid[-half_rows : half_rows + 1, -half_columns : half_columns + 1]
    core = float(np.median(values[np.hypot(down, across) * step <= CORE]))
    turned = core < float(np.median(values))
    # most of what surrounds a lesion is background; a third of it holds even beside bright tissue
    background = float(np.percentile(values, 70 if turned else 30))
    if core == background:
        raise LesionNotFoundError(ALIKE)
    return core, background, turned
