"""What a reader gives to ask for an outline: a click in a lesion, or a rough box around it."""

import math
from dataclasses import dataclass
from typing import TypeAlias

from measurement.errors import BoxTooSmallError, PointShapeError
from measurement.units import Millimetres

PixelPoint: TypeAlias = tuple[float, float]
"""(column, row), pixels, (0, 0) at the centre of the first pixel."""

REACH = Millimetres(40.0)
"""How far from a click an outline is looked for, in mm: lesions up to 8 cm across."""

MARGIN = 1.25
"""How much wider than drawn a rough box may turn out to be."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Click:
    """One point inside a lesion."""

    point: PixelPoint

    def __post_init__(self) -> None:
        """Refuse a point that is none."""
        _require_finite(self.point)

    @property
    def centre(self) -> PixelPoint:
        """Where the search starts."""
        return self.point

    def reach_mm(self, row_spacing: float, column_spacing: float) -> tuple[float, float]:  # noqa: ARG002 # as Box's
        """Return how far from the centre to look, (along a row, along a column), in mm."""
        return REACH, REACH


@dataclass(frozen=True, slots=True, kw_only=True)
class Box:
    """Two opposite corners of a rough box around a lesion, sides along rows and columns.

    Raises
    ------
    BoxTooSmallError
        A side is shorter than two pixels.
    """

    first: PixelPoint
    second: PixelPoint

    def __post_init__(self) -> None:
        """Refuse a box without room for a lesion."""
        _require_finite(self.first)
        _require_finite(self.second)
        sides = abs(self.second[0] - self.first[0]), abs(self.second[1] - self.first[1])
        if min(sides) < 2:
            raise BoxTooSmallError(*sides)

    @property
    def centre(self) -> PixelPoint:
        """Where the search starts."""
        return (self.first[0] + self.second[0]) / 2, (self.first[1] + self.second[1]) / 2

    def reach_mm(self, row_spacing: float, column_spacing: float) -> tuple[float, float]:
        """Return how far from the centre to look, (along a row, along a column), in mm."""
        return (
            MARGIN * abs(self.second[0] - self.first[0]) / 2 * column_spacing,
            MARGIN * abs(self.second[1] - self.first[1]) / 2 * row_spacing,
        )


Seed: TypeAlias = Click | Box


def _require_finite(point: PixelPoint) -> None:
    if not all(map(math.isfinite, point)):
        raise PointShapeError(2, f"a coordinate that is not finite in {list(point)}")
