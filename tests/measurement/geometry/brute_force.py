"""Diameters by trying everything, written apart from the code under test.

A region is a list of closed convex pieces, one for every pixel or every square between four pixel centres.
The longest diameter is tried over all pairs of all corners, the short axis over the perpendiculars through
every corner and through every crossing of a piece's side with the diameter, where the chord is joined from
what each piece cuts out of the line. No outline is ever made.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Floats: TypeAlias = NDArray[np.float64]
Mask: TypeAlias = NDArray[np.bool_]
Interval: TypeAlias = tuple[float, float]

EPS = 1e-10


@dataclass(frozen=True, kw_only=True)
class Found:
    longest: float
    short: float
    inside: float


def measure(mask: Mask, row_spacing: float, column_spacing: float, boundary: str) -> Found:
    pieces = [
        piece * (column_spacing, row_spacing) for image in [fill(mask)] for piece in PIECES[boundary](image)
    ]
    corners = np.unique(np.concatenate(pieces), axis=0)
    apart = np.hypot(*(corners[:, None] - corners).transpose(2, 0, 1))
    longest = apart.max()
    if longest == 0:
        return Found(longest=0.0, short=0.0, inside=1.0)
    ties = np.argwhere(np.triu(apart >= longest - 1e-9))
    tried = [across(pieces, corners, corners[i], corners[j]) for i, j in ties]
    short = max(length for length, _ in tried)
    inside = max(share for length, share in tried if length >= short - 1e-9)
    return Found(longest=longest, short=short, inside=inside)


def fill(mask: Mask) -> Mask:
    """Reach the background from outside, through pixel sides; all else is lesion. Adds a rim of one pixel."""
    padded = np.pad(np.asarray(mask, dtype=bool), 1)
    outside = np.zeros_like(padded)
    outside[0, 0] = True
    queue = deque([(0, 0)])
    while queue:
        row, column = queue.popleft()
        for r, c in ((row - 1, column), (row + 1, column), (row, column - 1), (row, column + 1)):
            if 0 <= r < padded.shape[0] and 0 <= c < padded.shape[1] and not (padded[r, c] or outside[r, c]):
                outside[r, c] = True
                queue.append((r, c))
    return ~outside


def pixel_squares(image: Mask) -> Iterator[Floats]:
    for row, column in np.argwhere(image):
        yield np.array(
            [(column + a, row + b) for a, b in ((-0.5, -0.5), (0.5, -0.5), (0.5, 0.5), (-0.5, 0.5))]
        )


def squares_between(image: Mask, share: float) -> Iterator[Floats]:
    """Yield, for each square of four pixel centres, the hull of what is inside, corner by corner."""
    around = [(0, 0), (1, 0), (1, 1), (0, 1)]
    for row in range(image.shape[0] - 1):
        for column in range(image.shape[1] - 1):
            points = []
            for k, (a, b) in enumerate(around):
                if not image[row + b, column + a]:
                    continue
                before, after = around[k - 1], around[(k + 1) % 4]
                for c, d in (before, after):
                    reach = 1 if image[row + d, column + c] else share
                    if reach < 1:
                        points.append((a + reach * (c - a), b + reach * (d - b)))
                points.append((a, b))
            if points:
                yield np.add(around_centre(np.unique(np.array(points, dtype=float), axis=0)), (column, row))


def around_centre(points: Floats) -> Floats:
    middle = points.mean(axis=0)
    return points[np.argsort(np.arctan2(*(points - middle).T[::-1]), kind="stable")]


PIECES: dict[str, Callable[[Mask], Iterator[Floats]]] = {
    "half_pixel": lambda image: squares_between(image, 0.5),
    "pixel_centres": lambda image: squares_between(image, 0.0),
    "pixel_corners": pixel_squares,
}


def across(pieces: Sequence[Floats], corners: Floats, start: Floats, end: Floats) -> tuple[float, float]:
    """Return the longest perpendicular chord that touches the diameter, and the diameter's share inside."""
    length = np.hypot(*(end - start))
    along = (end - start) / length
    turn = np.array([along, (-along[1], along[0])]).T
    turned = [(piece - start) @ turn for piece in pieces]
    feet = set(((corners - start) @ along).tolist())
    on_axis = []
    for piece in turned:
        crossing = line_through(piece[:, ::-1], 0.0)
        if crossing is not None:
            on_axis.append(crossing)
            feet.update(crossing)
    best = max(chord(turned, foot) for foot in feet)
    inside = sum(b - a for a, b in union(on_axis))
    return best, inside / length


def chord(pieces: Sequence[Floats], foot: float) -> float:
    """Return the length of the joined stretch of one perpendicular that holds the diameter's point."""
    cuts = [cut for piece in pieces if (cut := line_through(piece, foot)) is not None]
    return max((b - a for a, b in union(cuts) if a <= 1e-9 and b >= -1e-9), default=-1.0)


def line_through(piece: Floats, x: float) -> Interval | None:
    """Return what the line at `x` cuts out of a convex piece: lowest and highest y, or None."""
    low, high = piece[:, 0].min(), piece[:, 0].max()
    if x < low - EPS or x > high + EPS:
        return None
    found = [y for px, y in piece if abs(px - x) <= EPS]
    for (ax, ay), (bx, by) in zip(piece, np.roll(piece, -1, axis=0), strict=True):
        if (ax - x) * (bx - x) < 0:
            found.append(ay + (x - ax) * (by - ay) / (bx - ax))
    return min(found), max(found)


def union(intervals: Iterable[Interval]) -> list[list[float]]:
    joined: list[list[float]] = []
    for a, b in sorted(intervals):
        if joined and a <= joined[-1][1] + 1e-9:
            joined[-1][1] = max(joined[-1][1], b)
        else:
            joined.append([a, b])
    return joined
