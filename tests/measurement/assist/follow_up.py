"""Seeded pairs of examinations of one body: the second lies elsewhere, is bent, and is sliced otherwise.

The map between both is known, so the place of every lesion in the second is too.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from scipy.spatial.transform import Rotation

from measurement.assist.series_volume import SeriesVolume, volume_of
from measurement.geometry.plane import ImagePlane, Vector

Values: TypeAlias = NDArray[np.float64]
Draw: TypeAlias = np.random.Generator

GRAIN = 2.0  # mm, of the painted body
SHAPE = (60, 120, 150)


@dataclass(frozen=True, slots=True, kw_only=True)
class FollowUp:
    """Two series of one subject and a lesion's place in both, (x, y, z), mm."""

    prior: SeriesVolume
    current: SeriesVolume
    lesion_before: Vector
    lesion_now: Vector


@cache
def follow_up(seed: int, *, bend_mm: float = 8.0, is_same_body: bool = True) -> FollowUp:
    """Return the pair of a seed: moved by up to 15 mm and 6 degrees, bent by some `bend_mm`."""
    draw = np.random.default_rng(seed)
    body = _body(draw)
    turned = Rotation.from_euler("xyz", draw.uniform(-6, 6, 3), degrees=True).as_matrix()
    moved = draw.uniform(-15, 15, 3)
    waves = [(_unit(draw), draw.uniform(60, 140), draw.uniform(0, 6), _unit(draw)) for _ in range(4)]

    def earlier(points: Values) -> Values:
        """Map points of the current examination to the prior one."""
        straight = (points - moved) @ turned
        bent = sum(
            np.sin(straight @ along * 2 * math.pi / length + phase)[..., None] * aside
            for along, length, phase, aside in waves
        )
        earlier_points: Values = straight + bent * bend_mm / 2
        return earlier_points

    lesion = draw.uniform(-0.5, 0.5, 3) * (150, 100, 70)
    radius = draw.uniform(6, 12)
    shrunk = radius * draw.uniform(0.5, 1.1)
    other = body if is_same_body else _body(np.random.default_rng(seed + 1_000_000))

    def before(points: Values) -> Values:
        return _with_lesion(_values(body, points), points, lesion, radius)

    def now(points: Values) -> Values:
        was = earlier(points)
        seen = _with_lesion(_values(other, was), was, lesion, shrunk)
        dimmed: Values = 0.8 * seen * (1 + 0.2 * points[..., 0] / 150)
        return dimmed

    return FollowUp(
        prior=_series(draw, before, (36, 112, 128), (3.0, 2.0, 2.2), (-140.0, -112.0, -54.0)),
        current=_series(draw, now, (32, 112, 128), (3.3, 2.0, 2.2), (-134.0, -112.0, -52.0)),
        lesion_before=_vector(lesion),
        lesion_now=_vector(_found_by(earlier, lesion, turned)),
    )


def _body(draw: Draw) -> Values:
    """Return values on a grid of 2 mm around the origin, shape (slices, rows, columns)."""
    axes = [(np.arange(size) - size / 2) * GRAIN for size in SHAPE]
    z, y, x = np.meshgrid(*axes, indexing="ij")
    grain = ndimage.gaussian_filter(draw.standard_normal(SHAPE), (3, 4, 4))
    grain /= grain.std()
    body = 300 * (np.hypot(x / 125, y / 90) < 1) * (1 + 0.35 * np.tanh(1.5 * grain))
    body = np.where(np.hypot(x / 110, (y - 20) / 60) < 1, 0.6 * body + 120 * (grain > 0.3), body)
    for _ in range(8):  # organs
        middle = draw.uniform(-0.6, 0.6, 3) * (55, 80, 110)
        away = np.linalg.norm([z - middle[0], y - middle[1], x - middle[2]], axis=0)
        body = np.where(away < draw.uniform(6, 16), draw.uniform(150, 700), body)
    blurred: Values = ndimage.gaussian_filter(body, 0.7)
    return blurred


def _values(body: Values, points: Values) -> Values:
    """Return the body's values at points (..., 3), (x, y, z), mm."""
    index = points[..., ::-1] / GRAIN + np.array(SHAPE) / 2
    values: Values = ndimage.map_coordinates(body, np.moveaxis(index, -1, 0), order=1)
    return values


def _with_lesion(values: Values, points: Values, middle: Values, radius: float) -> Values:
    return np.where(np.linalg.norm(points - middle, axis=-1) < radius, 800, values)


def _series(
    draw: Draw,
    values_at: Callable[[Values], Values],
    shape: tuple[int, int, int],
    spacing: Vector,
    origin: Vector,
) -> SeriesVolume:
    """Sample values on axial slices with Rician noise."""
    between, row, column = spacing
    planes = [
        ImagePlane(
            position=(origin[0], origin[1], origin[2] + index * between),
            row_direction=(1, 0, 0),
            column_direction=(0, 1, 0),
            row_spacing=row,
            column_spacing=column,
            rows=shape[1],
            columns=shape[2],
        )
        for index in range(shape[0])
    ]
    k, j, i = np.meshgrid(*map(np.arange, shape), indexing="ij")
    points = np.array(origin) + np.stack([i * column, j * row, k * between], axis=-1)
    noise = 15 * draw.standard_normal((2, *shape))
    return volume_of(np.hypot(values_at(points) + noise[0], noise[1]), planes)


def _found_by(earlier: Callable[[Values], Values], wanted: Values, turned: Values) -> Values:
    """Return the point that maps to the wanted one, by fixed-point iteration."""
    point = np.array(wanted, dtype=float)
    for _ in range(200):
        point = point - (earlier(point) - wanted) @ turned.T
    assert np.allclose(earlier(point), wanted, atol=1e-6)
    return point


def _unit(draw: Draw) -> Values:
    direction = draw.standard_normal(3)
    unit: Values = direction / np.linalg.norm(direction)
    return unit


def _vector(values: Values) -> Vector:
    x, y, z = values.tolist()
    return x, y, z
