"""The audit as a file: JSON Lines, whose entries can be verified elsewhere, or CSV for people."""

import csv
import io
from collections.abc import Iterator
from enum import StrEnum
from typing import Any

from imaging_service.audit import repository
from imaging_service.audit.repository import AuditEntry, Wanted
from imaging_service.canonical import canonical_json
from imaging_service.database import Database
from imaging_service.http.csv_answer import cell

_COLUMNS = tuple(column.name for column in AuditEntry.__table__.columns)
_AT_ONCE = 200


class Kind(StrEnum):
    """How the file is written; the value is its ending."""

    JSON_LINES = "jsonl"
    CSV = "csv"

    @property
    def media_type(self) -> str:
        """Return the media type."""
        return {"jsonl": "application/jsonl", "csv": "text/csv; charset=utf-8; header=present"}[self.value]


def stream(database: Database, wanted: Wanted, kind: Kind) -> Iterator[bytes]:
    """Yield the file in pieces; the entries are read as they are sent."""
    with database.read() as session:
        lines: list[str] = []
        if kind is Kind.CSV:
            lines.append(_csv_line(_COLUMNS))
        for entry in repository.in_order(session, wanted):
            row = {name: getattr(entry, name) for name in _COLUMNS}
            lines.append(_json_line(row) if kind is Kind.JSON_LINES else _csv_line(tuple(row.values())))
            if len(lines) >= _AT_ONCE:
                yield "".join(lines).encode()
                lines.clear()
        yield "".join(lines).encode()


def _json_line(row: dict[str, Any]) -> str:
    """Write `before` and `after` as they are hashed: as text."""
    return f"{canonical_json(row)}\n"


def _csv_line(values: tuple[Any, ...]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\r\n").writerow([cell(value) for value in values])
    return text.getvalue()
