"""Data sets sorted by subject without holding them in memory.

The first pass copies each record to a temporary file and notes where it stands; the second pass reads one
subject at a time. What is held is eight bytes a record, whatever the order of the records.
"""

import json
import tempfile
from array import array
from collections.abc import Iterator
from types import TracebackType
from typing import IO, Self

from imaging_service.cdisc.data_set import Source
from imaging_service.cdisc.record import Place, Record


class Spool:
    """The records of one data set, by subject."""

    def __init__(self, source: Source) -> None:
        """Copy every record.

        Parameters
        ----------
        source
            With a column USUBJID.

        Raises
        ------
        FileUnreadableError
            If a record cannot be read.
        """
        self.file = source.file
        self.columns = tuple(source.columns)
        self._first_row = source.first_row
        self._copy: IO[bytes] = tempfile.TemporaryFile(prefix="score-")  # noqa: SIM115 - lives as long as the spool
        self._offsets: dict[str, array[int]] = {}
        self.records = 0
        try:
            self._keep(source, self.columns.index("USUBJID"))
        except BaseException:
            self.close()
            raise

    def _keep(self, source: Source, subject: int) -> None:
        for number, cells in enumerate(source):
            self._offsets.setdefault(cells[subject], array("Q")).append(self._copy.tell())
            line = json.dumps([number, *cells], ensure_ascii=False, separators=(",", ":"))
            self._copy.write(line.encode() + b"\n")
            self.records = number + 1

    @property
    def subjects(self) -> Iterator[str]:
        """Every subject that has a record."""
        return iter(self._offsets)

    def of_subject(self, subject_id: str) -> list[Record]:
        """Return a subject's records in the order of the file."""
        found = []
        for offset in self._offsets.get(subject_id, ()):
            self._copy.seek(offset)
            number, *cells = json.loads(self._copy.readline())
            place = Place(self.file, number + self._first_row)
            found.append(Record(place, dict(zip(self.columns, cells, strict=True))))
        return found

    def __iter__(self) -> Iterator[Record]:
        """Yield every record in the order of the file."""
        self._copy.seek(0)
        for line in self._copy:
            number, *cells = json.loads(line)
            yield Record(
                Place(self.file, number + self._first_row), dict(zip(self.columns, cells, strict=True))
            )

    def close(self) -> None:
        """Give the temporary file back."""
        self._copy.close()

    def __enter__(self) -> Self:
        """Use it until the end of a block."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close it."""
        self.close()
