"""A DICOM file (PS3.10) that comes in pieces: its file meta information is read, its data set goes on."""

import struct
from collections.abc import Callable, Mapping
from typing import Self

from dicom_listener.archive.objects import Draft
from dicom_listener.intake.checks import Arrival
from dicom_listener.network.incoming import Incoming

_PREFIX = 128
_META = _PREFIX + 4
_GROUP_LENGTH = struct.Struct("<HH2sHL")
_LONG_VRS = frozenset({b"OB", b"UN", b"OW", b"SQ", b"UT", b"UC", b"UR"})
_LONGEST_META = 65_536
_SOP_CLASS, _SOP_INSTANCE, _TRANSFER_SYNTAX = 0x0002, 0x0003, 0x0010

Announce = Callable[[str, str, str], Arrival]
"""Makes the arrival of a SOP class, a SOP instance and a transfer syntax."""


class NotDicomError(ValueError):
    """What comes is no DICOM file; the sentence says why, and repeats none of it."""


class IncomingFile:
    """One DICOM file, piece by piece; what is too large for memory is written to disk as it comes."""

    def __init__(self, announce: Announce, begin_draft: Callable[[Arrival], Draft | None]) -> None:
        """Make the arrival with `announce` once its file meta information is there."""
        self._announce = announce
        self._begin_draft = begin_draft
        self._beginning = bytearray()
        self._arrival: Arrival | None = None
        self._incoming: Incoming | None = None

    def __enter__(self) -> Self:
        """Begin."""
        return self

    def __exit__(self, *_: object) -> None:
        """Leave nothing on disk but what was kept."""
        if self._incoming is not None and self._incoming.draft is not None:
            self._incoming.draft.discard()

    def write(self, content: bytes) -> None:
        """Take the next piece.

        Raises
        ------
        NotDicomError
            It is no DICOM file.
        """
        if self._incoming is not None:
            self._take(self._incoming, content)
            return
        self._beginning += content
        end = _end_of_meta(self._beginning)
        if end is None or len(self._beginning) < end:
            return
        arrival = self._announced(_values(memoryview(self._beginning)[:end]))
        self._arrival = arrival
        self._incoming = Incoming(lambda: self._begin_draft(arrival))
        self._take(self._incoming, bytes(self._beginning[end:]))
        self._beginning.clear()

    def finish(self) -> tuple[Arrival, Incoming]:
        """Return what was announced, and what has come.

        Raises
        ------
        NotDicomError
            It ended before its file meta information did.
        """
        if self._arrival is None or self._incoming is None:
            message = f"The part ends after {len(self._beginning)} bytes, within its file meta information."
            raise NotDicomError(message)
        return self._arrival, self._incoming

    def _announced(self, values: Mapping[int, str]) -> Arrival:
        for element, name in (
            (_SOP_CLASS, "Media Storage SOP Class UID (0002,0002)"),
            (_SOP_INSTANCE, "Media Storage SOP Instance UID (0002,0003)"),
            (_TRANSFER_SYNTAX, "Transfer Syntax UID (0002,0010)"),
        ):
            if not values.get(element):
                message = f"The file meta information has no {name}."
                raise NotDicomError(message)
        return self._announce(values[_SOP_CLASS], values[_SOP_INSTANCE], values[_TRANSFER_SYNTAX])

    @staticmethod
    def _take(incoming: Incoming, content: bytes) -> None:
        if content:
            room = incoming.room(len(content))
            room[:] = content
            incoming.took(room)


def _end_of_meta(beginning: bytearray) -> int | None:
    """Return the offset of the data set, or None while too little is there to say."""
    if len(beginning) >= _META and beginning[_PREFIX:_META] != b"DICM":
        message = "The part is no DICOM file: 'DICM' does not stand behind 128 bytes (PS3.10 7.1)."
        raise NotDicomError(message)
    if len(beginning) < _META + _GROUP_LENGTH.size:
        return None
    group, element, vr, length, value = _GROUP_LENGTH.unpack_from(beginning, _META)
    if (group, element, vr, length) != (2, 0, b"UL", 4) or value > _LONGEST_META:
        message = "The file meta information does not begin with its group length (0002,0000)."
        raise NotDicomError(message)
    return int(_META + _GROUP_LENGTH.size + value)


def _values(meta: memoryview) -> Mapping[int, str]:
    """Return the UIDs of file meta information, which is explicit little endian, by their elements."""
    values: dict[int, str] = {}
    position = _META + _GROUP_LENGTH.size
    try:
        while position < len(meta):
            element, vr, begin, position = _element(meta, position)
            if vr == b"UI":
                values[element] = bytes(meta[begin:position]).decode("ascii").rstrip("\0 ")
    except (struct.error, ValueError):
        message = "The file meta information cannot be followed to its end (PS3.10 7.1)."
        raise NotDicomError(message) from None
    return values


def _element(meta: memoryview, position: int) -> tuple[int, bytes, int, int]:
    """Return an element's number and representation, and where its value begins and ends."""
    group, element, vr, length = struct.unpack_from("<HH2sH", meta, position)
    begin = position + 8
    if vr in _LONG_VRS:
        (length,) = struct.unpack_from("<L", meta, begin)
        begin += 4
    if group != 2 or begin + length > len(meta):
        raise ValueError(element)
    return element, vr, begin, begin + length
