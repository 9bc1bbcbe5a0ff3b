"""``imaging-service subjects``: many subjects at once, from the machine's own console."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from imaging_service.subjects.import_rows import ImportRow
    from imaging_service.subjects.importing import Plan

app = typer.Typer(help="Subjects: many at once.", no_args_is_help=True, rich_markup_mode=None)

Domain = Annotated[Path | None, typer.Option(help="A .csv, .xpt, .json or .ndjson file.")]


def register(parent: typer.Typer) -> None:
    """Add the commands."""
    parent.add_typer(app, name="subjects")


@app.command("import")
def import_subjects(  # noqa: PLR0913, PLR0917  a command takes what it is asked by
    trial: Annotated[str, typer.Argument(help="The trial.")],
    csv: Annotated[Path | None, typer.Option(help="A CSV file of subjects.")] = None,
    dm: Domain = None,
    ds: Domain = None,
    ex: Domain = None,
    reason: Annotated[str, typer.Option(help="Why; it is needed to import.")] = "",
    dry_run: Annotated[bool, typer.Option(help="Only print what would happen.")] = False,  # noqa: FBT002
) -> None:
    """Enrol and correct subjects from a CSV file, or from SDTM's DM, DS and EX; all of them or none."""
    from imaging_service.commands.console import console  # noqa: PLC0415
    from imaging_service.commands.trials import act_of  # noqa: PLC0415
    from imaging_service.errors import SettingsError  # noqa: PLC0415
    from imaging_service.subjects.importing import carry_out, plan  # noqa: PLC0415

    domains = {name: path for name, path in (("DM", dm), ("DS", ds), ("EX", ex)) if path is not None}
    if (csv is None) == (not domains):
        message = "Give the subjects as --csv, or as --dm with --ds and --ex beside it."
        raise SettingsError(message)
    if not dry_run and len(reason.strip()) < 3:
        message = f"The reason is {reason!r}; at least 3 characters were wanted, with --reason."
        raise SettingsError(message)
    rows = _rows(trial, csv, domains)
    with console() as open_console, open_console.database.write() as session:
        act = act_of(open_console, session)
        plans = plan(act, trial, rows) if dry_run else carry_out(act, trial, rows, reason)
    _tell(plans)


def _rows(trial: str, csv: Path | None, domains: dict[str, Path]) -> Sequence["ImportRow"]:
    from imaging_service.cdisc.errors import DataSetError  # noqa: PLC0415
    from imaging_service.cdisc.read import open_source  # noqa: PLC0415
    from imaging_service.errors import SettingsError  # noqa: PLC0415
    from imaging_service.subjects.import_rows import records_of, rows_of_csv, rows_of_sdtm  # noqa: PLC0415

    try:
        if csv is not None:
            return rows_of_csv(csv.read_text(encoding="utf-8"))
        opened = {name: open_source(path) for name, path in domains.items()}
        named = {
            name: records_of(name, (dict(zip(source.columns, cells, strict=False)) for cells in source))
            for name, source in opened.items()
        }
        return rows_of_sdtm(named, trial)
    except UnicodeDecodeError:
        message = f"The file {csv} cannot be read: it is not UTF-8 text."
        raise SettingsError(message) from None
    except DataSetError as error:
        raise SettingsError(str(error)) from error


def _tell(plans: Sequence["Plan"]) -> None:
    from imaging_service.subjects.importing import Fate, shown  # noqa: PLC0415

    for each in plans:
        changes = ", ".join(
            f"{name} {shown(each.before).get(name) or '-'} becomes {value or '-'}"
            for name, value in shown(each.after).items()
        )
        notes = " ".join([*each.refusals, *each.flags])
        typer.echo(
            f"row {each.row.row:<5} {each.row.subject_id:<20} {each.fate:<10} {changes} {notes}".rstrip()
        )
    counted = ", ".join(f"{sum(each.fate is fate for each in plans)} {fate.value}" for fate in Fate)
    typer.echo(f"{len(plans)} subjects: {counted}.")
