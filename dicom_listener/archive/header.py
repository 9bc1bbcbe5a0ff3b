"""The attributes of a data set that the index keeps."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from pydicom.charset import python_encoding

from dicom_listener.archive.scan import PixelData, Scan, scan
from dicom_listener.archive.syntaxes import TRANSFER_SYNTAXES, TransferSyntax
from dicom_listener.archive.uids import is_uid
from dicom_listener.errors import MalformedDataSetError, Reason, UnacceptableDataSetError


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """What an instance says of itself; text is decoded and trimmed, an absent value is empty or None."""

    sop_class_uid: str
    sop_instance_uid: str
    study_instance_uid: str
    series_instance_uid: str
    transfer_syntax_uid: str
    patient_id: str = ""
    issuer_of_patient_id: str = ""
    patient_name: str = ""
    patient_birth_date: str = ""
    patient_sex: str = ""
    study_date: date | None = None
    has_unreadable_study_date: bool = False
    study_time: str = ""
    study_id: str = ""
    study_description: str = ""
    accession_number: str = ""
    referring_physician_name: str = ""
    clinical_trial_protocol_id: str = ""
    clinical_trial_subject_id: str = ""
    modality: str = ""
    series_number: int | None = None
    series_description: str = ""
    series_date: date | None = None
    body_part_examined: str = ""
    manufacturer: str = ""
    manufacturer_model_name: str = ""
    frame_of_reference_uid: str = ""
    instance_number: int | None = None
    rows: int | None = None
    columns: int | None = None
    number_of_frames: int = 1
    acquired_on: date | None = None


_UIDS = {
    "sop_class_uid": 0x00080016,
    "sop_instance_uid": 0x00080018,
    "study_instance_uid": 0x0020000D,
    "series_instance_uid": 0x0020000E,
}
_IDENTIFIERS = {
    "patient_id": 0x00100020,
    "issuer_of_patient_id": 0x00100021,
    "clinical_trial_protocol_id": 0x00120020,
    "clinical_trial_subject_id": 0x00120040,
}
_TEXTS = {
    "accession_number": 0x00080050,
    "study_id": 0x00200010,
    "patient_name": 0x00100010,
    "patient_birth_date": 0x00100030,
    "patient_sex": 0x00100040,
    "study_time": 0x00080030,
    "study_description": 0x00081030,
    "referring_physician_name": 0x00080090,
    "modality": 0x00080060,
    "series_description": 0x0008103E,
    "body_part_examined": 0x00180015,
    "manufacturer": 0x00080070,
    "manufacturer_model_name": 0x00081090,
    "frame_of_reference_uid": 0x00200052,
}
_DATES = {"series_date": 0x00080021, "study_date": 0x00080020}
_NUMBERS = {"series_number": 0x00200011, "instance_number": 0x00200013}
_SIZES = {"rows": 0x00280010, "columns": 0x00280011}
_ACQUISITION_DATES = (0x00080022, 0x0008002A, 0x00080023)  # AcquisitionDate, AcquisitionDateTime, ContentDate
_CHARACTER_SET = 0x00080005
_FRAMES = 0x00280008
_SAMPLES = 0x00280002
_PHOTOMETRIC = 0x00280004
_BITS_ALLOCATED = 0x00280100

_WANTED = frozenset(
    {
        *(tag for table in (_UIDS, _IDENTIFIERS, _TEXTS, _DATES, _NUMBERS, _SIZES) for tag in table.values()),
        *_ACQUISITION_DATES,
        *(_CHARACTER_SET, _FRAMES, _SAMPLES, _PHOTOMETRIC, _BITS_ALLOCATED),
    }
)
_MAXIMUM_IDENTIFIER = 64  # LO (PS3.5 Table 6.2-1)
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_DATE = re.compile(r"([0-9]{4})\.?([0-9]{2})\.?([0-9]{2})", re.ASCII)
_NUMBER = re.compile(r"[+-]?[0-9]{1,12}", re.ASCII)


def read_header(
    data: bytes | bytearray | memoryview,
    transfer_syntax_uid: str,
    *,
    maximum_inflated: int = 64 * 2**20,
) -> Header:
    """Scan a data set and return what the index keeps of it.

    Parameters
    ----------
    data
        An encoded data set, without file meta information.
    transfer_syntax_uid
        How it is written.
    maximum_inflated
        How many bytes a deflated data set may inflate to.

    Raises
    ------
    MalformedDataSetError
        When its structure cannot be followed to its last byte.
    UnacceptableDataSetError
        When a UID is missing or malformed, an identifier holds control characters, or the pixel data
        contradict Rows, Columns and NumberOfFrames.
    """
    syntax = TRANSFER_SYNTAXES.get(transfer_syntax_uid)
    if syntax is None:
        raise MalformedDataSetError(
            Reason.TRANSFER_SYNTAX,
            f"The transfer syntax {transfer_syntax_uid!r} is not one that is received.",
        )
    found = scan(data, syntax, _WANTED, maximum_inflated=maximum_inflated)
    reader = _Reader(found.values, syntax)
    header = _header(reader, transfer_syntax_uid)
    if found.pixel_data is not None:
        _check_pixel_data(found, found.pixel_data, reader, header)
    return header


def _header(reader: "_Reader", transfer_syntax_uid: str) -> Header:
    study_date, is_unreadable = reader.date(_DATES["study_date"])
    values: dict[str, Any] = {name: reader.uid(name, tag) for name, tag in _UIDS.items()}
    values |= {name: reader.identifier(name, tag) for name, tag in _IDENTIFIERS.items()}
    values |= {name: reader.text(tag) for name, tag in _TEXTS.items()}
    values |= {name: reader.number(tag) for name, tag in _NUMBERS.items()}
    values |= {name: reader.size(tag) for name, tag in _SIZES.items()}
    dates = (reader.date(tag)[0] for tag in _ACQUISITION_DATES)
    return Header(
        **values,
        transfer_syntax_uid=transfer_syntax_uid,
        study_date=study_date,
        has_unreadable_study_date=is_unreadable,
        series_date=reader.date(_DATES["series_date"])[0],
        acquired_on=next((day for day in dates if day is not None), None),
        number_of_frames=max(reader.number(_FRAMES) or 1, 1),
    )


def _check_pixel_data(found: Scan, pixels: PixelData, reader: "_Reader", header: Header) -> None:
    """Compare the pixel data with Rows, Columns, NumberOfFrames and the sample attributes (PS3.3 C.7.6.3)."""
    stated = reader.number(_FRAMES)
    if (_FRAMES in found.values and (stated is None or stated < 1)) or not header.rows or not header.columns:
        raise UnacceptableDataSetError(
            Reason.PIXEL_DATA_CONTRADICTS_HEADER,
            "There are pixel data, but Rows, Columns and NumberOfFrames are not all positive numbers.",
        )
    if pixels.fragments is not None:
        if pixels.fragments < header.number_of_frames:
            raise UnacceptableDataSetError(
                Reason.PIXEL_DATA_CONTRADICTS_HEADER,
                f"The pixel data have {pixels.fragments} fragments for {header.number_of_frames} frames.",
            )
        return
    bits = reader.size(_BITS_ALLOCATED) or 0
    samples = reader.size(_SAMPLES) or 1
    if reader.text(_PHOTOMETRIC) == "YBR_FULL_422":
        samples = 2  # two chrominance values for every two pixels (PS3.3 C.7.6.3.1.2)
    expected = -(-header.rows * header.columns * header.number_of_frames * samples * bits // 8)
    if pixels.length not in (expected, expected + expected % 2) or not bits:
        raise UnacceptableDataSetError(
            Reason.PIXEL_DATA_CONTRADICTS_HEADER,
            f"The pixel data have {pixels.length} bytes; the header describes {expected}.",
        )


class _Reader:
    """Read the values of a scan."""

    def __init__(self, values: Mapping[int, bytes], syntax: TransferSyntax) -> None:
        self._values = values
        self._is_big_endian = syntax.is_big_endian
        self._codecs = _codecs(values.get(_CHARACTER_SET, b""))

    def uid(self, name: str, tag: int) -> str:
        """Return a UID that must be there; one NUL of padding is not part of it."""
        value = self._values.get(tag, b"").removesuffix(b"\0").decode("latin-1")
        if not value:
            raise UnacceptableDataSetError(Reason.MISSING_UID, f"The data set has no {name}.")
        if not is_uid(value):
            raise UnacceptableDataSetError(
                Reason.MALFORMED_UID, f"The {name} is not a UID as PS3.5 section 9.1 defines it."
            )
        return value

    def identifier(self, name: str, tag: int) -> str:
        """Return an identifier that others will match by: it must be plain text."""
        value = self._decoded(tag)
        if len(value) > _MAXIMUM_IDENTIFIER or _CONTROL.search(value):
            raise UnacceptableDataSetError(
                Reason.MALFORMED_IDENTIFIER,
                f"The {name} is longer than {_MAXIMUM_IDENTIFIER} characters or holds control characters.",
            )
        return value

    def text(self, tag: int) -> str:
        """Return text for people; control characters are shown as blanks."""
        return _CONTROL.sub(" ", self._decoded(tag))

    def number(self, tag: int) -> int | None:
        """Return an integer string (IS), or None when it is none."""
        text = self._decoded(tag)
        return int(text) if _NUMBER.fullmatch(text) else None

    def size(self, tag: int) -> int | None:
        """Return an unsigned short (US), or None."""
        value = self._values.get(tag, b"")
        if len(value) != 2:
            return None
        return int.from_bytes(value, "big" if self._is_big_endian else "little")

    def date(self, tag: int) -> tuple[date | None, bool]:
        """Return a date (DA or the beginning of DT), and whether there is a value that is no date."""
        text = self._decoded(tag)
        match = _DATE.match(text)
        if match is None:
            return None, bool(text)
        try:
            return date(*map(int, match.groups())), False
        except ValueError:
            return None, True

    def _decoded(self, tag: int) -> str:
        value = self._values.get(tag, b"")
        for codec in self._codecs if b"\x1b" not in value else reversed(self._codecs):
            try:
                return value.decode(codec).strip(" \0")
            except (UnicodeDecodeError, LookupError):
                continue
        return value.decode("latin-1").strip(" \0")


def _codecs(character_set: bytes) -> tuple[str, ...]:
    """Return Python's names for SpecificCharacterSet (PS3.3 C.12.1.1.2)."""
    terms = character_set.decode("latin-1").strip(" \0").split("\\")
    return tuple(python_encoding.get(term.strip(), "ascii") for term in terms)
