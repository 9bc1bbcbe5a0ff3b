import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from measurement.errors import BoundaryError, EmptyOutlineError, SeveralComponentsError, SpacingInvalidError
from measurement.geometry.components import Component
from measurement.geometry.extent import measure_extent
from measurement.geometry.outline import Boundary

TO_SURFACE = {
    Boundary.HALF_PIXEL: np.concatenate([np.eye(3), -np.eye(3)]) / 2,
    Boundary.PIXEL_CENTRES: np.zeros((1, 3)),
    Boundary.PIXEL_CORNERS: np.array(np.meshgrid(*[(-0.5, 0.5)] * 3)).reshape(3, -1).T,
}


@pytest.mark.parametrize(
    ("shape", "spacing", "boundary", "diameter"),
    [
        ((1, 1, 1), (3, 1, 1), Boundary.HALF_PIXEL, 3),
        ((1, 1, 1), (3, 1, 1), Boundary.PIXEL_CENTRES, 0),
        ((1, 1, 1), (2, 1, 2), Boundary.PIXEL_CORNERS, 3),
        ((1, 3, 4), (1, 1, 1), Boundary.HALF_PIXEL, 20**0.5),
        ((1, 4, 5), (1, 1, 1), Boundary.PIXEL_CENTRES, 5),
        ((1, 3, 4), (1, 1, 1), Boundary.PIXEL_CORNERS, 26**0.5),
        ((3, 2, 1), (2, 1, 2), Boundary.PIXEL_CORNERS, 44**0.5),
        ((40, 1, 1), (0.5, 1, 1), Boundary.HALF_PIXEL, 20),
    ],
)
def test_boxes_have_the_diameter_worked_out_by_hand(shape, spacing, boundary, diameter) -> None:
    found = measure_extent(np.ones(shape), spacing, boundary=boundary)
    assert found.maximum_3d_diameter_mm == pytest.approx(diameter, abs=1e-12)
    assert found.volume_mm3 == pytest.approx(np.prod(shape) * np.prod(spacing))
    assert found.centroid == pytest.approx((np.array(shape) - 1) / 2)


@pytest.mark.parametrize("boundary", TO_SURFACE)
@given(arrays(bool, st.tuples(*[st.integers(1, 4)] * 3)), st.tuples(*[st.sampled_from([0.5, 1, 2.7])] * 3))
def test_the_greatest_diameter_is_that_of_all_pairs_of_surface_points(boundary, mask, spacing) -> None:
    assume(mask.any())
    surface = (np.argwhere(mask)[:, None] + TO_SURFACE[boundary]).reshape(-1, 3) * spacing
    wanted = np.linalg.norm(surface[:, None] - surface, axis=2).max()
    found = measure_extent(mask, spacing, boundary=boundary, component=Component.ALL)
    assert found.maximum_3d_diameter_mm == pytest.approx(wanted, abs=1e-9)


def test_a_ball_has_its_volume_and_diameter() -> None:
    z, y, x = np.mgrid[:21, :41, :41]
    ball = ((z - 10) * 2) ** 2 + (y - 20) ** 2 + (x - 20) ** 2 <= 18**2
    found = measure_extent(ball, (2, 1, 1))
    assert found.volume_mm3 == pytest.approx(4 / 3 * np.pi * 18**3, rel=0.01)
    # 36 from pole to pole, and half a slice of 2 outside each
    assert found.maximum_3d_diameter_mm == pytest.approx(38)
    assert found.centroid == pytest.approx((10, 20, 20))


@pytest.mark.parametrize(
    ("mask", "spacing", "options", "error"),
    [
        ([[[1]]], (1, 1), {}, SpacingInvalidError),
        ([[[1]]], (1, 1, 0), {}, SpacingInvalidError),
        ([[[0]]], (1, 1, 1), {}, EmptyOutlineError),
        ([[[1, 0, 1]]], (1, 1, 1), {}, SeveralComponentsError),
        ([[[1]]], (1, 1, 1), {"boundary": Boundary.OUTLINE}, BoundaryError),
    ],
)
def test_what_has_no_extent_is_refused(mask, spacing, options, error) -> None:
    with pytest.raises(error):
        measure_extent(mask, spacing, **options)
