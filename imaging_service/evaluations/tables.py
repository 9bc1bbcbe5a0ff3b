"""Site evaluations, to which rows are only added, and what is kept of their comparison."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from imaging_service.database import Base, Json, UtcDateTime
from imaging_service.final_rows import always_final


class EvaluationRow(Base):
    """What the site itself says about a timepoint."""

    __tablename__ = "site_evaluations"

    evaluation_id: Mapped[str] = mapped_column(primary_key=True)
    trial_id: Mapped[str]
    subject_id: Mapped[str]
    timepoint_id: Mapped[str] = mapped_column(ForeignKey("timepoints.timepoint_id"))
    edition: Mapped[int]
    """1 for the first entry about the timepoint; a correction is the next one."""
    overall_response: Mapped[str]
    has_progressed: Mapped[bool]
    reason: Mapped[str]
    entered_by: Mapped[str]
    entered_at: Mapped[datetime] = mapped_column(UtcDateTime)

    __table_args__ = (
        UniqueConstraint("timepoint_id", "edition"),
        Index("ix_site_evaluations_trial_id_subject_id", "trial_id", "subject_id", "timepoint_id", "edition"),
    )


class KeptComparisonRow(Base):
    """A subject's site evaluations beside one reader's reads, kept beside what it follows from."""

    __tablename__ = "kept_comparisons"

    trial_id: Mapped[str] = mapped_column(primary_key=True)
    subject_id: Mapped[str] = mapped_column(primary_key=True)
    slot: Mapped[int] = mapped_column(primary_key=True)
    site_id: Mapped[str]
    differs: Mapped[bool]
    figures: Mapped[dict[str, Any]] = mapped_column(Json)
    differing: Mapped[list[dict[str, Any]]] = mapped_column(Json)

    __table_args__ = (
        Index("ix_kept_comparisons_trial_id_differs", "trial_id", "differs", "subject_id"),
        {"info": {"audited": False}},
    )


TRIGGERS = always_final(EvaluationRow, "a site evaluation never changes")
"""Statements of each dialect; a migration executes them after it has created the table."""
