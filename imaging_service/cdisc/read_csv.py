"""A data set in a CSV file (RFC 4180, UTF-8): a header row of names, then one record a row."""

import csv
from collections.abc import Iterator, Sequence
from pathlib import Path

from imaging_service.cdisc.errors import FileUnreadableError

_MISSING = frozenset({"", "."})  # SAS writes a missing number as a point


class CsvSource:
    """A CSV file, read once from its first record to its last."""

    first_row = 2

    def __init__(self, path: Path) -> None:
        """Read the header.

        Raises
        ------
        FileUnreadableError
            If there is none, or it is not UTF-8.
        """
        self._path = path
        self.file = path.name
        with path.open(encoding="utf-8-sig", newline="") as stream:
            try:
                header = next(csv.reader(stream, strict=True), None)
            except (UnicodeDecodeError, csv.Error) as error:
                raise self._unreadable(error) from None
        if not header or not any(header):
            raise FileUnreadableError(self.file, "it is empty; wanted is a header row of column names")
        self.columns: Sequence[str] = tuple(name.strip().upper() for name in header)

    def __iter__(self) -> Iterator[Sequence[str]]:
        """Yield the cells of each record; lines without any cell are no records."""
        with self._path.open(encoding="utf-8-sig", newline="") as stream:
            reader = csv.reader(stream, strict=True)
            next(reader)
            row = self.first_row - 1
            try:
                for cells in reader:
                    row += 1
                    if len(cells) != len(self.columns):
                        if not cells:
                            continue
                        wanted = f"wanted are {len(self.columns)}, as in the header"
                        raise FileUnreadableError(self.file, f"row {row} has {len(cells)} cells; {wanted}")
                    yield ["" if (text := cell.strip()) in _MISSING else text for cell in cells]
            except (UnicodeDecodeError, csv.Error) as error:
                raise self._unreadable(error, after=row) from None

    def _unreadable(self, error: Exception, after: int = 0) -> FileUnreadableError:
        where = f"after row {after}, " if after else ""
        if isinstance(error, UnicodeDecodeError):
            return FileUnreadableError(self.file, f"{where}it is not UTF-8 text")
        return FileUnreadableError(self.file, f"{where}it is not CSV ({error})")
