"""Frames of a kept instance: as they are kept, or as native little-endian pixels."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from pydicom import Dataset
from pydicom.dataset import FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.pixels.utils import pixel_array
from pydicom.uid import UID, ExplicitVRLittleEndian

from imaging_service.images.dicomweb.kept import InstanceUnreadableError, KeptInstance
from imaging_service.images.rendering import FrameUnreadableError

_IMAGE_PIXEL = (
    *("Rows", "Columns", "SamplesPerPixel", "PhotometricInterpretation", "PlanarConfiguration"),
    *("BitsAllocated", "BitsStored", "HighBit", "PixelRepresentation"),
)


def kept_frame(kept: KeptInstance, frame: int) -> bytes:
    """Return a frame's bytes in the transfer syntax it is kept in; frames count from 1."""
    if kept.layout.frames is not None:
        return b"".join(kept.read(*each) for each in kept.layout.frames[frame - 1])
    bits = frame_bits(kept)
    begin, end = (frame - 1) * bits, frame * bits
    start, length = kept.layout.pixels
    if -(-end // 8) > length:
        message = f"The pixels end before frame {frame}."
        raise InstanceUnreadableError(message)
    content = kept.read(start + begin // 8, -(-end // 8) - begin // 8)
    return content if begin % 8 == 0 and bits % 8 == 0 else _cut(content, begin % 8, bits)


def frame_bits(kept: KeptInstance) -> int:
    """Return how many bits a native frame has."""
    header = kept.header
    samples = int(header.get("SamplesPerPixel") or 1)
    if header.get("PhotometricInterpretation") == "YBR_FULL_422" and kept.layout.frames is None:
        samples = 2  # two chrominance values for every two pixels (PS3.3 C.7.6.3.1.2)
    return int(header.Rows) * int(header.Columns) * samples * int(header.BitsAllocated)


def native_frame(kept: KeptInstance, frame: int) -> bytes:
    """Return a frame as native little-endian pixels, decoded where it is compressed.

    Raises
    ------
    FrameUnreadableError
        The pixels cannot be decoded.
    """
    content = kept_frame(kept, frame)
    if kept.layout.frames is not None:
        decoded = decoded_frame(kept, frame, content)
        return decoded.astype(decoded.dtype.newbyteorder("<"), copy=False).tobytes()
    if kept.syntax.is_big_endian and kept.layout.vr != "OB" and kept.header.BitsAllocated > 8:
        return np.frombuffer(content, f">u{kept.header.BitsAllocated // 8}").byteswap().tobytes()
    return content


def native_frames(kept: KeptInstance) -> Iterator[bytes]:
    """Give every frame as native little-endian pixels, one at a time."""
    if kept.layout.frames is None and not kept.syntax.is_big_endian:
        yield from kept.stretch(*kept.layout.pixels)
        return
    for frame in range(1, kept.record.number_of_frames + 1):
        yield native_frame(kept, frame)


def decoded_frame(kept: KeptInstance, frame: int, content: bytes | None = None) -> NDArray[np.generic]:
    """Return a frame's pixels, shape (rows, columns) or (rows, columns, 3); colours are RGB.

    Raises
    ------
    FrameUnreadableError
        The pixels cannot be decoded.
    """
    source, header = Dataset(), kept.header
    try:
        for keyword in _IMAGE_PIXEL:
            if keyword in header:
                source.add(header[keyword])
        source.NumberOfFrames = 1
        source.file_meta = FileMetaDataset()
        if kept.layout.frames is not None:
            source.file_meta.TransferSyntaxUID = UID(kept.record.transfer_syntax_uid)
            source.PixelData = encapsulate([kept_frame(kept, frame) if content is None else content])
        else:
            source.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
            native = native_frame(kept, frame)
            source.PixelData = native + bytes(len(native) % 2)
        source["PixelData"].VR = "OB" if int(header.BitsAllocated) <= 8 or kept.layout.frames else "OW"
        return pixel_array(source)
    except Exception as error:  # noqa: BLE001  decoders of hostile bytes fail in many ways
        message = f"Frame {frame} cannot be decoded ({type(error).__name__})."
        raise FrameUnreadableError(message) from None


def _cut(content: bytes, skipped: int, bits: int) -> bytes:
    """Return bits out of the middle of bytes (PS3.5 8.1.1: the first pixel is the lowest bit)."""
    unpacked = np.unpackbits(np.frombuffer(content, np.uint8), bitorder="little")
    return np.packbits(unpacked[skipped : skipped + bits], bitorder="little").tobytes()
