"""Proposed outlines, their rejections, and the expected places of lesions. Nothing here is a measurement."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from imaging_service.database import Base, Json, UtcDateTime
from imaging_service.final_rows import all_of, always_final


class ProposalRow(Base):
    """An outline that was proposed for a lesion of a draft."""

    __tablename__ = "proposals"

    proposal_id: Mapped[str] = mapped_column(primary_key=True)
    read_id: Mapped[str] = mapped_column(ForeignKey("reads.read_id"))
    lesion_id: Mapped[str]
    sop_instance_uid: Mapped[str]
    frame: Mapped[int]
    subtracted_sop_instance_uid: Mapped[str | None]
    """The frame before contrast that was subtracted, in a dynamic series."""
    subtracted_frame: Mapped[int | None]
    seed: Mapped[list[list[float]]] = mapped_column(Json)
    """One point of a click or two of a box, (column, row)."""
    outline: Mapped[list[list[float]]] = mapped_column(Json)
    long_axis: Mapped[list[list[float]]] = mapped_column(Json)
    short_axis: Mapped[list[list[float]]] = mapped_column(Json)
    long_mm: Mapped[float]
    short_mm: Mapped[float]
    confidence: Mapped[str]
    doubts: Mapped[list[str]] = mapped_column(Json)
    proposed_at: Mapped[datetime] = mapped_column(UtcDateTime)

    __table_args__ = (Index("ix_proposals_read_id", "read_id", "proposed_at"),)


class ProposalRejectionRow(Base):
    """A proposal that the reader wants nothing of."""

    __tablename__ = "proposal_rejections"

    proposal_id: Mapped[str] = mapped_column(ForeignKey("proposals.proposal_id"), primary_key=True)
    rejected_at: Mapped[datetime] = mapped_column(UtcDateTime)


class LookoutRow(Base):
    """Where the lesions of earlier reads are expected in the images of a draft, as one answer."""

    __tablename__ = "lookouts"

    read_id: Mapped[str] = mapped_column(ForeignKey("reads.read_id"), primary_key=True)
    places: Mapped[list[dict[str, Any]]] = mapped_column(Json)
    """For each lesion its place with confidence and doubts, or why there is none."""
    computed_at: Mapped[datetime] = mapped_column(UtcDateTime)


class UptakeRow(Base):
    """Volume that took up contrast agent as tumours do, with what it follows from."""

    __tablename__ = "uptakes"

    uptake_id: Mapped[str] = mapped_column(primary_key=True)
    read_id: Mapped[str] = mapped_column(ForeignKey("reads.read_id"))
    before_series_uid: Mapped[str]
    early_series_uid: Mapped[str]
    late_series_uid: Mapped[str]
    region: Mapped[list[list[float]] | None] = mapped_column(Json)
    """Opposite corners, (column, row); empty for the whole images."""
    thresholds: Mapped[dict[str, Any]] = mapped_column(Json)
    volume_ml: Mapped[float]
    median_signal_enhancement_ratio: Mapped[float | None]
    computed_at: Mapped[datetime] = mapped_column(UtcDateTime)

    __table_args__ = (Index("ix_uptakes_read_id", "read_id", "computed_at"),)


TRIGGERS = all_of(
    always_final(ProposalRow, "what was proposed never changes"),
    always_final(ProposalRejectionRow, "a rejection never changes"),
    always_final(LookoutRow, "what was expected never changes"),
    always_final(UptakeRow, "what was computed never changes"),
)
