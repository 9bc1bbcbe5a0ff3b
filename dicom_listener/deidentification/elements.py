"""A data set as its elements: values stay the bytes they came as, so that what is kept is never re-coded.

Only what `archive.scan` has let pass is read here: every length lies inside its parent.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field

from pydicom.datadict import dictionary_VR

from dicom_listener.archive.contents import Bytes
from dicom_listener.archive.scan import PIXEL_TAGS
from dicom_listener.archive.syntaxes import TransferSyntax

_UNDEFINED = 0xFFFFFFFF
_ITEM, _ITEM_END, _SEQUENCE_END = 0xFFFEE000, 0xFFFEE00D, 0xFFFEE0DD
_LONG_VRS = frozenset(b"OB OD OF OL OV OW SQ SV UC UN UR UT UV".split())  # PS3.5 Table 7.1-1
_DEEPEST = 17


@dataclass(slots=True)
class Element:
    """One element; a sequence has items in the place of a value."""

    tag: int
    vr: str  # UN where neither the data set nor the dictionary says
    value: Bytes = b""
    items: "list[list[Element]] | None" = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Split:
    """A data set in two: what stands before the pixels, and the pixels with their head."""

    elements: list[Element]
    pixels: Bytes = field(default=b"")


def vr_of(tag: int) -> str:
    """Return the value representation that the dictionary has for a tag, or UN.

    Examples
    --------
    >>> vr_of(0x00100010), vr_of(0x00280106), vr_of(0x00091001)
    ('PN', 'US', 'UN')
    """
    if tag & 0xFFFF == 0:
        return "UL"
    try:
        vr = dictionary_VR(tag)
    except KeyError:
        return "LO" if tag >> 16 & 1 and 0x10 <= tag & 0xFFFF <= 0xFF else "UN"
    return {"US or SS": "US", "OB or OW": "OW", "US or OW": "OW", "US or SS or OW": "US"}.get(vr, vr)


def read(data: Bytes, syntax: TransferSyntax) -> Split:
    """Read a data set that is not deflated, up to its pixels; what follows them is left out.

    Raises
    ------
    ValueError, struct.error
        It is nested deeper than the scan lets pass, or ends where it must not.
    """
    reader = _Reader(memoryview(data), ">" if syntax.is_big_endian else "<")
    elements: list[Element] = []
    for element, start in reader.elements(0, len(data), is_explicit=syntax.is_explicit, depth=0):
        if element.tag in PIXEL_TAGS:
            return Split(elements=elements, pixels=memoryview(data)[start : reader.position])
        elements.append(element)
    return Split(elements=elements)


class _Reader:
    def __init__(self, data: memoryview, order: str) -> None:
        self._data = data
        self._order = order
        self.position = 0

    def elements(
        self, start: int, end: int, *, is_explicit: bool, depth: int
    ) -> Iterator[tuple[Element, int]]:
        """Give the elements between two offsets, or up to the end of an item, with where each begins."""
        if depth > _DEEPEST:
            raise ValueError(depth)
        self.position = start
        while self.position < end:
            begin = self.position
            tag, vr, length = self._head(is_explicit=is_explicit)
            if tag == _ITEM_END:
                return
            yield self._element(tag, vr, length, end, is_explicit=is_explicit, depth=depth), begin

    def _head(self, *, is_explicit: bool) -> tuple[int, str, int]:
        group, element = struct.unpack_from(f"{self._order}HH", self._data, self.position)
        tag = group << 16 | element
        self.position += 4
        if not is_explicit or tag in {_ITEM, _ITEM_END, _SEQUENCE_END}:
            (length,) = struct.unpack_from(f"{self._order}L", self._data, self.position)
            self.position += 4
            return tag, vr_of(tag), length
        vr = bytes(self._data[self.position : self.position + 2])
        if vr in _LONG_VRS:
            (length,) = struct.unpack_from(f"{self._order}L", self._data, self.position + 4)
            self.position += 8
        else:
            (length,) = struct.unpack_from(f"{self._order}H", self._data, self.position + 2)
            self.position += 4
        return tag, vr.decode("ascii"), length

    def _element(  # noqa: PLR0913  where an element stands
        self, tag: int, vr: str, length: int, end: int, *, is_explicit: bool, depth: int
    ) -> Element:
        if length == _UNDEFINED:
            if tag in PIXEL_TAGS:
                return self._fragments(tag, vr)
            items = self._items(end, is_explicit=is_explicit and vr == "SQ", depth=depth, is_delimited=True)
            return Element(tag, "SQ", items=items)
        stop = self.position + length
        if vr == "SQ":
            items = self._items(stop, is_explicit=is_explicit, depth=depth, is_delimited=False)
            self.position = stop
            return Element(tag, vr, items=items)
        value = self._data[self.position : stop]
        self.position = stop
        return Element(tag, vr, value) if vr != "UN" else _as_known(Element(tag, vr, value), depth)

    def _items(self, end: int, *, is_explicit: bool, depth: int, is_delimited: bool) -> list[list[Element]]:
        items: list[list[Element]] = []
        while self.position < end or is_delimited:
            tag, _, length = self._head(is_explicit=False)
            if tag == _SEQUENCE_END:
                break
            stop = end if length == _UNDEFINED else self.position + length
            found = self.elements(self.position, stop, is_explicit=is_explicit, depth=depth + 1)
            items.append([element for element, _ in found])
            if length != _UNDEFINED:
                self.position = stop
        return items

    def _fragments(self, tag: int, vr: str) -> Element:
        start = self.position
        while True:
            inner, _, length = self._head(is_explicit=False)
            if inner == _SEQUENCE_END:
                return Element(tag, vr, self._data[start : self.position])
            self.position += length


def _as_known(element: Element, depth: int) -> Element:
    """Read a value that came as UN as what the dictionary says (PS3.5 6.2.2, note 2)."""
    vr = vr_of(element.tag)
    if vr != "SQ":
        return Element(element.tag, vr, element.value)
    reader = _Reader(memoryview(element.value), "<")
    items = reader._items(len(element.value), is_explicit=False, depth=depth, is_delimited=False)  # noqa: SLF001
    return Element(element.tag, "SQ", items=items)


def write(elements: list[Element], syntax: TransferSyntax) -> bytes:
    """Write elements as a data set, sequences and items with their lengths."""
    order = ">" if syntax.is_big_endian else "<"
    return b"".join(_written(elements, order, is_explicit=syntax.is_explicit))


def _written(elements: list[Element], order: str, *, is_explicit: bool) -> Iterator[bytes]:
    for element in elements:
        value: Bytes = element.value
        if element.items is not None:
            parts: list[bytes] = []
            for item in element.items:
                content = b"".join(_written(item, order, is_explicit=is_explicit))
                parts += (struct.pack(f"{order}HHL", 0xFFFE, 0xE000, len(content)), content)
            value = b"".join(parts)
        length = len(value) if element.tag not in PIXEL_TAGS or not _is_fragments(element) else _UNDEFINED
        yield struct.pack(f"{order}HH", element.tag >> 16, element.tag & 0xFFFF)
        vr = element.vr.encode("ascii")
        if not is_explicit:
            yield struct.pack(f"{order}L", length)
        elif vr in _LONG_VRS:
            yield vr + struct.pack(f"{order}HL", 0, length)
        elif length > 0xFFFF:  # a text too long for its own representation (PS3.5 6.2.2)
            yield b"UN" + struct.pack(f"{order}HL", 0, length)
        else:
            yield vr + struct.pack(f"{order}H", length)
        yield bytes(value)


def _is_fragments(element: Element) -> bool:
    """Whether an icon's pixels are compressed: then they end with a delimiter."""
    return bytes(element.value[-8:]) == struct.pack("<HHL", 0xFFFE, 0xE0DD, 0)
