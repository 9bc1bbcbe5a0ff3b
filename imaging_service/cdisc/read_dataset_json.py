"""A data set in CDISC Dataset-JSON 1.0 or 1.1, or in the NDJSON form of 1.1.

The JSON form is one document and is held in memory while it is read; the NDJSON form is read line by line.
"""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from imaging_service.cdisc.errors import FileUnreadableError
from imaging_service.cdisc.numbers import text_of_float

_COUNTER = "ITEMGROUPDATASEQ"
"""The first column of Dataset-JSON 1.0, which only counts the records."""


class _JsonSource:
    """The records of a Dataset-JSON document."""

    first_row = 1

    def __init__(self, file: str, columns: Sequence[str], records: Sequence[Any]) -> None:
        self.file = file
        self._skipped = int(columns[0] == _COUNTER)
        self._width = len(columns)
        self.columns: Sequence[str] = columns[self._skipped :]
        self._records = records

    def __iter__(self) -> Iterator[Sequence[str]]:
        for number, record in enumerate(self._records, start=1):
            yield _cells(self.file, number, record, self._width)[self._skipped :]


class _NdjsonSource:
    """The lines of an NDJSON file; the first one describes the columns."""

    first_row = 1

    def __init__(self, path: Path, columns: Sequence[str]) -> None:
        self.file = path.name
        self.columns = columns
        self._path = path

    def __iter__(self) -> Iterator[Sequence[str]]:
        with self._path.open(encoding="utf-8") as stream:
            next(stream)
            number = 0
            for line in stream:
                if line.strip():
                    number += 1
                    record = _parsed(self.file, line, f"line {number + 1}")
                    yield _cells(self.file, number, record, len(self.columns))


def dataset_json_source(path: Path) -> _JsonSource:
    """Open a Dataset-JSON file, version 1.0 or 1.1.

    Raises
    ------
    FileUnreadableError
        If it is not Dataset-JSON.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise FileUnreadableError(path.name, "it is not UTF-8 text") from None
    document = _parsed(path.name, text, "the document")
    if not isinstance(document, dict):
        raise _not_dataset_json(path.name, "a JSON object")
    group = _item_group(path.name, document)
    columns = _columns(path.name, group.get("columns", group.get("items")))
    records = group.get("rows", group.get("itemData", []))
    if not isinstance(records, list):
        raise _not_dataset_json(path.name, "a list of rows")
    return _JsonSource(path.name, columns, records)


def ndjson_source(path: Path) -> _NdjsonSource:
    """Open the NDJSON form of a Dataset-JSON file.

    Raises
    ------
    FileUnreadableError
        If its first line does not describe columns.
    """
    with path.open(encoding="utf-8") as stream:
        try:
            first = next(stream, "")
        except UnicodeDecodeError:
            raise FileUnreadableError(path.name, "it is not UTF-8 text") from None
    about = _parsed(path.name, first, "line 1")
    if not isinstance(about, dict):
        raise _not_dataset_json(path.name, "a JSON object in line 1")
    return _NdjsonSource(path, _columns(path.name, about.get("columns")))


def _item_group(file: str, document: dict[str, Any]) -> dict[str, Any]:
    """Return what describes and holds the records: 1.1 has it on top, 1.0 below clinicalData."""
    if "columns" in document:
        return document
    for part in ("clinicalData", "referenceData"):
        inside = document.get(part)
        groups = inside.get("itemGroupData") if isinstance(inside, dict) else None
        if isinstance(groups, dict) and len(groups) == 1:
            group = next(iter(groups.values()))
            if isinstance(group, dict):
                return group
    raise _not_dataset_json(file, "columns, or one data set in itemGroupData")


def _columns(file: str, found: object) -> tuple[str, ...]:
    names = (
        [column.get("name") for column in found if isinstance(column, dict)]
        if isinstance(found, list)
        else []
    )
    if not names or not all(isinstance(name, str) for name in names):
        raise _not_dataset_json(file, "columns that each have a name")
    return tuple(str(name).upper() for name in names)


def _cells(file: str, number: int, record: object, wanted: int) -> list[str]:
    if not isinstance(record, list) or len(record) != wanted:
        found = f"{len(record)} values" if isinstance(record, list) else type(record).__name__
        raise FileUnreadableError(file, f"row {number} has {found}; wanted is a list of {wanted} values")
    return [_text(file, number, value) for value in record]


def _text(file: str, number: int, value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        return value.strip()
    if isinstance(value, bool):
        return "Y" if value else "N"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        return text_of_float(value)
    raise FileUnreadableError(
        file, f"row {number} holds a {type(value).__name__}; wanted are texts and numbers"
    )


def _parsed(file: str, text: str, what: str) -> Any:  # noqa: ANN401 - whatever JSON holds
    try:
        return json.loads(text)
    except (json.JSONDecodeError, RecursionError) as error:
        why = (
            f"{error.msg}, line {error.lineno}, column {error.colno}"
            if isinstance(error, json.JSONDecodeError)
            else "too deep"
        )
        raise FileUnreadableError(file, f"{what} is not JSON ({why})") from None


def _not_dataset_json(file: str, wanted: str) -> FileUnreadableError:
    return FileUnreadableError(file, f"it is not Dataset-JSON; wanted is {wanted}")
