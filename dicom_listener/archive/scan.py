"""Follow the structure of a data set to its last byte, before anything else looks at it.

Nothing is decoded and nothing is built but a few values: every length must lie inside its parent, the
data set must end exactly on its last byte, and depth and number of elements are limited. What passes can
be given to any reader without surprises (PS3.5 sections 7.1, 7.5 and A.4).
"""

import struct
import threading
import zlib
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from enum import Enum, auto

from pydicom._dicom_dict import DicomDictionary

from dicom_listener.archive.syntaxes import TransferSyntax
from dicom_listener.errors import MalformedDataSetError, Reason

MAXIMUM_DEPTH = 16
MAXIMUM_ELEMENTS = 200_000
MAXIMUM_VALUE = 16_384
"""Longest value that is taken out of the data set, in bytes; longer ones are passed over."""

PIXEL_DATA = 0x7FE00010
PIXEL_TAGS = frozenset({0x7FE00008, 0x7FE00009, PIXEL_DATA})

_STEP = 256 * 1024
_INFLATING = threading.Lock()  # what is inflated is the one data set that is in memory as a whole

_UNDEFINED = 0xFFFFFFFF
_ITEM = 0xFFFEE000
_ITEM_END = 0xFFFEE00D
_SEQUENCE_END = 0xFFFEE0DD
_FIRST_TAG = 0x00080000  # groups below belong to commands and file meta information
_LAST_TAG = 0xFFFE0000  # from here on: items and delimiters

_LONG_VRS = frozenset(b"OB OD OF OL OV OW SQ SV UC UN UR UT UV".split())  # PS3.5 Table 7.1-1
_SHORT_VRS = frozenset(b"AE AS AT CS DA DS DT FD FL IS LO LT PN SH SL SS ST TM UI UL US".split())
_SEQUENCE_TAGS = frozenset(tag for tag, entry in DicomDictionary.items() if entry[0] == "SQ")


class _Kind(Enum):
    ELEMENTS = auto()  # a data set or an item of a sequence
    SEQUENCE = auto()
    FRAGMENTS = auto()  # encapsulated pixel data


@dataclass(slots=True)
class _Frame:
    """A part of the data set that holds others."""

    kind: _Kind
    bound: int  # offset that nothing inside may pass
    is_delimited: bool  # ends with a delimiter instead of at its bound
    is_explicit: bool
    last_tag: int = -1


@dataclass(frozen=True, slots=True, kw_only=True)
class PixelData:
    """Where the pixel data of a data set are."""

    tag: int
    length: int  # bytes of a native value; 0 for fragments
    fragments: int | None  # the offset table not counted; None for a native value


@dataclass(frozen=True, slots=True, kw_only=True)
class Scan:
    """What was found on the way through a data set."""

    values: Mapping[int, bytes]  # of the wanted tags of the outermost level, as received
    pixel_data: PixelData | None
    elements: int


def scan(
    data: bytes | bytearray | memoryview,
    syntax: TransferSyntax,
    wanted: Collection[int],
    *,
    maximum_inflated: int = 64 * 2**20,
) -> Scan:
    """Follow the structure of `data` and return the values of the `wanted` tags.

    Parameters
    ----------
    data
        An encoded data set, without file meta information.
    syntax
        How it is written.
    wanted
        Tags as ``0xGGGGEEEE``, of the outermost level.
    maximum_inflated
        How many bytes a deflated data set may inflate to.

    Raises
    ------
    MalformedDataSetError
        When the structure breaks one of the rules above. The sentence names offsets and tags, no value.
    """
    if not syntax.is_deflated:
        return _Scanner(memoryview(data), syntax, frozenset(wanted)).run()
    with _INFLATING:
        inflated = memoryview(inflate(data, maximum_inflated))
        return _Scanner(inflated, syntax, frozenset(wanted)).run()


def inflate(data: bytes | bytearray | memoryview, maximum: int) -> bytearray:
    """Inflate a deflated data set (PS3.5 A.5), up to `maximum` bytes.

    Raises
    ------
    MalformedDataSetError
        When it inflates further, or is not one whole deflate stream.
    """
    stream, inflated, rest = zlib.decompressobj(-zlib.MAX_WBITS), bytearray(), memoryview(data)
    try:
        # In steps: in one go the library would hold everything twice.
        while not stream.eof and len(inflated) <= maximum:
            step = stream.unconsumed_tail
            if not step:
                step, rest = bytes(rest[:_STEP]), rest[_STEP:]
            more = stream.decompress(step, _STEP)
            if not step and not more:
                break
            inflated += more
    except zlib.error as error:
        raise MalformedDataSetError(Reason.STRUCTURE, "The deflated data set cannot be inflated.") from error
    if len(inflated) > maximum:
        raise MalformedDataSetError(
            Reason.INFLATES_TOO_FAR, f"The deflated data set inflates to more than {maximum} bytes."
        )
    # Some makers leave gzip's trailer behind the stream: checksum and length.
    trailer = struct.pack("<LL", zlib.crc32(inflated), len(inflated))
    unused = stream.unused_data + bytes(rest[: len(trailer) + 2])
    if not stream.eof or unused.removeprefix(trailer) not in (b"", b"\0"):
        raise MalformedDataSetError(
            Reason.STRUCTURE, "The deflated data set does not end where its deflate stream does."
        )
    return inflated


@dataclass(slots=True)
class _Scanner:
    """One pass over a data set, with a stack of its own: nesting costs no recursion."""

    data: memoryview
    syntax: TransferSyntax
    wanted: frozenset[int]
    position: int = 0
    elements: int = 0
    depth: int = 0
    fragments: int | None = None
    pixel_data: PixelData | None = None
    values: dict[int, bytes] = field(default_factory=dict)
    stack: list[_Frame] = field(default_factory=list)

    def run(self) -> Scan:
        """Walk until the outermost level is closed."""
        steps = {
            _Kind.ELEMENTS: self._element,
            _Kind.SEQUENCE: self._item,
            _Kind.FRAGMENTS: self._fragment,
        }
        self.stack.append(_Frame(_Kind.ELEMENTS, len(self.data), False, self.syntax.is_explicit))  # noqa: FBT003 - the outermost level ends with the data
        while self.stack:
            frame = self.stack[-1]
            if self.position == frame.bound and not frame.is_delimited:
                self._close()
                continue
            self.elements += 1
            if self.elements > MAXIMUM_ELEMENTS:
                raise MalformedDataSetError(
                    Reason.TOO_MANY_ELEMENTS,
                    f"The data set has more than {MAXIMUM_ELEMENTS} elements and items.",
                )
            steps[frame.kind](frame)
        return Scan(values=self.values, pixel_data=self.pixel_data, elements=self.elements)

    def _element(self, frame: _Frame) -> None:
        """Read one element's tag and length, and step over its value or into it."""
        tag, vr, length = self._explicit(frame) if frame.is_explicit else self._implicit(frame)
        if tag == _ITEM_END and frame.is_delimited:
            self._end_delimited(length)
            return
        if tag <= frame.last_tag or not _FIRST_TAG <= tag < _LAST_TAG:
            self._fail(f"tag {_name(tag)} stands where it must not")
        frame.last_tag = tag
        if length == _UNDEFINED:
            self._open_undefined(frame, tag, vr)
            return
        self._fits(frame, length)
        if vr == b"SQ" or (not frame.is_explicit and tag in _SEQUENCE_TAGS):
            self._open(_Frame(_Kind.SEQUENCE, self.position + length, False, frame.is_explicit))  # noqa: FBT003 - of defined length
            return
        if len(self.stack) == 1:
            self._note(tag, length)
        self.position += length

    def _note(self, tag: int, length: int) -> None:
        """Take a value of the outermost level."""
        if tag in self.wanted and length <= MAXIMUM_VALUE:
            self.values[tag] = bytes(self.data[self.position : self.position + length])
        elif tag in PIXEL_TAGS:
            if tag == PIXEL_DATA and self.syntax.is_encapsulated:
                self._fail("pixel data have a length, but their transfer syntax wants fragments")
            self.pixel_data = PixelData(tag=tag, length=length, fragments=None)

    def _open_undefined(self, frame: _Frame, tag: int, vr: bytes) -> None:
        """Step into a value that ends with a delimiter."""
        if tag == PIXEL_DATA:
            if not self.syntax.is_encapsulated or vr not in (b"OB", b"OW"):
                self._fail("pixel data come as fragments, but their transfer syntax has none")
            self.fragments = 0
            self._open(_Frame(_Kind.FRAGMENTS, frame.bound, True, True))  # noqa: FBT003 - delimited
        elif vr in (b"SQ", b"UN") or not frame.is_explicit:
            # UN of undefined length holds an implicit sequence (PS3.5 section 6.2.2, note 4).
            self._open(_Frame(_Kind.SEQUENCE, frame.bound, True, vr == b"SQ"))  # noqa: FBT003 - delimited
        else:
            self._fail(f"{_name(tag)} has no length, and is no sequence")

    def _item(self, frame: _Frame) -> None:
        """Read the head of a sequence's item, or the sequence's end."""
        tag, _, length = self._implicit(frame)
        if tag == _SEQUENCE_END and frame.is_delimited:
            self._end_delimited(length)
        elif tag != _ITEM:
            self._fail(f"{_name(tag)} stands where an item must begin")
        elif length == _UNDEFINED:
            self._open(_Frame(_Kind.ELEMENTS, frame.bound, True, frame.is_explicit))  # noqa: FBT003 - delimited
        else:
            self._fits(frame, length)
            self._open(_Frame(_Kind.ELEMENTS, self.position + length, False, frame.is_explicit))  # noqa: FBT003 - of defined length

    def _fragment(self, frame: _Frame) -> None:
        """Step over a fragment of encapsulated pixel data, or read their end."""
        tag, _, length = self._implicit(frame)
        if tag == _SEQUENCE_END:
            self._end_delimited(length)
            if len(self.stack) == 1:
                count = max((self.fragments or 0) - 1, 0)  # the first item is the offset table
                self.pixel_data = PixelData(tag=PIXEL_DATA, length=0, fragments=count)
        elif tag != _ITEM or length == _UNDEFINED:
            self._fail(f"{_name(tag)} stands where a fragment must begin")
        else:
            self._fits(frame, length)
            self.fragments = (self.fragments or 0) + 1
            self.position += length

    def _open(self, frame: _Frame) -> None:
        if frame.kind is _Kind.SEQUENCE:
            self.depth += 1
            if self.depth > MAXIMUM_DEPTH:
                raise MalformedDataSetError(
                    Reason.TOO_DEEP, f"The data set nests more than {MAXIMUM_DEPTH} sequences."
                )
        self.stack.append(frame)

    def _close(self) -> None:
        if self.stack.pop().kind is _Kind.SEQUENCE:
            self.depth -= 1

    def _end_delimited(self, length: int) -> None:
        if length:
            self._fail("a delimiter has a length other than 0")
        self._close()

    def _implicit(self, frame: _Frame) -> tuple[int, bytes, int]:
        """Read tag and 4-byte length: implicit elements, items and delimiters."""
        self._fits(frame, 8)
        layout = ">HHL" if self.syntax.is_big_endian else "<HHL"
        group, element, length = struct.unpack_from(layout, self.data, self.position)
        self.position += 8
        return group << 16 | element, b"", length

    def _explicit(self, frame: _Frame) -> tuple[int, bytes, int]:
        """Read tag, value representation and length."""
        self._fits(frame, 8)
        layout = ">HH2sH" if self.syntax.is_big_endian else "<HH2sH"
        group, element, vr, length = struct.unpack_from(layout, self.data, self.position)
        tag = group << 16 | element
        if vr in _SHORT_VRS:
            self.position += 8
            return tag, vr, length
        if group == 0xFFFE:
            return self._implicit(frame)
        if vr not in _LONG_VRS:
            self._fail(f"{_name(tag)} has no value representation of PS3.5")
        self._fits(frame, 12)
        (length,) = struct.unpack_from(
            ">L" if self.syntax.is_big_endian else "<L", self.data, self.position + 8
        )
        self.position += 12
        return tag, vr, length

    def _fits(self, frame: _Frame, length: int) -> None:
        room = frame.bound - self.position
        if length > room:
            self._fail(f"{length} bytes are announced where {room} remain")

    def _fail(self, what: str) -> None:
        raise MalformedDataSetError(
            Reason.STRUCTURE, f"The data set cannot be followed at byte {self.position}: {what}."
        )


def _name(tag: int) -> str:
    return f"({tag >> 16:04X},{tag & 0xFFFF:04X})"
