"""How far a log has been acknowledged and indexed, visible to every process of this machine.

These marks are hints for those who wait. After a crash they are made anew: what counts is in the segments
and in the database.
"""

import mmap
import os
from pathlib import Path

NAME = "marks"
_ACKNOWLEDGED, _INDEXED, _BYTES, _STALLED, _WANTED, _RECOVERED = range(6)
_COUNT = 8  # words of 64 bits


class Marks:
    """A few numbers in a file that is shared through memory.

    Each is written and read as one word of the machine.
    """

    def __init__(self, folder: Path, *, is_writer: bool = False) -> None:
        """Open the marks in `folder`; a writer makes them, and others may only say what they want.

        Raises
        ------
        OSError
            When they are not there, or cannot be made.
        ValueError
            When they are only being made.
        """
        path = folder / NAME
        self._is_writable = is_writer or os.access(path, os.W_OK)
        flags = (os.O_RDWR if self._is_writable else os.O_RDONLY) | (os.O_CREAT if is_writer else 0)
        descriptor = os.open(path, flags | os.O_CLOEXEC, 0o644)
        try:
            if is_writer:
                os.ftruncate(descriptor, _COUNT * 8)
            access = mmap.ACCESS_WRITE if self._is_writable else mmap.ACCESS_READ
            self._map = mmap.mmap(descriptor, _COUNT * 8, access=access)
        finally:
            os.close(descriptor)
        self._words = memoryview(self._map).cast("Q")

    @property
    def acknowledged(self) -> int:
        """The sequence of the last record whose sender may be told."""
        return self._words[_ACKNOWLEDGED]

    @acknowledged.setter
    def acknowledged(self, sequence: int) -> None:
        self._words[_ACKNOWLEDGED] = sequence

    @property
    def indexed(self) -> int:
        """The sequence of the last record that is in the object store and in the index."""
        return self._words[_INDEXED]

    @indexed.setter
    def indexed(self, sequence: int) -> None:
        self._words[_INDEXED] = sequence

    @property
    def recovered(self) -> int:
        """The sequence of the last record that an earlier run has left."""
        return self._words[_RECOVERED]

    @recovered.setter
    def recovered(self, sequence: int) -> None:
        self._words[_RECOVERED] = sequence

    @property
    def length(self) -> int:
        """Bytes of segments that hold records which are not indexed."""
        return self._words[_BYTES]

    @length.setter
    def length(self, length: int) -> None:
        self._words[_BYTES] = length

    @property
    def is_stalled(self) -> bool:
        """Whether records cannot be placed at the moment, so that waiting helps nobody."""
        return bool(self._words[_STALLED])

    @is_stalled.setter
    def is_stalled(self, is_stalled: bool) -> None:
        self._words[_STALLED] = int(is_stalled)

    @property
    def is_wanted(self) -> bool:
        """Whether somebody waits for a record that is not indexed yet."""
        return self._words[_WANTED] > self._words[_INDEXED]

    def want(self, sequence: int) -> None:
        """Ask for the records up to number `sequence` to be indexed soon."""
        if self._is_writable:
            self._words[_WANTED] = sequence

    @property
    def behind(self) -> int:
        """How many acknowledged records are not indexed yet."""
        return max(self.acknowledged - self.indexed, 0)

    def close(self) -> None:
        """Let go of the file."""
        self._words.release()
        self._map.close()
