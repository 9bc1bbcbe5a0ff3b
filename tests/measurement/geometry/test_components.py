import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import ndimage

from measurement.errors import (
    BoundaryError,
    ComponentMissingError,
    EmptyOutlineError,
    MaskShapeError,
    MaskValueError,
    SeveralComponentsError,
    SpacingInvalidError,
)
from measurement.geometry.components import Choice, Component, component_of
from measurement.geometry.mask import longest_diameter, measure_mask
from measurement.geometry.outline import Boundary, Mask
from tests.measurement.geometry.shapes import drawn, ring

TWO = drawn("##......./##......./........./..#####..")


def length(mask: Mask, component: Choice) -> float:
    return measure_mask(
        mask, (1, 1), component=component, boundary=Boundary.PIXEL_CENTRES
    ).longest_diameter.length_mm


def test_several_lesions_are_refused_with_their_sizes() -> None:
    with pytest.raises(SeveralComponentsError, match="holds 2 of 4, 5 pixels") as refusal:
        measure_mask(TWO, (1, 1))
    assert refusal.value.sizes == (4, 5)


def test_many_lesions_are_not_all_listed() -> None:
    with pytest.raises(SeveralComponentsError, match=r"holds 30 of 1, 1, 1, 1, 1, 1, 1, 1 \.\.\. pixels"):
        measure_mask(np.tile([1, 0], 30)[np.newaxis], (1, 1))


@pytest.mark.parametrize(
    ("component", "expected"),
    [
        (Component.LARGEST, 4),
        ((0, 0), 2**0.5),
        ((1, 1), 2**0.5),
        ((3, 4), 4),
        (Component.ALL, 45**0.5),
    ],
)
def test_the_lesion_is_the_one_that_was_chosen(component, expected) -> None:
    assert length(TWO, component) == pytest.approx(expected)
    index = component if isinstance(component, Component) else (0, *component)
    assert length(TWO[np.newaxis], index) == pytest.approx(expected)


@pytest.mark.parametrize("index", [(2, 0), (3, 0), (-1, -1), (9, 9), (0,), (0, 0, 0, 0)])
def test_a_choice_beside_the_lesion_is_refused(index) -> None:
    with pytest.raises(ComponentMissingError):
        measure_mask(TWO, (1, 1), component=index)


def test_voxels_that_touch_at_a_corner_are_one_lesion_also_between_slices() -> None:
    mask = np.zeros((2, 3, 3), dtype=bool)
    mask[0, 0, 0] = mask[1, 1, 1] = True
    assert measure_mask(mask, (1, 1, 1)).longest_diameter.length_mm == pytest.approx(1)
    mask[1, 1, 1], mask[1, 2, 2] = False, True
    with pytest.raises(SeveralComponentsError):
        measure_mask(mask, (1, 1, 1))


def test_pieces_of_one_lesion_in_a_slice_are_measured_together_and_told() -> None:
    # an arch: two feet in the first slice, joined in the second
    mask = np.zeros((2, 1, 11), dtype=bool)
    mask[0, 0, [0, 10]] = True
    mask[1, 0, 1:10] = True
    found = measure_mask(mask, (1, 1, 1))
    assert (found.slice_index, found.longest_diameter.length_mm) == pytest.approx((0, 11))
    assert found.inside_fraction == pytest.approx(2 / 11)
    assert [finding.code for finding in found.findings] == ["diameter_leaves_lesion"]
    assert found.findings[0].sentence == (
        "The diameter leaves the lesion: 18% of it is inside, 90% are wanted."
    )


def test_of_two_slices_with_one_longest_diameter_the_wider_is_described() -> None:
    mask = np.zeros((3, 7, 9), dtype=bool)
    mask[0, 3] = mask[1, 3] = mask[2, 3] = True
    mask[1, 2:5, 3:6] = True
    found = measure_mask(mask, (1, 1, 1))
    assert found.slice_index == 1
    assert (found.longest_diameter.length_mm, found.short_axis.length_mm) == pytest.approx((9, 3))


def test_the_longest_diameter_is_in_the_plane_and_not_across_slices() -> None:
    mask = np.ones((40, 2, 3), dtype=bool)
    assert length(mask, Component.ONLY) == pytest.approx(5**0.5)


def test_a_hole_counts_as_lesion_unless_asked_otherwise() -> None:
    lesion = ring(17.09, 12)
    filled = measure_mask(lesion, (1, 1))
    kept = measure_mask(lesion, (1, 1), fill_holes=False)
    disc = measure_mask(ring(17.09, 0), (1, 1))
    assert (filled.short_axis.length_mm, filled.inside_fraction) == (
        disc.short_axis.length_mm,
        disc.inside_fraction,
    )
    assert kept.longest_diameter.length_mm == filled.longest_diameter.length_mm
    # beside the hole a chord of the circle is left: twice the root of 9.0 squared less 6.3 squared
    assert kept.short_axis.length_mm == pytest.approx(12.9, abs=0.3)
    assert kept.inside_fraction < 0.5


def test_far_from_the_origin_only_the_place_changes() -> None:
    mask = np.zeros((4, 300, 400), dtype=bool)
    mask[2, 250:259, 310:330] = True
    near = measure_mask(np.ones((9, 20)), (0.7, 0.9))
    far = measure_mask(mask, (3, 0.7, 0.9))
    assert far.slice_index == 2
    for chord, moved in ((near.longest_diameter, far.longest_diameter), (near.short_axis, far.short_axis)):
        assert moved.length_mm == pytest.approx(chord.length_mm, abs=1e-9)
        np.testing.assert_allclose(np.subtract(moved.points, chord.points), [(310, 250)] * 2, atol=1e-9)


@pytest.mark.parametrize(
    ("mask", "error", "words"),
    [
        (np.zeros((3, 3)), EmptyOutlineError, "found 0 pixels"),
        (np.zeros((0, 3)), EmptyOutlineError, "found 0 pixels"),
        (np.ones(3), MaskShapeError, r"\(3,\)"),
        (np.ones((1, 1, 1, 1)), MaskShapeError, "slice, row, column"),
        ([["a"]], MaskShapeError, "<U1"),
        (np.full((2, 2), 2), MaskValueError, "found 2"),
        (np.array([[0, 0.5], [1, 1]]), MaskValueError, "found 0.5"),
        (np.array([[0, np.nan], [1, 1]]), MaskValueError, "found nan"),
    ],
)
def test_what_is_no_mask_is_refused(mask, error, words) -> None:
    for measure in (measure_mask, longest_diameter):
        with pytest.raises(error, match=words):
            measure(mask, (1, 1))


@pytest.mark.parametrize(
    "spacing", [(1,), (1, 1, 1, 1), (1, 0), (-1, 1), (1, float("nan")), (float("inf"), 1)]
)
def test_a_spacing_that_gives_no_length_is_refused(spacing) -> None:
    with pytest.raises(SpacingInvalidError, match="two positive numbers"):
        measure_mask([[1]], spacing)


def test_a_mask_has_no_outline_of_its_own() -> None:
    with pytest.raises(BoundaryError, match="half_pixel, pixel_centres, pixel_corners"):
        measure_mask([[1]], (1, 1), boundary=Boundary.OUTLINE)


@given(arrays(bool, st.tuples(st.integers(1, 3), st.integers(1, 4), st.integers(1, 5))))
def test_one_piece_is_told_from_several(mask) -> None:
    _, count = ndimage.label(mask, np.ones((3, 3, 3)))
    if count == 1:
        assert component_of(mask, Component.ONLY) is mask
        assert component_of(mask, Component.LARGEST) is mask
    elif count > 1:
        with pytest.raises(SeveralComponentsError):
            component_of(mask, Component.ONLY)
        largest = component_of(mask, Component.LARGEST)
        assert ndimage.label(largest, np.ones((3, 3, 3)))[1] == 1
        assert (mask | largest == mask).all()
