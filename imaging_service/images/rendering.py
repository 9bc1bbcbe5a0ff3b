"""One frame of an instance as a PNG file."""

import struct
import zlib
from dataclasses import dataclass
from io import BytesIO

import numpy as np
from numpy.typing import NDArray
from pydicom import dcmread
from pydicom.dataset import Dataset
from pydicom.pixels.utils import pixel_array

_GREY, _COLOUR = 0, 2
"""PNG colour types (ISO/IEC 15948 11.2.2)."""
_DARKEST, _BRIGHTEST = 0.5, 99.5
"""Percentiles of the frame between which it is shown when no window is asked for."""


class FrameUnreadableError(ValueError):
    """The pixels of a frame cannot be decoded."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """Window Center (0028,1050) and Window Width (0028,1051), in output units of the modality."""

    centre: float
    width: float  # at least 1


def render(content: bytes, frame: int, window: Window | None) -> bytes:
    """Return a frame as a PNG of 8 bits a sample, without any text in it.

    Parameters
    ----------
    content
        A DICOM file.
    frame
        Counted from 1.
    window
        What is shown from black to white; None shows nearly the whole range of the frame.

    Raises
    ------
    FrameUnreadableError
        The pixels cannot be decoded.
    """
    try:
        dataset = dcmread(BytesIO(content), force=True)
        pixels = pixel_array(dataset, index=frame - 1)
        slope, intercept = rescale(dataset, frame)
    except Exception as error:  # noqa: BLE001  decoders of hostile bytes fail in many ways
        message = f"Frame {frame} cannot be decoded ({type(error).__name__})."
        raise FrameUnreadableError(message) from None
    if pixels.ndim == 3:
        return _png(eight_bits(pixels), _COLOUR)
    shown = windowed(pixels.astype(np.float64) * slope + intercept, window)
    if dataset.get("PhotometricInterpretation") == "MONOCHROME1":
        shown = 255 - shown
    return _png(shown, _GREY)


def rescale(dataset: Dataset, frame: int) -> tuple[float, float]:
    """Return Rescale Slope and Intercept of a frame, from its functional groups where it has any."""
    groups: list[Dataset] = []
    if per_frame := dataset.get("PerFrameFunctionalGroupsSequence"):
        groups.append(per_frame[frame - 1])
    groups.extend(dataset.get("SharedFunctionalGroupsSequence") or [])
    for group in groups:
        if transformation := group.get("PixelValueTransformationSequence"):
            dataset = transformation[0]
            break
    slope, intercept = dataset.get("RescaleSlope"), dataset.get("RescaleIntercept")
    return (1.0 if slope is None else float(slope)), (0.0 if intercept is None else float(intercept))


def windowed(values: NDArray[np.float64], window: Window | None) -> NDArray[np.uint8]:
    """Map values to grey levels, shape (rows, columns), by the linear function of PS3.3 C.11.2.1.2.1."""
    if window is None:
        low, high = np.percentile(values, [_DARKEST, _BRIGHTEST])
        window = Window(centre=(low + high) / 2 + 0.5, width=max(high - low + 1, 1))
    scale = max(window.width - 1, np.finfo(np.float64).tiny)
    levels = ((values - (window.centre - 0.5)) / scale + 0.5) * 255
    return np.rint(np.clip(levels, 0, 255)).astype(np.uint8)


def eight_bits(pixels: NDArray[np.generic]) -> NDArray[np.uint8]:
    """Return colour pixels, shape (rows, columns, 3), as they are when they have 8 bits."""
    if pixels.dtype != np.uint8 or pixels.shape[2] != 3:
        message = f"Colour pixels of {pixels.shape[2]} samples of {pixels.dtype} cannot be shown."
        raise FrameUnreadableError(message)
    return pixels.astype(np.uint8)


def _png(pixels: NDArray[np.uint8], colour_type: int) -> bytes:
    rows, columns = pixels.shape[:2]
    header = struct.pack(">IIBBBBB", columns, rows, 8, colour_type, 0, 0, 0)
    lines = pixels.reshape(rows, -1)
    filtered = np.concatenate([np.zeros((rows, 1), np.uint8), lines], axis=1)  # filter type 0 on each line
    return b"".join(
        (
            b"\x89PNG\r\n\x1a\n",
            _chunk(b"IHDR", header),
            _chunk(b"IDAT", zlib.compress(filtered.tobytes(), 3)),
            _chunk(b"IEND", b""),
        )
    )


def _chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
