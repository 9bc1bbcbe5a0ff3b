"""``imaging-service score``: check a trial's lesion data sets with no service running."""

import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from imaging_service.cdisc.write import Format
    from measurement.protocol.trial import TrialProtocol

_QUERIES, _NOT_SCORABLE = 1, 2

_FILE = "file, instead of the one in the folder (.csv, .xpt, .json, .ndjson)"


def register(parent: typer.Typer) -> None:
    """Add the command."""
    parent.command("score")(score)


def score(  # noqa: PLR0913 - an option each
    data: Annotated[
        Path | None,
        typer.Argument(help="Folder with tr and, as far as there are, tu, rs, dm, ex, ds, ae and dates."),
    ] = None,
    *,
    protocol: Annotated[Path, typer.Option(help="The protocol: a .toml or .json file.")],
    out: Annotated[Path, typer.Option(help="Folder for the answers and the report.")] = Path("scored"),
    written_as: Annotated[
        list[str] | None,
        typer.Option("--format", help="csv, xpt, json, ndjson or json-1.0; may be repeated."),
    ] = None,
    evaluator: Annotated[
        list[str] | None,
        typer.Option(help="Score this evaluator only, such as INVESTIGATOR; may be repeated."),
    ] = None,
    data_cut: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Answer as of this day, YYYY-MM-DD.")
    ] = None,
    tu: Annotated[Path | None, typer.Option(help=f"TU {_FILE}.")] = None,
    tr: Annotated[Path | None, typer.Option(help=f"TR {_FILE}.")] = None,
    rs: Annotated[Path | None, typer.Option(help=f"RS {_FILE}.")] = None,
    dm: Annotated[Path | None, typer.Option(help=f"DM {_FILE}.")] = None,
    ex: Annotated[Path | None, typer.Option(help=f"EX {_FILE}.")] = None,
    ds: Annotated[Path | None, typer.Option(help=f"DS {_FILE}.")] = None,
    ae: Annotated[Path | None, typer.Option(help=f"AE {_FILE}.")] = None,
    dates: Annotated[Path | None, typer.Option(help=f"Dates {_FILE}.")] = None,
) -> None:
    """Derive responses and endpoints from SDTM data sets; 0 scored, 1 with queries, 2 not scorable."""
    from imaging_service.cdisc.errors import DataSetError  # noqa: PLC0415
    from imaging_service.cdisc.score import Task, find_files  # noqa: PLC0415
    from imaging_service.cdisc.score import score as score_files  # noqa: PLC0415
    from imaging_service.clock import SystemClock  # noqa: PLC0415

    named = {"tu": tu, "tr": tr, "rs": rs, "dm": dm, "ex": ex, "ds": ds, "ae": ae, "dates": dates}
    try:
        files = find_files(data) if data else {}
        task = Task(
            files=files | {name: path for name, path in named.items() if path is not None},
            protocol=_protocol(protocol),
            folder=out,
            formats=tuple(_formats(written_as or ["csv"])),
            evaluators=tuple(evaluator or ()),
            as_of=data_cut.date() if data_cut else None,
            created_at=SystemClock().now().astimezone(UTC),
        )
        summary = score_files(task)
    except DataSetError as error:
        sys.stderr.write(f"{error}\n")
        raise typer.Exit(_NOT_SCORABLE) from None
    for line in summary.lines:
        typer.echo(line)
    typer.echo(f"The answers and the report are in {out}.")
    if summary.open_remarks:
        raise typer.Exit(_QUERIES)


def _formats(names: list[str]) -> list["Format"]:
    from imaging_service.cdisc.errors import UnknownFormatError  # noqa: PLC0415
    from imaging_service.cdisc.write import Format  # noqa: PLC0415

    known = [each.value for each in Format]
    for name in names:
        if name not in known:
            raise UnknownFormatError(name, known)
    return [Format(name) for name in names]


def _protocol(path: Path) -> "TrialProtocol":
    import json  # noqa: PLC0415

    from imaging_service.cdisc.errors import FileUnreadableError  # noqa: PLC0415
    from measurement.protocol.trial import protocol_from_mapping, protocol_from_toml  # noqa: PLC0415

    if path.suffix not in {".toml", ".json"}:
        found = path.suffix or "nothing"
        raise FileUnreadableError(path.name, f"its name ends in {found!r}; wanted is .toml or .json")
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise FileUnreadableError(path.name, (error.strerror or str(error)).lower()) from None
    except UnicodeDecodeError:
        raise FileUnreadableError(path.name, "it is not UTF-8 text") from None
    if path.suffix == ".toml":
        return protocol_from_toml(text)
    try:
        mapping = json.loads(text)
    except json.JSONDecodeError as error:
        raise FileUnreadableError(path.name, f"it is not JSON ({error.msg}, line {error.lineno})") from None
    return protocol_from_mapping(mapping)
