"""The short axis: the longest chord across a longest diameter."""

import math
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from measurement.errors import OutlineCrossesItselfError
from measurement.geometry.outline import Edges

Floats: TypeAlias = NDArray[np.float64]
Indices: TypeAlias = NDArray[np.intp]
Chords: TypeAlias = tuple[Indices, Floats, Floats]
"""Events, and the positions across of an interval at each, from low to high; an event may have several."""

TOUCH = 1e-12
"""Positions nearer than this, in diameters, are the same: rounding is a thousand times smaller."""

CROSSED = 1e-9
"""How far an edge may reach through another, in diameters, and count as touching it."""

APART = 4.0
"""Keeps sorted groups apart: across a diameter no position is beyond one diameter from it."""

START_AND_END = np.array([[0], [1]])


@dataclass(frozen=True, slots=True, kw_only=True)
class Crossing:
    """The longest chord at a right angle to a diameter, inside the outline and touching the diameter."""

    start: tuple[float, float]  # in the unit and axis order of the edges
    end: tuple[float, float]
    length: float
    inside_fraction: float  # share of the diameter's length that lies inside the outline or on it


def longest_crossing(
    edges: Edges, diameter: tuple[float, float, float, float], *, may_cross: bool = False
) -> Crossing:
    """Find the longest chord across a diameter.

    The inside is what a line enters at one edge and leaves at the next (even-odd), its outline included.
    The chord's length is piecewise linear along the diameter: it can only be longest where an edge begins
    or ends, or where the outline crosses the diameter. Between two such events the same edges bound the
    inside, so each stretch is read at both its ends, and what meets there is joined.

    Parameters
    ----------
    edges
        The closed outline, `Edges` with equal units across and down (mm).
    diameter
        The two ends, (across, down, across, down), a longest one of this outline: no part of the outline lies
        before its start or beyond its end. Not of length zero.
    may_cross
        The outline is not known to keep its edges apart, and is looked through for two that cross.

    Raises
    ------
    OutlineCrossesItselfError
        Two edges pass through each other.
    """
    along, across = _turned(edges, diameter)
    ranks, events = _events(along, across)
    stretch, edge, passages = _passages(along, across, ranks, events)
    if may_cross and _changes_order(stretch, edge, passages, ranks) and _has_crossing(along, across):
        raise OutlineCrossesItselfError
    stretch, low, high = stretch[::2], passages[:, ::2], passages[:, 1::2]
    # most outlines: one interval everywhere, and the diameter runs inside it
    is_held = len(stretch) == len(events) - 1 and low.max() <= TOUCH and high.min() >= -TOUCH
    inside = 1.0 if is_held else _inside_fraction(stretch, low, high, events)
    upright = _upright(ranks, across)
    chords = _joined_to_next(low, high, upright) if is_held else None
    event, low, high = chords or _joined(stretch, low, high, upright)
    lengths = high - low
    lengths[(low > TOUCH) | (high < -TOUCH)] = -1.0
    best = int((lengths >= lengths.max() - TOUCH).argmax())
    foot, from_, to = float(events[event[best]]), float(low[best]), float(high[best])
    x, y, to_x, to_y = diameter
    u, v = to_x - x, to_y - y
    start = x + foot * u - from_ * v, y + foot * v + from_ * u
    end = x + foot * u - to * v, y + foot * v + to * u
    return Crossing(start=start, end=end, length=math.dist(start, end), inside_fraction=inside)


def _turned(edges: Edges, diameter: tuple[float, float, float, float]) -> tuple[Floats, Floats]:
    """Return positions along (0 to 1) and across, in diameters: shape (2, N), starts and ends."""
    x, y, to_x, to_y = diameter
    u, v = to_x - x, to_y - y
    # ufuncs and not a matrix product: a point shared by two edges must turn into the very same numbers,
    # and the diameter's ends into 0 and 1
    right, down = edges[0::2] - x, edges[1::2] - y
    along = right * u
    along += down * v
    down *= u
    right *= v
    down -= right
    squared = u * u + v * v
    along /= squared
    down /= squared
    return along, down


def _events(along: Floats, across: Floats) -> tuple[Indices, Floats]:
    """Return each start's and end's rank among the events, shape (2, N), and the events' positions."""
    crossing = (across[0] * across[1] < 0).nonzero()[0]
    positions = along.ravel()
    if crossing.size:
        (begin, end), (low, high) = along.take(crossing, axis=1), across.take(crossing, axis=1)
        positions = np.concatenate([positions, begin + low / (low - high) * (end - begin)])
    order = positions.argsort()
    ordered = positions.take(order)
    is_new = np.empty(len(ordered), dtype=np.bool_)
    is_new[0] = True
    np.greater(ordered[1:] - ordered[:-1], TOUCH, out=is_new[1:])
    ranks = np.empty(len(ordered), dtype=np.intp)
    ranks[order] = is_new.cumsum()
    return ranks[: along.size].reshape(2, -1) - 1, ordered[is_new]


def _passages(
    along: Floats, across: Floats, ranks: Indices, events: Floats
) -> tuple[Indices, Indices, Floats]:
    """Return every edge's passage through every stretch between events, by stretch, from low to high across.

    Returns the stretch and the edge, shape (M,), and the positions across where the stretch starts and ends,
    shape (2, M). Two passages one after the other bound one interval of the inside.
    """
    rank, last = ranks
    spans = np.abs(last - rank)
    edge = np.arange(len(spans)).repeat(spans)
    first = np.minimum(rank, last) + spans
    first -= spans.cumsum()
    stretch = first.take(edge)
    stretch += np.arange(len(edge))
    width = along[1] - along[0]
    width[spans == 0] = 1.0  # an edge straight across passes no stretch
    position = events.take(stretch + START_AND_END)
    position -= along[0].take(edge)
    position /= width.take(edge)
    np.minimum(np.maximum(position, 0.0, out=position), 1.0, out=position)
    position *= (across[1] - across[0]).take(edge)
    position += across[0].take(edge)
    order = (stretch * (2 * APART) + position[0] + position[1]).argsort()
    return stretch.take(order), edge.take(order), position.take(order, axis=1)


def _changes_order(stretch: Indices, edge: Indices, passages: Floats, ranks: Indices) -> bool:
    """Tell that edges change places, as they do where they cross, and may do where they touch."""
    placed = passages + APART * stretch
    if (placed[:, 1:] < placed[:, :-1] - TOUCH).any():
        return True
    goes_on = stretch + 1 < np.maximum(*ranks).take(edge)
    comes_on = stretch > np.minimum(*ranks).take(edge)
    return not np.array_equal(edge[goes_on], edge[comes_on])


def _has_crossing(along: Floats, across: Floats) -> bool:
    """Tell that the ends of two edges lie on both sides of each other."""
    (x, to_x), (y, to_y) = along, across
    right, down = (to_x - x)[:, np.newaxis], (to_y - y)[:, np.newaxis]
    is_between = np.empty((len(x), len(x)), dtype=np.bool_)
    for row in range(len(x)):
        side, other = (
            right[row] * (v - y[row]) - down[row] * (u - x[row]) for u, v in ((x, y), (to_x, to_y))
        )
        is_between[row] = (np.minimum(side, other) < -CROSSED) & (np.maximum(side, other) > CROSSED)
    return bool((is_between & is_between.T).any())


def _upright(ranks: Indices, across: Floats) -> Chords:
    """Return the edges that run straight across, as intervals at their events."""
    upright = (ranks[0] == ranks[1]).nonzero()[0]
    one, other = across.take(upright, axis=1)
    return ranks[0].take(upright), np.minimum(one, other), np.maximum(one, other)


def _joined_to_next(low: Floats, high: Floats, upright: Chords) -> Chords | None:
    """Join the one interval of each stretch to the next stretch's, all holding the diameter, at every event.

    Returns None where edges straight across reach beyond.
    """
    lowest, highest = (np.concatenate([side[0], side[1, -1:]]) for side in (low, high))
    np.minimum(lowest[1:], low[1], out=lowest[1:])
    np.maximum(highest[1:], high[1], out=highest[1:])
    event, least, most = upright
    if (least < lowest.take(event) - TOUCH).any() or (most > highest.take(event) + TOUCH).any():
        return None
    return np.arange(len(lowest)), lowest, highest


def _joined(stretch: Indices, low: Floats, high: Floats, upright: Chords) -> Chords:
    """Join the intervals that meet at one event: of both stretches beside it, and edges straight across."""
    event = np.concatenate([stretch, stretch + 1, upright[0]])
    low, high = np.concatenate([*low, upright[1]]), np.concatenate([*high, upright[2]])
    apart = event * APART
    key = apart + low
    order = key.argsort()
    apart += high
    reach = np.maximum.accumulate(apart.take(order))
    is_new = np.empty(len(event), dtype=np.bool_)
    is_new[0] = True
    np.greater(key.take(order)[1:], reach[:-1] + TOUCH, out=is_new[1:])
    first = is_new.nonzero()[0]
    kept = order.take(first)
    return event.take(kept), low.take(kept), np.maximum.reduceat(high.take(order), first)


def _inside_fraction(stretch: Indices, low: Floats, high: Floats, events: Floats) -> float:
    """Return the share of the diameter that has the inside on it."""
    reaches = np.maximum(low[0], low[1]) <= TOUCH
    reaches &= np.minimum(high[0], high[1]) >= -TOUCH
    is_inside = np.zeros(len(events) - 1, dtype=np.bool_)
    is_inside[stretch[reaches]] = True
    return min(1.0, float((events[1:] - events[:-1])[is_inside].sum()))
