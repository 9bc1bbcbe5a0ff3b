"""Uptake of contrast agent in a dynamic series: subtraction, percentage, ratio, functional tumour volume.

All exploratory: no response is derived from them.
"""

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import ndimage

from measurement.errors import MaskShapeError, SpacingInvalidError, VolumesDifferError
from measurement.geometry.mask import Spacing, checked_spacing
from measurement.protocol.enhancement import EnhancementThresholds

Signal: TypeAlias = NDArray[np.float64]

NEIGHBOURS = np.ones((3, 3, 3))
NEIGHBOURS[1, 1, 1] = 0

CUBIC_MM_PER_ML = 1000.0


@dataclass(frozen=True, slots=True, kw_only=True)
class FunctionalTumourVolume:
    """Tissue that enhances as tumours do."""

    volume_ml: float
    voxels: NDArray[np.bool_]  # (slices, rows, columns)
    median_signal_enhancement_ratio: float | None  # none where nothing enhances


def subtraction(before: ArrayLike, after: ArrayLike) -> Signal:
    """Return the rise of the signal, in the unit of the images.

    Parameters
    ----------
    before, after
        One shape, (slices, rows, columns) or (rows, columns): before contrast and at a phase after it.

    Raises
    ------
    MaskShapeError, VolumesDifferError
        Not finite numbers of two or three axes, or not of one shape.
    """
    first, second = _phases(before, after)
    return second - first


def percentage_enhancement(before: ArrayLike, after: ArrayLike) -> Signal:
    """Return the rise of the signal in percent of what it was before contrast.

    NaN where there was no signal; parameters and errors as `subtraction`.

    Examples
    --------
    >>> percentage_enhancement([[100.0, 200.0]], [[180.0, 200.0]]).tolist()
    [[80.0, 0.0]]
    """
    first, second = _phases(before, after)
    return 100 * _quotient(second - first, first)


def signal_enhancement_ratio(before: ArrayLike, early: ArrayLike, late: ArrayLike) -> Signal:
    """Return the early rise of the signal as a multiple of the late one: above 1 the agent washes out.

    NaN where the signal does not rise late; parameters and errors as `subtraction`.

    Examples
    --------
    >>> signal_enhancement_ratio([[100.0]], [[220.0]], [[200.0]]).tolist()
    [[1.2]]
    """
    first, second, third = _phases(before, early, late)
    return _quotient(second - first, third - first)


def functional_tumour_volume(
    phases: tuple[ArrayLike, ArrayLike, ArrayLike],
    spacing: Spacing,
    thresholds: EnhancementThresholds,
    region: ArrayLike | None = None,
) -> FunctionalTumourVolume:
    """Measure the volume of tissue that enhances early and steeply.

    A voxel counts when its signal before contrast is that of tissue, it rises enough by the early phase,
    enough of its 26 neighbours do so too, and its ratio of early to late rise is high enough.

    Parameters
    ----------
    phases
        Before contrast, early and late phase, each of shape (slices, rows, columns).
    spacing
        (slice, row, column), mm.
    thresholds
        Of the protocol.
    region
        Where to look, shape (slices, rows, columns) of booleans; everywhere when left out.

    Raises
    ------
    MaskShapeError, VolumesDifferError, SpacingInvalidError
        Phases, region or spacing do not fit together.
    """
    before, early, late = _phases(*phases)
    if before.ndim != 3:
        raise MaskShapeError(before.shape, before.dtype)
    looked_at = (
        np.ones(before.shape, dtype=np.bool_) if region is None else np.asarray(region, dtype=np.bool_)
    )
    if looked_at.shape != before.shape:
        raise VolumesDifferError(before.shape, looked_at.shape)
    tissue = before >= float(thresholds.background_fraction) * np.percentile(
        before, float(thresholds.background_percentile)
    )
    rises = (
        looked_at
        & tissue
        & _reaches(percentage_enhancement(before, early), float(thresholds.min_percentage_enhancement))
    )
    company = ndimage.convolve(rises.astype(np.float64), NEIGHBOURS, mode="constant")
    ratio = signal_enhancement_ratio(before, early, late)
    counted = (
        rises
        & (company >= thresholds.min_neighbours)
        & _reaches(ratio, float(thresholds.min_signal_enhancement_ratio))
    )
    if len(spacing) != before.ndim:
        raise SpacingInvalidError(list(spacing))
    voxel_mm3 = float(np.prod(checked_spacing(spacing, 3)))
    return FunctionalTumourVolume(
        volume_ml=int(counted.sum()) * voxel_mm3 / CUBIC_MM_PER_ML,
        voxels=counted,
        median_signal_enhancement_ratio=float(np.median(ratio[counted])) if counted.any() else None,
    )


def _phases(*images: ArrayLike) -> list[Signal]:
    """Return the phases as floats of one shape."""
    phases = [np.asarray(image, dtype=np.float64) for image in images]
    first = phases[0]
    for phase in phases:
        if phase.ndim not in (2, 3) or not np.isfinite(phase).all():
            raise MaskShapeError(phase.shape, phase.dtype)
        if phase.shape != first.shape:
            raise VolumesDifferError(first.shape, phase.shape)
    return phases


def _quotient(rise: Signal, base: Signal) -> Signal:
    """Return a quotient, NaN where the divisor is not above zero."""
    result = np.full(rise.shape, np.nan)
    np.divide(rise, base, out=result, where=base > 0)
    return result


def _reaches(values: Signal, wanted: float) -> NDArray[np.bool_]:
    """Return where values are at least as great; NaN never is."""
    return np.nan_to_num(values, nan=-np.inf) >= wanted
