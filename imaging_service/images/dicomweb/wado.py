"""Retrieve what is there for the caller (WADO-RS, PS3.18 section 10.4)."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from dicom_listener.archive.archive import Archive
from dicom_listener.archive.records import InstanceRecord
from dicom_listener.archive.syntaxes import EXPLICIT_LITTLE_ENDIAN
from dicom_listener.errors import ArchiveError
from imaging_service.errors import BadRequestError, ConflictError, NotFoundError, RefusedError
from imaging_service.images.dicomweb.accept import ANYTHING, Asked, not_acceptable
from imaging_service.images.dicomweb.access import VisibleStudy
from imaging_service.images.dicomweb.instances import AS_KEPT, WRITTEN, file_of, syntax_of
from imaging_service.images.dicomweb.kept import InstanceUnreadableError, KeptInstance, Layouts
from imaging_service.images.dicomweb.multipart import Part
from imaging_service.images.dicomweb.pixels import kept_frame, native_frame

OCTETS = "application/octet-stream"
DICOM = "application/dicom"
_COMPRESSED_AS = {
    "1.2.840.10008.1.2.5": "image/dicom-rle",
    "1.2.840.10008.1.2.4.50": "image/jpeg",
    "1.2.840.10008.1.2.4.51": "image/jpeg",
    "1.2.840.10008.1.2.4.57": "image/jpeg",
    "1.2.840.10008.1.2.4.70": "image/jpeg",
    "1.2.840.10008.1.2.4.80": "image/jls",
    "1.2.840.10008.1.2.4.81": "image/jls",
    "1.2.840.10008.1.2.4.90": "image/jp2",
    "1.2.840.10008.1.2.4.91": "image/jp2",
    "1.2.840.10008.1.2.4.201": "image/jphc",
    "1.2.840.10008.1.2.4.202": "image/jphc",
    "1.2.840.10008.1.2.4.203": "image/jphc",
}
"""Media types of compressed frames (PS3.18 Table 8.7.3-5)."""
_MOST_FRAMES = 4096


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """What a path names: a study, a series of it, or an instance."""

    study: str
    series: str | None = None
    instance: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What an address leads to."""

    study: VisibleStudy
    records: Sequence[InstanceRecord]


def locate(study: VisibleStudy | None, archive: Archive, address: Address) -> Found:
    """Return the instances at an address, of a study as far as it is there for the caller.

    Raises
    ------
    NotFoundError
        There are none, or they are not there for the caller: the two answers are the same.
    """
    records = [] if study is None else [each for each in _records(archive, address) if _shows(study, each)]
    if study is None or not records:
        message = "There is nothing at this address."
        raise NotFoundError(message)
    return Found(study=study, records=records)


def _records(archive: Archive, address: Address) -> Iterator[InstanceRecord]:
    if address.instance is not None:
        record = archive.instance(address.instance)
        found: Sequence[InstanceRecord] = () if record is None else (record,)
    else:
        listed = [each.series_instance_uid for each in archive.series_of(address.study)]
        wanted = listed if address.series is None else [address.series]
        found = [each for series in wanted for each in archive.instances_of(series)]
    for each in found:
        if each.study_instance_uid == address.study and address.series in {None, each.series_instance_uid}:
            yield each


def _shows(study: VisibleStudy, record: InstanceRecord) -> bool:
    return study.shows_instance(record.sop_instance_uid)


def open_kept(layouts: Layouts, archive: Archive, record: InstanceRecord) -> KeptInstance:
    """Return an instance with its layout.

    Raises
    ------
    ConflictError
        The archive has lost it.
    RefusedError
        Its bytes cannot be followed.
    """
    try:
        return layouts.open(archive.objects, record)
    except ArchiveError:
        message = "The archive has lost the bytes of this instance; the operator can restore them."
        raise ConflictError(message, code="object_missing") from None
    except InstanceUnreadableError as error:
        raise RefusedError(str(error), code="instance_unreadable") from error


def instance_syntax(asked: Sequence[Asked], records: Sequence[InstanceRecord]) -> str:
    """Return the transfer syntax that instances are given in, or `AS_KEPT`.

    Raises
    ------
    NotAcceptableError
        The caller accepts none that can be had.
    """
    kept = {each.transfer_syntax_uid for each in records}
    for each in asked:
        if each.media_type == ANYTHING and each.transfer_syntax is None:
            return AS_KEPT
        if each.media_type not in {DICOM, ANYTHING} or not each.is_multipart:
            continue
        wanted = each.transfer_syntax or EXPLICIT_LITTLE_ENDIAN
        if wanted == AS_KEPT or wanted in WRITTEN or kept == {wanted}:
            return wanted
    offered = f'multipart/related; type="{DICOM}" in the transfer syntax kept, {" or ".join(sorted(WRITTEN))}'
    raise not_acceptable(offered)


def instance_parts(layouts: Layouts, archive: Archive, found: Found, wanted: str) -> Iterator[Part]:
    """Give each instance as a part of the answer, read when its turn comes."""
    for record in found.records:
        kept = open_kept(layouts, archive, record)
        blinding = found.study.blinding_of(record.series_instance_uid)
        syntax = syntax_of(kept, wanted, blinding)
        yield Part(media_type=f"{DICOM}; transfer-syntax={syntax}", chunks=file_of(kept, wanted, blinding))


def frame_type(asked: Sequence[Asked], kept: KeptInstance) -> tuple[str, str]:
    """Return media type and transfer syntax that frames are given in.

    Raises
    ------
    NotAcceptableError
        The caller accepts none that can be had.
    """
    own = kept.record.transfer_syntax_uid
    is_compressed = kept.layout.frames is not None
    image = _COMPRESSED_AS.get(own)
    for each in asked:
        wanted = each.transfer_syntax
        if each.media_type == image and is_compressed and wanted in {None, AS_KEPT, own}:
            return image, own
        if each.media_type not in {OCTETS, ANYTHING}:
            continue
        if is_compressed and wanted in {AS_KEPT, own}:
            return OCTETS, own
        if wanted in {None, AS_KEPT, *WRITTEN}:
            return OCTETS, EXPLICIT_LITTLE_ENDIAN
    offered = f'multipart/related; type="{OCTETS}" in {EXPLICIT_LITTLE_ENDIAN}'
    raise not_acceptable(f'{offered}, or type="{image}" in {own}' if is_compressed else offered)


def read_frames(text: str, kept: KeptInstance) -> Sequence[int]:
    """Read a list of frame numbers with commas between them.

    Raises
    ------
    BadRequestError
        It is none.
    NotFoundError
        The instance has no such frame.
    """
    parts = text.split(",")
    if len(parts) > _MOST_FRAMES or not all(
        each.isascii() and each.isdigit() and len(each) < 9 for each in parts
    ):
        message = f"The frames are {text[:64]!r}; they must be numbers from 1 on with commas between them."
        raise BadRequestError(message, code="frames_bad")
    numbers = [int(each) for each in parts]
    last = kept.record.number_of_frames if kept.has_pixels else 0
    for number in numbers:
        if not 1 <= number <= last:
            message = f"There is no frame {number} of this instance."
            raise NotFoundError(message)
    return numbers


def frame(kept: KeptInstance, number: int, syntax: str) -> bytes:
    """Return one frame in the transfer syntax of `frame_type`."""
    if kept.layout.frames is not None and syntax == kept.record.transfer_syntax_uid:
        return kept_frame(kept, number)
    return native_frame(kept, number)
