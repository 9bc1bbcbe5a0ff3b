"""A list on the console: as a table for people, as CSV or JSON for programs."""

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Annotated, Any

import typer


class Format(StrEnum):
    """How a list is printed."""

    TABLE = "table"
    CSV = "csv"
    JSON = "json"


WantedFormat = Annotated[Format, typer.Option("--format", help="table, csv or json.")]


def show(columns: Sequence[str], rows: Sequence[Mapping[str, Any]], wanted: Format) -> None:
    """Print rows; the table has these columns, CSV and JSON have all that there are."""
    if wanted is Format.TABLE:
        _show_table(columns, rows)
        return
    from imaging_service.canonical import canonical_json  # noqa: PLC0415
    from imaging_service.http.csv_answer import csv_text  # noqa: PLC0415

    if wanted is Format.JSON:
        typer.echo(canonical_json([dict(row) for row in rows]))
    else:
        whole = [*columns, *(name for name in (rows[0] if rows else ()) if name not in columns)]
        typer.echo(csv_text(whole, rows), nl=False)


def _show_table(columns: Sequence[str], rows: Sequence[Mapping[str, Any]]) -> None:
    cells = [[_cell(row.get(name)) for name in columns] for row in rows]
    lines = [[name.replace("_", " ") for name in columns], *cells]
    widths = [max(len(line[place]) for line in lines) for place in range(len(columns))]
    for line in lines:
        words = (cell.ljust(width) for cell, width in zip(line, widths, strict=True))
        typer.echo("  ".join(words).rstrip())


def _cell(value: Any) -> str:  # noqa: ANN401  whatever a row holds
    """Return one cell on one line."""
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return " ".join(str(value).split())
