"""An outline of steepest fall along rays from the lesion's middle, found by dynamic programming."""

import math

import numpy as np
from numpy.typing import NDArray

from measurement.assist.neighbourhood import Grid, Neighbourhood
from measurement.geometry.plane import Points
from measurement.units import Millimetres

RAYS = 72
STEP = Millimetres(0.25)
NEAREST = Millimetres(0.5)
EDGE_WIDTH = 3  # steps to either side over which a fall is measured
LARGEST_JUMP = 2  # steps between neighbouring rays: outlines turn by at most about 80 degrees
SMOOTHNESS = 0.02  # price of one step of jump, as a share of the lesion's height
DARK_PRICE = (
    0.5  # price of a millimetre below half height inside the outline, as a share of the missing height
)
BEYOND_PRICE = 10.0  # price of an edge outside of what is searched, as a multiple of the lesion's height
SHORTEST_RAY = Millimetres(4.0)
CENTRINGS = 2  # a click is seldom in the middle; the outline's own middle is

Path = NDArray[np.intp]


def ray_outline_of(around: Neighbourhood) -> Points:
    """Return the closed outline of steepest fall around the seed.

    Returns
    -------
    numpy.ndarray
        Shape (72, 2), (along a row, along a column) from the seed, mm, in the order of the angles.
    """
    angles = np.arange(RAYS) * (2 * math.pi / RAYS)
    directions = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    radii = np.arange(NEAREST, max(math.hypot(*around.reach_mm), SHORTEST_RAY), STEP)
    centre = np.zeros(2)
    outline = directions * NEAREST
    for _ in range(CENTRINGS + 1):
        costs = _costs(around, centre + directions[:, None] * radii[None, :, None])
        path = _closed_path(costs, SMOOTHNESS * (around.core - around.background))
        reached = radii[path] + _between_steps(costs, path) * STEP
        outline = centre + directions * reached[:, None]
        centre = _middle_of(outline)
    return outline


def _costs(around: Neighbourhood, places: Points) -> Grid:
    """Return what an edge at each (ray, radius) costs.

    Little where the fall is steep and all inside is bright; more than any edge gives beyond the reach.
    """
    profiles = around.at(places)
    height = around.core - around.background
    fall = np.zeros_like(profiles)
    fall[:, EDGE_WIDTH:-EDGE_WIDTH] = profiles[:, : -2 * EDGE_WIDTH] - profiles[:, 2 * EDGE_WIDTH :]
    missing = np.clip(around.background + height / 2 - profiles, 0, None)
    dark_inside = np.cumsum(missing, axis=1) * STEP
    beyond = (np.abs(places) > around.reach_mm).any(axis=2)
    costs: Grid = DARK_PRICE * dark_inside - fall + BEYOND_PRICE * height * beyond
    return costs


def _closed_path(costs: Grid, price: float) -> Path:
    """Return the cheapest closed path, one radius a ray.

    Two and a half turns are walked and the middle turn taken: by then the start no longer matters.
    """
    rays = len(costs)
    unrolled = np.concatenate([costs, costs, costs[: rays // 2]])
    jumps = np.arange(-LARGEST_JUMP, LARGEST_JUMP + 1)
    prices = price * np.abs(jumps)[:, None]
    steps = np.arange(costs.shape[1])
    origins = steps - jumps[:, None]
    impossible = (origins < 0) | (origins >= len(steps))
    origins = origins.clip(0, len(steps) - 1)
    best = unrolled[0]
    came_from = np.empty((len(unrolled), len(steps)), dtype=np.intp)
    for ray in range(1, len(unrolled)):
        candidates = np.where(impossible, np.inf, best[origins]) + prices
        choice = candidates.argmin(axis=0)
        came_from[ray] = origins[choice, steps]
        best = candidates[choice, steps] + unrolled[ray]
    path = np.empty(len(unrolled), dtype=np.intp)
    path[-1] = best.argmin()
    for ray in range(len(unrolled) - 1, 0, -1):
        path[ray - 1] = came_from[ray, path[ray]]
    start = rays // 2
    return np.roll(path[start : start + rays], start)


def _between_steps(costs: Grid, path: Path) -> Grid:
    """Return where between two steps each edge lies: the lowest point of a parabola, within half a step."""
    rays = np.arange(len(path))
    inner = path.clip(1, costs.shape[1] - 2)
    before, here, after = costs[rays, inner - 1], costs[rays, inner], costs[rays, inner + 1]
    bend = before - 2 * here + after
    shift: Grid = np.where(bend > 0, (before - after) / 2 / np.where(bend > 0, bend, 1), 0)
    return shift.clip(-0.5, 0.5)


def _middle_of(outline: Points) -> Points:
    """Return the centroid of a closed outline's area."""
    x, y = outline.T
    onward_x, onward_y = np.roll(x, -1), np.roll(y, -1)
    cross = x * onward_y - onward_x * y
    area = cross.sum() / 2
    weighted = np.array([((x + onward_x) * cross).sum(), ((y + onward_y) * cross).sum()])
    middle: Points = weighted / (6 * area) if area else outline.mean(axis=0)
    return middle
