"""Write a data set as CDISC Dataset-JSON 1.1, its NDJSON form, or Dataset-JSON 1.0."""

import json
from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from types import MappingProxyType
from typing import Any

from imaging_service.cdisc.data_set import DataSet, Kind, Row, Value, Variable

_TYPES: Mapping[Kind, str] = MappingProxyType(
    {Kind.TEXT: "string", Kind.INTEGER: "integer", Kind.NUMBER: "double", Kind.DATE: "date"}
)
"""dataType of 1.1."""

_OLD_TYPES: Mapping[Kind, str] = MappingProxyType(
    {Kind.TEXT: "string", Kind.INTEGER: "integer", Kind.NUMBER: "double", Kind.DATE: "string"}
)
"""type of 1.0."""

_SYSTEM = {"name": "imaging-service score", "version": "1"}


class DatasetJsonSink:
    """A Dataset-JSON 1.1 file. Rows go to the file as they come; the description stands before them."""

    def __init__(self, path: Path, data_set: DataSet, study_id: str, created_at: datetime) -> None:
        """Write what comes before the rows."""
        self._data_set = data_set
        self._stream = path.open("w", encoding="utf-8", newline="\n")
        head = _about(data_set, study_id, created_at)
        self._stream.write(json.dumps(head, ensure_ascii=False)[:-1] + ', "rows": [')
        self._records = 0

    def write(self, row: Row) -> None:
        """Add a row."""
        self._stream.write(",\n" if self._records else "\n")
        self._stream.write(_line(self._data_set, row))
        self._records += 1

    def close(self) -> None:
        """Write the number of records, and complete the file."""
        self._stream.write(f'\n], "records": {self._records}}}\n')
        self._stream.close()


class NdjsonSink:
    """The NDJSON form of Dataset-JSON 1.1: the description in the first line, then a row a line."""

    def __init__(self, path: Path, data_set: DataSet, study_id: str, created_at: datetime) -> None:
        """Begin beside the file, as the first line says how many rows follow."""
        self._data_set, self._path = data_set, path
        self._head = _about(data_set, study_id, created_at)
        self._rows = path.with_suffix(".rows")
        self._stream = self._rows.open("w", encoding="utf-8", newline="\n")
        self._records = 0

    def write(self, row: Row) -> None:
        """Add a row."""
        self._stream.write(_line(self._data_set, row) + "\n")
        self._records += 1

    def close(self) -> None:
        """Put the description before the rows."""
        self._stream.close()
        with self._path.open("w", encoding="utf-8", newline="\n") as whole:
            whole.write(json.dumps({**self._head, "records": self._records}, ensure_ascii=False) + "\n")
            with self._rows.open(encoding="utf-8", newline="\n") as rows:
                for line in rows:
                    whole.write(line)
        self._rows.unlink()


class OldDatasetJsonSink:
    """A Dataset-JSON 1.0 file, whose first column counts the records."""

    def __init__(self, path: Path, data_set: DataSet, study_id: str, created_at: datetime) -> None:
        """Write what comes before the rows."""
        self._data_set = data_set
        self._stream = path.open("w", encoding="utf-8", newline="\n")
        self._records = 0
        head = {
            "creationDateTime": _stamp(created_at),
            "datasetJSONVersion": "1.0.0",
            "fileOID": f"{study_id}.{data_set.name}",
            "originator": _SYSTEM["name"],
        }
        counter = {"OID": "ITEMGROUPDATASEQ", "name": "ITEMGROUPDATASEQ", "label": "Record Identifier"}
        items = [{**counter, "type": "integer"}, *(_old_item(data_set, each) for each in data_set.variables)]
        group = {"name": data_set.name, "label": data_set.label, "items": items}
        inside = {"studyOID": study_id, "metaDataVersionOID": f"MDV.{study_id}"}
        self._stream.write(json.dumps(head, ensure_ascii=False)[:-1] + ', "clinicalData": ')
        self._stream.write(
            json.dumps(inside, ensure_ascii=False)[:-1] + f', "itemGroupData": {{"IG.{data_set.name}": '
        )
        self._stream.write(json.dumps(group, ensure_ascii=False)[:-1] + ', "itemData": [')

    def write(self, row: Row) -> None:
        """Add a row."""
        self._stream.write(",\n" if self._records else "\n")
        self._records += 1
        self._stream.write(f"[{self._records}, {_line(self._data_set, row)[1:]}")

    def close(self) -> None:
        """Write the number of records, and complete the file."""
        self._stream.write(f'\n], "records": {self._records}}}}}}}}}\n')
        self._stream.close()


def _about(data_set: DataSet, study_id: str, created_at: datetime) -> dict[str, Any]:
    return {
        "datasetJSONCreationDateTime": _stamp(created_at),
        "datasetJSONVersion": "1.1.0",
        "originator": _SYSTEM["name"],
        "sourceSystem": _SYSTEM,
        "studyOID": study_id,
        "itemGroupOID": f"IG.{data_set.name}",
        "name": data_set.name,
        "label": data_set.label,
        "columns": [_column(data_set, variable) for variable in data_set.variables],
    }


def _column(data_set: DataSet, variable: Variable) -> dict[str, Any]:
    column: dict[str, Any] = {
        "itemOID": f"IT.{data_set.name}.{variable.name}",
        "name": variable.name,
        "label": variable.label,
        "dataType": _TYPES[variable.kind],
    }
    if variable.kind is Kind.TEXT:
        column["length"] = variable.length
    if variable.kind is Kind.DATE:
        column |= {"targetDataType": "integer", "displayFormat": "DATE9."}
    return column


def _old_item(data_set: DataSet, variable: Variable) -> dict[str, Any]:
    item: dict[str, Any] = {
        "OID": f"IT.{data_set.name}.{variable.name}",
        "name": variable.name,
        "label": variable.label,
        "type": _OLD_TYPES[variable.kind],
    }
    return {**item, "length": variable.length} if variable.kind is Kind.TEXT else item


def _line(data_set: DataSet, row: Row) -> str:
    return (
        "[" + ", ".join(_json(row.get(variable.name), variable.kind) for variable in data_set.variables) + "]"
    )


def _json(value: Value, kind: Kind) -> str:
    """Return a cell as JSON: a decimal keeps its digits, a missing text is empty, other missing is null."""
    if value is None:
        return '""' if kind is Kind.TEXT else "null"
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, date):
        return f'"{value.isoformat()}"'
    return str(value) if isinstance(value, int) else json.dumps(value, ensure_ascii=False)


def _stamp(created_at: datetime) -> str:
    return created_at.strftime("%Y-%m-%dT%H:%M:%S")
