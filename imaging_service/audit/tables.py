"""The audit table, and the triggers that keep it append-only in either database."""

from datetime import datetime
from types import MappingProxyType

from sqlalchemy import DDL, BigInteger, Index, Integer, String, Text, event
from sqlalchemy.orm import Mapped, mapped_column

from imaging_service.database import Base, UtcDateTime


class AuditEntry(Base):
    """One act. The hash covers every other column, the previous hash included."""

    __tablename__ = "audit_entries"
    __table_args__ = (
        Index("ix_audit_entries_entity", "entity", "entity_id", "sequence"),
        Index("ix_audit_entries_account_id", "account_id", "sequence"),
        Index("ix_audit_entries_actor", "actor", "sequence"),
        Index("ix_audit_entries_action", "action", "sequence"),
        Index("ix_audit_entries_at", "at"),
        {"info": {"audited": False}},
    )

    sequence: Mapped[int] = mapped_column(
        BigInteger().with_variant(Integer(), "sqlite"), primary_key=True, autoincrement=False
    )
    at: Mapped[datetime] = mapped_column(UtcDateTime())
    account_id: Mapped[str | None] = mapped_column(String(36))
    actor: Mapped[str] = mapped_column(String(200))
    action: Mapped[str] = mapped_column(String(100))
    entity: Mapped[str] = mapped_column(String(100))
    entity_id: Mapped[str] = mapped_column(String(300))
    before: Mapped[str | None] = mapped_column(Text())
    after: Mapped[str | None] = mapped_column(Text())
    reason: Mapped[str | None] = mapped_column(Text())
    previous_hash: Mapped[str] = mapped_column(String(64))
    hash: Mapped[str] = mapped_column(String(64))


class AuditCollector(Base):
    """How far a collector was told of the chain, and who tells it now."""

    __tablename__ = "audit_collectors"
    __table_args__ = ({"info": {"audited": False}},)

    collector: Mapped[str] = mapped_column(String(300), primary_key=True)
    """Its address."""
    position: Mapped[int] = mapped_column(BigInteger())
    """The last entry that it has taken in."""
    held_by: Mapped[str | None] = mapped_column(String(36))
    """The worker that tells it now; nobody else does until then."""
    held_until: Mapped[datetime | None] = mapped_column(UtcDateTime())


_REFUSAL = "audit entries are never changed or removed"

_NO_UPDATE = (
    "CREATE TRIGGER audit_entries_no_update BEFORE UPDATE ON audit_entries "
    f"BEGIN SELECT RAISE(ABORT, '{_REFUSAL}'); END"
)
_NO_DELETE = (
    "CREATE TRIGGER audit_entries_no_delete BEFORE DELETE ON audit_entries "
    f"BEGIN SELECT RAISE(ABORT, '{_REFUSAL}'); END"
)
_REFUSE = (
    "CREATE OR REPLACE FUNCTION audit_entries_refuse() RETURNS trigger LANGUAGE plpgsql AS "
    f"$$ BEGIN RAISE EXCEPTION '{_REFUSAL}'; END $$"
)
_NO_CHANGE = (
    "CREATE TRIGGER audit_entries_no_change BEFORE UPDATE OR DELETE ON audit_entries "
    "FOR EACH ROW EXECUTE FUNCTION audit_entries_refuse()"
)
_NO_TRUNCATE = (
    "CREATE TRIGGER audit_entries_no_truncate BEFORE TRUNCATE ON audit_entries "
    "FOR EACH STATEMENT EXECUTE FUNCTION audit_entries_refuse()"
)

TRIGGERS = MappingProxyType(
    {"sqlite": (_NO_UPDATE, _NO_DELETE), "postgresql": (_REFUSE, _NO_CHANGE, _NO_TRUNCATE)}
)
"""Statements of each dialect; a migration executes them after it has created the table."""


for _dialect, _statements in TRIGGERS.items():
    for _statement in _statements:
        _ddl = DDL(_statement)  # type: ignore[no-untyped-call]  # SQLAlchemy leaves it untyped
        event.listen(AuditEntry.__table__, "after_create", _ddl.execute_if(dialect=_dialect))
