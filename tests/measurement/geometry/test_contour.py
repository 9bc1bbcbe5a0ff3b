import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from measurement.errors import (
    EmptyOutlineError,
    MaskShapeError,
    OutlineCrossesItselfError,
    PointOffPlaneError,
    PointOutsideImageError,
    PointShapeError,
    SeveralComponentsError,
    SpacingInvalidError,
)
from measurement.geometry.components import Component
from measurement.geometry.contour import (
    longest_diameter_of_contour,
    measure_contour,
    measure_contour_on,
    measure_level,
)
from measurement.geometry.mask import measure_mask
from measurement.geometry.outline import Boundary
from measurement.geometry.plane import ImagePlane, Points
from tests.measurement.geometry import brute_force
from tests.measurement.geometry.shapes import SHAPES, ellipse_coverage

OBLIQUE = ImagePlane(
    position=(-70, 31, 12.5),
    row_direction=(0.6, 0.8, 0.0),
    column_direction=(-0.64, 0.48, 0.6),
    row_spacing=1.3,
    column_spacing=0.6,
    rows=128,
    columns=128,
)


def star(seed: int, points: int) -> Points:
    """Draw a contour that is seen whole from its middle."""
    random = np.random.default_rng(seed)
    angles = np.sort(random.uniform(0, 2 * np.pi, points - 4))
    angles = np.sort(np.concatenate([angles, np.arange(4) * np.pi / 2 + 0.1]))
    radii = random.uniform(8, 30, points)
    return 50 + np.stack([radii * np.cos(angles), radii * np.sin(angles)], axis=1)


def circle(points: int, radius: float = 20.0) -> Points:
    angles = np.arange(points) * 2 * np.pi / points
    return 50 + radius * np.stack([np.cos(angles), np.sin(angles)], axis=1)


@pytest.mark.parametrize("seed", range(25))
def test_equal_to_all_pairs_and_all_perpendiculars(seed) -> None:
    points = star(seed, 7 + seed)
    for spacing in ((1, 1), (0.6, 1.35)):
        scaled = points * spacing[::-1]
        middle = np.array([50, 50]) * spacing[::-1]
        fan = [np.array([middle, a, b]) for a, b in zip(scaled, np.roll(scaled, -1, axis=0), strict=True)]
        apart = np.hypot(*(scaled[:, None] - scaled).transpose(2, 0, 1))
        i, j = np.unravel_index(apart.argmax(), apart.shape)
        short, inside = brute_force.across(fan, scaled, scaled[i], scaled[j])
        found = measure_contour(points, spacing)
        assert found.longest_diameter.length_mm == pytest.approx(apart.max(), rel=0, abs=1e-9)
        assert found.short_axis.length_mm == pytest.approx(short, rel=0, abs=1e-9)
        assert found.inside_fraction == pytest.approx(inside, rel=0, abs=1e-9)
        assert found.boundary is Boundary.OUTLINE


@pytest.mark.parametrize("points", [399, 400, 401, 1000])
def test_more_points_than_all_pairs_allow_give_the_same(points) -> None:
    found = measure_contour(circle(points), (1, 1))
    exact = 40 if points % 2 == 0 else 40 * np.cos(np.pi / 2 / points)
    assert found.longest_diameter.length_mm == pytest.approx(exact, abs=1e-9)
    assert longest_diameter_of_contour(circle(points), (1, 1)) == pytest.approx(exact, abs=1e-9)
    assert found.short_axis.length_mm == pytest.approx(40, abs=2e-3)


def test_many_points_on_one_line_have_a_length() -> None:
    line = np.stack([np.linspace(0, 30, 500), np.linspace(0, 40, 500)], axis=1)
    assert longest_diameter_of_contour(line, (1, 1)) == pytest.approx(50)


@given(st.integers(0, 10_000), st.integers(0, 30), st.booleans())
def test_where_a_contour_begins_and_its_sense_do_not_matter(seed, start, is_reversed) -> None:
    points = star(seed, 30)
    wanted = measure_contour(points, (0.7, 0.9))
    found = measure_contour(np.roll(points, start, axis=0)[:: -1 if is_reversed else 1], (0.7, 0.9))
    assert found.longest_diameter.length_mm == pytest.approx(wanted.longest_diameter.length_mm, abs=1e-9)
    assert found.short_axis.length_mm == pytest.approx(wanted.short_axis.length_mm, abs=1e-9)


@given(st.integers(0, 10_000), st.floats(0, 360), st.floats(-20, 20))
def test_a_contour_that_is_turned_and_moved_keeps_its_diameters(seed, degrees, shift) -> None:
    points = star(seed, 25)
    turn = np.radians(degrees)
    matrix = np.array([(np.cos(turn), -np.sin(turn)), (np.sin(turn), np.cos(turn))])
    wanted = measure_contour(points, (1, 1))
    found = measure_contour((points - 50) @ matrix.T + 50 + shift, (1, 1))
    assert found.longest_diameter.length_mm == pytest.approx(wanted.longest_diameter.length_mm, abs=1e-9)
    assert found.short_axis.length_mm == pytest.approx(wanted.short_axis.length_mm, abs=1e-8)


@given(st.integers(0, 10_000))
def test_pixels_and_patient_millimetres_give_the_same(seed) -> None:
    points = star(seed, 20)
    from_pixels = measure_contour_on(OBLIQUE, points)
    from_patient = measure_contour_on(OBLIQUE, OBLIQUE.to_patient(points))
    assert from_patient.longest_diameter.length_mm == pytest.approx(
        from_pixels.longest_diameter.length_mm, abs=1e-9
    )
    assert from_patient.short_axis.length_mm == pytest.approx(from_pixels.short_axis.length_mm, abs=1e-8)
    for chord in (from_pixels.longest_diameter, from_pixels.short_axis):
        start, end = OBLIQUE.to_patient(chord.points)
        assert np.linalg.norm(end - start) == pytest.approx(chord.length_mm, abs=1e-9)


def test_a_contour_must_lie_on_its_frame() -> None:
    points = OBLIQUE.to_patient(circle(12))
    with pytest.raises(PointOffPlaneError):
        measure_contour_on(OBLIQUE, points + np.array(OBLIQUE.normal))
    with pytest.raises(PointOutsideImageError):
        measure_contour_on(OBLIQUE, circle(12, radius=90))
    with pytest.raises(PointShapeError):
        measure_contour_on(OBLIQUE, [1, 2, 3])


@pytest.mark.parametrize(
    "points",
    [
        [(0, 0), (10, 6), (10, 0), (0, 6)],
        [(0, 0), (20, 0), (20, 9), (8, 9), (8, -3), (12, -3), (12, 6), (0, 6)],
    ],
)
def test_a_contour_that_crosses_itself_has_no_short_axis(points) -> None:
    with pytest.raises(OutlineCrossesItselfError):
        measure_contour(points, (1, 1))
    assert longest_diameter_of_contour(points, (1, 1)) > 10


@pytest.mark.parametrize(
    ("points", "spacing", "error"),
    [
        ([(0, 0), (1, 1)], (1, 1), EmptyOutlineError),
        (np.zeros((0, 2)), (1, 1), EmptyOutlineError),
        ([(0, 0), (1, 1), (float("nan"), 2)], (1, 1), PointShapeError),
        ([(0, 0, 0), (1, 1, 0), (2, 0, 0)], (1, 1), PointShapeError),
        ([(0, 0), (1, 1), (2, 0)], (1, 0), SpacingInvalidError),
        ([(0, 0), (1, 1), (2, 0)], (1, 1, 1), SpacingInvalidError),
    ],
)
def test_what_is_no_contour_is_refused(points, spacing, error) -> None:
    for measure in (measure_contour, longest_diameter_of_contour):
        with pytest.raises(error):
            measure(points, spacing)


def test_three_times_the_same_point_is_a_point() -> None:
    found = measure_contour([(4, 4)] * 3, (1, 1))
    assert (found.longest_diameter.length_mm, found.short_axis.length_mm) == pytest.approx((0, 0))


@pytest.mark.parametrize("name", SHAPES)
def test_the_level_line_of_a_mask_at_one_half_is_its_half_pixel_outline(name) -> None:
    for spacing in ((1, 1), (0.6, 1.35)):
        wanted = measure_mask(SHAPES[name], spacing, component=Component.ALL)
        found = measure_level(SHAPES[name].astype(float), spacing, component=Component.ALL)
        assert found.longest_diameter.length_mm == pytest.approx(
            wanted.longest_diameter.length_mm, rel=0, abs=1e-9
        )
        assert found.short_axis.length_mm == pytest.approx(wanted.short_axis.length_mm, rel=0, abs=1e-9)
        assert found.inside_fraction == pytest.approx(wanted.inside_fraction, rel=0, abs=1e-9)


@settings(max_examples=25)
@given(st.floats(8, 30), st.floats(0.7, 1), st.floats(0, 180), st.floats(-0.5, 0.5))
def test_the_level_line_of_an_ellipse_has_its_axes(long_axis, ratio, degrees, shift) -> None:
    found = measure_level(ellipse_coverage(long_axis, ratio * long_axis, degrees, shift, -shift), (0.5, 0.5))
    assert found.longest_diameter.length_mm == pytest.approx(long_axis / 2, abs=0.15)
    # the direction of a nearly round lesion's longest diameter is chance
    assert ratio * long_axis / 2 - 0.15 <= found.short_axis.length_mm <= long_axis / 2 + 0.15


def test_a_level_line_follows_its_level() -> None:
    ramp = np.maximum(0, 10 - np.hypot(*(np.mgrid[:31, :31] - 15.0)))
    lengths = [measure_level(ramp, (1, 1), level=level).longest_diameter.length_mm for level in (2, 4, 6)]
    assert lengths == pytest.approx([16, 12, 8], abs=0.2)


def test_only_the_chosen_lesion_of_a_level_image_is_measured() -> None:
    image = np.zeros((2, 12, 30))
    image[0, 3:6, 2:8] = 1.0
    image[0, 3:8, 9:25] = 0.8  # one pixel of background lies between the two
    image[0, 4:6, 8] = 0.3
    with pytest.raises(SeveralComponentsError):
        measure_level(image, (1, 1))
    small = measure_level(image, (1, 1), component=(0, 4, 4))
    large = measure_level(image, (1, 1), component=Component.LARGEST)
    assert 6 < small.longest_diameter.length_mm < 7
    assert 16 < large.longest_diameter.length_mm < 18


def test_a_lesion_at_the_rim_ends_half_a_pixel_outside() -> None:
    found = measure_level(np.full((3, 8), 0.9), (1, 1))
    assert found.longest_diameter.start[0] + found.longest_diameter.end[0] == pytest.approx(7)
    assert (
        found.longest_diameter.length_mm == measure_mask(np.ones((3, 8)), (1, 1)).longest_diameter.length_mm
    )


def test_a_level_image_has_two_or_three_axes_of_finite_numbers() -> None:
    for image in (np.zeros(3), np.full((3, 3), np.nan)):
        with pytest.raises(MaskShapeError):
            measure_level(image, (1, 1))
    with pytest.raises(EmptyOutlineError):
        measure_level(np.zeros((3, 3)), (1, 1))
