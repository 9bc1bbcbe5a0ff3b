"""A kept instance, read in stretches: its header, and where each frame's bytes stand."""

import io
import struct
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from threading import Lock

import numpy as np
from pydicom import Dataset
from pydicom.filereader import read_dataset

from dicom_listener.archive.objects import ObjectStore
from dicom_listener.archive.records import InstanceRecord
from dicom_listener.archive.scan import inflate
from dicom_listener.archive.syntaxes import TRANSFER_SYNTAXES, TransferSyntax

CHUNK = 2**20
_BLOCK = 2**16
_PIXELS = (0x7FE00008, 0x7FE00009, 0x7FE00010)  # float, double, integer
_UNDEFINED = 0xFFFFFFFF
_LONG_VRS = frozenset({b"OB", b"OW", b"OF", b"OD", b"UN"})
_MOST_INFLATED = 64 * 2**20
_MOST_FRAMES = 65_536

Stretch = tuple[int, int]
"""Offset of the first byte, and how many."""


class InstanceUnreadableError(ValueError):
    """The bytes of an instance do not say what its header promises."""


class _ObjectFile(io.RawIOBase):
    """An object of the store as a file that is read where it is looked at."""

    def __init__(self, objects: ObjectStore, record: InstanceRecord) -> None:
        self._objects, self._record, self._position = objects, record, 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        begin = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self._record.size}[whence]
        self._position = begin + offset
        return self._position

    def tell(self) -> int:
        return self._position

    def readinto(self, buffer) -> int:  # type: ignore[no-untyped-def]  # noqa: ANN001  a writable buffer
        content = self._objects.get_range(self._record.digest, self._position, len(buffer))
        buffer[: len(content)] = content
        self._position += len(content)
        return len(content)


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """Where the pixels of an instance stand; offsets count from the beginning of its file."""

    header: Dataset
    """Everything before the pixels, little endian. Nobody changes it: requests share it."""
    header_size: int
    tag: int  # of the pixel data
    vr: str
    pixels: Stretch  # the value; of fragments all items with their delimiters
    frames: Sequence[Sequence[Stretch]] | None  # fragments of each frame; None for native pixels


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptInstance:
    """An instance with its bytes at hand."""

    record: InstanceRecord
    syntax: TransferSyntax
    layout: Layout
    _objects: ObjectStore
    _inflated: bytes | bytearray | None = None

    @property
    def header(self) -> Dataset:
        """Everything before the pixels."""
        return self.layout.header

    @property
    def has_pixels(self) -> bool:
        """Whether there are any."""
        return self.layout.pixels[1] > 0

    def read(self, start: int, length: int) -> bytes:
        """Return a stretch.

        Raises
        ------
        ObjectMissingError
            The store has lost the instance.
        """
        if self._inflated is not None:
            return bytes(self._inflated[start : start + length])
        return self._objects.get_range(self.record.digest, start, length)

    def stretch(self, start: int, length: int) -> Iterator[bytes]:
        """Give a stretch in pieces of at most `CHUNK` bytes."""
        for begin in range(start, start + length, CHUNK):
            yield self.read(begin, min(CHUNK, start + length - begin))

    def file(self) -> Iterator[bytes]:
        """Give the whole file as it is kept."""
        for begin in range(0, self.record.size, CHUNK):
            yield self._objects.get_range(self.record.digest, begin, CHUNK)


class Layouts:
    """Layouts that were read lately, within bounds: reading one costs more than giving a frame."""

    def __init__(self, *, most: int = 512, most_bytes: int = 64 * 2**20) -> None:
        """Keep at most so many, whose headers have so many bytes together."""
        self._most, self._most_bytes = most, most_bytes
        self._kept: OrderedDict[str, Layout] = OrderedDict()
        self._bytes = 0
        self._lock = Lock()

    def open(self, objects: ObjectStore, record: InstanceRecord) -> KeptInstance:
        """Return an instance with its layout.

        Raises
        ------
        InstanceUnreadableError
            Its bytes cannot be followed.
        ObjectMissingError
            The store has lost it.
        """
        syntax = TRANSFER_SYNTAXES[record.transfer_syntax_uid]
        inflated: bytes | bytearray | None = None
        if syntax.is_deflated:
            deflated = objects.get_range(record.digest, record.header_length, record.size)
            inflated = inflate(deflated, _MOST_INFLATED)
        layout = self._found(record.digest)
        if layout is None:
            layout = _read(objects, record, syntax, inflated)
            self._keep(record.digest, layout)
        return KeptInstance(record=record, syntax=syntax, layout=layout, _objects=objects, _inflated=inflated)

    def _found(self, digest: str) -> Layout | None:
        with self._lock:
            layout = self._kept.get(digest)
            if layout is not None:
                self._kept.move_to_end(digest)
            return layout

    def _keep(self, digest: str, layout: Layout) -> None:
        if layout.header_size > self._most_bytes // 8:
            return
        with self._lock:
            if digest not in self._kept:
                self._kept[digest] = layout
                self._bytes += layout.header_size
            while len(self._kept) > self._most or self._bytes > self._most_bytes:
                _, oldest = self._kept.popitem(last=False)
                self._bytes -= oldest.header_size


def _read(
    objects: ObjectStore, record: InstanceRecord, syntax: TransferSyntax, inflated: bytes | bytearray | None
) -> Layout:
    file: io.BufferedIOBase
    if inflated is None:
        file = io.BufferedReader(_ObjectFile(objects, record), _BLOCK)
        file.seek(record.header_length)
    else:
        file = io.BytesIO(inflated)
    begin = file.tell()
    try:
        header = read_dataset(
            file,
            is_implicit_VR=not syntax.is_explicit,
            is_little_endian=not syntax.is_big_endian,
            stop_when=lambda tag, _vr, _length: tag >= _PIXELS[0],
        )
        size = file.tell() - begin
        if syntax.is_big_endian:
            _swap_words(header)
        tag, vr, pixels = _pixel_element(file, syntax)
        frames = None
        if syntax.is_encapsulated and pixels[1]:
            items, end = _items(file, pixels[0])
            pixels = (pixels[0], end - pixels[0])
            frames = _frames(file, items, record.number_of_frames)
    except (struct.error, EOFError, ValueError, KeyError) as error:
        message = f"The bytes of the instance cannot be followed ({type(error).__name__})."
        raise InstanceUnreadableError(message) from None
    return Layout(header=header, header_size=size + 4096, tag=tag, vr=vr, pixels=pixels, frames=frames)


def _swap_words(header: Dataset) -> None:
    """Turn big-endian words around, which pydicom leaves as they are."""
    for element in header:
        if element.VR == "OW" and isinstance(element.value, bytes):
            element.value = np.frombuffer(element.value, ">u2").astype("<u2").tobytes()


def _pixel_element(file: io.BufferedIOBase, syntax: TransferSyntax) -> tuple[int, str, Stretch]:
    order = ">" if syntax.is_big_endian else "<"
    head = file.read(8)
    if len(head) < 8:
        return _PIXELS[-1], "OW", (0, 0)
    group, element = struct.unpack(f"{order}HH", head[:4])
    tag = group << 16 | element
    if tag not in _PIXELS:
        return _PIXELS[-1], "OW", (0, 0)
    vr = b"OW"
    if syntax.is_explicit:
        vr = head[4:6]
        if vr not in _LONG_VRS:
            raise ValueError(vr)
        (length,) = struct.unpack(f"{order}L", file.read(4))
    else:
        (length,) = struct.unpack(f"{order}L", head[4:])
    if (length == _UNDEFINED) is not syntax.is_encapsulated:
        raise ValueError(length)
    return tag, vr.decode("ascii"), (file.tell(), length)


def _items(file: io.BufferedIOBase, start: int) -> tuple[list[Stretch], int]:
    """Return the items of encapsulated pixels (PS3.5 A.4), the offset table first, and where they end."""
    items: list[Stretch] = []
    position = start
    while True:
        file.seek(position)
        group, element, length = struct.unpack("<HHL", file.read(8))
        if (group, element) == (0xFFFE, 0xE0DD):
            return items, position + 8
        if (group, element) != (0xFFFE, 0xE000) or length == _UNDEFINED:
            raise ValueError(element)
        items.append((position + 8, length))
        position += 8 + length


def _frames(file: io.BufferedIOBase, items: Sequence[Stretch], count: int) -> Sequence[Sequence[Stretch]]:
    """Tell which fragments belong to which frame."""
    if not items or count > _MOST_FRAMES:
        raise ValueError(count)
    (table_start, table_length), fragments = items[0], items[1:]
    if len(fragments) == count:
        return [(each,) for each in fragments]
    if count == 1:
        return [tuple(fragments)]
    file.seek(table_start)
    offsets = [each[0] for each in struct.iter_unpack("<L", file.read(table_length))]
    if len(offsets) != count or not fragments:
        raise ValueError(count)
    first = fragments[0][0] - 8
    bounds = [*offsets[1:], 2**63]
    return [
        tuple(each for each in fragments if begin <= each[0] - 8 - first < end)
        for begin, end in zip(offsets, bounds, strict=True)
    ]
