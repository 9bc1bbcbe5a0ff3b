"""The audit table's SQL."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import insert, select, text
from sqlalchemy.orm import Session

from imaging_service.audit.chain import GENESIS, entry_hash
from imaging_service.audit.tables import AuditEntry

_LOCK = 0x61_75_64_69_74  # 'audit', the advisory lock of the chain in PostgreSQL


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """The last entry of the chain: enough to prove later that nothing was cut off."""

    sequence: int
    hash: str


EMPTY = Head(sequence=0, hash=GENESIS)


def append(session: Session, entries: Sequence[Mapping[str, Any]]) -> None:
    """Chain `entries` behind the head, alone: SQLite's writer is one, PostgreSQL takes a lock."""
    if session.get_bind().dialect.name == "postgresql":
        session.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
    last = head(session)
    rows = []
    for entry in entries:
        content = {"sequence": last.sequence + 1, **entry}
        digest = entry_hash(content, last.hash)
        rows.append({**content, "previous_hash": last.hash, "hash": digest})
        last = Head(sequence=last.sequence + 1, hash=digest)
    session.execute(insert(AuditEntry), rows)


def head(session: Session) -> Head:
    """Return the last entry's place and hash."""
    row = session.execute(
        select(AuditEntry.sequence, AuditEntry.hash).order_by(AuditEntry.sequence.desc()).limit(1)
    ).first()
    return EMPTY if row is None else Head(sequence=row.sequence, hash=row.hash)
