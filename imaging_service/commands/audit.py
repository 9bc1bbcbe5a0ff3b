"""``imaging-service audit``: the chain of who did what."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from dicom_listener.archive.archive import Archive
    from imaging_service.settings import ServiceSettings

_DAMAGED = 1

app = typer.Typer(help="The audit chain.", no_args_is_help=True, rich_markup_mode=None)


def register(parent: typer.Typer) -> None:
    """Add the commands."""
    parent.add_typer(app, name="audit")


@app.callback()
def _audit() -> None:
    """Keep the group's name although it has few commands."""


@app.command()
def verify(
    *,
    public_key: Annotated[
        Path | None, typer.Option(help="Ed25519 public key in PEM that each witness must be signed for.")
    ] = None,
    receipts: Annotated[bool, typer.Option(help="Compare the listener's receipts with the chain.")] = True,
) -> None:
    """Recompute the whole chain against its witnesses and receipts; exit code 1 names every damaged place."""
    from imaging_service.audit import receipts as received  # noqa: PLC0415
    from imaging_service.audit import service, witness  # noqa: PLC0415
    from imaging_service.commands.console import console  # noqa: PLC0415

    with console() as act, act.database.read() as session:
        findings = service.verify(session, witness.read(act.settings.audit_witness, public_key))
        head = service.head(session)
        if receipts and received.last_entered(session):
            with _archive(act.settings) as archive:
                findings += received.verify(session, archive)
    for finding in findings:
        typer.echo(f"{finding.damage}: {finding.sentence}")
    if findings:
        raise typer.Exit(_DAMAGED)
    typer.echo(f"The audit chain is whole: {head.sequence} entries, head {head.hash}.")


@app.command("witness")
def keep_witness() -> None:
    """Append the chain's head to the witness file, to be copied to where nobody can change it."""
    from imaging_service.audit import service, witness  # noqa: PLC0415
    from imaging_service.commands.console import console  # noqa: PLC0415

    with console() as act, act.database.read() as session:
        head = service.head(session)
        witness.keep(act.settings.audit_witness, head, act.now, act.settings.audit_witness_key)
        typer.echo(f"Head {head.sequence} {head.hash} is kept in {act.settings.audit_witness}.")


class Format(StrEnum):
    """How the file is written."""

    JSON_LINES = "jsonl"
    CSV = "csv"


When = Annotated[
    datetime | None, typer.Option(formats=["%Y-%m-%d", "%Y-%m-%dT%H:%M:%S"], help="An instant in UTC.")
]


@app.command("export")
def export(  # noqa: PLR0913  an option each
    file: Annotated[Path, typer.Argument(help="The file to write; it must not exist.")],
    *,
    written_as: Annotated[Format, typer.Option("--format", help="jsonl or csv.")] = Format.JSON_LINES,
    since: When = None,
    before: When = None,
    actor: Annotated[
        str | None, typer.Option(help="Only what this person or part of the system did.")
    ] = None,
    entity: Annotated[str | None, typer.Option(help="Only about this kind of thing.")] = None,
    entity_id: Annotated[str | None, typer.Option(help="Only about the thing of this key.")] = None,
) -> None:
    """Write who did what into a file, and keep the chain's head as a witness."""
    from imaging_service.audit import exporting, service, witness  # noqa: PLC0415
    from imaging_service.audit.repository import Wanted  # noqa: PLC0415
    from imaging_service.commands.console import console  # noqa: PLC0415

    wanted = Wanted(entity=entity, entity_id=entity_id, actor=actor, since=_utc(since), before=_utc(before))
    with console() as act:
        with file.open("xb") as output:
            output.writelines(exporting.stream(act.database, wanted, exporting.Kind(written_as)))
        with act.database.read() as session:
            head = service.head(session)
        witness.keep(act.settings.audit_witness, head, act.now, act.settings.audit_witness_key)
    typer.echo(f"The audit is in {file}; the chain's head is {head.sequence} {head.hash}.")


def _utc(instant: datetime | None) -> datetime | None:
    return None if instant is None else instant.replace(tzinfo=UTC)


@contextmanager
def _archive(settings: "ServiceSettings") -> Iterator["Archive"]:
    from dicom_listener.archive.archive import Archive  # noqa: PLC0415

    archive = Archive.open(settings.archive_database_url, settings.archive_objects)
    try:
        yield archive
    finally:
        archive.close()
