"""The audit table's SQL."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, insert, or_, select, text
from sqlalchemy.orm import Session

from imaging_service.audit.chain import EMPTY, Head, Link, entry_hash
from imaging_service.audit.tables import AuditEntry

__all__ = ["AuditEntry"]

_LOCK = 0x61_75_64_69_74  # 'audit': the chain's advisory lock in PostgreSQL
_BATCH = 5000
OF_A_TRIAL = ("trial", "site", "subject")


def append(session: Session, entries: Sequence[Mapping[str, Any]]) -> None:
    """Chain `entries` behind the head, alone."""
    lock(session)
    last = head(session)
    rows = []
    for entry in entries:
        content = {"sequence": last.sequence + 1, **entry}
        digest = entry_hash(content, last.hash)
        rows.append({**content, "previous_hash": last.hash, "hash": digest})
        last = Head(sequence=last.sequence + 1, hash=digest)
    session.execute(insert(AuditEntry), rows)


def lock(session: Session) -> None:
    """Be the only one that appends until the transaction ends: SQLite's writer is one, PostgreSQL locks."""
    if session.get_bind().dialect.name == "postgresql":
        session.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})


def last_said_about(session: Session, entity: str, entity_id: str) -> str | None:
    """Return what the last entry about a thing says of it after the act."""
    return session.scalars(_about(entity, entity_id).order_by(AuditEntry.sequence.desc()).limit(1)).first()


def said_about(session: Session, entity: str, entity_id: str) -> Iterator[tuple[int, str]]:
    """Return the place of every entry about a thing, and what it says of it after the act, in order."""
    last, found = 0, True
    while found:
        statement = select(AuditEntry.sequence, AuditEntry.after)
        rows = session.execute(
            statement.where(AuditEntry.entity == entity, AuditEntry.entity_id == entity_id)
            .where(AuditEntry.sequence > last)
            .order_by(AuditEntry.sequence)
            .limit(_BATCH)
        ).all()
        yield from ((row.sequence, row.after or "") for row in rows)
        found = len(rows) == _BATCH
        last = rows[-1].sequence if rows else last


def _about(entity: str, entity_id: str) -> Select[str | None]:
    return select(AuditEntry.after).where(AuditEntry.entity == entity, AuditEntry.entity_id == entity_id)


def about(
    session: Session, entity: str, entity_ids: Sequence[str], *, action: str | None = None
) -> Sequence[AuditEntry]:
    """Return the entries about some things, of every kind of act or of one, in the order of the chain."""
    wanted = select(AuditEntry).where(AuditEntry.entity == entity, AuditEntry.entity_id.in_(entity_ids))
    if action is not None:
        wanted = wanted.where(AuditEntry.action == action)
    return session.scalars(wanted.order_by(AuditEntry.sequence)).all()


def next_about(session: Session, entity: str, entity_id: str, *, after: int) -> AuditEntry | None:
    """Return the first entry about a thing behind a place of the chain."""
    wanted = select(AuditEntry).where(AuditEntry.entity == entity, AuditEntry.entity_id == entity_id)
    behind = wanted.where(AuditEntry.sequence > after).order_by(AuditEntry.sequence).limit(1)
    return session.scalars(behind).first()


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which entries; what is not said is not asked."""

    entity: str | None = None
    entity_id: str | None = None
    account_id: str | None = None
    actor: str | None = None
    action: str | None = None
    since: datetime | None = None
    before: datetime | None = None
    """Not at this instant itself."""
    trial_id: str | None = None
    """About the trial itself, its sites, subjects and cases: things that are named by the trial."""


def entries(wanted: Wanted) -> Select[AuditEntry]:
    """Return the statement of the wanted entries."""
    statement = select(AuditEntry)
    for column, value in (
        (AuditEntry.entity, wanted.entity),
        (AuditEntry.entity_id, wanted.entity_id),
        (AuditEntry.account_id, wanted.account_id),
        (AuditEntry.actor, wanted.actor),
        (AuditEntry.action, wanted.action),
    ):
        if value is not None:
            statement = statement.where(column == value)
    if wanted.since is not None:
        statement = statement.where(AuditEntry.at >= wanted.since)
    if wanted.before is not None:
        statement = statement.where(AuditEntry.at < wanted.before)
    if wanted.trial_id is not None:
        statement = statement.where(_is_of_trial(wanted.trial_id))
    return statement


def _is_of_trial(trial_id: str) -> ColumnElement[bool]:
    """Things of a trial have its identifier, and a blank, before their own; an identifier has no blank."""
    after_blank = AuditEntry.entity_id.startswith(f"{trial_id} ", autoescape=True)
    return and_(AuditEntry.entity.in_(OF_A_TRIAL), or_(AuditEntry.entity_id == trial_id, after_blank))


def in_order(session: Session, wanted: Wanted) -> Iterator[AuditEntry]:
    """Return the wanted entries in the order of the chain, a batch at a time, without holding them all."""
    last = 0
    while True:
        statement = entries(wanted).where(AuditEntry.sequence > last)
        rows = session.scalars(statement.order_by(AuditEntry.sequence).limit(_BATCH)).all()
        yield from rows
        if len(rows) < _BATCH:
            return
        last = rows[-1].sequence
        session.expunge_all()
