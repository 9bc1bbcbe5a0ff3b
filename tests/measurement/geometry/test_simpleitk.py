# SimpleITK has no annotations
# mypy: disallow-untyped-calls=False
from collections.abc import Sequence

import numpy as np
import pytest
import SimpleITK
from numpy.typing import NDArray

from measurement.errors import MaskShapeError, OrientationInvalidError
from measurement.geometry.from_simpleitk import lesion_of, planes_of
from measurement.geometry.mask import measure_mask
from measurement.geometry.measure import measure_volume
from tests.measurement.geometry.shapes import ellipse

OBLIQUE = (0.6, -0.64, 0.48, 0.8, 0.48, -0.36, 0.0, 0.6, 0.8)


def labels() -> NDArray[np.uint8]:
    image = np.zeros((5, 23, 23), dtype=np.uint8)
    image[1:4] = 2 * ellipse(17, 11, 30)
    image[0, 0, 0] = 1
    return image


def image_of(
    array: NDArray[np.uint8],
    spacing: tuple[float, ...] = (0.6, 1.3, 4.0),
    direction: Sequence[float] = OBLIQUE,
) -> SimpleITK.Image:
    image = SimpleITK.GetImageFromArray(array)
    image.SetSpacing(spacing)
    image.SetOrigin((-31.0, 7.5, 90.25)[: image.GetDimension()])
    image.SetDirection(direction)
    return image


def test_an_image_measures_as_its_array_with_the_spacings_the_other_way_round() -> None:
    volume = lesion_of(image_of(labels()), label=2)
    assert measure_volume(volume) == measure_mask(labels() == 2, (4.0, 1.3, 0.6))
    assert volume.spacing == (1.3, 0.6)


def test_end_points_lie_where_simpleitk_says() -> None:
    image = image_of(labels())
    volume = lesion_of(image, label=2)
    found = measure_volume(volume)
    for column, row in found.longest_diameter.points:
        (ours,) = volume.planes[found.slice_index].to_patient([(column, row)])
        theirs = image.TransformContinuousIndexToPhysicalPoint((column, row, float(found.slice_index)))
        assert ours == pytest.approx(theirs, abs=1e-9)


def test_a_mirrored_axis_keeps_its_length() -> None:
    direction = np.array(OBLIQUE).reshape(3, 3) @ np.diag([1, 1, -1])
    volume = lesion_of(image_of(labels(), direction=direction.ravel().tolist()), label=2)
    assert measure_volume(volume) == measure_mask(labels() == 2, (4.0, 1.3, 0.6))
    first, second, *_ = volume.planes
    step = np.subtract(second.position, first.position)
    assert step == pytest.approx(direction[:, 2] * 4)


def test_a_two_dimensional_image_lies_at_zero() -> None:
    image = image_of(labels()[2], spacing=(0.6, 1.3), direction=(0.0, -1.0, 1.0, 0.0))
    volume = lesion_of(image, label=2)
    assert measure_volume(volume) == measure_mask(labels()[2] == 2, (1.3, 0.6))
    (plane,) = planes_of(image)
    (ours,) = plane.to_patient([(3, 5)])
    assert ours == pytest.approx((*image.TransformContinuousIndexToPhysicalPoint((3.0, 5.0)), 0.0))


def test_an_image_that_is_no_label_image_is_refused() -> None:
    with pytest.raises(MaskShapeError, match="vector of 8-bit unsigned"):
        lesion_of(SimpleITK.Image([4, 4, 4], SimpleITK.sitkVectorUInt8, 3))
    with pytest.raises(MaskShapeError):
        lesion_of(SimpleITK.Image([4, 4, 4, 4], SimpleITK.sitkUInt8))


def test_axes_that_are_not_at_right_angles_are_refused() -> None:
    with pytest.raises(OrientationInvalidError):
        lesion_of(image_of(labels(), direction=(1, 0.3, 0, 0, 1, 0, 0, 0, 1)), label=2)
