"""Adjudicators' decisions, to which rows are only added, and what is kept of reviews."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, ForeignKeyConstraint, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from imaging_service.database import Base, Json, UtcDateTime
from imaging_service.final_rows import always_final


class DecisionRow(Base):
    """An adjudicator's signed choice between two readers of a subject."""

    __tablename__ = "adjudication_decisions"

    decision_id: Mapped[str] = mapped_column(primary_key=True)
    trial_id: Mapped[str]
    subject_id: Mapped[str]
    edition: Mapped[int]
    """1 for the first decision about the subject; higher when the case was opened again."""
    read_ids: Mapped[list[list[str]]] = mapped_column(Json)
    """The reads of reader 1 and of reader 2 that the adjudicator has seen."""
    differences: Mapped[list[dict[str, Any]]] = mapped_column(Json)
    evidence_sha256: Mapped[str]
    protocol_version: Mapped[str]
    chosen_slot: Mapped[int]
    reason: Mapped[str]
    account_id: Mapped[str]
    printed_name: Mapped[str]
    role: Mapped[str]
    meaning: Mapped[str]
    signed_at: Mapped[datetime] = mapped_column(UtcDateTime)
    authenticated_at: Mapped[datetime] = mapped_column(UtcDateTime)
    record_hash: Mapped[str]

    __table_args__ = (
        UniqueConstraint("trial_id", "subject_id", "edition"),
        ForeignKeyConstraint(["trial_id", "subject_id"], ["subjects.trial_id", "subjects.subject_id"]),
        CheckConstraint("chosen_slot IN (1, 2)", name="chosen_slot"),
    )


class KeptReviewRow(Base):
    """How far a subject's review has come, kept beside what it follows from; see `KeptReview`."""

    __tablename__ = "kept_reviews"

    trial_id: Mapped[str] = mapped_column(primary_key=True)
    subject_id: Mapped[str] = mapped_column(primary_key=True)
    site_id: Mapped[str]
    reading_id: Mapped[str]
    finished_from: Mapped[date | None]
    standing: Mapped[str]
    slot: Mapped[int]
    figures: Mapped[list[Any]] = mapped_column(Json)
    """What differs, counted responses, and both sums: one short value, as a cohort reads thousands."""

    __table_args__ = (
        Index("ix_kept_reviews_trial_id_standing", "trial_id", "standing", "reading_id"),
        {"info": {"audited": False}},
    )


class KeptDiametersRow(Base):
    """How both readers measured the same lesions of a subject, summed up by group; see `PairSums`."""

    __tablename__ = "kept_diameters"

    trial_id: Mapped[str] = mapped_column(primary_key=True)
    subject_id: Mapped[str] = mapped_column(primary_key=True)
    grouping: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(primary_key=True)
    site_id: Mapped[str]
    pairs: Mapped[int]
    first: Mapped[int] = mapped_column(BigInteger)
    second: Mapped[int] = mapped_column(BigInteger)
    first_squares: Mapped[int] = mapped_column(BigInteger)
    second_squares: Mapped[int] = mapped_column(BigInteger)
    products: Mapped[int] = mapped_column(BigInteger)

    __table_args__ = ({"info": {"audited": False}},)


TRIGGERS = always_final(DecisionRow, "an adjudication never changes")
"""Statements of each dialect; a migration executes them after it has created the table."""
