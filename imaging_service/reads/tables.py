"""Reads, their lesions, axes and signatures, and who reads which subject.

A row of a signed read, or of a draft that was closed, never changes: triggers of the database refuse it,
whoever asks. An amendment is a new read with the next revision, which supersedes the old one.
"""

from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, ForeignKeyConstraint, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from imaging_service.database import Base, DecimalText, Json, UtcDateTime
from imaging_service.final_rows import all_of, always_final, final_when


class ReadRow(Base):
    """One reader's evaluation of one timepoint."""

    __tablename__ = "reads"

    read_id: Mapped[str] = mapped_column(primary_key=True)
    trial_id: Mapped[str]
    subject_id: Mapped[str]
    timepoint_id: Mapped[str] = mapped_column(ForeignKey("timepoints.timepoint_id"))
    slot: Mapped[int]
    """1 for the first reader of the trial, 2 for the second (EVALID RADIOLOGIST 1, 2)."""
    revision: Mapped[int]
    """1 for the first read; an unlocked read is followed by the next revision."""
    supersedes: Mapped[str | None] = mapped_column(ForeignKey("reads.read_id"), unique=True)
    unlock_reason: Mapped[str | None]
    protocol_version: Mapped[str]
    number: Mapped[int | None]
    """The timepoint's number when the read was opened; empty for an unscheduled one."""
    imaged_on: Mapped[date]
    opened_by: Mapped[str]
    opened_at: Mapped[datetime] = mapped_column(UtcDateTime)
    version: Mapped[int]
    """Counts every change of the draft; a writer names the one it saw."""
    signed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    closed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    """When a draft was closed because its slot got another reader; it is on record and counts no more."""

    __table_args__ = (
        UniqueConstraint("timepoint_id", "slot", "revision"),
        Index("ix_reads_trial_id_subject_id", "trial_id", "subject_id", "slot"),
        Index("ix_reads_opened_by", "opened_by", "trial_id"),
        Index(
            "uq_reads_one_draft",
            "timepoint_id",
            "slot",
            unique=True,
            sqlite_where=text("signed_at IS NULL AND closed_at IS NULL"),
            postgresql_where=text("signed_at IS NULL AND closed_at IS NULL"),
        ),
    )


class AssignmentRow(Base):
    """Who reads a slot of a subject; the highest edition holds, and none ever changes."""

    __tablename__ = "reader_assignments"

    trial_id: Mapped[str] = mapped_column(primary_key=True)
    subject_id: Mapped[str] = mapped_column(primary_key=True)
    slot: Mapped[int] = mapped_column(primary_key=True)
    edition: Mapped[int] = mapped_column(primary_key=True)
    """1 for the reader who was drawn; a reader whom a coordinator chose instead has the next one."""
    account_id: Mapped[str]
    candidates: Mapped[list[list[Any]] | None] = mapped_column(Json)
    """Of a draw: the pool as it was, each account's key with its number of subjects."""
    reason: Mapped[str]
    assigned_by: Mapped[str]
    assigned_at: Mapped[datetime] = mapped_column(UtcDateTime)

    __table_args__ = (
        ForeignKeyConstraint(["trial_id", "subject_id"], ["subjects.trial_id", "subjects.subject_id"]),
        Index("ix_reader_assignments_account_id", "account_id", "trial_id"),
        CheckConstraint("slot > 0", name="slot"),
    )


class LesionRow(Base):
    """What a read says about one lesion."""

    __tablename__ = "read_lesions"

    read_id: Mapped[str] = mapped_column(ForeignKey("reads.read_id"), primary_key=True)
    lesion_id: Mapped[str] = mapped_column(primary_key=True)
    """T01, NT01, NEW01: the same lesion keeps it at every timepoint (TULNKID)."""
    role: Mapped[str]
    location: Mapped[str]
    organ: Mapped[str]
    is_nodal: Mapped[bool]
    nature: Mapped[str]
    is_irradiated: Mapped[bool]
    progressed_since_irradiation: Mapped[bool]
    state: Mapped[str]
    reason: Mapped[str | None]
    merged_into: Mapped[str | None]
    diameter_mm: Mapped[Decimal | None] = mapped_column(DecimalText)
    """Longest diameter, or short axis of a node, rounded once at signing; empty in a draft."""
    findings: Mapped[list[dict[str, Any]]] = mapped_column(Json)
    version: Mapped[int]


class AxisRow(Base):
    """One drawn axis: two points on one frame, and the millimetres that follow from them."""

    __tablename__ = "read_axes"

    read_id: Mapped[str] = mapped_column(primary_key=True)
    lesion_id: Mapped[str] = mapped_column(primary_key=True)
    fragment: Mapped[int] = mapped_column(primary_key=True)
    """0 for the whole lesion; 1, 2, … for the fragments of a split one."""
    axis: Mapped[str] = mapped_column(primary_key=True)
    """``long`` or ``short``."""
    study_instance_uid: Mapped[str]
    series_instance_uid: Mapped[str]
    sop_instance_uid: Mapped[str]
    modality: Mapped[str | None]
    frame: Mapped[int]
    start_column: Mapped[float]
    start_row: Mapped[float]
    end_column: Mapped[float]
    end_row: Mapped[float]
    length_mm: Mapped[float]
    """Computed by the server from `plane`, not rounded."""
    claimed_mm: Mapped[float | None]
    """What the client said it measured; compared, never used."""
    reported_mm: Mapped[Decimal | None] = mapped_column(DecimalText)
    plane: Mapped[dict[str, Any]] = mapped_column(Json)
    """The frame's geometry as it was when the axis was drawn."""
    object_sha256: Mapped[str]
    """Digest of the instance's bytes; the archive's receipt carries the same."""

    __table_args__ = (
        ForeignKeyConstraint(
            ["read_id", "lesion_id"], ["read_lesions.read_id", "read_lesions.lesion_id"], ondelete="CASCADE"
        ),
        CheckConstraint("axis IN ('long', 'short')", name="axis"),
    )


class SignatureRow(Base):
    """Who signed a read, when, and what it meant (21 CFR 11.50)."""

    __tablename__ = "read_signatures"

    read_id: Mapped[str] = mapped_column(ForeignKey("reads.read_id"), primary_key=True)
    account_id: Mapped[str] = mapped_column(index=True)
    printed_name: Mapped[str]
    role: Mapped[str]
    meaning: Mapped[str]
    signed_at: Mapped[datetime] = mapped_column(UtcDateTime)
    authenticated_at: Mapped[datetime] = mapped_column(UtcDateTime)
    record_hash: Mapped[str]
    """SHA-256 over the read as signed; see `record.record_hash`."""


_ENDED = "({row}.signed_at IS NOT NULL OR {row}.closed_at IS NOT NULL)"
_ENDED_PARENT = (
    "EXISTS (SELECT 1 FROM reads WHERE reads.read_id = {row}.read_id "
    "AND (reads.signed_at IS NOT NULL OR reads.closed_at IS NOT NULL))"
)
_SENTENCE = "a signed read never changes"  # nor does a closed draft

TRIGGERS = all_of(
    final_when(ReadRow, _ENDED, _SENTENCE),
    final_when(LesionRow, _ENDED_PARENT, _SENTENCE, with_insert=True),
    final_when(AxisRow, _ENDED_PARENT, _SENTENCE, with_insert=True),
    always_final(SignatureRow, "a signature never changes"),
    always_final(AssignmentRow, "an assignment of a reader never changes"),
)
"""Statements of each dialect; a migration executes them after it has created the tables."""
