"""The short axis: the longest chord across a longest diameter."""

import math
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from measurement.geometry.outline import Edges

Floats: TypeAlias = NDArray[np.float64]
Indices: TypeAlias = NDArray[np.intp]

TOUCH = 1e-12
"""Positions nearer than this, in diameters, are the same: rounding is a thousand times smaller."""

APART = 4.0
"""Keeps sorted groups apart: across a diameter no position is beyond one diameter from it."""

SET_APART = 2.0
"""Where the next diameter starts, when several are looked at: each is one long."""

START_AND_END = np.array([[0], [1]])


@dataclass(frozen=True, slots=True, kw_only=True)
class Crossing:
    """The longest chord at a right angle to a diameter, inside the outline and touching the diameter."""

    start: tuple[float, float]  # in the unit and axis order of the edges
    end: tuple[float, float]
    length: float
    inside_fraction: float  # share of the diameter's length that lies inside the outline or on it


def longest_crossing(edges: Edges, diameters: Floats) -> tuple[int, Crossing]:
    """Find the longest chord across one of several diameters.

    The inside is what a line enters at one edge and leaves at the next (even-odd), its outline included.
    The chord's length is piecewise linear along the diameter: it can only be longest where an edge begins
    or ends, or where the outline crosses the diameter. Between two such events the same edges bound the
    inside, so each stretch is read at both its ends, and what meets there is joined.

    Parameters
    ----------
    edges
        The closed outline, `Edges` with equal units across and down (mm); no edge passes through another.
    diameters
        Shape (K, 4), their two ends, (across, down, across, down). Each is a longest one of this outline, so
        that no part of the outline lies before its start or beyond its end; none is of length zero.

    Returns
    -------
    int
        Which diameter; of those with equally long chords, the one most of which lies inside.
    Crossing
        Its chord, in the unit of the edges.

    """
    along, across = _turned(edges, diameters)
    ranks, events = _events(along, across)
    stretch, passages = _stretches(along, across, ranks, events)
    stretch, low, high = stretch[::2], passages[:, ::2], passages[:, 1::2]
    event, lowest, highest = _joined(*_intervals(ranks, across, stretch, low, high))
    inside = _inside_fractions(stretch, low, high, events, len(diameters))
    touching = (lowest <= TOUCH) & (highest >= -TOUCH)
    lengths = np.where(touching, highest - lowest, -1.0)
    equal = np.flatnonzero(lengths >= lengths.max() - TOUCH)
    owner = _diameter_at(events[event[equal]])
    best = int((inside[owner] >= inside[owner].max() - TOUCH).argmax())
    chosen, best = int(owner[best]), int(equal[best])
    foot = float(events[event[best]]) - SET_APART * chosen
    x, y, u, v = diameters[chosen].tolist()
    u, v = u - x, v - y
    start, end = (
        (x + foot * u - side * v, y + foot * v + side * u)
        for side in (float(lowest[best]), float(highest[best]))
    )
    return chosen, Crossing(
        start=start, end=end, length=math.dist(start, end), inside_fraction=float(inside[chosen])
    )


def _turned(edges: Edges, diameters: Floats) -> tuple[Floats, Floats]:
    """Return positions along and across each diameter, in diameters: shape (2, K * N), starts and ends.

    Along runs from 0 to 1 on the first diameter, and further on by `SET_APART` on each other one.
    """
    x, y, u, v = diameters.T[:, :, np.newaxis]
    u, v = u - x, v - y
    squared = u * u + v * v
    u, v = u / squared, v / squared
    # ufuncs and not a matrix product: a point shared by two edges must turn into the very same numbers
    right, down = edges[0::2, np.newaxis] - x, edges[1::2, np.newaxis] - y
    along = right * u + down * v + np.arange(0, SET_APART * len(diameters), SET_APART)[:, np.newaxis]
    return along.reshape(2, -1), (down * u - right * v).reshape(2, -1)


def _events(along: Floats, across: Floats) -> tuple[Indices, Floats]:
    """Return each start's and end's rank among the events, shape (2, N), and the events' positions."""
    crossing = np.flatnonzero(across[0] * across[1] < 0)
    low, high = across[:, crossing]
    begin, end = along[:, crossing]
    positions = np.concatenate([along.ravel(), begin + low / (low - high) * (end - begin)])
    order = positions.argsort()
    ordered = positions[order]
    is_new = np.empty(len(ordered), dtype=np.bool_)
    is_new[0] = True
    np.greater(ordered[1:] - ordered[:-1], TOUCH, out=is_new[1:])
    ranks = np.empty(len(ordered), dtype=np.intp)
    ranks[order] = is_new.cumsum() - 1
    return ranks[: along.size].reshape(2, -1), ordered[is_new]


def _stretches(along: Floats, across: Floats, ranks: Indices, events: Floats) -> tuple[Indices, Floats]:
    """Return every edge's passage through every stretch between events, sorted from low to high across.

    Returns the stretch's number, shape (M,), and the positions across at its start and end, shape (2, M). Two
    passages one after the other bound one interval of the inside.
    """
    first = np.minimum(ranks[0], ranks[1])
    spans = np.abs(ranks[1] - ranks[0])
    edge = np.arange(len(spans)).repeat(spans)
    stretch = np.arange(len(edge)) + (first + spans - spans.cumsum()).take(edge)
    width = along[1] - along[0]
    width[spans == 0] = 1.0  # an edge straight across passes no stretch
    share = (events.take(stretch + START_AND_END) - along[0].take(edge)) / width.take(edge)
    share = np.minimum(np.maximum(share, 0.0, out=share), 1.0, out=share)
    passages = across[0].take(edge) + share * (across[1] - across[0]).take(edge)
    order = (stretch * (2 * APART) + passages[0] + passages[1]).argsort()
    return stretch.take(order), passages.take(order, axis=1)


def _intervals(
    ranks: Indices, across: Floats, stretch: Indices, low: Floats, high: Floats
) -> tuple[Indices, Floats, Floats]:
    """Return the inside at each event, as read from both sides, and the edges that run straight across."""
    upright = np.flatnonzero(ranks[0] == ranks[1])
    one, other = across[:, upright]
    event = np.concatenate([stretch, stretch + 1, ranks[0].take(upright)])
    return (
        event,
        np.concatenate([*low, np.minimum(one, other)]),
        np.concatenate([*high, np.maximum(one, other)]),
    )


def _joined(event: Indices, low: Floats, high: Floats) -> tuple[Indices, Floats, Floats]:
    """Join the intervals of one event that meet."""
    apart = event * APART
    key = apart + low
    order = key.argsort()
    reach = np.maximum.accumulate((apart + high).take(order))
    is_new = np.empty(len(event), dtype=np.bool_)
    is_new[0] = True
    np.greater(key.take(order)[1:], reach[:-1] + TOUCH, out=is_new[1:])
    first = np.flatnonzero(is_new)
    kept = order.take(first)
    return event.take(kept), low.take(kept), np.maximum.reduceat(high.take(order), first)


def _inside_fractions(stretch: Indices, low: Floats, high: Floats, events: Floats, diameters: int) -> Floats:
    """Return each diameter's share that has the inside on it, shape (K,)."""
    inside = np.zeros(len(events) - 1, dtype=np.bool_)
    inside[stretch[(low.max(axis=0) <= TOUCH) & (high.min(axis=0) >= -TOUCH)]] = True
    shares = np.bincount(
        _diameter_at(events[:-1][inside]), weights=(events[1:] - events[:-1])[inside], minlength=diameters
    )
    return np.minimum(shares, 1.0)


def _diameter_at(positions: Floats) -> Indices:
    """Return which diameter each position along lies on."""
    return ((positions + 0.5) / SET_APART).astype(np.intp)
