"""Put a backup into an empty place, and prove that it answers as the service did."""

import shutil
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from dicom_listener.archive.archive import Archive
from dicom_listener.archive.migrate import migrate as migrate_archive
from dicom_listener.archive.objects import ObjectStore
from dicom_listener.archive.records import Digest
from dicom_listener.archive.tables import SCHEMA as ARCHIVE_SCHEMA
from dicom_listener.deidentification.originals import Originals
from imaging_service.audit import receipts, witness
from imaging_service.audit import service as audit
from imaging_service.audit.chain import Head
from imaging_service.backup import manifest, objects, postgresql, reports, sqlite
from imaging_service.backup.errors import BackupError
from imaging_service.backup.manifest import Manifest, Part
from imaging_service.backup.taking import WITNESS
from imaging_service.database import SCHEMA, Database
from imaging_service.migrations.migrate import migrate


@dataclass(frozen=True, slots=True, kw_only=True)
class Restored:
    """What is there again."""

    manifest: Manifest
    entries: int
    trials: int


def restore(
    folder: Path,
    database: Database,
    archive: Archive,
    *,
    witness_file: Path,
    originals: Path | None = None,
) -> Restored:
    """Fill an empty database, archive and object store from a backup, and verify them.

    Raises
    ------
    BackupError
        The place is not empty, the backup is damaged or of another kind of database, or what was put back
        does not answer as the manifest says.
    """
    made = manifest.read(folder)
    for part in (made.service, made.archive):
        manifest.check(folder, part)
    listed = _listed(folder / objects.LIST, made.objects_sha256)
    kept_apart = {}
    if made.originals is not None and originals is not None:
        kept_apart = _listed(folder / objects.ORIGINALS_LIST, made.originals_sha256)
    _refuse_other_kinds(made, database, archive)
    _refuse_full(database, archive)
    archive.objects.prepare()
    objects.put_back(partial(_keep, archive.objects), folder.parent / objects.POOL, listed)
    if originals is not None and kept_apart:
        place = Originals(originals)
        pool = folder.parent / objects.ORIGINALS_POOL
        objects.put_back(lambda digest, whole: place.keep(digest, [whole]), pool, kept_apart)
    _restore_archive(made.archive, folder, archive)
    _restore_service(made.service, folder, database)
    if (folder / WITNESS).exists() and not witness_file.exists():
        witness_file.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(folder / WITNESS, witness_file)
    _verify(made, database, archive, witness_file)
    return Restored(manifest=made, entries=made.audit_sequence, trials=len(made.reports))


def _keep(store: ObjectStore, digest: Digest, whole: memoryview) -> None:
    store.put(digest, [whole])
    store.mark_indexed(digest)


def _listed(path: Path, wanted: str) -> dict[str, str]:
    if not path.is_file() or manifest.sha256_of(path) != wanted:
        message = f"The list of objects {path} is missing or damaged; take another backup."
        raise BackupError(message)
    return objects.read_list(path)


def _refuse_other_kinds(made: Manifest, database: Database, archive: Archive) -> None:
    wanted = {
        "service": (made.service.kind, database.url.get_backend_name()),
        "archive": (made.archive.kind, archive.database.engine.dialect.name),
    }
    for name, (kept, found) in wanted.items():
        if kept != found:
            message = f"The backup of the {name} is of {kept}; the place to restore into is {found}."
            raise BackupError(message)


def _refuse_full(database: Database, archive: Archive) -> None:
    """Refuse a place where something is: a restoration never mixes with what is there."""
    engine = archive.database.engine
    full = []
    if database.is_sqlite:
        full += [] if sqlite.is_empty(Path(str(database.url.database))) else [str(database.url.database)]
    else:
        with database.reader.connect() as connection:
            full += [] if postgresql.is_empty(connection, SCHEMA) else [f"the schema {SCHEMA!r}"]
    if engine.dialect.name == "sqlite":
        full += [] if sqlite.is_empty(Path(str(engine.url.database))) else [str(engine.url.database)]
    else:
        with engine.connect() as connection:
            empty = postgresql.is_empty(connection, ARCHIVE_SCHEMA)
            full += [] if empty else [f"the schema {ARCHIVE_SCHEMA!r}"]
    if next(iter(archive.objects.digests()), None) is not None:
        full.append("the object store")
    if full:
        message = f"A backup is restored into an empty place only; here is already: {', '.join(full)}."
        raise BackupError(message)


def _restore_archive(part: Part, folder: Path, archive: Archive) -> None:
    engine = archive.database.engine
    if part.kind == "sqlite":
        sqlite.put_back(folder / "archive" / "index.sqlite", Path(str(engine.url.database)))
    else:
        migrate_archive(archive.database, part.revision)
        with archive.database.write() as connection:
            postgresql.put_back(connection, ARCHIVE_SCHEMA, folder / "archive")
    migrate_archive(archive.database)


def _restore_service(part: Part, folder: Path, database: Database) -> None:
    if part.kind == "sqlite":
        sqlite.put_back(folder / "service" / "database.sqlite", Path(str(database.url.database)))
    else:
        migrate(database, part.revision)
        with database.writer.begin() as connection:
            postgresql.put_back(connection, SCHEMA, folder / "service")
    migrate(database)


def _verify(made: Manifest, database: Database, archive: Archive, witness_file: Path) -> None:
    """Prove what was put back: the chain with its witnesses, the receipts, and every cohort report."""
    wanted = Head(sequence=made.audit_sequence, hash=made.audit_hash)
    with database.read() as session:
        kept = [head for head in witness.read(witness_file) if head.sequence <= wanted.sequence]
        findings = audit.verify(session, [*kept, wanted]) + receipts.verify(session, archive)
        answers = reports.hashes(session, made.marked_at.date())
    if findings:
        message = f"What was restored is not what was backed up: {findings[0].sentence}"
        raise BackupError(message)
    other = sorted(name for name in {*made.reports, *answers} if made.reports.get(name) != answers.get(name))
    if other:
        message = f"The restored service answers otherwise for the trials {', '.join(other)}."
        raise BackupError(message)
