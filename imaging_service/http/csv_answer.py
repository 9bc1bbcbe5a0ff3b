"""Lists as CSV (RFC 4180), safe to open in a spreadsheet."""

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum
from typing import Annotated, Any

from fastapi import Depends, Query, Request
from starlette.responses import Response

from imaging_service.canonical import canonical_json
from imaging_service.errors import NotAcceptableError

_DESCRIPTION = "`csv` or `json`; else as `Accept` says."
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")


class Format(StrEnum):
    """How a list is answered."""

    JSON = "json"
    CSV = "csv"


async def wanted_format(
    request: Request,
    format: Annotated[Format | None, Query(description=_DESCRIPTION)] = None,  # noqa: A002
) -> Format:
    """Read the format from ``?format=`` or from the Accept header; JSON when neither says.

    Raises
    ------
    NotAcceptableError
        The Accept header wants neither.
    """
    if format is not None:
        return format
    accept = request.headers.get("accept", "*/*").lower()
    ranges = [part.split(";")[0].strip() for part in accept.split(",")]
    for media_range in ranges:
        if media_range in {"application/json", "*/*", "application/*", "application/problem+json"}:
            return Format.JSON
        if media_range in {"text/csv", "text/*"}:
            return Format.CSV
    message = f"The answer exists as application/json and text/csv; the Accept header wants {accept[:200]!r}."
    raise NotAcceptableError(message)


_AS_CSV = {"schema": {"type": "string"}, "example": "site_id,subject_id\r\nS01,S01-001\r\n"}


def declare_csv(document: Mapping[str, Any]) -> None:
    """Write into an OpenAPI document that every route with this format parameter answers CSV too."""
    for of_path in document["paths"].values():
        for told in of_path.values():
            if any(_is_format(each) for each in told.get("parameters", ())):
                told["responses"]["200"].setdefault("content", {})["text/csv"] = _AS_CSV


def _is_format(parameter: Mapping[str, Any]) -> bool:
    return parameter["name"] == "format" and parameter.get("description") == _DESCRIPTION


WantedFormat = Annotated[Format, Depends(wanted_format)]


def csv_response(columns: Sequence[str], rows: Iterable[Mapping[str, Any]], filename: str) -> Response:
    """Return `rows` as a CSV file with a header line.

    Parameters
    ----------
    columns, rows
        As `csv_text`.
    filename
        Our own name for the file, such as ``"timepoints.csv"``; never a received value.
    """
    return Response(
        csv_text(columns, rows).encode(),
        media_type="text/csv; charset=utf-8; header=present",
        headers={"Content-Disposition": f'attachment; filename="{filename}"'},
    )


def csv_text(columns: Sequence[str], rows: Iterable[Mapping[str, Any]]) -> str:
    """Return `rows` as CSV with a header line.

    Parameters
    ----------
    columns
        Keys of the rows, in the order of the file; a missing one is an empty cell.
    rows
        Mappings; lists and mappings in them become JSON text.
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(columns)
    for row in rows:
        writer.writerow([cell(row.get(column)) for column in columns])
    return text.getvalue()


def cell(value: Any) -> str:  # noqa: ANN401  whatever a row holds
    """Return one cell; a text that a spreadsheet would run as a formula gets an apostrophe before it.

    Numbers stay numbers: only texts are changed.

    Examples
    --------
    >>> cell("=1+1"), cell(-12.5), cell(None), cell([1, "a"])
    ("'=1+1", '-12.5', '', '[1,"a"]')
    """
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list | tuple | dict | set | frozenset):
        return canonical_json(list(value) if isinstance(value, tuple) else value)
    text = value.isoformat() if hasattr(value, "isoformat") else str(value)
    return f"'{text}" if isinstance(value, str) and text.startswith(_FORMULA) else text
