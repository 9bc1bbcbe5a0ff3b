"""A data set on its way in: hashed as it comes, in memory while it is small, on disk when it is not."""

import hashlib
from collections.abc import Callable
from types import TracebackType
from typing import Self

from dicom_listener.archive.objects import Draft
from dicom_listener.archive.records import Digest
from dicom_listener.errors import OutOfResourcesError

IN_MEMORY = 4 * 2**20
"""Longest data set that is held in memory, in bytes."""

_FIRST = 2**20


class Place:
    """Memory that one association uses for all its data sets, as the system makes new memory slowly."""

    def __init__(self) -> None:
        """Take none yet."""
        self._buffer = bytearray()

    def part(self, start: int, length: int) -> memoryview:
        """Return `length` bytes from offset `start`; what was written below `start` stays."""
        if start + length > len(self._buffer):
            larger = bytearray(max(2 * len(self._buffer), start + length, _FIRST))
            larger[:start] = memoryview(self._buffer)[:start]
            self._buffer = larger
        return memoryview(self._buffer)[start : start + length]


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
        if self.draft is not None:
            self.draft.discard()

    def room(self, length: int) -> memoryview:
        """Return where the next `length` bytes go."""
        start = 0 if self._is_elsewhere else self.length
        if start + length > IN_MEMORY and self.draft is None:
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
