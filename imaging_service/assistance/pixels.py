"""Pixel values of frames, in the unit of the modality, for what computes with them."""

from collections.abc import Mapping, Sequence
from io import BytesIO
from typing import Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray
from pydicom import dcmread
from pydicom.dataset import Dataset
from pydicom.pixels.utils import pixel_array

from dicom_listener.errors import InstanceUnknownError, ObjectMissingError
from imaging_service.assistance.proposal import FrameOf
from imaging_service.errors import ConflictError, RefusedError
from imaging_service.images.rendering import rescale

Values: TypeAlias = NDArray[np.float32]


class InstanceSource(Protocol):
    """Where the bytes are; `dicom_listener.archive.archive.Archive` is one."""

    def read(self, sop_instance_uid: str) -> bytes:
        """Return the instance as a DICOM file."""
        ...


def values_of(archive: InstanceSource, frames: Sequence[FrameOf]) -> Mapping[FrameOf, Values]:
    """Return the values of frames, each of shape (rows, columns); every instance is read once.

    Raises
    ------
    ConflictError
        The archive has lost an instance.
    RefusedError
        The pixels cannot be decoded, or have colours.
    """
    found: dict[FrameOf, Values] = {}
    for uid in dict.fromkeys(each.sop_instance_uid for each in frames):
        dataset = _dataset(archive, uid)
        for each in frames:
            if each.sop_instance_uid == uid:
                found[each] = _values(dataset, each.frame)
    return found


def _dataset(archive: InstanceSource, sop_instance_uid: str) -> Dataset:
    try:
        content = archive.read(sop_instance_uid)
    except (InstanceUnknownError, ObjectMissingError):
        message = "The archive has lost the bytes of this instance; the operator can restore them."
        raise ConflictError(message, code="object_missing") from None
    try:
        return dcmread(BytesIO(content), force=True)
    except Exception as error:  # noqa: BLE001  hostile bytes end a parser in many ways
        raise _unreadable(type(error).__name__) from None


def _values(dataset: Dataset, frame: int) -> Values:
    try:
        pixels = pixel_array(dataset, index=frame - 1)
        slope, intercept = rescale(dataset, frame)
    except Exception as error:  # noqa: BLE001  decoders of hostile bytes fail in many ways
        raise _unreadable(type(error).__name__) from None
    if pixels.ndim != 2:
        found = f"{pixels.shape[-1]} colours"
        raise _unreadable(found)
    values: Values = (pixels * slope + intercept).astype(np.float32)
    return values


def _unreadable(found: str) -> RefusedError:
    message = f"Grey values are wanted; the pixels of this frame cannot be used ({found})."
    return RefusedError(message, code="frame_unreadable")
