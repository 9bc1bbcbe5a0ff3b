"""The book of originals: which copy was made of which, what is held, and what a person has decided."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from enum import StrEnum

from sqlalchemy import Connection, RowMapping, select, update
from sqlalchemy.dialects import postgresql, sqlite

from dicom_listener.archive import tables
from dicom_listener.archive.records import Digest


class OriginalState(StrEnum):
    """What became of an original."""

    COPIED = "copied"  # the archive has its de-identified copy
    HELD = "held"  # a person has to look at it first
    RELEASED = "released"  # a person has let its copy into the archive
    KEPT_BACK = "kept_back"  # a person has said that no copy may go into the archive


@dataclass(frozen=True, slots=True, kw_only=True)
class Original:
    """An instance as it came."""

    digest: Digest  # of its data set
    copy_digest: str  # of the de-identified one; empty while there is none
    original_sop_instance_uid: str
    sop_instance_uid: str  # of the de-identified one, and its study
    study_instance_uid: str
    days_moved: int
    state: OriginalState
    sentence: str = ""  # why it is held
    site_id: str = ""
    size: int
    received_at: datetime


_NAMES = tuple(field.name for field in fields(Original))
_TABLE = tables.originals


def enter(connection: Connection, original: Original) -> bool:
    """Enter an original; false when it is in the book already, which stays as it is."""
    dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
    values = {name: getattr(original, name) for name in _NAMES} | {"state": original.state.value}
    statement = dialect.insert(_TABLE).values(values).on_conflict_do_nothing(index_elements=["digest"])
    return bool(connection.execute(statement).rowcount)


def found(connection: Connection, digest: Digest) -> Original | None:
    """Return what the book says of an original."""
    row = connection.execute(_SELECT.where(_TABLE.c.digest == digest)).mappings().first()
    return None if row is None else _original(row)


def held(connection: Connection) -> Sequence[Original]:
    """Return what waits for a person, the longest first."""
    rows = connection.execute(_SELECT.where(_TABLE.c.state == OriginalState.HELD).order_by(_TABLE.c.sequence))
    return tuple(_original(row) for row in rows.mappings())


def held_as(connection: Connection, sop_instance_uid: str) -> Original | None:
    """Return what is held under a UID of a copy."""
    rows = connection.execute(
        _SELECT.where(_TABLE.c.sop_instance_uid == sop_instance_uid, _TABLE.c.state == OriginalState.HELD)
        .order_by(_TABLE.c.sequence)
        .limit(1)
    )
    return next((_original(row) for row in rows.mappings()), None)


def decide(
    connection: Connection, digest: Digest, state: OriginalState, *, decision: str, at: datetime
) -> None:
    """Write down what a person has decided of a held original."""
    connection.execute(
        update(_TABLE)
        .where(_TABLE.c.digest == digest)
        .values(state=state.value, decision=decision, decided_at=at)
    )


def note_copy(connection: Connection, digest: Digest, copy_digest: str) -> None:
    """Note the copy that was made of a released original."""
    connection.execute(update(_TABLE).where(_TABLE.c.digest == digest).values(copy_digest=copy_digest))


def expired(connection: Connection, before: datetime, limit: int = 500) -> Sequence[Digest]:
    """Return originals that came before an instant, whose files are there still; what is held is not."""
    rows = connection.execute(
        select(_TABLE.c.digest)
        .where(_TABLE.c.received_at < before, _TABLE.c.removed_at.is_(None))
        .where(_TABLE.c.state != OriginalState.HELD)
        .limit(limit)
    )
    return [Digest(row.digest) for row in rows]


def note_removed(connection: Connection, digests: Sequence[Digest], at: datetime) -> None:
    """Note that the files of originals are gone; what the book says of them stays."""
    connection.execute(update(_TABLE).where(_TABLE.c.digest.in_(digests)).values(removed_at=at))


def copy_of(connection: Connection, original_sop_instance_uid: str) -> Sequence[Original]:
    """Return what came under a UID, in any state."""
    rows = connection.execute(
        _SELECT.where(_TABLE.c.original_sop_instance_uid == original_sop_instance_uid)
    ).mappings()
    return tuple(_original(row) for row in rows)


_SELECT = select(*(_TABLE.c[name] for name in _NAMES))


def _original(row: RowMapping) -> Original:
    return Original(**{name: row[name] for name in _NAMES} | {"state": OriginalState(row["state"])})
