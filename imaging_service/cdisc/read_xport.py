"""A data set in a SAS transport file (XPORT version 5 or 8)."""

from collections.abc import Iterator, Sequence
from datetime import date, datetime
from importlib import import_module
from pathlib import Path
from typing import Any

from imaging_service.cdisc.errors import FileUnreadableError
from imaging_service.cdisc.numbers import text_of_float

_CHUNK = 20_000
"""Records held in memory at a time."""

_HEADER = b"HEADER RECORD*******LIB"


class XportSource:
    """A SAS transport file, read once in chunks."""

    first_row = 1

    def __init__(self, path: Path) -> None:
        """Read the description of the columns.

        Raises
        ------
        FileUnreadableError
            If it is no transport file, or the reader of such files is not installed.
        """
        self._path = path
        self.file = path.name
        with path.open("rb") as stream:
            if not stream.read(len(_HEADER)).startswith(_HEADER):
                raise FileUnreadableError(self.file, "it is not a SAS transport file")
        self._library = _library(self.file)
        _, about = self._read(metadataonly=True)
        self._names: list[str] = list(about.column_names)
        self.columns: Sequence[str] = tuple(name.upper() for name in self._names)

    def __iter__(self) -> Iterator[Sequence[str]]:
        """Yield the cells of each record as text."""
        offset = 0
        while True:
            columns, _ = self._read(row_offset=offset, row_limit=_CHUNK)
            texts = [[_text(value) for value in columns[name]] for name in self._names]
            count = len(texts[0]) if texts else 0
            yield from zip(*texts, strict=True)
            if count < _CHUNK:
                return
            offset += count

    def _read(self, **options: Any) -> tuple[Any, Any]:  # noqa: ANN401 - the library's own options
        try:
            columns, about = self._library.read_xport(self._path, output_format="dict", **options)
        except (self._library.PyreadstatError, self._library.ReadstatError, UnicodeDecodeError) as error:
            why = str(error).strip().rstrip(".").lower()
            raise FileUnreadableError(self.file, f"it is not a whole SAS transport file ({why})") from None
        return columns, about


def _library(file: str) -> Any:  # noqa: ANN401 - it has no types
    try:
        return import_module("pyreadstat")
    except ModuleNotFoundError:
        why = "SAS transport files need an extra that is not installed: pip install 'imaging-service[cdisc]'"
        raise FileUnreadableError(file, why) from None


def _text(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        return value.strip()
    if isinstance(value, datetime | date):
        return value.isoformat()
    return text_of_float(float(value)) if isinstance(value, int | float) else str(value)
