"""Read a log's records in their order, across its segments."""

import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

from dicom_listener.archive import segments
from dicom_listener.archive.segments import PAGE, Record
from dicom_listener.errors import FolderUnusableError

IDENTITY = "identity"
_IDENTITY_BYTES = 16


def identity_of(folder: Path) -> bytes:
    """Return the identifier of the log in `folder`.

    Raises
    ------
    FolderUnusableError
        When there is none.
    """
    try:
        identity = (folder / IDENTITY).read_bytes()
    except OSError as error:
        raise FolderUnusableError(folder, error.strerror or str(error)) from error
    if len(identity) != _IDENTITY_BYTES:
        raise FolderUnusableError(folder, "its file 'identity' is not a log's")
    return identity


class LogReader:
    """Follow one log; what it has given once it does not give again."""

    def __init__(self, folder: Path, indexed: int, recovered: int = 0) -> None:
        """Begin after record `indexed` of the log in `folder`; a start has found those to `recovered`."""
        self._folder = folder
        self._recovered = recovered
        self._log = identity_of(folder)
        self._sequence = indexed + 1
        self._place: tuple[Path, int] | None = None

    @property
    def sequence(self) -> int:
        """The number of the record that comes next."""
        return self._sequence

    @property
    def is_recovering(self) -> bool:
        """Whether that record is one that a start has found."""
        return self._sequence <= self._recovered

    def until(self, last: int) -> Iterator[Record]:
        """Give the records up to number `last`, which have been acknowledged.

        Of those that a start has found, it gives the ones that `all` gives.
        """
        heads = self._heads()
        while self._sequence <= last:
            record = self._next_whole(heads, last) if self.is_recovering else self._next(heads)
            if record is None:
                return
            yield record

    def all(self) -> Iterator[Record]:
        """Give every record that is whole, after a crash.

        One that is torn was not acknowledged, but those behind it may be: a killed process leaves a record
        that the next one goes on behind. Numbers that no segment holds are passed over, too: where the
        index was made anew, they are older than what is left.
        """
        heads = self._heads()
        while (record := self._next_whole(heads, sys.maxsize)) is not None:
            yield record

    def _next_whole(self, heads: Mapping[int, Path], last: int) -> Record | None:
        """Return the next whole record to number `last`; where there is none, stay."""
        before = self._sequence
        while self._sequence <= last:
            record = self._next(heads)
            if record is None:
                later = min((first for first in heads if first > self._sequence), default=None)
                if later is None:
                    break
                self._sequence, self._place = later, None
            elif segments.is_whole(record):
                return record
        self._sequence, self._place = before, None
        return None

    def _heads(self) -> Mapping[int, Path]:
        """Return the segments by the number of their first record; the latest where two begin with one."""
        found = []
        for path in self._folder.glob(f"*{segments.SUFFIX}"):
            head = segments.head_of(path, self._log)
            if head is not None:
                found.append((head.generation, head.first, path))
        return {first: path for _, first, path in sorted(found)}

    def _next(self, heads: Mapping[int, Path]) -> Record | None:
        """Return the next record; a segment that begins with it wins over one that was given up."""
        if self._sequence in heads:
            self._place = heads[self._sequence], PAGE
        if self._place is None:
            self._place = self._found(heads)
            if self._place is None:
                return None
        path, start = self._place
        record = next(segments.records_of(path, self._log, self._sequence, start), None)
        if record is not None:
            self._sequence, self._place = record.sequence + 1, (path, record.end)
        return record

    def _found(self, heads: Mapping[int, Path]) -> tuple[Path, int] | None:
        """Find the next record inside a segment that begins before it."""
        first = max((first for first in heads if first < self._sequence), default=None)
        if first is None:
            return None
        for record in segments.records_of(heads[first], self._log, first):
            if record.sequence + 1 == self._sequence:
                return heads[first], record.end
        return None
