"""The command ``imaging-service``.

Modules of other parts add their commands here: each has a function ``register(app)``. Everything heavy is
imported by the command that needs it, so that help is quick.
"""

import os
import sys
from collections.abc import Sequence
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated

import typer

_REFUSED = 2

_PARTS = (
    "imaging_service.commands.accounts",
    "imaging_service.commands.trials",
    "imaging_service.commands.subjects",
    "imaging_service.commands.calendar",
    "imaging_service.commands.queries",
    "imaging_service.commands.audit",
    "imaging_service.commands.backup",
    "imaging_service.commands.jobs",
    "imaging_service.commands.score",
    "imaging_service.demo.cli",
)

app = typer.Typer(
    name="imaging-service",
    help="Central imaging review: studies to timepoints, reads to RECIST 1.1 answers.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)


@app.command()
def serve(
    host: Annotated[str | None, typer.Option(help="Address to listen on.")] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on; 0 takes a free one.")] = None,
) -> None:
    """Answer REST requests until SIGTERM or Ctrl-C; the database must be migrated."""
    from imaging_service.processes.operation import open_house  # noqa: PLC0415

    with open_house(host=host, port=port) as house:
        house.serve(typer.echo)


@app.command()
def worker() -> None:
    """Follow the archive's change feed and run jobs until SIGTERM or Ctrl-C."""
    from imaging_service.processes.operation import open_house  # noqa: PLC0415

    with open_house() as house:
        house.work(typer.echo)


@app.command()
def migrate() -> None:
    """Bring the database to this version, whole or not at all."""
    from imaging_service.migrations.migrate import migrate as migrate_database  # noqa: PLC0415
    from imaging_service.migrations.migrate import shown  # noqa: PLC0415
    from imaging_service.processes.operation import open_database, read_settings  # noqa: PLC0415

    with open_database(read_settings()) as database:
        revision = migrate_database(database)
    typer.echo(f"The database {shown(database)} is at revision {revision}.")


@app.command()
def up(
    data: Annotated[
        Path, typer.Option(help="Folder for everything that is kept and has no address set elsewhere.")
    ] = Path("data"),
) -> None:
    """Run listener, web service and worker on this machine, and start again what dies."""
    from imaging_service.processes import supervisor  # noqa: PLC0415
    from imaging_service.processes.one_machine import plan  # noqa: PLC0415

    supervisor.run(plan(data), typer.echo)


@cache
def register_parts() -> None:
    """Add the commands of the parts that are there."""
    for name in _PARTS:
        package = name.rpartition(".")[0]
        if find_spec(package) and find_spec(name):
            import_module(name).register(app)


def run(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code; whatever goes wrong is one sentence and code 2."""
    try:
        register_parts()
        app(arguments, standalone_mode=True)
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else 0
    except Exception as error:  # noqa: BLE001  the one place that tells people what went wrong
        from imaging_service.commands.refusals import sentence_of  # noqa: PLC0415

        sys.stderr.write(f"{sentence_of(error)}\n")
        return _REFUSED
    return 0


def main() -> None:
    """Run the command of the command line."""
    code = run()
    if code:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)  # threads that still wait for a database or a peer cannot hold it up


if __name__ == "__main__":
    main()
