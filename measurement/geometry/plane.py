"""One frame's place in the patient: pixels to millimetres and back (PS3.3 C.7.6.2.1.1)."""

import math
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from measurement.errors import (
    ImageSizeError,
    OrientationInvalidError,
    PointOffPlaneError,
    PointOutsideImageError,
    PointShapeError,
    PositionMissingError,
    SpacingInvalidError,
)
from measurement.units import Millimetres

Vector: TypeAlias = tuple[float, float, float]
Points: TypeAlias = NDArray[np.float64]

ORTHONORMAL_TOLERANCE = 1e-3
"""Accepted error of a direction cosine: three decimals, as the coarsest senders write them."""

ROUNDING = 1e-9
"""Floats at a limit count as being on its tolerated side."""

OFF_PLANE_TOLERANCE = Millimetres(0.1)
"""How far a patient point may lie from the plane it was drawn on, in mm."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ImagePlane:
    """The plane of one frame in the patient coordinate system (x to the left, y to the back, z to the head).

    Pixel points are (column, row), fractional, with (0, 0) at the centre of the first pixel; the image ends
    half a pixel outside the outermost centres. Patient points are (x, y, z) in mm.

    Parameters
    ----------
    position
        Image Position (Patient) (0020,0032): centre of the first pixel, in mm.
    row_direction, column_direction
        Image Orientation (Patient) (0020,0037): direction cosines of the first row (growing column
        index), then of the first column (growing row index).
    row_spacing, column_spacing
        Pixel Spacing (0028,0030) in its own order: distance between rows, then between columns, in mm.
    rows, columns
        Rows (0028,0010) and Columns (0028,0011).
    slice_thickness, spacing_between_slices
        (0018,0050) and (0018,0088) in mm, where given.
    frame_of_reference_uid
        (0020,0052); only planes of one frame of reference can be compared.

    Raises
    ------
    SpacingInvalidError
        A spacing is not a positive, finite number.
    OrientationInvalidError
        The directions are not unit vectors at a right angle.
    PositionMissingError
        The position is not three finite numbers.
    ImageSizeError
        The image has no pixels.
    """

    position: Vector
    row_direction: Vector
    column_direction: Vector
    row_spacing: float
    column_spacing: float
    rows: int
    columns: int
    slice_thickness: float | None = None
    spacing_between_slices: float | None = None
    frame_of_reference_uid: str | None = None

    def __post_init__(self) -> None:
        """Refuse a plane on which no distance is defined."""
        if not all(
            math.isfinite(spacing) and spacing > 0 for spacing in (self.row_spacing, self.column_spacing)
        ):
            raise SpacingInvalidError([self.row_spacing, self.column_spacing])
        if not all(map(math.isfinite, self.position)):
            raise PositionMissingError(list(self.position))
        if self.rows < 1 or self.columns < 1:
            raise ImageSizeError(self.rows, self.columns)
        self._check_orientation()

    @property
    def normal(self) -> Vector:
        """Unit vector of rows x columns: the direction in which slices are stacked."""
        across, down = self._axes()
        x, y, z = np.cross(across, down)
        return float(x), float(y), float(z)

    @property
    def offset(self) -> Millimetres:
        """Distance of the plane from the origin along its normal: what slices are sorted by."""
        return Millimetres(float(np.dot(self.normal, self.position)))

    def to_patient(self, points: ArrayLike) -> Points:
        """Map pixel points to the patient.

        Parameters
        ----------
        points
            Shape (N, 2), (column, row), pixels, (0, 0) at the centre of the first pixel.

        Returns
        -------
        numpy.ndarray
            Shape (N, 3), (x, y, z), mm.

        Raises
        ------
        PointShapeError
            The points are not N finite pairs.

        Examples
        --------
        >>> plane = ImagePlane(position=(0, 0, 5), row_direction=(1, 0, 0), column_direction=(0, 1, 0),
        ...                    row_spacing=2, column_spacing=0.5, rows=8, columns=8)
        >>> plane.to_patient([(4, 1)]).tolist()
        [[2.0, 2.0, 5.0]]
        """
        steps = checked_points(points, 2) * (self.column_spacing, self.row_spacing)
        mapped: Points = np.asarray(self.position) + steps @ np.stack(self._axes())
        return mapped

    def to_pixel(self, points: ArrayLike, *, tolerance: float = OFF_PLANE_TOLERANCE) -> Points:
        """Map patient points that lie on this plane to pixels.

        Parameters
        ----------
        points
            Shape (N, 3), (x, y, z), mm.
        tolerance
            How far from the plane a point may lie, in mm.

        Returns
        -------
        numpy.ndarray
            Shape (N, 2), (column, row), pixels, (0, 0) at the centre of the first pixel.

        Raises
        ------
        PointShapeError
            The points are not N finite triples.
        PointOffPlaneError
            A point lies further than `tolerance` from the plane.
        """
        relative = checked_points(points, 3) - np.asarray(self.position)
        distance = np.abs(relative @ np.asarray(self.normal))
        if distance.size and distance.max() > tolerance:
            raise PointOffPlaneError(float(distance.max()), tolerance)
        mapped: Points = relative @ np.stack(self._axes()).T / (self.column_spacing, self.row_spacing)
        return mapped

    def require_inside(self, points: Points) -> None:
        """Refuse pixel points, shape (N, 2), outside the image's pixels."""
        low, high = (-0.5, -0.5), (self.columns - 0.5, self.rows - 0.5)
        outside = ~((points >= low) & (points <= high)).all(axis=1)
        if outside.any():
            column, row = points[outside][0].tolist()
            raise PointOutsideImageError(column, row, self.columns, self.rows)

    def _axes(self) -> tuple[Points, Points]:
        """Return the two directions freed of the rounding of their decimals (Gram-Schmidt)."""
        across = np.asarray(self.row_direction, dtype=np.float64)
        across = across / np.linalg.norm(across)
        down = np.asarray(self.column_direction, dtype=np.float64)
        down = down - (across @ down) * across
        return across, down / np.linalg.norm(down)

    def _check_orientation(self) -> None:
        across, down = np.asarray(self.row_direction), np.asarray(self.column_direction)
        errors = (across @ across - 1, down @ down - 1, across @ down)
        # written so that a NaN is refused as well
        if not all(abs(error) <= 2 * ORTHONORMAL_TOLERANCE for error in errors):
            raise OrientationInvalidError([*self.row_direction, *self.column_direction])


def checked_points(points: ArrayLike, size: int) -> Points:
    """Return `points` as floats of shape (N, `size`), or raise `PointShapeError`."""
    try:
        array = np.asarray(points, dtype=np.float64)
    except (TypeError, ValueError):
        raise PointShapeError(size, "something else") from None
    if array.ndim != 2 or array.shape[1] != size:
        raise PointShapeError(size, f"an array of shape {array.shape}")
    if not np.isfinite(array).all():
        raise PointShapeError(size, f"a coordinate that is not finite in {array.tolist()[:4]}")
    return array
