"""The geometry that a SimpleITK image states; the only place of this package that names SimpleITK."""

# SimpleITK has no annotations
# mypy: disallow-untyped-calls=False

import numpy as np
import SimpleITK

from measurement.errors import MaskShapeError
from measurement.geometry.lesion_volume import LesionVolume
from measurement.geometry.plane import ImagePlane, Vector


def lesion_of(image: SimpleITK.Image, label: int = 1) -> LesionVolume:
    """Return the voxels of one label, with the image's slices as planes.

    Parameters
    ----------
    image
        A label image of two or three dimensions, its first two being the acquired plane (x along a row). A
        two-dimensional image lies at z = 0.
    label
        The lesion's value.

    Raises
    ------
    MaskShapeError
        Not a scalar image of two or three dimensions.
    OrientationInvalidError
        The image's axes are not at right angles.
    """
    if image.GetDimension() not in (2, 3) or image.GetNumberOfComponentsPerPixel() != 1:
        raise MaskShapeError(image.GetSize(), image.GetPixelIDTypeAsString())
    voxels = SimpleITK.GetArrayViewFromImage(image) == label
    return LesionVolume(
        voxels=voxels if voxels.ndim == 3 else voxels[np.newaxis],
        planes=planes_of(image),
    )


def planes_of(image: SimpleITK.Image) -> tuple[ImagePlane, ...]:
    """Return the plane of each slice of an image of two or three dimensions."""
    columns, rows, *slices = image.GetSize()
    column_spacing, row_spacing, *between = image.GetSpacing()
    dimension = image.GetDimension()
    axes = np.eye(3)
    axes[:dimension, :dimension] = np.reshape(image.GetDirection(), (dimension, dimension))
    origin = np.zeros(3)
    origin[:dimension] = image.GetOrigin()
    step = axes[:, 2] * between[0] if between else np.zeros(3)
    return tuple(
        ImagePlane(
            position=_vector(origin + index * step),
            row_direction=_vector(axes[:, 0]),
            column_direction=_vector(axes[:, 1]),
            row_spacing=row_spacing,
            column_spacing=column_spacing,
            rows=rows,
            columns=columns,
            spacing_between_slices=between[0] if between else None,
        )
        for index in range(slices[0] if slices else 1)
    )


def _vector(values: np.ndarray[tuple[int, ...], np.dtype[np.float64]]) -> Vector:
    x, y, z = values.tolist()
    return x, y, z
