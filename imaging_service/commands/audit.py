"""``imaging-service audit``: the chain of who did what."""

import typer

_DAMAGED = 1

app = typer.Typer(help="The audit chain.", no_args_is_help=True, rich_markup_mode=None)


def register(parent: typer.Typer) -> None:
    """Add the commands."""
    parent.add_typer(app, name="audit")


@app.callback()
def _audit() -> None:
    """Keep the group's name although it has few commands."""


@app.command()
def verify() -> None:
    """Recompute the whole chain against its witnesses; exit code 1 names every damaged place."""
    from imaging_service.audit import service, witness  # noqa: PLC0415
    from imaging_service.commands.console import console  # noqa: PLC0415

    with console() as act, act.database.read() as session:
        findings = service.verify(session, witness.read(act.settings.audit_witness))
        head = service.head(session)
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
        witness.keep(act.settings.audit_witness, head, act.now)
        typer.echo(f"Head {head.sequence} {head.hash} is kept in {act.settings.audit_witness}.")
