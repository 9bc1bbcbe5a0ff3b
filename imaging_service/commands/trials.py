"""``imaging-service trial``: protocols and sites, from the machine's own console."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from imaging_service.accounts.act import Act
    from imaging_service.commands.console import Console
    from imaging_service.trials.protocols import ProtocolText

app = typer.Typer(help="Trials: their protocols and sites.", no_args_is_help=True, rich_markup_mode=None)

TrialId = Annotated[str, typer.Argument(help="The trial.")]


def register(parent: typer.Typer) -> None:
    """Add the commands."""
    parent.add_typer(app, name="trial")


@app.command("file")
def file_protocol(
    protocol: Annotated[Path, typer.Argument(help="The protocol: a .toml or .json file.")],
) -> None:
    """File a protocol: its first version begins the trial, a later one amends it."""
    from imaging_service.commands.console import console  # noqa: PLC0415
    from imaging_service.trials import service  # noqa: PLC0415

    writing = _read(protocol)
    with console() as act, act.database.write() as session:
        version, is_new = service.file_protocol(act_of(act, session), writing)
    state = "is filed" if is_new else "was filed before, with the same text"
    typer.echo(f"Version {version.version} of the protocol of trial {version.trial_id} {state}.")


@app.command("dry-run")
def dry_run(
    protocol: Annotated[Path, typer.Argument(help="The amendment: a .toml or .json file.")],
) -> None:
    """Print every stored answer that an amendment would change, with the reason; nothing is stored."""
    from imaging_service.amendments import service  # noqa: PLC0415
    from imaging_service.commands.console import console  # noqa: PLC0415
    from imaging_service.reads.repository import SYSTEM  # noqa: PLC0415

    writing = _read(protocol)
    trial_id = writing.protocol().trial_id
    with console() as act, act.database.read() as session:
        found = service.dry_run(session, SYSTEM, trial_id, writing)
        for parameter in found.parameters:
            typer.echo(f"parameter  {parameter.sentence}")
        count = 0
        for each in found.changes:
            count += 1
            reader = "" if each.slot is None else f" reader {each.slot}"
            timepoint = "" if each.timepoint is None else f" timepoint {each.timepoint}"
            about = f"{each.subject_id}{reader}{timepoint}"
            typer.echo(f"{each.kind:<24}  {about}: {each.before} becomes {each.after}. {each.why}")
    typer.echo(f"{count} stored answers would change. The dry run has the digest {found.digest}.")


@app.command("site")
def open_site(
    trial: TrialId,
    site: Annotated[str, typer.Argument(help="The site's identifier.")],
    name: Annotated[str, typer.Option(help="The hospital's name.")],
) -> None:
    """Let a hospital take part in a trial."""
    from imaging_service.commands.console import console  # noqa: PLC0415
    from imaging_service.trials import service  # noqa: PLC0415
    from imaging_service.trials.records import Site  # noqa: PLC0415

    with console() as act, act.database.write() as session:
        service.open_site(act_of(act, session), Site(trial_id=trial, site_id=site, name=name))
    typer.echo(f"Site {site} takes part in trial {trial}.")


@app.command("seat")
def seat_reader(
    trial: TrialId,
    slot: Annotated[str, typer.Argument(help="1, 2, pool or adjudicator.")],
    account: Annotated[str, typer.Argument(help="Who reads or adjudicates.")],
) -> None:
    """Seat an account as reader 1, reader 2 or adjudicator of a trial, or let it into the pool of readers."""
    from imaging_service.commands.console import console  # noqa: PLC0415
    from imaging_service.errors import RefusedError  # noqa: PLC0415
    from imaging_service.trials import service  # noqa: PLC0415
    from imaging_service.trials.records import Slot  # noqa: PLC0415

    if slot not in set(Slot):
        message = f"There is no slot {slot!r}; {', '.join(Slot)} were possible."
        raise RefusedError(message)
    with console() as act, act.database.write() as session:
        service.seat_reader(act_of(act, session), trial, Slot(slot), account)
    typer.echo(f"{account} has the seat {slot} of trial {trial}.")


@app.command("readers")
def list_readers(trial: TrialId) -> None:
    """Print who reads which subject out of a trial's pool, who has read it, and which subjects wait."""
    from imaging_service.commands.console import console  # noqa: PLC0415
    from imaging_service.http.pages import MAX_LIMIT, PageRequest  # noqa: PLC0415
    from imaging_service.reads import assignments  # noqa: PLC0415
    from imaging_service.reads.repository import SYSTEM  # noqa: PLC0415

    with console() as act, act.database.read() as session:
        seats = assignments.seats(session, SYSTEM, trial, act.now.date())
        page: PageRequest | None = PageRequest(MAX_LIMIT, None)
        while page is not None:
            found = assignments.assignments(session, SYSTEM, trial, page)
            for each in found.items:
                state = "reads" if each.is_current else "has read"
                typer.echo(f"{each.assignment.name:<32}  {each.account} {state}. {each.assignment.reason}")
            page = PageRequest(MAX_LIMIT, found.items[-1].assignment.key) if found.next_cursor else None
    for subject_id in seats.waiting:
        typer.echo(f"{subject_id:<32}  waits for readers.")
    for name in seats.differing:
        typer.echo(f"{name:<32}  does not follow from the seed and the pool.")


@app.command("list")
def list_trials() -> None:
    """Print every trial."""
    from imaging_service.accounts.scope import Scope  # noqa: PLC0415
    from imaging_service.commands.console import console  # noqa: PLC0415
    from imaging_service.http.pages import MAX_LIMIT, PageRequest  # noqa: PLC0415
    from imaging_service.trials import service  # noqa: PLC0415

    with console() as act, act.database.read() as session:
        for trial in service.trials(session, Scope.all(), PageRequest(MAX_LIMIT, None)).items:
            typer.echo(f"{trial.trial_id:<24}  {trial.title}")


def _read(path: Path) -> "ProtocolText":
    from imaging_service.errors import SettingsError  # noqa: PLC0415
    from imaging_service.trials.protocols import MediaType, ProtocolText  # noqa: PLC0415

    kinds = {".toml": MediaType.TOML, ".json": MediaType.JSON}
    if path.suffix not in kinds:
        message = f"The protocol {path} ends in {path.suffix or 'nothing'!r}; .toml or .json was wanted."
        raise SettingsError(message)
    try:
        return ProtocolText(media_type=kinds[path.suffix], text=path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        message = f"The protocol {path} cannot be read: {reason}."
        raise SettingsError(message) from error


def act_of(console: "Console", session: "Session") -> "Act":
    """Return an act of whoever sits at the console, who may do anything."""
    from imaging_service.accounts.act import Act  # noqa: PLC0415
    from imaging_service.accounts.principal import Role  # noqa: PLC0415
    from imaging_service.accounts.scope import Scope  # noqa: PLC0415

    return Act(
        session=session,
        actor=console.operator,
        scope=Scope.all(),
        now=console.now,
        queue=console.queue,
        roles=frozenset({Role.ADMINISTRATOR}),
    )
