"""A few frames of an instance, decoded, to be looked at for writing."""

import io
from collections.abc import Iterator, Mapping

import numpy as np
from numpy.typing import NDArray
from pydicom import dcmread
from pydicom.pixels.utils import pixel_array

from dicom_listener.archive.contents import Bytes
from dicom_listener.archive.syntaxes import TransferSyntax

_MOST_DECODED = 64 * 2**20
"""Longest compressed instance that is decoded for a look, bytes."""
_FRAMES, _ROWS, _COLUMNS, _SAMPLES = 0x00280008, 0x00280010, 0x00280011, 0x00280002
_BITS, _SIGNED, _PLANAR = 0x00280100, 0x00280103, 0x00280006


class UnreadableFrameError(ValueError):
    """The pixels of an instance cannot be decoded here."""


def looked_at(count: int) -> list[int]:
    """Return the frames that are looked at, from 0 on: the first, the last and one between.

    Examples
    --------
    >>> looked_at(1), looked_at(2), looked_at(60)
    ([0], [0, 1], [0, 30, 59])
    """
    return sorted({0, count // 2, count - 1})


def sampled(
    header: bytes, pixels: Bytes, syntax: TransferSyntax, values: Mapping[int, int]
) -> Iterator[NDArray[np.generic]]:
    """Give frames of shape (rows, columns) or (rows, columns, 3).

    Parameters
    ----------
    header
        The encoded data set up to its pixels.
    pixels
        The pixels with their head; empty where there are none.
    syntax
        How both are written.
    values
        Numbers of the outermost level by tag: rows, columns, frames and samples.

    Raises
    ------
    UnreadableFrameError
        They cannot be decoded.
    """
    if not pixels:
        return
    count = max(values.get(_FRAMES, 1), 1)
    try:
        if not syntax.is_encapsulated:
            yield from _native(pixels, syntax, values, count)
            return
        if len(pixels) > _MOST_DECODED:
            raise UnreadableFrameError("too long")  # noqa: EM101, TRY003, TRY301
        dataset = dcmread(io.BytesIO(_file(header, pixels, syntax)), force=True)
        for index in looked_at(count):
            yield pixel_array(dataset, index=index)
    except UnreadableFrameError:
        raise
    except Exception as error:  # noqa: BLE001  decoders of hostile bytes fail in many ways
        message = f"The pixels cannot be decoded ({type(error).__name__})."
        raise UnreadableFrameError(message) from None


def _native(
    pixels: Bytes, syntax: TransferSyntax, values: Mapping[int, int], count: int
) -> Iterator[NDArray[np.generic]]:
    rows, columns, samples = values[_ROWS], values[_COLUMNS], values.get(_SAMPLES, 1)
    bits = values[_BITS]
    content = memoryview(pixels)[12 if syntax.is_explicit else 8 :]
    if bits < 8:
        return  # a mask of single bits
    letter = "i" if values.get(_SIGNED) and samples == 1 else "u"
    kind = np.dtype(f"{'>' if syntax.is_big_endian else '<'}{letter}{bits // 8}")
    size = rows * columns * samples * kind.itemsize
    for index in looked_at(count):
        frame = np.frombuffer(content[index * size : (index + 1) * size], kind)
        if samples == 1:
            yield frame.reshape(rows, columns)
        elif values.get(_PLANAR):
            yield np.moveaxis(frame.reshape(samples, rows, columns), 0, 2)
        else:
            yield frame.reshape(rows, columns, samples)


def _file(header: bytes, pixels: Bytes, syntax: TransferSyntax) -> bytes:
    uid = syntax.uid.encode("ascii")
    uid += b"\0" * (len(uid) % 2)
    element = b"\x02\x00\x10\x00UI" + len(uid).to_bytes(2, "little") + uid
    length = b"\x02\x00\x00\x00UL\x04\x00" + len(element).to_bytes(4, "little")
    return bytes(128) + b"DICM" + length + element + header + bytes(pixels)
