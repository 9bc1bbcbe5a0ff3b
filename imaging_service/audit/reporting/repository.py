"""How far a collector was told: SQL."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import or_, select, update
from sqlalchemy.orm import Session

from imaging_service.audit import repository as chain
from imaging_service.audit.tables import AuditCollector, AuditEntry


def position(session: Session, collector: str) -> int:
    """Return the last entry that the collector has taken in; 0 when it has taken in none."""
    found = session.scalar(select(AuditCollector.position).where(AuditCollector.collector == collector))
    return found or 0


def following(session: Session, sequence: int, limit: int) -> Sequence[AuditEntry]:
    """Return at most `limit` entries after one, in the order of the chain."""
    wanted = select(AuditEntry).where(AuditEntry.sequence > sequence)
    return session.scalars(wanted.order_by(AuditEntry.sequence).limit(limit)).all()


def hold(session: Session, collector: str, holder: str, now: datetime, until: datetime) -> bool:
    """Become the only one that tells the collector until `until`; False where another is."""
    chain.lock(session)  # two that come first at once would both find no row
    if session.get(AuditCollector, collector) is None:
        session.add(AuditCollector(collector=collector, position=0))
        session.flush()
    free = or_(AuditCollector.held_until.is_(None), AuditCollector.held_until <= now)
    taken = session.execute(
        update(AuditCollector)
        .where(AuditCollector.collector == collector, free)
        .values(held_by=holder, held_until=until)
        .execution_options(synchronize_session=False)
    )
    return bool(getattr(taken, "rowcount", 0))


def advance(session: Session, collector: str, holder: str, sequence: int) -> bool:
    """Keep that an entry, and all before it, were taken in; False where another has taken over."""
    moved = session.execute(
        update(AuditCollector)
        .where(AuditCollector.collector == collector, AuditCollector.held_by == holder)
        .values(position=sequence, held_by=None, held_until=None)
        .execution_options(synchronize_session=False)
    )
    return bool(getattr(moved, "rowcount", 0))


def let_go(session: Session, collector: str, holder: str) -> None:
    """Let another tell the collector."""
    session.execute(
        update(AuditCollector)
        .where(AuditCollector.collector == collector, AuditCollector.held_by == holder)
        .values(held_by=None, held_until=None)
        .execution_options(synchronize_session=False)
    )
