"""One click or a rough box in a lesion gives an outline and its axes, with a word on how sure they are."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from measurement.assist.confidence import Confidence
from measurement.assist.half_maximum import HalfMaximum, half_maximum_of
from measurement.assist.neighbourhood import Neighbourhood, neighbourhood_of
from measurement.assist.rays import ray_outline_of
from measurement.assist.seed import PixelPoint, Seed
from measurement.errors import LesionNotFoundError
from measurement.geometry.contour import longest_diameter_of_contour, measure_contour
from measurement.geometry.diameters import LesionDiameters
from measurement.geometry.plane import ImagePlane, Points
from measurement.units import Millimetres

NO_REGION = "no region around it stands out"

TOLERANCE = Millimetres(2.0)
TOLERANCE_SHARE = 0.1
"""Two outlines agree when their longest diameters differ by no more than the greater of both: by then 57 of
59 published phantom outlines were right."""

CONTRAST_WANTED = 4.0
"""Least height of a lesion above its surroundings, in standard deviations of theirs: noise reaches 3."""

SMALLEST = Millimetres(5.0)
"""Below this longest diameter a lesion is too small to measure (RECIST 1.1), and noise looks alike."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """An outline that a reader may accept, edit or reject."""

    outline: tuple[PixelPoint, ...]  # closed: the last point joins the first
    diameters: LesionDiameters
    confidence: Confidence
    doubts: tuple[str, ...]  # a sentence each; none when confident


def propose_outline(image: ArrayLike, plane: ImagePlane, seed: Seed) -> Proposal:
    """Propose the outline of the lesion at a seed, in the plane of the frame.

    Two methods that fail differently look for it: the steepest fall along rays, which is proposed, and the
    line of half height, which is the second opinion.

    Parameters
    ----------
    image
        Shape (rows, columns), any unit; for a dynamic series the first subtraction after contrast.
    plane
        The frame.
    seed
        A click in the lesion or a rough box around it.

    Raises
    ------
    MaskShapeError, PointOutsideImageError
        The image is not the frame's, or the seed lies outside it.
    LesionNotFoundError
        Nothing stands out from its surroundings at the seed.

    Examples
    --------
    >>> plane = ImagePlane(position=(0, 0, 0), row_direction=(1, 0, 0), column_direction=(0, 1, 0),
    ...                    row_spacing=0.5, column_spacing=0.5, rows=96, columns=96)
    >>> row, column = np.mgrid[:96, :96]
    >>> disc = np.where(np.hypot(row - 48, column - 48) <= 16, 100.0, 10.0)
    >>> from measurement.assist.seed import Click
    >>> proposal = propose_outline(disc, plane, Click(point=(46, 50)))
    >>> proposal.confidence.value, round(proposal.diameters.longest_diameter.length_mm)
    ('confident', 16)
    """
    around = neighbourhood_of(image, plane, seed)
    second = half_maximum_of(around)
    if second is None:
        raise LesionNotFoundError(NO_REGION)
    outline = ray_outline_of(around)
    doubts = tuple(_doubts(around, outline, second))
    scale = np.array([plane.column_spacing, plane.row_spacing])
    pixels = outline / scale + seed.centre
    inside = pixels.clip((-0.5, -0.5), (plane.columns - 0.5, plane.rows - 0.5))
    return Proposal(
        outline=tuple((float(column), float(row)) for column, row in inside),
        diameters=measure_contour(inside, (plane.row_spacing, plane.column_spacing)),
        confidence=Confidence.DOUBTFUL if doubts else Confidence.CONFIDENT,
        doubts=doubts,
    )


def _doubts(around: Neighbourhood, outline: Points, second: HalfMaximum) -> list[str]:
    """Return every reason to look twice."""
    doubts = []
    found = longest_diameter_of_contour(outline, (1.0, 1.0))
    other = longest_diameter_of_contour(second.outline, (1.0, 1.0))
    wanted = max(TOLERANCE, TOLERANCE_SHARE * (found + other) / 2)
    if abs(found - other) > wanted:
        doubts.append(
            f"Two ways of outlining disagree: {found:.1f} mm by its edge and {other:.1f} mm by its "
            f"brightness; at most {wanted:.1f} mm apart are wanted."
        )
    if found < SMALLEST:
        doubts.append(f"What is outlined is {found:.1f} mm long; below {SMALLEST:.0f} mm noise looks alike.")
    contrast = (second.lesion - second.background) / second.noise if second.noise else np.inf
    if contrast < CONTRAST_WANTED:
        doubts.append(
            f"The lesion stands {contrast:.1f} times the noise above its surroundings; "
            f"{CONTRAST_WANTED:.0f} times are wanted."
        )
    if (np.abs(outline).max(axis=0) >= np.array(around.reach_mm)).any():
        doubts.append("The outline reaches the end of what was searched: a box around the lesion helps.")
    return doubts
