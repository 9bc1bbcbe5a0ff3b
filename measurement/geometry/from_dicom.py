"""The geometry that a DICOM instance states; the only place of this package that names pydicom."""

import math
from collections.abc import Iterable

from pydicom.dataset import Dataset

from measurement.errors import (
    FrameMissingError,
    OrientationMissingError,
    PositionMissingError,
    SpacingInvalidError,
    SpacingMissingError,
)
from measurement.geometry.plane import ImagePlane

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


def _plane_of_functional_groups(dataset: Dataset, frame_number: int) -> ImagePlane:
    per_frame = dataset.get("PerFrameFunctionalGroupsSequence") or []
    _check_frame_number(frame_number, len(per_frame))
    shared = dataset.get("SharedFunctionalGroupsSequence") or []
    groups = [per_frame[frame_number - 1], *shared]
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
