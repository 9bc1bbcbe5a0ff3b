"""Is everything that was acknowledged still there, and still the same? Make the index from the objects."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import Connection, select

from dicom_listener.archive import index, tables
from dicom_listener.archive.archive import Archive
from dicom_listener.archive.contents import Content
from dicom_listener.archive.file_meta import FileMeta, split
from dicom_listener.archive.header import Header, read_header
from dicom_listener.archive.kept import BEGINNING, KeptObject
from dicom_listener.archive.records import Digest
from dicom_listener.errors import DataSetError, ObjectMissingError

_PAGE = 500
_PIECE = 8 * 2**20


class Damage(StrEnum):
    """What is wrong with a kept object."""

    MISSING = "missing"
    ALTERED = "altered"
    UNREADABLE = "unreadable"


@dataclass(frozen=True, slots=True, kw_only=True)
class DamagedObject:
    """An object that is not as it was kept."""

    digest: Digest
    sop_instance_uid: str  # empty where the object cannot be read
    damage: Damage


def verify(archive: Archive) -> Iterator[DamagedObject | None]:
    """Read every kept object again and compare it with the index.

    Yields
    ------
    DamagedObject | None
        One value for each object: None when it is as it was kept.
    """
    for table in (tables.instances, tables.conflicts):
        after = ""
        while page := _page(archive, table.name, after):
            for uid, kept in page:
                yield _damage_of(archive, uid, kept)
            after = page[-1][1].digest


def _page(archive: Archive, table_name: str, after: str) -> list[tuple[str, KeptObject]]:
    table = tables.metadata.tables[f"{tables.SCHEMA}.{table_name}"]
    columns = (table.c.sop_instance_uid, *(table.c[name] for name in KeptObject.__slots__))
    with archive.database.read() as connection:
        rows = connection.execute(
            select(*columns).where(table.c.digest > after).order_by(table.c.digest).limit(_PAGE)
        ).all()
    return [
        (row[0], KeptObject(digest=row[1], header_digest=row[2], header_length=row[3], size=row[4]))
        for row in rows
    ]


def _damage_of(archive: Archive, sop_instance_uid: str, kept: KeptObject) -> DamagedObject | None:
    try:
        is_sound = _is_as_kept(archive, kept)
    except ObjectMissingError:
        return DamagedObject(digest=kept.digest, sop_instance_uid=sop_instance_uid, damage=Damage.MISSING)
    if is_sound:
        return None
    return DamagedObject(digest=kept.digest, sop_instance_uid=sop_instance_uid, damage=Damage.ALTERED)


def _is_as_kept(archive: Archive, kept: KeptObject) -> bool:
    """Read an object piece by piece, as it may be larger than memory, and compare both digests."""
    before, data_set = hashlib.sha256(), hashlib.sha256()
    size = 0
    while size % _PIECE == 0:
        part = archive.objects.get_range(kept.digest, size, _PIECE)
        cut = max(kept.header_length - size, 0)
        before.update(memoryview(part)[:cut])
        data_set.update(memoryview(part)[cut:])
        size += len(part)
        if not part:
            break
    found = (before.hexdigest(), data_set.hexdigest(), size)
    return found == (kept.header_digest, kept.digest, kept.size)


def recover(archive: Archive) -> int:
    """Index the objects that an earlier run had kept when it ended; return how many were found.

    None of them was acknowledged; their senders send them again, or not.
    """
    found = 0
    unindexed = archive.objects.unindexed()
    if unindexed:
        archive.catch_up()  # what was acknowledged comes first
    for digest in unindexed:
        entry = _read(archive, digest)
        if not isinstance(entry, DamagedObject):
            with archive.database.write() as connection:
                index.add(connection, entry.header, entry.kept, entry.meta.provenance)
            archive.objects.mark_indexed(digest)
            found += 1
    return found


def rebuild(archive: Archive) -> Iterator[DamagedObject | None]:
    """Make the index again from the objects alone, in the order in which they were received.

    Receipts, changes and senders are not made from objects and stay as they are. Studies are open
    afterwards; the listener settles them after the quiet period.

    Yields
    ------
    DamagedObject | None
        One value for each object: None when it is indexed.
    """
    arrivals = []
    for digest in archive.objects.digests():
        entry = _read(archive, digest)
        if isinstance(entry, DamagedObject):
            yield entry
        else:
            arrivals.append((entry.meta.provenance.received_at, digest))
    with archive.database.write() as connection:
        index.clear(connection)
        for _, digest in sorted(arrivals):
            yield _enter(archive, connection, digest)


def _enter(archive: Archive, connection: Connection, digest: Digest) -> DamagedObject | None:
    entry = _read(archive, digest)
    if isinstance(entry, DamagedObject):
        return entry
    index.enter(connection, entry.header, entry.kept, entry.meta.provenance)
    return None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Entry:
    header: Header
    kept: KeptObject
    meta: FileMeta


def _read(archive: Archive, digest: Digest) -> _Entry | DamagedObject:
    """Read an object, which may be larger than memory, with nothing but its name to compare it with."""
    try:
        with archive.objects.opened(digest) as content:
            view = content.view()
            meta, length = split(bytes(view[:BEGINNING]))
            if _digest_of(content, length) != digest:
                return DamagedObject(
                    digest=digest, sop_instance_uid=meta.sop_instance_uid, damage=Damage.ALTERED
                )
            return _Entry(
                header=read_header(view[length:], meta.transfer_syntax_uid),
                kept=KeptObject.of(digest, bytes(view[:length]), len(view) - length),
                meta=meta,
            )
    except ObjectMissingError:
        return DamagedObject(digest=digest, sop_instance_uid="", damage=Damage.MISSING)
    except DataSetError:
        return DamagedObject(digest=digest, sop_instance_uid="", damage=Damage.UNREADABLE)


def _digest_of(content: Content, start: int) -> str:
    sha256 = hashlib.sha256()
    for piece in content.pieces(start):
        sha256.update(piece)
    return sha256.hexdigest()
