"""An outline at half of a lesion's height: what is connected with the seed, freed of thin attachments."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from skimage.measure import find_contours

from measurement.assist.neighbourhood import Grid, Neighbourhood
from measurement.geometry.plane import Points
from measurement.units import Millimetres

ROUNDS = 4
"""Lesion and background are estimated anew from each region; a few rounds settle them."""

OPENING_SHARE = 0.3
"""Radius of the opening, as a share of the region's own radius: thinner attachments are cut off."""

OPENING_RADII = (Millimetres(1.0), Millimetres(3.5))
"""Smallest and greatest radius of the opening, in mm: vessels are 2 to 4 mm wide."""

SETTLED = 1e-3

CLEAR_OF_EDGE = Millimetres(1.5)
"""Background is looked for this far outside the region, in mm: nearer, it is mixed with lesion."""

FEWEST = 20
"""A ring of fewer grid points says nothing about the background."""

Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, kw_only=True)
class HalfMaximum:
    """A region grown at half maximum."""

    outline: Points  # (N, 2), (along a row, along a column) from the seed, mm
    lesion: float  # value inside
    background: float  # value around
    noise: float  # standard deviation around


def half_maximum_of(around: Neighbourhood) -> HalfMaximum | None:
    """Grow a region from the seed at half of the lesion's height, and return its sub-pixel outline.

    Returns
    -------
    HalfMaximum or None
        None where no region holds the seed.
    """
    lesion, background, noise = around.core, around.background, math.inf
    region: Mask | None = None
    for _ in range(ROUNDS):
        region = _region(around, (lesion + background) / 2)
        if region is None:
            return None
        above = around.values > (lesion + background) / 2
        before = lesion, background
        lesion, background, noise = _levels(around, region, above, before)
        if np.allclose(before, (lesion, background), rtol=SETTLED):
            break
    outline = _outline(around, region, lesion, background) if region is not None else None
    if outline is None or lesion <= background:
        return None
    return HalfMaximum(outline=outline, lesion=lesion, background=background, noise=noise)


def _region(around: Neighbourhood, level: float) -> Mask | None:
    """Return the opened region above a level that holds the seed."""
    connected = _piece_at_seed(around, around.values > level)
    if connected is None:
        return None
    filled = ndimage.binary_fill_holes(connected)
    low, high = OPENING_RADII
    radius = min(max(OPENING_SHARE * _radius_mm(filled, around.step_mm), low), high)
    opened = _piece_at_seed(around, _opened(filled, radius / around.step_mm))
    return filled if opened is None else opened


def _piece_at_seed(around: Neighbourhood, mask: Mask) -> Mask | None:
    """Return the connected piece nearest to the seed, if one lies near it."""
    labels, count = ndimage.label(mask)
    if not count:
        return None
    distance = np.where(mask, around.distance_mm, np.inf)
    nearest = int(distance.argmin())
    if distance.flat[nearest] > 2 * OPENING_RADII[1]:
        return None
    piece: Mask = labels == labels.flat[nearest]
    return piece


def _opened(mask: Mask, radius: float) -> Mask:
    """Open a mask with a disc, radius in grid steps; beyond the grid is outside."""
    depth = ndimage.distance_transform_edt(np.pad(mask, 1))[1:-1, 1:-1]
    kept = depth > radius
    if not kept.any():
        nothing: Mask = kept
        return nothing
    opened: Mask = mask & (ndimage.distance_transform_edt(~kept) <= radius)
    return opened


def _radius_mm(mask: Mask, step: float) -> float:
    return math.sqrt(int(mask.sum()) / math.pi) * step


def _levels(
    around: Neighbourhood, region: Mask, above: Mask, before: tuple[float, float]
) -> tuple[float, float, float]:
    """Return the values of lesion and background as this region shows them, and the background's noise."""
    outside = ndimage.distance_transform_edt(~region) * around.step_mm
    ring = (outside > CLEAR_OF_EDGE) & (outside < max(4.0, 0.6 * _radius_mm(region, around.step_mm))) & ~above
    depth = ndimage.distance_transform_edt(region)
    lesion = float(np.median(around.values[region & (depth >= depth.max() / 2)]))
    if ring.sum() < FEWEST:
        return lesion, before[1], math.inf
    return lesion, float(np.median(around.values[ring])), float(around.values[ring].std())


def _outline(around: Neighbourhood, region: Mask, lesion: float, background: float) -> Points | None:
    """Return the line of half height near the region's rim."""
    level = (lesion + background) / 2
    near = ndimage.distance_transform_edt(~region) * around.step_mm <= 1.0
    inner = ndimage.binary_erosion(region)
    values: Grid = np.where(near, around.values, np.minimum(around.values, background))
    values = np.where(inner, np.maximum(values, level + (lesion - level) / 4), values)
    values = np.pad(values, 1, constant_values=min(background, float(values.min())))
    lines: list[Points] = find_contours(values, level)  # type: ignore[no-untyped-call] # untyped library
    closed = [line for line in lines if len(line) > 3 and (line[0] == line[-1]).all()]
    if not closed:
        return None
    longest = max(closed, key=lambda line: abs(_area(line)))[:-1]
    middle = np.array(values.shape) // 2
    outline: Points = (longest - middle)[:, ::-1] * around.step_mm
    return outline


def _area(line: Points) -> float:
    y, x = line.T
    return float((x[:-1] * y[1:] - x[1:] * y[:-1]).sum() / 2)
