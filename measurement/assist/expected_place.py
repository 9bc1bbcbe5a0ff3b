"""Where a lesion of the prior timepoint is to be looked for in the current one."""

from dataclasses import dataclass

import numpy as np

from measurement.assist.confidence import Confidence
from measurement.assist.registration import Registration
from measurement.assist.seed import PixelPoint
from measurement.assist.series_volume import SeriesVolume
from measurement.geometry.plane import Vector
from measurement.units import Millimetres

LIKENESS_WANTED = 0.7
"""Least correlation around the lesion once both series lie upon each other."""

LONGEST_BEND = Millimetres(20.0)
"""A deformation that moves a point further than this has probably slipped, in mm."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpectedPlace:
    """A mark for the reader's eye; never a measurement."""

    patient_point: Vector  # (x, y, z), mm, in the current series' frame of reference
    slice_index: int  # of the current series, in the order in which its slices were given
    point: PixelPoint
    likeness: float  # correlation of both series around the lesion, -1 to 1
    confidence: Confidence
    doubts: tuple[str, ...]


def expected_place(
    registration: Registration, current: SeriesVolume, lesion_at: Vector
) -> ExpectedPlace | None:
    """Carry the middle of a lesion from the prior series to the current one.

    Parameters
    ----------
    registration
        Of the prior series with the current one.
    current
        The current series.
    lesion_at
        Patient point of the prior series, (x, y, z), mm: where the lesion's axes cross, say.

    Returns
    -------
    ExpectedPlace or None
        None where the place lies outside of what the current series shows.
    """
    x, y, z = registration.to_current(lesion_at)
    index, away = current.nearest_slice((x, y, z))
    plane = current.planes[index]
    on_plane = np.array([x, y, z]) - np.array(plane.normal) * (np.dot(plane.normal, (x, y, z)) - plane.offset)
    column, row = plane.to_pixel([on_plane])[0].tolist()
    is_shown = -0.5 <= column <= plane.columns - 0.5 and -0.5 <= row <= plane.rows - 0.5
    if not is_shown or away > current.spacing_mm:
        return None
    likeness = registration.likeness_at(lesion_at)
    doubts = tuple(_doubts(likeness, registration.bend_mm(lesion_at)))
    return ExpectedPlace(
        patient_point=(x, y, z),
        slice_index=current.order[index],
        point=(column, row),
        likeness=likeness,
        confidence=Confidence.DOUBTFUL if doubts else Confidence.CONFIDENT,
        doubts=doubts,
    )


def _doubts(likeness: float, bend: float) -> list[str]:
    doubts = []
    if likeness < LIKENESS_WANTED:
        doubts.append(
            f"The surroundings of the lesion look {likeness:.2f} alike in both studies; "
            f"{LIKENESS_WANTED} is wanted."
        )
    if bend > LONGEST_BEND:
        doubts.append(
            f"The tissue would have moved by {bend:.0f} mm against the rest of the body; "
            f"at most {LONGEST_BEND:.0f} mm are likely."
        )
    return doubts
