"""Jobs of the embedded queue, and the failures of either queue."""

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, Index, Integer, text
from sqlalchemy.orm import Mapped, mapped_column

from imaging_service.database import Base, Json, UtcDateTime

_Number = BigInteger().with_variant(Integer, "sqlite")  # SQLite numbers rows by itself only in INTEGER

WAITING = "waiting"
RUNNING = "running"
PARKED = "parked"


class JobRow(Base):
    """A job of the embedded queue; a completed one is deleted."""

    __tablename__ = "jobs"

    job_id: Mapped[int] = mapped_column(_Number, primary_key=True)
    name: Mapped[str]
    payload: Mapped[dict[str, Any]] = mapped_column(Json)
    key: Mapped[str | None]
    state: Mapped[str]
    run_at: Mapped[datetime] = mapped_column(UtcDateTime)
    attempts: Mapped[int]
    """Begun so far, so that a job which ends its worker is counted too."""
    fence: Mapped[int]
    """Grows with every lease and never shrinks: whoever holds an older number has lost the job."""
    leased_until: Mapped[datetime | None] = mapped_column(UtcDateTime)

    __table_args__ = (
        CheckConstraint("state IN ('waiting', 'running', 'parked')", name="state"),
        CheckConstraint("(state = 'running') = (leased_until IS NOT NULL)", name="lease"),
        Index(
            "uq_jobs_waiting_key",
            "key",
            unique=True,
            sqlite_where=text("state = 'waiting'"),
            postgresql_where=text("state = 'waiting'"),
        ),
        Index("ix_jobs_state_run_at", "state", "run_at", "job_id"),
        # a number is never given again: failures refer to it
        {"sqlite_autoincrement": True, "info": {"audited": False}},
    )


class JobFailureRow(Base):
    """One failed attempt of a job."""

    __tablename__ = "job_failures"

    failure_id: Mapped[int] = mapped_column(_Number, primary_key=True)
    job_id: Mapped[str] = mapped_column(index=True)
    """The queue's number of the job; Procrastinate numbers its own."""
    name: Mapped[str]
    attempt: Mapped[int]
    error: Mapped[str]
    failed_at: Mapped[datetime] = mapped_column(UtcDateTime)

    __table_args__ = ({"info": {"audited": False}},)
