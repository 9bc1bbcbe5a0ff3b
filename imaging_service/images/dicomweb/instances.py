"""Whole instances as they leave: byte for byte as kept, or with another header, another syntax, or both."""

import io
import struct
from collections.abc import Iterator

from pydicom import Dataset
from pydicom.dataset import FileMetaDataset
from pydicom.filewriter import dcmwrite
from pydicom.uid import UID

from dicom_listener.archive.file_meta import IMPLEMENTATION_CLASS_UID, IMPLEMENTATION_VERSION_NAME
from dicom_listener.archive.syntaxes import EXPLICIT_LITTLE_ENDIAN, IMPLICIT_LITTLE_ENDIAN
from imaging_service.images.dicomweb.blinding import Blinding, blinded
from imaging_service.images.dicomweb.kept import InstanceUnreadableError, KeptInstance
from imaging_service.images.dicomweb.pixels import frame_bits, native_frames

WRITTEN = frozenset({EXPLICIT_LITTLE_ENDIAN, IMPLICIT_LITTLE_ENDIAN})
"""Transfer syntaxes that any instance can be given in."""

AS_KEPT = "*"
_OFFSET_TABLES = (0x7FE00001, 0x7FE00002, 0x7FE00003)


def syntax_of(kept: KeptInstance, wanted: str, blinding: Blinding | None) -> str:
    """Return the transfer syntax that an instance leaves in.

    A blinded header is written anew, in explicit little endian; compressed pixels stay as they are kept.
    """
    if wanted != AS_KEPT:
        return wanted
    is_plain = kept.syntax.is_encapsulated or kept.record.transfer_syntax_uid in WRITTEN
    return kept.record.transfer_syntax_uid if blinding is None or is_plain else EXPLICIT_LITTLE_ENDIAN


def file_of(kept: KeptInstance, wanted: str, blinding: Blinding | None) -> Iterator[bytes]:
    """Give an instance as a DICOM file (PS3.10), in pieces.

    Parameters
    ----------
    kept
        The instance.
    wanted
        Its transfer syntax: its own, one of `WRITTEN`, or `AS_KEPT`.
    blinding
        How it is shown; None shows it as it came. What follows the pixels (padding, signatures) is left out
        of an instance that is written anew.
    """
    syntax = syntax_of(kept, wanted, blinding)
    if blinding is None and syntax == kept.record.transfer_syntax_uid:
        yield from kept.file()
        return
    is_decoded = kept.layout.frames is not None and syntax in WRITTEN
    yield _header(kept, syntax, blinding, is_decoded=is_decoded)
    if not kept.has_pixels:
        return
    if kept.layout.frames is not None and not is_decoded:
        yield _pixel_head(kept, syntax, 0xFFFFFFFF)
        yield from kept.stretch(*kept.layout.pixels)
        return
    length = kept.layout.pixels[1]
    if is_decoded:
        length = frame_bits(kept) * kept.record.number_of_frames // 8
    yield _pixel_head(kept, syntax, length + length % 2)
    yield from native_frames(kept)
    yield bytes(length % 2)


def _header(kept: KeptInstance, syntax: str, blinding: Blinding | None, *, is_decoded: bool) -> bytes:
    """Return preamble, file meta information and data set up to the pixels."""
    header = _decoded(kept.header) if blinding is None else blinded(kept.header, blinding)
    for tag in _OFFSET_TABLES:
        if is_decoded and tag in header:
            del header[tag]
    if is_decoded and int(header.get("SamplesPerPixel") or 1) > 1:
        header.PlanarConfiguration = 0
        if str(header.get("PhotometricInterpretation")).startswith("YBR"):
            header.PhotometricInterpretation = "RGB"
    header.file_meta = FileMetaDataset()
    header.file_meta.MediaStorageSOPClassUID = UID(kept.record.sop_class_uid)
    header.file_meta.MediaStorageSOPInstanceUID = UID(kept.record.sop_instance_uid)
    header.file_meta.TransferSyntaxUID = UID(syntax)
    header.file_meta.ImplementationClassUID = UID(IMPLEMENTATION_CLASS_UID)
    header.file_meta.ImplementationVersionName = IMPLEMENTATION_VERSION_NAME
    file = io.BytesIO()
    dcmwrite(file, header, enforce_file_format=True)
    return file.getvalue()


def _decoded(header: Dataset) -> Dataset:
    """Return the same attributes with every value read, so that they can be written in any syntax."""
    copied = Dataset()
    try:
        for _ in header.iterall():
            pass
        for element in header:
            copied.add(element)
    except Exception as error:  # noqa: BLE001  hostile bytes end a parser in many ways
        message = f"A value of the header cannot be read ({type(error).__name__}); it can be had as kept."
        raise InstanceUnreadableError(message) from None
    return copied


def _pixel_head(kept: KeptInstance, syntax: str, length: int) -> bytes:
    tag = struct.pack("<HH", kept.layout.tag >> 16, kept.layout.tag & 0xFFFF)
    if syntax == IMPLICIT_LITTLE_ENDIAN:
        return tag + struct.pack("<L", length)
    vr = kept.layout.vr
    if kept.syntax.is_encapsulated and length != 0xFFFFFFFF:
        vr = "OW" if int(kept.header.BitsAllocated) > 8 else "OB"
    return tag + struct.pack("<2sHL", vr.encode("ascii"), 0, length)
