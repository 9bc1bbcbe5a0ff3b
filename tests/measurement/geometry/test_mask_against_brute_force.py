"""Longest diameter, short axis and share inside are what trying everything finds."""

import numpy as np
import pytest

from measurement.geometry.components import Component
from measurement.geometry.mask import longest_diameter, measure_mask
from measurement.geometry.outline import Boundary
from tests.measurement.geometry import brute_force
from tests.measurement.geometry.shapes import SHAPES

SPACINGS = [(1.0, 1.0), (0.7031, 0.7031), (0.6, 1.35)]
BOUNDARIES = [Boundary.HALF_PIXEL, Boundary.PIXEL_CENTRES, Boundary.PIXEL_CORNERS]


def test_there_are_enough_shapes() -> None:
    assert len(SHAPES) >= 50
    assert len({mask.tobytes() + bytes(mask.shape) for mask in SHAPES.values()}) == len(SHAPES)


@pytest.mark.parametrize("boundary", BOUNDARIES)
@pytest.mark.parametrize("name", SHAPES)
def test_equal_to_all_pairs_and_all_perpendiculars(name, boundary) -> None:
    for spacing in SPACINGS:
        found = measure_mask(SHAPES[name], spacing, boundary=boundary, component=Component.ALL)
        wanted = brute_force.measure(SHAPES[name], *spacing, boundary)
        assert found.longest_diameter.length_mm == pytest.approx(wanted.longest, rel=0, abs=1e-9)
        assert found.short_axis.length_mm == pytest.approx(wanted.short, rel=0, abs=1e-9)
        assert found.inside_fraction == pytest.approx(wanted.inside, rel=0, abs=1e-9)
        assert longest_diameter(
            SHAPES[name], spacing, boundary=boundary, component=Component.ALL
        ) == pytest.approx(wanted.longest, rel=0, abs=1e-9)


@pytest.mark.parametrize("boundary", BOUNDARIES)
@pytest.mark.parametrize("name", SHAPES)
def test_the_end_points_are_where_the_lengths_were_measured(name, boundary) -> None:
    row, column = 0.6, 1.35
    found = measure_mask(SHAPES[name], (row, column), boundary=boundary, component=Component.ALL)
    axes = []
    for chord in (found.longest_diameter, found.short_axis):
        step = np.subtract(chord.end, chord.start) * (column, row)
        assert np.hypot(*step) == pytest.approx(chord.length_mm, abs=1e-9)
        axes.append(step)
    assert axes[0] @ axes[1] == pytest.approx(0, abs=1e-9)
    rows, columns = SHAPES[name].shape
    points = np.array([*found.longest_diameter.points, *found.short_axis.points])
    assert ((points >= -0.5 - 1e-9) & (points <= np.array([columns, rows]) - 0.5 + 1e-9)).all()


@pytest.mark.parametrize("name", SHAPES)
def test_mirrors_and_quarter_turns_change_nothing(name) -> None:
    mask = SHAPES[name]
    wanted = measure_mask(mask, (0.6, 1.35), component=Component.ALL)
    for image, spacing in (
        (mask[::-1], (0.6, 1.35)),
        (mask[:, ::-1], (0.6, 1.35)),
        (mask.T, (1.35, 0.6)),
        (np.rot90(mask), (1.35, 0.6)),
    ):
        found = measure_mask(image, spacing, component=Component.ALL)
        assert found.longest_diameter.length_mm == pytest.approx(wanted.longest_diameter.length_mm, abs=1e-9)
        assert found.short_axis.length_mm == pytest.approx(wanted.short_axis.length_mm, abs=1e-9)
        assert found.inside_fraction == pytest.approx(wanted.inside_fraction, abs=1e-9)
