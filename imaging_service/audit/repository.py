"""The audit table's SQL."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import Select, insert, select, text
from sqlalchemy.orm import Session

from imaging_service.audit.chain import EMPTY, Head, Link, entry_hash
from imaging_service.audit.tables import AuditEntry

__all__ = ["AuditEntry"]

_LOCK = 0x61_75_64_69_74  # 'audit': the chain's advisory lock in PostgreSQL
_BATCH = 5000


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


def links(session: Session) -> Iterator[Link]:
    """Return every entry in the order of the chain, a batch at a time."""
    table = AuditEntry.__table__
    names = [column.name for column in table.columns if column.name not in {"previous_hash", "hash"}]
    after = None
    while True:
        statement = select(table).order_by(table.c.sequence).limit(_BATCH)
        if after is not None:
            statement = statement.where(table.c.sequence > after)
        rows = session.execute(statement).mappings().all()
        for row in rows:
            yield Link(
                sequence=row["sequence"],
                content={name: row[name] for name in names},
                previous_hash=row["previous_hash"],
                hash=row["hash"],
            )
        if len(rows) < _BATCH:
            return
        after = rows[-1]["sequence"]


def entries(
    *, entity: str | None = None, entity_id: str | None = None, account_id: str | None = None
) -> Select[AuditEntry]:
    """Return the statement of the entries about a thing, or by an account."""
    statement = select(AuditEntry)
    wanted = {AuditEntry.entity: entity, AuditEntry.entity_id: entity_id, AuditEntry.account_id: account_id}
    for column, value in wanted.items():
        if value is not None:
            statement = statement.where(column == value)
    return statement
