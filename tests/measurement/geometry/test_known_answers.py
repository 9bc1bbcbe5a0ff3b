"""Shapes whose diameters can be worked out by hand."""

import numpy as np
import pytest

from measurement.geometry.calipers import measure_line
from measurement.geometry.contour import longest_diameter_of_contour, measure_contour, measure_level
from measurement.geometry.diameters import LesionDiameters
from measurement.geometry.mask import longest_diameter, measure_mask
from measurement.geometry.outline import Boundary
from measurement.geometry.plane import ImagePlane
from tests.measurement.geometry.shapes import ellipse, ellipse_coverage, shape_of
from tests.measurement.known_answers import known_answers


def spacing_of(row: dict[str, str]) -> tuple[float, float]:
    return float(row["row_spacing_mm"]), float(row["column_spacing_mm"])


def assert_as_told(found: LesionDiameters, row: dict[str, str]) -> None:
    assert found.longest_diameter.length_mm == pytest.approx(float(row["longest_mm"]), abs=1e-6)
    assert found.short_axis.length_mm == pytest.approx(float(row["short_mm"]), abs=1e-6)
    assert found.inside_fraction == pytest.approx(float(row["inside_fraction"]), abs=1e-6)
    is_told = [finding.code for finding in found.findings] == ["diameter_leaves_lesion"]
    assert is_told == (float(row["inside_fraction"]) < 0.9)


@pytest.mark.parametrize("row", known_answers("geometry/masks.csv"))
def test_mask(row) -> None:
    mask, boundary = shape_of(row["shape"]), Boundary(row["boundary"])
    found = measure_mask(mask, spacing_of(row), boundary=boundary)
    assert_as_told(found, row)
    assert found.boundary is boundary
    assert longest_diameter(mask, spacing_of(row), boundary=boundary) == found.longest_diameter.length_mm


@pytest.mark.parametrize("row", known_answers("geometry/contours.csv"))
def test_contour(row) -> None:
    points = [tuple(map(float, point.split())) for point in row["points"].split(",")]
    found = measure_contour(points, spacing_of(row))
    assert_as_told(found, row)
    assert longest_diameter_of_contour(points, spacing_of(row)) == pytest.approx(
        found.longest_diameter.length_mm, abs=1e-12
    )


@pytest.mark.parametrize("row", known_answers("geometry/lines.csv"))
def test_line(row) -> None:
    a, b, c, d, e, f = map(float, row["orientation"].split())
    row_spacing, column_spacing = spacing_of(row)
    plane = ImagePlane(
        position=(-31.5, 17.25, 8.125),
        row_direction=(a, b, c),
        column_direction=(d, e, f),
        row_spacing=row_spacing,
        column_spacing=column_spacing,
        rows=32,
        columns=32,
    )
    start, end = (tuple(map(float, row[name].split())) for name in ("start", "end"))
    found = measure_line(plane, start, end)
    assert found.length_mm == pytest.approx(float(row["length_mm"]), abs=1e-9)
    assert np.hypot.reduce(np.subtract(found.end_mm, found.start_mm)) == pytest.approx(
        found.length_mm, abs=1e-9
    )


def bias(method: str, random: np.random.Generator) -> float:
    long_axis = random.uniform(5, 40)
    pose = (random.uniform(0.6, 1) * long_axis, random.uniform(0, 180), *random.uniform(-0.5, 0.5, 2))
    if method == "level":
        coverage = ellipse_coverage(long_axis, *pose)
        return measure_level(coverage, (1, 1)).longest_diameter.length_mm - long_axis
    return longest_diameter(ellipse(long_axis, *pose), (1, 1), boundary=Boundary(method)) - long_axis


@pytest.mark.parametrize("row", known_answers("geometry/ellipse_bias.csv"))
def test_bias_on_ellipses_is_the_one_stated(row) -> None:
    random = np.random.default_rng(17)
    found = np.array([bias(row["method"], random) for _ in range(200)])
    assert found.min() >= float(row["lowest_px"])
    assert found.max() <= float(row["highest_px"]) + 1e-9
    usual = (found >= float(row["first_percentile_px"])) & (found <= float(row["last_percentile_px"]))
    assert usual.mean() >= 0.95
