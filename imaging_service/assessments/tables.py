"""Assessments: what the rules answered, with everything that the answer follows from. Rows are only added."""

from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from imaging_service.database import Base, DecimalText, Json, UtcDateTime
from imaging_service.final_rows import always_final


class AssessmentRow(Base):
    """The responses that follow from one read and the reader's earlier ones."""

    __tablename__ = "assessments"

    assessment_id: Mapped[str] = mapped_column(primary_key=True)
    read_id: Mapped[str] = mapped_column(ForeignKey("reads.read_id"))
    edition: Mapped[int]
    """1 for the answer at signing; higher when an earlier timepoint was signed or amended later."""
    because_of: Mapped[str] = mapped_column(ForeignKey("reads.read_id"))
    """The read whose signature called for this answer."""
    derived_at: Mapped[datetime] = mapped_column(UtcDateTime)
    trial_id: Mapped[str]
    subject_id: Mapped[str]
    slot: Mapped[int]
    timepoint_id: Mapped[str]
    position: Mapped[int]
    """How many of the reader's reads it follows from: the highest one is the newest about the subject."""
    sum_mm: Mapped[Decimal | None] = mapped_column(DecimalText)
    """Complete sum of diameters; empty when it is incomplete or there are no targets."""
    target_response: Mapped[str | None]
    """Empty at baseline, like every response."""
    non_target_response: Mapped[str | None]
    new_lesion: Mapped[str | None]
    overall_response: Mapped[str | None]
    best_response: Mapped[str]
    """Of the subject, as of this read."""
    confirmed_best_response: Mapped[str]
    responded_on: Mapped[date | None]
    """Day of the first CR or PR that counts, confirmed or not."""
    progression_on: Mapped[date | None]
    rules_version: Mapped[str]
    protocol_version: Mapped[str]
    inputs: Mapped[dict[str, Any]] = mapped_column(Json)
    inputs_sha256: Mapped[str]
    answer: Mapped[dict[str, Any]] = mapped_column(Json)

    __table_args__ = (
        UniqueConstraint("read_id", "edition"),
        Index(
            "ix_assessments_trial_id_subject_id",
            *("trial_id", "subject_id", "slot", "position", "timepoint_id"),
        ),
        Index("ix_assessments_timepoint_id", "timepoint_id", "slot", "overall_response"),
    )


TRIGGERS = always_final(AssessmentRow, "an assessment never changes")
"""Statements of each dialect; a migration executes them after it has created the table."""
