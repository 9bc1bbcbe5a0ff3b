"""What quality control has found about a timepoint's images, and every state that they went through."""

from datetime import datetime
from typing import Any

from sqlalchemy import Index
from sqlalchemy.orm import Mapped, mapped_column

from imaging_service.database import Base, Json, UtcDateTime
from imaging_service.final_rows import always_final


class ControlRow(Base):
    """The newest findings about a timepoint's images."""

    __tablename__ = "controls"

    timepoint_id: Mapped[str] = mapped_column(primary_key=True)
    """Without a foreign key: an unscheduled timepoint ceases to be when its images are taken away."""
    trial_id: Mapped[str]
    version: Mapped[int]
    """Counts the transitions."""
    findings: Mapped[list[dict[str, Any]]] = mapped_column(Json)
    blocking: Mapped[int]
    """How many of the findings block."""
    protocol_version: Mapped[str | None]
    """Whose rules they follow from; empty before the first control."""
    controlled_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class TransitionRow(Base):
    """One change of a timepoint's state; rows are only added."""

    __tablename__ = "control_transitions"

    timepoint_id: Mapped[str] = mapped_column(primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True)
    trial_id: Mapped[str]
    subject_id: Mapped[str]
    from_state: Mapped[str | None]
    """Empty for the first images."""
    to_state: Mapped[str | None]
    """Empty when the images were taken away."""
    cause: Mapped[str]
    reason: Mapped[str | None]
    """In a person's words."""
    findings: Mapped[list[dict[str, Any]]] = mapped_column(Json)
    """As they were then."""
    protocol_version: Mapped[str | None]
    changed_by: Mapped[str]
    changed_at: Mapped[datetime] = mapped_column(UtcDateTime)

    __table_args__ = (Index("ix_control_transitions_trial_id_subject_id", "trial_id", "subject_id"),)


TRIGGERS = always_final(TransitionRow, "a transition of quality control never changes")
