"""Take a backup while everything runs.

The order makes the parts fit: first the service's database, then the archive's, then the objects. What the
service knows of, the later copy of the archive has, and what that knows of, the objects have: nothing of
either is ever removed.
"""

import shutil
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

from sqlalchemy import Connection, Engine, text

from dicom_listener.archive.archive import Archive
from dicom_listener.archive.tables import SCHEMA as ARCHIVE_SCHEMA
from imaging_service.audit import service as audit
from imaging_service.audit.chain import Head
from imaging_service.backup import manifest, objects, postgresql, reports, sqlite
from imaging_service.backup.errors import BackupError
from imaging_service.backup.manifest import Manifest, Part
from imaging_service.database import SCHEMA, Database, ServiceSession
from imaging_service.migrations.migrate import revision_of

WITNESS = "audit-heads.jsonl"
_CATCH_UP_SECONDS = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """A whole backup."""

    folder: Path
    manifest: Manifest
    new_objects: int


def take(  # noqa: PLR0913  a backup is of this much
    database: Database,
    archive: Archive,
    folder: Path,
    *,
    witness: Path,
    now: datetime,
    originals: Path | None = None,
) -> Taken:
    """Write a backup below `folder`; it has its name only when it is whole and survives a power cut.

    Objects are copied once into ``folder/objects``, which all backups of the folder share.

    Parameters
    ----------
    witness
        The file with heads of the audit chain, copied along.
    originals
        The listener's folder of originals of de-identified instances, where they are to be copied, too: the
        backup then names patients.
    now
        The mark: what was acknowledged before it is in the backup.

    Raises
    ------
    BackupError
        The listener has acknowledged what its index does not know yet, or a copy is not sound.
    """
    marked_at = now.astimezone(UTC)
    target = folder / marked_at.strftime("%Y%m%dT%H%M%S.%fZ")
    if target.exists():
        message = f"There is a backup {target} already."
        raise BackupError(message)
    partial = folder / f"{target.name}.{uuid4().hex}.partial"
    partial.mkdir(parents=True)
    try:
        if witness.exists():  # first, so that it knows of nothing that the copied chain does not have
            shutil.copyfile(witness, partial / WITNESS)
            manifest.flush(partial / WITNESS)
        service, head, answers = _take_service(database, partial, marked_at.date())
        archived = _take_archive(archive, partial)
        copied = objects.copy_out(
            archive.objects, folder / objects.POOL, partial / objects.LIST, _known(folder, objects.LIST)
        )
        apart = _copy_originals(originals, folder, partial)
        made = Manifest(
            marked_at=marked_at,
            service=service,
            archive=archived,
            objects=copied.count,
            objects_sha256=copied.list_sha256,
            originals=None if apart is None else apart.count,
            originals_sha256="" if apart is None else apart.list_sha256,
            audit_sequence=head.sequence,
            audit_hash=head.hash,
            reports=answers,
        )
        made.write(partial)
        manifest.flush(partial)
        partial.rename(target)
        manifest.flush(folder)
    except BaseException:
        shutil.rmtree(partial, ignore_errors=True)
        raise
    return Taken(folder=target, manifest=made, new_objects=copied.new)


def _take_service(database: Database, folder: Path, today: date) -> tuple[Part, Head, Mapping[str, str]]:
    """Copy the service's database, and ask the copy itself for what the restored one must answer."""
    if not database.is_sqlite:
        with _one_state(database.reader) as connection:
            connection.execute(text(f"SET LOCAL search_path = {SCHEMA}"))
            postgresql.take(connection, SCHEMA, folder / "service")
            with ServiceSession(bind=connection) as session:
                head, answers = audit.head(session), reports.hashes(session, today)
        return _part(folder, "service", "postgresql", _known_revision(database)), head, answers
    path = folder / "service" / "database.sqlite"
    path.parent.mkdir()
    sqlite.take(Path(str(database.url.database)), path)
    with closing(Database(f"sqlite:///{path}")) as copy:
        with copy.read() as session:
            head, answers = audit.head(session), reports.hashes(session, today)
        revision = _known_revision(copy)
    sqlite.settle(path)
    return _part(folder, "service", "sqlite", revision), head, answers


def _take_archive(archive: Archive, folder: Path) -> Part:
    if not archive.catch_up(_CATCH_UP_SECONDS):
        message = (
            "The listener has acknowledged instances that its index does not know yet, and does not place "
            "them; start it, and take the backup when it has caught up."
        )
        raise BackupError(message)
    engine = archive.database.engine
    if engine.dialect.name == "sqlite":
        path = folder / "archive" / "index.sqlite"
        path.parent.mkdir()
        sqlite.take(Path(str(engine.url.database)), path)
    else:
        with _one_state(engine) as connection:
            postgresql.take(connection, ARCHIVE_SCHEMA, folder / "archive")
    with archive.database.read() as connection:
        name = "archive_version" if engine.dialect.name == "sqlite" else f"{ARCHIVE_SCHEMA}.archive_version"
        revision = connection.scalar(text(f"SELECT version_num FROM {name}"))  # noqa: S608  our own names
    return _part(folder, "archive", engine.dialect.name, str(revision))


@contextmanager
def _one_state(engine: Engine) -> Iterator[Connection]:
    """Give a connection whose every statement sees one and the same state; nothing is written."""
    options: dict[str, Any] = {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
    with engine.connect().execution_options(**options) as connection:
        yield connection


def _known_revision(database: Database) -> str:
    revision = revision_of(database)
    if revision is None:
        message = "The service's database is not migrated; there is nothing to back up."
        raise BackupError(message)
    return revision


def _part(folder: Path, name: str, kind: str, revision: str) -> Part:
    files = sorted(path for path in (folder / name).rglob("*") if path.is_file())
    for path in files:
        manifest.flush(path)
    manifest.flush(folder / name)
    named = {path.relative_to(folder).as_posix(): manifest.sha256_of(path) for path in files}
    return Part(kind=kind, revision=revision, files=named)


def _copy_originals(originals: Path | None, folder: Path, partial: Path) -> objects.Copied | None:
    if originals is None:
        return None
    known = _known(folder, objects.ORIGINALS_LIST)
    store = objects.OriginalsFolder(originals)
    return objects.copy_out(store, folder / objects.ORIGINALS_POOL, partial / objects.ORIGINALS_LIST, known)


def _known(folder: Path, name: str) -> Mapping[str, str]:
    """Return what the latest whole backup of the folder that has this list says of the pool."""
    earlier = sorted(path.parent for path in folder.glob(f"*Z/{manifest.NAME}"))
    lists = [path / name for path in earlier if (path / name).exists()]
    return objects.read_list(lists[-1]) if lists else {}
