"""``imaging-service backup`` and ``restore``."""

from pathlib import Path
from typing import Annotated

import typer

_ORIGINALS = typer.Option(
    help="The listener's folder of originals of de-identified instances, copied too; they name patients."
)


def register(parent: typer.Typer) -> None:
    """Add the commands."""
    parent.command("backup")(backup)
    parent.command("restore")(restore)


def backup(
    folder: Annotated[Path, typer.Argument(help="Folder of all backups; objects are copied into it once.")],
    originals: Annotated[Path | None, _ORIGINALS] = None,
) -> None:
    """Copy databases and objects while everything runs; run it where the listener runs."""
    from contextlib import closing  # noqa: PLC0415

    from dicom_listener.archive.archive import Archive  # noqa: PLC0415
    from imaging_service.backup import taking  # noqa: PLC0415
    from imaging_service.commands.console import console  # noqa: PLC0415

    with console() as act:
        settings = act.settings
        with closing(Archive.open(settings.archive_database_url, settings.archive_objects)) as archive:
            taken = taking.take(
                act.database,
                archive,
                folder,
                witness=settings.audit_witness,
                now=act.now,
                originals=originals,
            )
    made = taken.manifest
    typer.echo(
        f"The backup {taken.folder} holds {made.objects} objects ({taken.new_objects} new) and "
        f"{made.audit_sequence} audit entries, head {made.audit_hash}."
    )


def restore(
    folder: Annotated[Path, typer.Argument(help="One backup: the folder that holds its manifest.json.")],
    originals: Annotated[Path | None, _ORIGINALS] = None,
) -> None:
    """Put a backup into the empty place that the settings name, and verify that it answers the same."""
    from contextlib import closing  # noqa: PLC0415

    from dicom_listener.archive.archive import Archive  # noqa: PLC0415
    from imaging_service.backup.restoring import restore as put_back  # noqa: PLC0415
    from imaging_service.processes.operation import open_database, read_settings  # noqa: PLC0415

    settings = read_settings()
    with (
        open_database(settings) as database,
        closing(Archive.open(settings.archive_database_url, settings.archive_objects)) as archive,
    ):
        restored = put_back(
            folder, database, archive, witness_file=settings.audit_witness, originals=originals
        )
    made = restored.manifest
    typer.echo(
        f"Restored as of {made.marked_at.isoformat()}: {made.objects} objects, "
        f"{restored.entries} audit entries, {restored.trials} trials whose reports are the same."
    )
