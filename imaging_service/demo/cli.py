"""The command ``imaging-service demo``."""

import signal
import sys
from pathlib import Path
from typing import Annotated

import typer

from imaging_service.demo.checkout import require_checkout
from imaging_service.demo.errors import DemoError

_FAILED = 1
_DEFAULT_FOLDER = Path("data/demo")


def register(app: typer.Typer) -> None:
    """Add the command to ``imaging-service``."""
    app.command()(demo)


def demo(
    *,
    exit_: Annotated[
        bool | None,
        typer.Option(
            "--exit/--stay",
            help="End after the story, or stay up until Ctrl-C; by default stay up in a terminal only.",
        ),
    ] = None,
    data: Annotated[Path, typer.Option(help="Folder for everything the demo keeps.")] = _DEFAULT_FOLDER,
    port: Annotated[
        int,
        typer.Option(help="TCP port of the web service.", envvar="IMAGING_SERVICE_PORT", min=1, max=65535),
    ] = 8080,
    dicom_port: Annotated[
        int,
        typer.Option(help="TCP port of the DICOM listener.", envvar="DICOM_LISTENER_PORT", min=1, max=65535),
    ] = 11112,
    quiet_period_seconds: Annotated[
        float, typer.Option(help="A study is settled after this long without a new instance.", min=0.1)
    ] = 3.0,
) -> None:
    """Play a trial from a PACS push to RECIST answers, check every answer, and show where to look."""
    ends = not sys.stdout.isatty() if exit_ is None else exit_
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # stops the service too, as Ctrl-C does
    try:
        require_checkout()
        # what follows needs the checkout's fixtures, which an installed package does not have
        from imaging_service.demo.play import play_and_print  # noqa: PLC0415
        from imaging_service.demo.running import Installation  # noqa: PLC0415

        installation = Installation(
            folder=data.resolve(),
            http_port=port,
            dicom_port=dicom_port,
            quiet_period_seconds=quiet_period_seconds,
        )
        is_as_expected = play_and_print(installation, ends=ends)
    except (DemoError, OSError) as error:
        typer.echo(f"The demo failed. {error}", err=True)
        raise typer.Exit(_FAILED) from None
    raise typer.Exit(0 if is_as_expected else _FAILED)
