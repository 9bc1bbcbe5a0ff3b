"""``imaging-service jobs``: background work that waits, and what failed for good."""

from typing import Annotated

import typer

app = typer.Typer(
    help="Background work: what waits, what is parked.", no_args_is_help=True, rich_markup_mode=None
)


def register(parent: typer.Typer) -> None:
    """Add the commands."""
    parent.add_typer(app, name="jobs")


@app.command("list")
def list_jobs() -> None:
    """Print how many jobs wait or run, and every parked one with its reason."""
    from imaging_service.commands.console import console  # noqa: PLC0415

    with console() as act, act.database.read() as session:
        typer.echo(f"{act.queue.pending(session)} waiting or running")
        for job in act.queue.parked(session):
            when = job.failed_at.isoformat(timespec="seconds") if job.failed_at else "-"
            typer.echo(f"parked {job.job_id}  {job.name}  {job.attempts} attempts  {when}  {job.error}")


@app.command()
def release(
    job_id: Annotated[str, typer.Argument(help="The number of a parked job, as `jobs list` prints it.")],
) -> None:
    """Let a parked job be tried afresh."""
    from imaging_service.commands.console import console  # noqa: PLC0415

    with console() as act, act.database.write() as session:
        act.queue.release(session, job_id)
    typer.echo(f"Job {job_id} is tried again.")
