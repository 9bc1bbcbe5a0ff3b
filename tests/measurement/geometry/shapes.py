"""Lesions drawn by name, as the known answers name them, and many more for the brute-force comparison."""

from collections.abc import Callable
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

Mask: TypeAlias = NDArray[np.bool_]


def shape_of(text: str) -> Mask:
    """Return the mask, shape (rows, columns), of a description such as ``rectangle 3 9``."""
    name, *numbers = text.split()
    return BUILDERS[name](*map(float, numbers))


def rectangle(rows: float, columns: float) -> Mask:
    return np.ones((int(rows), int(columns)), dtype=bool)


def diagonal(length: float) -> Mask:
    return np.eye(int(length), dtype=bool)


def angle(rows: float, columns: float, width: float) -> Mask:
    """Draw an L: an upright arm on the left and a level arm at the bottom."""
    mask = np.zeros((int(rows), int(columns)), dtype=bool)
    mask[:, : int(width)] = mask[-int(width) :] = True
    return mask


def ring(diameter: float, inner_diameter: float) -> Mask:
    """Pixels whose centres are not outside the one circle nor inside the other, on an even grid."""
    down, across = np.mgrid[:20, :20] - 9.5
    distance = 2 * np.hypot(down, across)
    mask: Mask = (distance <= diameter) & (distance >= inner_diameter)
    return mask


def ellipse(long_axis: float, short_axis: float, degrees: float, right: float = 0, down: float = 0) -> Mask:
    """Pixels whose centres lie in an ellipse, axes in pixels, moved off the grid by (right, down)."""
    return ellipse_coverage(long_axis, short_axis, degrees, right, down, samples=1) > 0.5


def ellipse_coverage(
    long_axis: float,
    short_axis: float,
    degrees: float,
    right: float = 0,
    down: float = 0,
    *,
    samples: int = 15,
) -> NDArray[np.float64]:
    """Return how much of each pixel lies in an ellipse, from `samples` x `samples` points a pixel."""
    half = int(np.ceil(long_axis / 2)) + 2
    size = 2 * half + 1
    fine = (np.arange(size * samples) + 0.5) / samples - 0.5 - half
    y, x = fine[:, None] - down, fine[None, :] - right
    turn = np.radians(degrees)
    along, across = x * np.cos(turn) + y * np.sin(turn), y * np.cos(turn) - x * np.sin(turn)
    inside = (2 * along / long_axis) ** 2 + (2 * across / short_axis) ** 2 <= 1
    coverage: NDArray[np.float64] = inside.reshape(size, samples, size, samples).mean(axis=(1, 3))
    return coverage


BUILDERS: dict[str, Callable[..., Mask]] = {
    "rectangle": rectangle,
    "diagonal": diagonal,
    "angle": angle,
    "ring": ring,
    "ellipse": ellipse,
}

DRAWN = {
    "one pixel": "#",
    "two pixels": "##",
    "two pixels corner to corner": "#./.#",
    "a knight's move": "#../.##",
    "a level line": "#######",
    "an upright line": "#/#/#/#/#",
    "a diagonal": "#..../.#.../..#../...#./....#",
    "the other diagonal": "...#/..#./.#../#...",
    "a staircase": "##.../.##../..##./...##",
    "a square": "####/####/####/####",
    "a rectangle": "#######/#######/#######",
    "a plus": "..#../..#../#####/..#../..#..",
    "a diagonal cross": "#...#/.#.#./..#../.#.#./#...#",
    "a T": "#####/..#../..#../..#..",
    "an L": "##...../##...../##...../#######/#######",
    "a U": "#...#/#...#/#...#/#####",
    "a deep U with a foot": "##....#/##....#/##....#/##..###/#######",
    "a C": ".####/#..../#..../#..../.####",
    "an S": ".####/#..../.###./....#/####.",
    "an H": "#...#/#...#/#####/#...#/#...#",
    "a Z": "######/....#./...#../..#.../.#..../######",
    "a comb": "#.#.#.#/#.#.#.#/#######",
    "a double comb": "#.#.#/#.#.#/#####/#.#.#/#.#.#",
    "an arrow": "..#..../...##../#######/...##../..#....",
    "a chequerboard": "#.#.#/.#.#./#.#.#/.#.#./#.#.#",
    "a ring": ".###./##.##/#...#/##.##/.###.",
    "a square frame": "#####/#...#/#...#/#...#/#####",
    "a diamond frame": "..#../.#.#./#...#/.#.#./..#..",
    "an island in a lake": "#######/#.....#/#..#..#/#.....#/#######",
    "a lake that opens at a corner": "####./#..#./#...#/####.",
    "a spiral": "#######/......#/#####.#/#...#.#/#.###.#/#.....#/#######",
    "a heart": ".#.#./#####/#####/.###./..#..",
    "a spur on a block": "####..../####..../########/####....",
    "two blocks at a corner": "###.../###.../###.../...###/...###/...###",
    "a bridge": "##....##/##....##/########/##....##/##....##",
    "an hourglass": "#####/.###./..#../.###./#####",
    "a triangle": "#...../##..../###.../####../#####./######",
    "teeth on both sides": "#.#.#.#.#/#########/.#.#.#.#.",
    "a notch from both sides": "####.####/####.####/#########/#.#######/#.#######",
}


def drawn(text: str) -> Mask:
    return np.array([[pixel == "#" for pixel in row] for row in text.split("/")])


def blob(seed: int) -> Mask:
    """Return the largest piece of smoothed or of plain noise."""
    random = np.random.default_rng(seed)
    if seed % 2:
        noise = ndimage.gaussian_filter(random.random((12, 12)), 1.6)
        mask = noise > np.quantile(noise, 0.6)
    else:
        mask = random.random((8, 9)) < 0.55
    labels, _ = ndimage.label(mask, np.ones((3, 3)))
    largest: Mask = labels == np.bincount(labels.ravel())[1:].argmax() + 1
    return largest


SHAPES = {
    **{name: drawn(text) for name, text in DRAWN.items()},
    **{f"blob {seed}": blob(seed) for seed in range(12)},
    "an ellipse": ellipse(11, 7, 25, 0.3, 0.2),
    "a thin ellipse": ellipse(13, 4, 70),
    "a disc": ellipse(9, 9, 0),
    "a disc on an even grid": ellipse(8, 8, 0, 0.5, 0.5),
}
