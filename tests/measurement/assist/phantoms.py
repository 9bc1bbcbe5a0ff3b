"""Seeded slices of a dynamic breast examination: one lesion of known outline, painted four times finer.

Noise is Rician, edges have partial volume, the coil's sensitivity drifts across the slice, the glandular
tissue enhances in patches, and small vessels shine elsewhere. The outline's own diameters are the truth.
"""

import math
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from measurement.geometry.contour import measure_contour
from measurement.geometry.diameters import LesionDiameters
from measurement.geometry.plane import ImagePlane

Image: TypeAlias = NDArray[np.float64]
Places: TypeAlias = tuple[Image, Image]
"""(down, across) from the lesion's middle, in mm, for each pixel."""
Draw: TypeAlias = np.random.Generator

PIXELS = 160
FINER = 4


class Kind(StrEnum):
    """How a lesion looks."""

    SMOOTH = "smooth"
    LOBULATED = "lobulated"
    SPICULATED = "spiculated"  # thin strands leave the mass; they are not part of its diameter
    RIM = "rim_enhancing"
    NON_MASS = "non_mass"  # clumped, uneven enhancement without an edge of its own
    DARK = "dark"  # darker than what surrounds it, as on T1 before contrast


class Hardship(StrEnum):
    """What makes a lesion hard to outline."""

    NONE = "none"
    VESSEL = "attached_vessel"
    BACKGROUND = "strong_background"
    MOTION = "motion"
    FAINT = "faint"


@dataclass(frozen=True, slots=True, kw_only=True)
class LesionPhantom:
    """One slice and its truth."""

    image: Image  # (rows, columns)
    plane: ImagePlane
    outline: Image  # (N, 2), (column, row)
    click: tuple[float, float]  # somewhere in the inner half of the lesion
    truth: LesionDiameters


@dataclass(frozen=True, slots=True, kw_only=True)
class _Shape:
    """A star-shaped outline around a point, turned by an angle; lengths in mm."""

    half_long: float
    half_short: float
    turned: float
    lobes: tuple[tuple[int, float, float], ...]

    def radius(self, angle: Image) -> Image:
        bumps = 1 + sum(height * np.cos(count * angle + phase) for count, height, phase in self.lobes)
        ellipse = 1 / np.hypot(np.cos(angle) / self.half_long, np.sin(angle) / self.half_short)
        reached: Image = ellipse * bumps
        return reached

    def points(self, angles: Image, share: float = 1.0) -> Image:
        """Return offsets (along a row, along a column), shape (N, 2)."""
        reached = share * self.radius(angles)
        turned = angles + self.turned
        return np.stack([reached * np.cos(turned), reached * np.sin(turned)], axis=1)


@cache
def lesion_phantom(seed: int, kind: Kind, hardship: Hardship = Hardship.NONE) -> LesionPhantom:
    """Return the slice of a seed: the same whenever it is called."""
    draw = np.random.default_rng([seed, *kind.encode(), *hardship.encode()])
    column_spacing = float(draw.choice([0.6, 0.7, 0.85, 1.0]))
    row_spacing = column_spacing * float(draw.choice([1.0, 1.15]))
    plane = ImagePlane(
        position=(0, 0, 0),
        row_direction=(1, 0, 0),
        column_direction=(0, 1, 0),
        row_spacing=row_spacing,
        column_spacing=column_spacing,
        rows=PIXELS,
        columns=PIXELS,
    )
    half_long = draw.uniform(4, 17)
    shape = _Shape(
        half_long=half_long,
        half_short=half_long * draw.uniform(0.6, 1.0),
        turned=draw.uniform(0, math.pi),
        lobes=()
        if kind is Kind.SMOOTH
        else tuple((count, draw.uniform(0, 0.06), draw.uniform(0, 6)) for count in (2, 3, 4, 5)),
    )
    middle = PIXELS / 2 + draw.uniform(-15, 15, 2)  # (column, row)
    scale = np.array([column_spacing, row_spacing])
    outline = middle + shape.points(np.arange(720) * math.pi / 360) / scale
    click = middle + shape.points(draw.uniform(0, 6.28, 1), draw.uniform(0, 0.5))[0] / scale
    column, row = click.tolist()
    return LesionPhantom(
        image=_painted(draw, plane, middle, shape, kind=kind, hardship=hardship),
        plane=plane,
        outline=outline,
        click=(column, row),
        truth=measure_contour(outline, (row_spacing, column_spacing)),
    )


def _painted(
    draw: Draw, plane: ImagePlane, middle: Image, shape: _Shape, *, kind: Kind, hardship: Hardship
) -> Image:
    finer = (np.mgrid[: PIXELS * FINER, : PIXELS * FINER] + 0.5) / FINER - 0.5
    down, across = (finer[0] - middle[1]) * plane.row_spacing, (finer[1] - middle[0]) * plane.column_spacing
    angle = np.arctan2(down, across) - shape.turned
    share = np.hypot(down, across) / shape.radius(angle)  # of the way from the middle to the outline
    step = plane.column_spacing / FINER
    tissue = 0.45 if hardship is Hardship.BACKGROUND else 0.12
    image = tissue * np.clip(0.5 + 0.5 * _texture(draw, 6 / step), 0, 1.5)
    height = draw.uniform(0.7, 1.3)
    if hardship is Hardship.FAINT:
        height *= 0.3
    if kind is Kind.DARK:
        image, height = image + 1.0, 0.2
    if hardship is Hardship.VESSEL:
        _paint_vessel(draw, image, down, across, 0.9 * height)
    if kind is Kind.SPICULATED:
        _paint_spicules(draw, image, shape, (down, across), 0.8 * height)
    inside = height * np.ones_like(image)
    if kind is Kind.NON_MASS:
        inside *= np.clip(0.85 + 0.22 * _texture(draw, 1.2 / step), 0.35, 1.3)
    if kind is Kind.RIM:
        inside *= np.where(share < 0.55, 0.75, 1.0)
    image = np.where(share <= 1, inside, image)
    if hardship is Hardship.MOTION:
        shift = round(draw.uniform(1.5, 3) / step)
        image = image + 0.35 * np.roll(image, shift, 0) - 0.35 * np.roll(image, -shift, 0)
    _paint_dots(draw, image, (down, across), shape.half_long)
    coarse = image.reshape(PIXELS, FINER, PIXELS, FINER).mean(axis=(1, 3))  # partial volume
    blurred = ndimage.gaussian_filter(coarse, 0.45)
    drift = np.linspace(-1, 1, PIXELS)[:, None] * draw.uniform(0.1, 0.3)
    noise = draw.uniform(0.05, 0.10) * draw.standard_normal((2, PIXELS, PIXELS))
    painted: Image = 1000 * np.hypot(blurred * (1 + drift) + noise[0], noise[1])
    return painted


def _texture(draw: Draw, grain: float) -> Image:
    noise = ndimage.gaussian_filter(draw.standard_normal((PIXELS * FINER,) * 2), grain, mode="wrap")
    texture: Image = noise / noise.std()
    return texture


def _paint_vessel(draw: Draw, image: Image, down: Image, across: Image, height: float) -> None:
    """Paint a bent vessel, 2.4 to 4.4 mm wide, that ends in the lesion."""
    towards = draw.uniform(0, 2 * math.pi)
    along = across * math.cos(towards) + down * math.sin(towards)
    aside = down * math.cos(towards) - across * math.sin(towards) + 3 * np.sin(0.08 * along)
    image[(np.abs(aside) < draw.uniform(1.2, 2.2)) & (along > 0)] = height


def _paint_spicules(draw: Draw, image: Image, shape: _Shape, places: Places, height: float) -> None:
    """Paint five to nine strands, 1 to 2 mm wide at their root, that end 2 to 5 mm outside the mass."""
    down, across = places
    for _ in range(draw.integers(5, 10)):
        towards, length, width = draw.uniform(-math.pi, math.pi), draw.uniform(2, 5), draw.uniform(0.5, 0.9)
        along = across * math.cos(towards) + down * math.sin(towards)
        aside = down * math.cos(towards) - across * math.sin(towards)
        left = shape.radius(np.array(towards - shape.turned)) + length - along
        image[(along > 0) & (left > 0) & (np.abs(aside) < width * np.clip(left / length, 0.2, 1))] = height


def _paint_dots(draw: Draw, image: Image, places: Places, half_long: float) -> None:
    """Paint six small vessels across the slice, clear of the lesion."""
    down, across = places
    for _ in range(6):
        away, towards = draw.uniform(half_long + 8, 55), draw.uniform(0, 2 * math.pi)
        distance = np.hypot(down - away * math.sin(towards), across - away * math.cos(towards))
        image[distance < draw.uniform(0.8, 1.6)] = 0.8
