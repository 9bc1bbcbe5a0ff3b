"""The command ``dicom-listener``."""

import os
import sys
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from pydantic import ValidationError

from dicom_listener.archive import destinations, senders
from dicom_listener.archive.archive import Archive
from dicom_listener.archive.destinations import Destination
from dicom_listener.archive.senders import Deidentify, Retrieval, Sender, networks_from
from dicom_listener.errors import (
    ArchiveError,
    ConfigurationError,
    DestinationError,
    DestinationUnknownError,
    KeyMissingError,
    SettingError,
)
from dicom_listener.logs import set_up_logs
from dicom_listener.settings import ListenerSettings

if TYPE_CHECKING:
    from dicom_listener.archive.integrity import DamagedObject
    from dicom_listener.deidentification.key import Key

_WRONG_SETTING = 2
_FAILED = 1

app = typer.Typer(
    name="dicom-listener",
    help="Receive DICOM instances and keep them durably.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
senders_app = typer.Typer(help="Who may send, and for which site.", no_args_is_help=True)
app.add_typer(senders_app, name="senders")
destinations_app = typer.Typer(help="Where instances may be sent to.", no_args_is_help=True)
app.add_typer(destinations_app, name="destinations")
held_app = typer.Typer(help="Instances that a person must look at first.", no_args_is_help=True)
app.add_typer(held_app, name="held")
originals_app = typer.Typer(help="What instances were before they were de-identified.", no_args_is_help=True)
app.add_typer(originals_app, name="originals")

DatabaseUrl = Annotated[
    str | None, typer.Option(help="Address of the index: sqlite:///... or postgresql://...")
]
Objects = Annotated[
    str | None, typer.Option(help="Where the bytes are kept: a folder, or s3://bucket/prefix.")
]


@app.command()
def serve(  # noqa: PLR0913, PLR0917 - one option per setting
    host: Annotated[str | None, typer.Option(help="Address to listen on.")] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on; 0 takes any free one.")] = None,
    ae_title: Annotated[str | None, typer.Option(help="Own AE title.")] = None,
    quiet_period_seconds: Annotated[float | None, typer.Option(help="Settle after this silence.")] = None,
    database_url: DatabaseUrl = None,
    objects: Objects = None,
) -> None:
    """Listen until SIGTERM or Ctrl-C; the database is brought to this version first."""
    set_up_logs()
    settings = _settings(
        host=host,
        port=port,
        ae_title=ae_title,
        quiet_period_seconds=quiet_period_seconds,
        database_url=database_url,
        objects=objects,
    )
    with closing(Archive.open(settings.database_url, settings.objects)) as archive:
        _migrate(archive)
    from dicom_listener.operations import serving  # noqa: PLC0415 - only here

    if serving.is_replaceable():
        serving.replace_process(settings)
    serving.serve(settings)


@app.command()
def migrate(database_url: DatabaseUrl = None) -> None:
    """Bring the database to this version."""
    with _archive(database_url=database_url) as archive:
        _migrate(archive)
        typer.echo(f"The archive's database {archive.database.address} is ready.")


@app.command()
def verify(database_url: DatabaseUrl = None, objects: Objects = None) -> None:
    """Read every kept object again; exit code 1 when one is not as it was kept."""
    from dicom_listener.archive import integrity  # noqa: PLC0415 - it brings the DICOM library, slowly

    with _archive(database_url=database_url, objects=objects) as archive:
        _report(integrity.verify(archive), "read")


@app.command()
def rebuild(database_url: DatabaseUrl = None, objects: Objects = None) -> None:
    """Make the index again from the objects alone, while no listener runs."""
    from dicom_listener.archive import integrity  # noqa: PLC0415 - it brings the DICOM library, slowly

    with _archive(database_url=database_url, objects=objects) as archive:
        _migrate(archive)
        archive.objects.prepare()
        _report(integrity.rebuild(archive), "indexed")


@app.command()
def stats(database_url: DatabaseUrl = None, objects: Objects = None) -> None:
    """Print how much the archive holds, and how much the intake log still has to place into it."""
    with _archive(database_url=database_url, objects=objects) as archive:
        for name, count in archive.counts().items():
            typer.echo(f"{name:<12}{count:>16}")
        waiting = archive.backlog.waiting()
        typer.echo(f"{'unplaced':<12}{waiting.instances:>16}")
        if waiting.is_stalled:
            typer.echo("The object store or the database does not take what is unplaced at the moment.")


@senders_app.command("add")
def add_sender(  # noqa: PLR0913, PLR0917 - one option per field
    calling_ae: Annotated[str, typer.Option(help="AE title with which the sender calls.")],
    site: Annotated[str, typer.Option(help="The site that it belongs to.")],
    network: Annotated[list[str], typer.Option(help="Where it calls from, such as 10.1.2.0/24; repeatable.")],
    called_ae: Annotated[str | None, typer.Option(help="AE title that it calls; ours by default.")] = None,
    retrieves: Annotated[
        Retrieval, typer.Option(help="What it may find and retrieve: nothing, its site's studies, or all.")
    ] = Retrieval.NOTHING,
    certificate: Annotated[
        str,
        typer.Option(help="The one it must show over TLS: sha256:... or its subject, such as 'CN=MRI 1'."),
    ] = "",
    deidentify: Annotated[
        Deidentify,
        typer.Option(help="Keep as it comes, de-identify unless it says that it is, or always de-identify."),
    ] = Deidentify.OFF,
    trial_protocol: Annotated[
        str, typer.Option(help="Entered into (0012,0020) of what is de-identified.")
    ] = "",
    trial_sponsor: Annotated[str, typer.Option(help="Entered into (0012,0010).")] = "",
    database_url: DatabaseUrl = None,
) -> None:
    """Register a sender; a running listener knows it at once."""
    sender = Sender(
        calling_ae=calling_ae,
        called_ae=called_ae or _settings().ae_title,
        networks=networks_from(network),
        site_id=site,
        retrieves=retrieves,
        certificate=certificate,
        deidentify=deidentify,
        trial_protocol=trial_protocol,
        trial_sponsor=trial_sponsor,
    )
    if deidentify is not Deidentify.OFF and _key() is None:
        raise KeyMissingError
    with _archive(database_url=database_url) as archive:
        _migrate(archive)
        senders.add(archive.database, sender)
    typer.echo(f"{sender.calling_ae} may send to {sender.called_ae} for site {sender.site_id}.")


@senders_app.command("list")
def list_senders(database_url: DatabaseUrl = None) -> None:
    """Print every registered sender."""
    with _archive(database_url=database_url) as archive, archive.database.read() as connection:
        for sender in senders.all_of(connection):
            networks = " ".join(map(str, sender.networks))
            shown = (
                "" if sender.deidentify is Deidentify.OFF else f"  de-identified: {sender.deidentify.value}"
            )
            typer.echo(
                f"{sender.calling_ae:<16}  {sender.called_ae:<16}  {sender.site_id}  {networks}{shown}"
            )


@senders_app.command("remove")
def remove_sender(
    calling_ae: Annotated[str, typer.Option(help="AE title with which the sender calls.")],
    called_ae: Annotated[str | None, typer.Option(help="AE title that it calls; ours by default.")] = None,
    database_url: DatabaseUrl = None,
) -> None:
    """Remove a sender; what it sent stays."""
    with _archive(database_url=database_url) as archive:
        senders.remove(archive.database, calling_ae, called_ae or _settings().ae_title)
    typer.echo(f"{calling_ae} may not send any more.")


@destinations_app.command("add")
def add_destination(
    ae_title: Annotated[str, typer.Option(help="AE title under which it listens.")],
    host: Annotated[str, typer.Option(help="Its host name or address.")],
    port: Annotated[int, typer.Option(help="Its port.")],
    tls: Annotated[bool, typer.Option(help="Speak TLS with it.")] = False,  # noqa: FBT002 - a flag of the command
    database_url: DatabaseUrl = None,
) -> None:
    """Register a destination of C-MOVE, of commitment reports and of 'send'."""
    destination = Destination(ae_title=ae_title, host=host, port=port, is_tls=tls)
    with _archive(database_url=database_url) as archive:
        _migrate(archive)
        destinations.add(archive.database, destination)
    typer.echo(f"{ae_title} is a destination at {host} port {port}.")


@destinations_app.command("list")
def list_destinations(database_url: DatabaseUrl = None) -> None:
    """Print every registered destination."""
    with _archive(database_url=database_url) as archive, archive.database.read() as connection:
        for each in destinations.all_of(connection):
            typer.echo(f"{each.ae_title:<16}  {each.host}  {each.port}  {'TLS' if each.is_tls else 'plain'}")


@destinations_app.command("remove")
def remove_destination(
    ae_title: Annotated[str, typer.Option(help="AE title under which it listens.")],
    database_url: DatabaseUrl = None,
) -> None:
    """Remove a destination."""
    with _archive(database_url=database_url) as archive:
        destinations.remove(archive.database, ae_title)
    typer.echo(f"Nothing is sent to {ae_title} any more.")


@app.command()
def send(
    to: Annotated[str, typer.Option(help="AE title of a registered destination.")],
    files: Annotated[list[Path] | None, typer.Argument(help="DICOM files to send.")] = None,
    study: Annotated[
        list[str] | None, typer.Option(help="Study Instance UID in the archive; repeatable.")
    ] = None,
    database_url: DatabaseUrl = None,
    objects: Objects = None,
) -> None:
    """Send files, or studies of the archive; exit code 1 when one is not taken."""
    from dicom_listener.network.sending import deliveries  # noqa: PLC0415 - slow to import

    with _archive(database_url=database_url, objects=objects) as archive:
        with archive.database.read() as connection:
            destination = destinations.named(connection, to)
        if destination is None:
            raise DestinationUnknownError(to)
        sent = failed = 0
        for uid, delivery in deliveries(archive, destination, _settings(), files or [], study or []):
            if delivery.is_success or delivery.is_warning:
                sent += 1
            else:
                failed += 1
                status = "no status" if delivery.status is None else f"0x{delivery.status:04X}"
                typer.echo(f"not taken: instance {uid}, {status} {delivery.reason}".rstrip())
    typer.echo(f"{sent} instances sent to {to}, {failed} not taken.")
    if failed:
        raise typer.Exit(_FAILED)


@held_app.command("list")
def list_held(database_url: DatabaseUrl = None) -> None:
    """Print what is held, with the reason; a study of it settles when a person has decided."""
    from dicom_listener.deidentification import filing  # noqa: PLC0415 - it brings the DICOM library, slowly

    with _archive(database_url=database_url) as archive, archive.database.read() as connection:
        for each in filing.held(connection):
            at = f"{each.received_at:%Y-%m-%d %H:%M}"
            typer.echo(f"{each.sop_instance_uid}  site {each.site_id}  {at}  {each.sentence}")


@held_app.command("release")
def release_held(
    sop_instance_uid: Annotated[str, typer.Argument(help="As 'held list' names it.")],
    decision: Annotated[str, typer.Option(help="Who has looked at it, and what was seen.")],
    database_url: DatabaseUrl = None,
    objects: Objects = None,
) -> None:
    """Let the de-identified copy into the archive, as a person has decided; its pixels stay as they are."""
    from dicom_listener.intake.door import open_gate, open_intake, originals_of  # noqa: PLC0415 - slow
    from dicom_listener.intake.held import release  # noqa: PLC0415 - slow to import

    settings = _settings(database_url=database_url, objects=objects)
    with _archive(database_url=database_url, objects=objects) as archive:
        intake = replace(
            open_intake(settings, archive), gates=(open_gate(settings, archive).let_pass,), log=None
        )
        reception = release(intake, originals_of(settings), sop_instance_uid, decision)
    if reception.sentence:
        typer.echo(f"The instance is still held: {reception.sentence}")
        raise typer.Exit(_FAILED)
    typer.echo(f"The instance {sop_instance_uid} is in the archive.")


@held_app.command("keep-back")
def keep_held_back(
    sop_instance_uid: Annotated[str, typer.Argument(help="As 'held list' names it.")],
    decision: Annotated[str, typer.Option(help="Who has looked at it, and what was seen.")],
    database_url: DatabaseUrl = None,
) -> None:
    """Make no copy of it; its original stays with the originals."""
    from dicom_listener.intake.held import keep_back  # noqa: PLC0415 - slow to import

    with _archive(database_url=database_url) as archive:
        keep_back(archive, sop_instance_uid, decision)
    typer.echo(f"The instance {sop_instance_uid} is kept back.")


@originals_app.command("remove-expired")
def remove_expired_originals(database_url: DatabaseUrl = None) -> None:
    """Remove originals that are older than the setting DICOM_LISTENER_ORIGINALS_DAYS; 'serve' does so too."""
    from dicom_listener.intake.door import remove_expired_originals  # noqa: PLC0415 - slow to import

    settings = _settings(database_url=database_url)
    with _archive(database_url=database_url) as archive:
        typer.echo(f"{remove_expired_originals(settings, archive)} originals removed.")


@originals_app.command("name")
def name_of_subject(
    patient_id: Annotated[str, typer.Argument(help="PatientID (0010,0020) as the site has it.")],
    issuer: Annotated[str, typer.Option(help="Issuer of Patient ID (0010,0021).")] = "",
) -> None:
    """Print the PatientID that a subject's de-identified instances carry, to enter it with the subject."""
    from dicom_listener.deidentification.engine import subject_of  # noqa: PLC0415 - slow to import

    if (key := _key()) is None:
        raise KeyMissingError
    typer.echo(key.name(subject_of(patient_id, issuer)))


def main() -> None:
    """Run the command; whatever goes wrong is one sentence and an exit code, never a traceback."""
    try:
        app()
    except (ConfigurationError, ArchiveError) as error:
        _end(str(error), _WRONG_SETTING)
    except DestinationError as error:
        _end(str(error), _FAILED)
    except Exception as error:  # noqa: BLE001 - the last resort
        _end(f"dicom-listener ended because of an unexpected {type(error).__name__}.", _FAILED)


def _end(sentence: str, code: int) -> None:
    sys.stderr.write(sentence + "\n")
    sys.stderr.flush()
    os._exit(code)


def _settings(**given: Any) -> ListenerSettings:  # noqa: ANN401 - options of every type
    try:
        return ListenerSettings(**{name: value for name, value in given.items() if value is not None})
    except ValidationError as error:
        first = error.errors()[0]
        name = "DICOM_LISTENER_" + "_".join(map(str, first["loc"])).upper()
        raise SettingError(name, first["input"], first["msg"]) from error


def _key() -> "Key | None":
    from dicom_listener.intake.door import read_key  # noqa: PLC0415 - slow to import

    return read_key(_settings())


@contextmanager
def _archive(**given: str | None) -> Iterator[Archive]:
    settings = _settings(**given)
    with closing(Archive.open(settings.database_url, settings.objects, settings.intake_log)) as archive:
        yield archive


def _migrate(archive: Archive) -> None:
    from dicom_listener.archive.migrate import migrate as bring_up_to_date  # noqa: PLC0415 - slow to import

    bring_up_to_date(archive.database)


def _report(entries: "Iterable[DamagedObject | None]", verb: str) -> None:
    """Print each damaged object and the counts; exit code 1 when there is one."""
    damaged = sound = 0
    for entry in entries:
        if entry is None:
            sound += 1
        else:
            damaged += 1
            uid = entry.sop_instance_uid or "unknown"
            typer.echo(f"{entry.damage.value}: object {entry.digest}, instance {uid}")
    typer.echo(f"{sound} objects {verb}, {damaged} damaged.")
    if damaged:
        raise typer.Exit(_FAILED)
