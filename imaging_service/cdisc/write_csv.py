"""Write a data set as CSV (RFC 4180, UTF-8)."""

import csv
from datetime import date
from pathlib import Path

from imaging_service.cdisc.data_set import DataSet, Row, Value


class CsvSink:
    """A CSV file that is being written. Values stand in it as they are: a data set is not a spreadsheet."""

    def __init__(self, path: Path, data_set: DataSet) -> None:
        """Write the header."""
        self._names = [variable.name for variable in data_set.variables]
        self._stream = path.open("w", encoding="utf-8", newline="")
        self._writer = csv.writer(self._stream, lineterminator="\r\n")
        self._writer.writerow(self._names)

    def write(self, row: Row) -> None:
        """Add a row."""
        self._writer.writerow([text_of(row.get(name)) for name in self._names])

    def close(self) -> None:
        """Complete the file."""
        self._stream.close()


def text_of(value: Value) -> str:
    """Return a cell as text; numbers without an exponent, days as YYYY-MM-DD, nothing for a missing value."""
    if value is None or isinstance(value, str):
        return value or ""
    return (
        value.isoformat()
        if isinstance(value, date)
        else format(value, "f")
        if not isinstance(value, int)
        else str(value)
    )
