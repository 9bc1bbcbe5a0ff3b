"""What must hold for every lesion."""

import tracemalloc
from typing import Any, cast

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray

from measurement.geometry.components import Component
from measurement.geometry.diameters import LesionDiameters
from measurement.geometry.mask import longest_diameter, measure_mask
from measurement.geometry.outline import Boundary
from measurement.geometry.plane import ImagePlane
from tests.measurement.geometry.shapes import ellipse
from tests.measurement.known_answers import known_answers

MASKS = [Boundary.HALF_PIXEL, Boundary.PIXEL_CENTRES, Boundary.PIXEL_CORNERS]
BIAS: dict[str, dict[str, str]] = {
    row["method"]: row
    for row in (cast("Any", case.values[0]) for case in known_answers("geometry/ellipse_bias.csv"))
}

masks = arrays(bool, st.tuples(st.integers(1, 3), st.integers(1, 7), st.integers(1, 7)))
spacings = st.tuples(st.floats(0.2, 5), st.floats(0.2, 5))
turns = st.floats(0, 180)
shifts = st.tuples(st.floats(-0.5, 0.5), st.floats(-0.5, 0.5))


def measured(
    mask: NDArray[Any], spacing: tuple[float, float], boundary: Boundary = Boundary.HALF_PIXEL
) -> LesionDiameters:
    return measure_mask(mask, spacing, boundary=boundary, component=Component.ALL)


@pytest.mark.parametrize("boundary", MASKS)
@given(st.floats(5, 40), st.floats(0.6, 1), st.tuples(turns, shifts), st.tuples(turns, shifts))
def test_turning_and_moving_a_lesion_changes_less_than_the_stated_bias(
    boundary, long_axis, ratio, pose, other_pose
) -> None:
    there, here = (
        longest_diameter(
            ellipse(long_axis, ratio * long_axis, turn, *shift),
            (1, 1),
            boundary=boundary,
            component=Component.ALL,
        )
        for turn, shift in (pose, other_pose)
    )
    stated = float(BIAS[boundary]["highest_px"]) - float(BIAS[boundary]["lowest_px"])
    assert abs(there - here) <= stated + 1e-9


@given(masks, spacings, st.sampled_from(MASKS), st.sampled_from([0.001, 0.1, 25.4, 1000.0]))
def test_the_unit_of_the_spacing_is_the_unit_of_the_answer(mask, spacing, boundary, factor) -> None:
    assume(mask.any())
    wanted = measured(mask, spacing, boundary)
    found = measured(mask, (spacing[0] * factor, spacing[1] * factor), boundary)
    assert found.longest_diameter.length_mm == pytest.approx(
        wanted.longest_diameter.length_mm * factor, rel=1e-9
    )
    assert found.short_axis.length_mm == pytest.approx(
        wanted.short_axis.length_mm * factor, rel=1e-9, abs=1e-9 * factor
    )
    assert found.inside_fraction == pytest.approx(wanted.inside_fraction, abs=1e-9)


@given(masks, spacings)
def test_numbers_and_booleans_say_the_same(mask, spacing) -> None:
    assume(mask.any())
    wanted = measured(mask, spacing)
    for kind in (np.uint8, np.int16, np.float32, np.float64):
        assert measured(mask.astype(kind), spacing) == wanted
    assert measured(np.asfortranarray(mask), spacing) == wanted
    assert measured(np.repeat(mask, 2, axis=2)[:, :, ::2], spacing) == wanted


@given(masks, spacings, st.sampled_from(MASKS))
def test_the_short_axis_is_never_longer_and_all_lies_between_zero_and_the_longest(
    mask, spacing, boundary
) -> None:
    assume(mask.any())
    found = measured(mask, spacing, boundary)
    assert 0 <= found.short_axis.length_mm <= found.longest_diameter.length_mm * (1 + 1e-9)
    assert 0 <= found.inside_fraction <= 1


@given(masks, spacings)
def test_a_wider_convention_never_gives_less(mask, spacing) -> None:
    assume(mask.any())
    centres, half, corners = (
        measured(mask, spacing, boundary).longest_diameter.length_mm
        for boundary in (Boundary.PIXEL_CENTRES, Boundary.HALF_PIXEL, Boundary.PIXEL_CORNERS)
    )
    assert centres <= half <= corners * (1 + 1e-12)


@given(masks, masks, spacings)
def test_growth_never_shortens_the_longest_diameter(mask, growth, spacing) -> None:
    assume(mask.any())
    larger = mask.copy()
    slices, rows, columns = (min(a, b) for a, b in zip(mask.shape, growth.shape, strict=True))
    larger[:slices, :rows, :columns] |= growth[:slices, :rows, :columns]
    assert measured(larger, spacing).longest_diameter.length_mm >= (
        measured(mask, spacing).longest_diameter.length_mm * (1 - 1e-12)
    )


@settings(max_examples=40)
@given(masks, spacings, st.tuples(*[st.floats(-1.5, 1.5)] * 3))
def test_lengths_are_those_in_the_patient_on_any_oblique_plane(mask, spacing, angles) -> None:
    assume(mask.any())
    a, b, c = angles
    across = np.array([np.cos(a) * np.cos(b), np.sin(a) * np.cos(b), np.sin(b)])
    some = np.cross(across, [np.cos(c), np.sin(c), 2.0])
    down = some / np.linalg.norm(some)
    plane = ImagePlane(
        position=(10, -20, 30),
        row_direction=tuple(across),
        column_direction=tuple(down),
        row_spacing=spacing[0],
        column_spacing=spacing[1],
        rows=mask.shape[1],
        columns=mask.shape[2],
    )
    found = measured(mask, spacing)
    ends = [plane.to_patient(chord.points) for chord in (found.longest_diameter, found.short_axis)]
    for chord, (start, end) in zip((found.longest_diameter, found.short_axis), ends, strict=True):
        assert np.linalg.norm(end - start) == pytest.approx(chord.length_mm, abs=1e-9)
    assert (ends[0][1] - ends[0][0]) @ (ends[1][1] - ends[1][0]) == pytest.approx(0, abs=1e-8)


def test_the_memory_for_a_large_lesion_is_a_small_multiple_of_its_mask() -> None:
    z, y, x = np.ogrid[-30:31, -200:201, -150:151]
    mask = (z / 30) ** 2 + (y / 200) ** 2 + (x / 150) ** 2 <= 1
    tracemalloc.start()
    found = measured(mask, (1.0, 1.0))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert (found.slice_index, found.longest_diameter.length_mm) == pytest.approx((30, 401))
    assert found.short_axis.length_mm == pytest.approx(301, abs=1)
    assert peak < 4 * mask.nbytes
