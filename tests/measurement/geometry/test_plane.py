from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from measurement.errors import (
    GeometryError,
    ImageSizeError,
    OrientationInvalidError,
    PointOffPlaneError,
    PointOutsideImageError,
    PointShapeError,
    PositionMissingError,
    SpacingInvalidError,
)
from measurement.geometry.plane import ImagePlane

AXIAL: dict[str, Any] = {
    "position": (0.0, 0.0, 0.0),
    "row_direction": (1.0, 0.0, 0.0),
    "column_direction": (0.0, 1.0, 0.0),
    "row_spacing": 1.0,
    "column_spacing": 1.0,
    "rows": 16,
    "columns": 24,
}
NAN = float("nan")


def turned_plane(angles: tuple[float, ...], **changes: Any) -> ImagePlane:
    """Make a plane turned about x, then y, then z."""
    turn = np.eye(3)
    for (i, j), angle in zip(((1, 2), (2, 0), (0, 1)), angles, strict=True):
        step = np.eye(3)
        step[i, i] = step[j, j] = np.cos(angle)
        step[i, j], step[j, i] = -np.sin(angle), np.sin(angle)
        turn = step @ turn
    directions = {"row_direction": tuple(turn[:, 0]), "column_direction": tuple(turn[:, 1])}
    return ImagePlane(**{**AXIAL, **directions, **changes})


angles = st.tuples(*[st.floats(-3.2, 3.2)] * 3)
spacings = st.floats(0.1, 8)
pixels = st.lists(st.tuples(st.floats(-0.5, 23.5), st.floats(-0.5, 15.5)), min_size=1, max_size=5)


@given(angles, spacings, spacings, pixels)
def test_there_and_back_is_the_same_pixel(turn, row_spacing, column_spacing, points) -> None:
    plane = turned_plane(
        turn, row_spacing=row_spacing, column_spacing=column_spacing, position=(12, -90, 41.5)
    )
    np.testing.assert_allclose(plane.to_pixel(plane.to_patient(points)), points, atol=1e-9)


def test_the_first_pixel_lies_at_the_position_and_rows_grow_along_the_column_direction() -> None:
    plane = ImagePlane(
        **{
            **AXIAL,
            "position": (-10, 20, 30),
            "row_direction": (0, 1, 0),
            "column_direction": (0, 0, -1),
            "row_spacing": 2,
            "column_spacing": 0.5,
        }
    )
    np.testing.assert_allclose(
        plane.to_patient([(0, 0), (4, 0), (0, 3)]), [(-10, 20, 30), (-10, 22, 30), (-10, 20, 24)]
    )
    assert plane.normal == pytest.approx((-1, 0, 0))
    assert plane.offset == pytest.approx(10)


def test_directions_rounded_to_four_decimals_still_give_unit_steps() -> None:
    plane = turned_plane((0.3, -0.4, 0.5))
    rounded = ImagePlane(
        **{
            **AXIAL,
            "row_direction": tuple(np.round(plane.row_direction, 4)),
            "column_direction": tuple(np.round(plane.column_direction, 4)),
        }
    )
    origin, right, down = rounded.to_patient([(0, 0), (1, 0), (0, 1)])
    assert np.linalg.norm(right - origin) == pytest.approx(1, abs=1e-12)
    assert np.linalg.norm(down - origin) == pytest.approx(1, abs=1e-12)
    assert (right - origin) @ (down - origin) == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize(
    ("change", "error", "words"),
    [
        ({"row_spacing": 0.0}, SpacingInvalidError, "0.0"),
        ({"column_spacing": -0.7}, SpacingInvalidError, "-0.7"),
        ({"row_spacing": NAN}, SpacingInvalidError, "nan"),
        ({"column_spacing": float("inf")}, SpacingInvalidError, "inf"),
        ({"row_direction": (1.0, 0.1, 0.0)}, OrientationInvalidError, "0.1"),
        ({"row_direction": (0.0, 1.0, 0.0)}, OrientationInvalidError, "right angle"),
        ({"row_direction": (0.0, 0.0, 0.0)}, OrientationInvalidError, "unit"),
        ({"column_direction": (0.0, NAN, 0.0)}, OrientationInvalidError, "nan"),
        ({"position": (0.0, NAN, 0.0)}, PositionMissingError, "nan"),
        ({"rows": 0}, ImageSizeError, "0 by 24"),
        ({"columns": -3}, ImageSizeError, "16 by -3"),
    ],
)
def test_a_plane_without_distances_cannot_be_built(change, error, words) -> None:
    with pytest.raises(error, match=words):
        ImagePlane(**{**AXIAL, **change})


@pytest.mark.parametrize(
    "points", [[(1, 2, 3)], (1, 2), [(1, NAN)], [("a", "b")], [[(1, 2)]], [(1, 2), (3,)], None]
)
def test_points_that_are_not_pairs_of_numbers_are_refused(points) -> None:
    with pytest.raises(PointShapeError, match="2 finite numbers"):
        ImagePlane(**AXIAL).to_patient(points)


def test_a_patient_point_beside_the_plane_is_refused_with_its_distance() -> None:
    plane = ImagePlane(**AXIAL)
    np.testing.assert_allclose(plane.to_pixel([(3, 4, 0.05)]), [(3, 4)])
    with pytest.raises(PointOffPlaneError, match=r"0\.2 mm from the image plane"):
        plane.to_pixel([(3, 4, 0.2)])
    np.testing.assert_allclose(plane.to_pixel([(3, 4, 0.2)], tolerance=0.5), [(3, 4)])


@pytest.mark.parametrize("point", [(-0.51, 3), (23.51, 3), (3, -0.51), (3, 15.51), (1e9, 3)])
def test_a_point_outside_the_pixels_is_refused(point) -> None:
    with pytest.raises(PointOutsideImageError, match="24 columns by 16 rows"):
        ImagePlane(**AXIAL).require_inside(np.array([(0.0, 0.0), point]))


def test_the_image_reaches_half_a_pixel_around_its_outermost_centres() -> None:
    ImagePlane(**AXIAL).require_inside(np.array([(-0.5, -0.5), (23.5, 15.5)]))


def test_every_refusal_is_a_geometry_error() -> None:
    with pytest.raises(GeometryError):
        ImagePlane(**{**AXIAL, "row_spacing": 0})
