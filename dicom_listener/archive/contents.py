"""The bytes of objects, and an object that is being read: what is large stays on disk."""

import mmap
import os
from collections.abc import Iterator
from typing import IO, Protocol

Bytes = bytes | bytearray | memoryview
"""A stretch of an object; a writer never copies it."""

PIECE = 2**20
"""Bytes that are read at once where nobody wants another number."""


class Content(Protocol):
    """The bytes of an object, while its store lends them."""

    @property
    def length(self) -> int:
        """How many they are."""
        ...

    def view(self) -> memoryview:
        """Return all of them, for looking here and there: only what is looked at comes into memory."""
        ...

    def pieces(self, start: int = 0, size: int = PIECE) -> Iterator[Bytes]:
        """Give them in order from offset `start`, `size` at once and the rest at the end."""
        ...


class BytesContent:
    """A `Content` in memory."""

    def __init__(self, content: Bytes) -> None:
        """Lend `content`."""
        self._view = memoryview(content)

    @property
    def length(self) -> int:
        """How many bytes it has."""
        return len(self._view)

    def view(self) -> memoryview:
        """Return all of it."""
        return self._view

    def pieces(self, start: int = 0, size: int = PIECE) -> Iterator[Bytes]:
        """Give it in order."""
        for begin in range(start, len(self._view), size):
            yield self._view[begin : begin + size]


class FileContent:
    """A `Content` in an open file that nobody writes to any more."""

    def __init__(self, file: IO[bytes]) -> None:
        """Lend the content of `file`, whose owner closes it."""
        self._file = file

    @property
    def length(self) -> int:
        """How many bytes it has."""
        return os.fstat(self._file.fileno()).st_size

    def view(self) -> memoryview:
        """Map it."""
        if not self.length:
            return memoryview(b"")
        return memoryview(mmap.mmap(self._file.fileno(), 0, access=mmap.ACCESS_READ))

    def pieces(self, start: int = 0, size: int = PIECE) -> Iterator[Bytes]:
        """Read it in order; unlike a mapping, what was read does not stay in memory."""
        while piece := os.pread(self._file.fileno(), size, start):
            yield piece
            start += len(piece)
