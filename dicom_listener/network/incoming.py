"""A data set on its way in: hashed as it comes, in memory while it is small, on disk when it is not."""

import hashlib
import threading
from collections.abc import Callable
from types import TracebackType
from typing import Self

from dicom_listener.archive.objects import Draft
from dicom_listener.archive.records import Digest
from dicom_listener.errors import OutOfResourcesError

IN_MEMORY = 4 * 2**20
"""Longest data set that is held in memory, in bytes."""

_FIRST = 2**20
_FRAGMENT = 128 * 1024  # what everybody may hold


class Memory:
    """What all associations together may hold; who gets no more of it writes to disk."""

    def __init__(self, total: int) -> None:
        """Have `total` bytes to give."""
        self._left = total
        self._lock = threading.Lock()

    def take(self, length: int) -> bool:
        """Take `length` bytes, if there are as many left."""
        with self._lock:
            if length > self._left:
                return False
            self._left -= length
            return True

    def give_back(self, length: int) -> None:
        """Return what was taken."""
        with self._lock:
            self._left += length


MEMORY = Memory(64 * 2**20)
"""The memory of this process."""


class Place:
    """Memory that one association uses for all its data sets, as the system makes new memory slowly."""

    def __init__(self, memory: Memory = MEMORY) -> None:
        """Take none yet; `free` gives back what will be taken."""
        self._memory = memory
        self._taken = 0
        self._buffer = bytearray()

    def can_hold(self, length: int) -> bool:
        """Tell whether `length` bytes fit, and keep room for them if they do."""
        if length <= max(self._taken, _FRAGMENT):
            return True
        wanted = max(2 * self._taken, length, _FIRST)
        if not self._memory.take(wanted - self._taken):
            return False
        self._taken = wanted
        return True

    def part(self, start: int, length: int) -> memoryview:
        """Return `length` bytes from offset `start`; what was written below `start` stays."""
        if start + length > len(self._buffer):
            larger = bytearray(max(self._taken, start + length))
            larger[:start] = memoryview(self._buffer)[:start]
            self._buffer = larger
        return memoryview(self._buffer)[start : start + length]

    def free(self) -> None:
        """Give everything back."""
        self._memory.give_back(self._taken)
        self._taken, self._buffer = 0, bytearray()


class Incoming:
    """The data set of one C-STORE, fragment by fragment.

    ``room`` gives the place for the next fragment, ``took`` tells that it is there.
    """

    def __init__(self, begin_draft: Callable[[], Draft | None], place: "Place | None" = None) -> None:
        """Hold what comes in memory; `begin_draft` opens a place on disk when there is too much of it."""
        self._begin_draft = begin_draft
        self._place = place or Place()
        self._hash = hashlib.sha256()
        self.draft: Draft | None = None
        self.length = 0
        self.refusal: OutOfResourcesError | None = None

    def __enter__(self) -> Self:
        """Begin."""
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        """Leave nothing on disk but what was kept."""
        self.discard()

    def discard(self) -> None:
        """Remove what is on disk; what was kept stays."""
        if self.draft is not None:
            self.draft.discard()

    def free(self) -> None:
        """Give its memory back, where that is nobody else's."""
        self._place.free()

    def room(self, length: int) -> memoryview:
        """Return where the next `length` bytes go."""
        start = 0 if self._is_elsewhere else self.length
        is_too_much = start + length > IN_MEMORY or not self._place.can_hold(start + length)
        if is_too_much and self.draft is None:
            self._spill()
            start = 0 if self._is_elsewhere else start
        return self._place.part(start, length)

    def took(self, fragment: memoryview) -> None:
        """Count a fragment that `room` made place for."""
        self._hash.update(fragment)
        if self.draft is not None and self.refusal is None:
            try:
                self.draft.write(fragment)
            except OutOfResourcesError as error:
                self.refusal = error
        self.length += len(fragment)

    @property
    def digest(self) -> Digest:
        """The SHA-256 of what has come."""
        return Digest(self._hash.hexdigest())

    def data_set(self) -> memoryview:
        """Return what has come."""
        if self.draft is not None:
            return self.draft.data_set()
        return self._place.part(0, self.length)

    @property
    def _is_elsewhere(self) -> bool:
        """Whether the buffer holds single fragments only: the rest is on disk, or is not wanted."""
        return self.draft is not None or self.refusal is not None

    def _spill(self) -> None:
        try:
            self.draft = self._begin_draft()
            if self.draft is not None:
                self.draft.write(self._place.part(0, self.length))
        except OutOfResourcesError as error:
            self.refusal = error
