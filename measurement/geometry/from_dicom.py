"""The geometry that a DICOM instance states; the only place of this package that names pydicom."""

import math
from collections.abc import Iterable
from dataclasses import replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset

from measurement.errors import (
    FrameMissingError,
    OrientationMissingError,
    PlanesNotParallelError,
    PositionMissingError,
    SegmentMissingError,
    SegmentUnreadableError,
    SpacingInvalidError,
    SpacingMissingError,
)
from measurement.geometry.findings import FindingCode
from measurement.geometry.lesion_volume import LesionVolume, Voxels
from measurement.geometry.plane import ImagePlane
from measurement.geometry.volume import MISSING_FACTOR, stack_of

DETECTOR_SPACINGS = ("ImagerPixelSpacing", "NominalScannedPixelSpacing")
"""Spacings at the detector or on the film: they say nothing of a size in the patient (PS3.3 10.7.1.3)."""


def plane_of(dataset: Dataset, frame_number: int = 1) -> ImagePlane:
    """Return the plane of one frame.

    Parameters
    ----------
    dataset
        A single-frame image, or a multi-frame image with functional groups (PS3.3 C.7.6.16).
        Pixels are not read.
    frame_number
        Counted from 1, as in DICOM.

    Raises
    ------
    FrameMissingError
        The instance has no such frame, or does not say where its frames lie.
    SpacingMissingError
        No Pixel Spacing, or one that is not two positive, finite numbers.
    OrientationMissingError, PositionMissingError, ImageSizeError
        The plane is not given, or not usable.
    """
    if "PerFrameFunctionalGroupsSequence" in dataset or "SharedFunctionalGroupsSequence" in dataset:
        return _plane_of_functional_groups(dataset, frame_number)
    # several frames without functional groups do not say where each of them lies
    _check_frame_number(frame_number, 1 if _count(dataset, "NumberOfFrames") in (None, 1) else 0)
    return _plane(dataset, pixels=dataset, position=dataset, orientation=dataset)


def segment_of(dataset: Dataset, segment_number: int) -> LesionVolume:
    """Return one segment of a Segmentation (PS3.3 A.51), slices in the order of their positions.

    Where the segment skips positions of an even stack, empty slices are put in, so that what lies on
    both sides is not taken for one piece.

    Parameters
    ----------
    dataset
        A Segmentation with its pixels: BINARY, LABELMAP or FRACTIONAL.
    segment_number
        Segment Number (0062,0004).

    Returns
    -------
    LesionVolume
        Booleans; for a FRACTIONAL segmentation, the fractions from 0 to 1.

    Raises
    ------
    SegmentMissingError
        The segmentation has no frame of this segment.
    SegmentUnreadableError
        The frames cannot be decoded.
    PlanesNotParallelError
        The frames do not form one stack, or two lie at one position.
    GeometryError
        A frame's plane is not usable, as in `plane_of`.
    """
    is_labelmap = dataset.get("SegmentationType") == "LABELMAP"
    frames = range(1, len(dataset.get("PerFrameFunctionalGroupsSequence") or []) + 1)
    numbers = [segment_number if is_labelmap else _segment_number(dataset, frame) for frame in frames]
    chosen = [frame for frame, number in zip(frames, numbers, strict=True) if number == segment_number]
    declared = _count(dataset, "NumberOfFrames")
    if not chosen or declared != len(frames):
        raise SegmentMissingError(segment_number, tuple(sorted({n for n in numbers if n is not None})))
    pixels = _decoded(dataset, len(frames))[[frame - 1 for frame in chosen]]
    return _in_order(
        _segment_voxels(dataset, pixels, segment_number), [plane_of(dataset, frame) for frame in chosen]
    )


def _segment_number(dataset: Dataset, frame_number: int) -> int | None:
    return _count(
        _macro(_groups(dataset, frame_number), "SegmentIdentificationSequence"), "ReferencedSegmentNumber"
    )


def _decoded(dataset: Dataset, frames: int) -> NDArray[np.generic]:
    """Return the pixels, shape (frames, rows, columns)."""
    try:
        pixels = np.asarray(dataset.pixel_array)
        return pixels.reshape(frames, *pixels.shape[-2:])
    except (AttributeError, KeyError, NotImplementedError, RuntimeError, TypeError, ValueError) as error:
        raise SegmentUnreadableError(error) from error


def _segment_voxels(dataset: Dataset, pixels: NDArray[np.generic], segment_number: int) -> Voxels:
    kind = dataset.get("SegmentationType")
    if kind == "FRACTIONAL":
        full = _count(dataset, "MaximumFractionalValue") or 255
        fractions: Voxels = pixels.astype(np.float64) / full
        return fractions
    mask: Voxels = np.equal(pixels, segment_number if kind == "LABELMAP" else 1)
    return mask


def _in_order(voxels: Voxels, planes: list[ImagePlane]) -> LesionVolume:
    """Sort slices by position and put empty ones where positions are skipped."""
    stack = stack_of(planes)
    repeated = [finding for finding in stack.findings if finding.code is FindingCode.SLICES_REPEATED]
    if repeated:
        raise PlanesNotParallelError(len(planes), "frames of one segment, some at one position")
    order = list(stack.order)
    kept = [planes[order[0]]]
    slices = [voxels[order[0]]]
    smallest = min((planes[b].offset - planes[a].offset for a, b in pairwise(order)), default=1.0)
    for before, after in pairwise(order):
        distance = planes[after].offset - planes[before].offset
        skipped = round(distance / smallest) - 1 if distance > MISSING_FACTOR * smallest else 0
        for step in range(1, skipped + 1):
            kept.append(_between(planes[before], planes[after], step / (skipped + 1)))
            slices.append(np.zeros_like(voxels[before]))
        kept.append(planes[after])
        slices.append(voxels[after])
    return LesionVolume(voxels=np.stack(slices), planes=tuple(kept))


def _between(before: ImagePlane, after: ImagePlane, share: float) -> ImagePlane:
    """Return the plane at a share of the way between two."""
    x, y, z = (a + share * (b - a) for a, b in zip(before.position, after.position, strict=True))
    return replace(before, position=(x, y, z))


def _groups(dataset: Dataset, frame_number: int) -> list[Dataset]:
    """Return a frame's functional groups: its own, then the shared ones."""
    shared = dataset.get("SharedFunctionalGroupsSequence") or []
    return [dataset.PerFrameFunctionalGroupsSequence[frame_number - 1], *shared]


def _plane_of_functional_groups(dataset: Dataset, frame_number: int) -> ImagePlane:
    per_frame = dataset.get("PerFrameFunctionalGroupsSequence") or []
    _check_frame_number(frame_number, len(per_frame))
    groups = _groups(dataset, frame_number)
    return _plane(
        dataset,
        pixels=_macro(groups, "PixelMeasuresSequence"),
        position=_macro(groups, "PlanePositionSequence"),
        orientation=_macro(groups, "PlaneOrientationSequence"),
    )


def _plane(dataset: Dataset, *, pixels: Dataset, position: Dataset, orientation: Dataset) -> ImagePlane:
    """Build the plane from the items that hold its three parts."""
    row_spacing, column_spacing = _spacing(dataset, pixels)
    cosines = _numbers(orientation, "ImageOrientationPatient")
    if cosines is None or len(cosines) != 6:
        raise OrientationMissingError(_shown(orientation, "ImageOrientationPatient"))
    corner = _numbers(position, "ImagePositionPatient")
    if corner is None or len(corner) != 3:
        raise PositionMissingError(_shown(position, "ImagePositionPatient"))
    uid = dataset.get("FrameOfReferenceUID")
    return ImagePlane(
        position=(corner[0], corner[1], corner[2]),
        row_direction=(cosines[0], cosines[1], cosines[2]),
        column_direction=(cosines[3], cosines[4], cosines[5]),
        row_spacing=row_spacing,
        column_spacing=column_spacing,
        rows=_count(dataset, "Rows") or 0,
        columns=_count(dataset, "Columns") or 0,
        slice_thickness=_length(pixels, "SliceThickness"),
        spacing_between_slices=_length(pixels, "SpacingBetweenSlices"),
        frame_of_reference_uid=str(uid) if uid else None,
    )


def _spacing(dataset: Dataset, pixels: Dataset) -> tuple[float, float]:
    """Return (row spacing, column spacing) in mm, the order in which Pixel Spacing has them."""
    spacing = _numbers(pixels, "PixelSpacing")
    if spacing is None:
        detector = [keyword for keyword in DETECTOR_SPACINGS if keyword in dataset]
        raise SpacingMissingError(f"only {detector[0]}" if detector else _shown(pixels, "PixelSpacing"))
    if len(spacing) != 2 or not all(math.isfinite(value) and value > 0 for value in spacing):
        raise SpacingInvalidError(_shown(pixels, "PixelSpacing"))
    return spacing[0], spacing[1]


def _check_frame_number(frame_number: int, frames: int) -> None:
    if not 1 <= frame_number <= frames:
        raise FrameMissingError(frame_number, frames)


def _macro(groups: Iterable[Dataset], keyword: str) -> Dataset:
    """Return the one item of a functional group macro: of the frame, else shared, else an empty one."""
    for group in groups:
        items = group.get(keyword)
        if items:
            item: Dataset = items[0]
            return item
    return Dataset()


def _numbers(item: Dataset, keyword: str) -> list[float] | None:
    """Return the values as floats, or None where there are none or they are not numbers."""
    try:
        value = item.get(keyword)
        if value is None or value == "":
            return None
        return [float(part) for part in value] if hasattr(value, "__iter__") else [float(value)]
    except (TypeError, ValueError, OverflowError):
        return None


def _length(item: Dataset, keyword: str) -> float | None:
    """Return one positive length in mm; what is not one counts as not given."""
    values = _numbers(item, keyword)
    if values is None or len(values) != 1 or not (math.isfinite(values[0]) and values[0] > 0):
        return None
    return values[0]


def _count(dataset: Dataset, keyword: str) -> int | None:
    """Return one whole number, or None."""
    values = _numbers(dataset, keyword)
    return int(values[0]) if values is not None and len(values) == 1 and values[0].is_integer() else None


def _shown(item: Dataset, keyword: str) -> str:
    """Return what an attribute holds, for a message."""
    try:
        value = item.get(keyword)
    except (TypeError, ValueError, OverflowError):
        return f"an unreadable {keyword}"
    return f"no {keyword}" if value is None or value == "" else f"{keyword} {value}"
