"""Trials, their protocol versions and their sites."""

from datetime import date, datetime

from sqlalchemy import ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from imaging_service.database import Base, UtcDateTime
from imaging_service.final_rows import all_of, always_final


class TrialRow(Base):
    """One clinical study (STUDYID)."""

    __tablename__ = "trials"

    trial_id: Mapped[str] = mapped_column(primary_key=True)
    title: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)


class ProtocolRow(Base):
    """One version of a trial's protocol, exactly as it was handed in; never changed."""

    __tablename__ = "trial_protocols"

    trial_id: Mapped[str] = mapped_column(ForeignKey("trials.trial_id"), primary_key=True)
    version: Mapped[str] = mapped_column(primary_key=True)
    revision: Mapped[int]
    """1 for the first version handed in, 2 for the first amendment, …"""
    effective_on: Mapped[date | None]
    """Empty for a first version that holds from the start."""
    media_type: Mapped[str]
    text: Mapped[str]
    sha256: Mapped[str]
    """Digest of `text` in UTF-8."""
    filed_by: Mapped[str]
    filed_at: Mapped[datetime] = mapped_column(UtcDateTime)

    __table_args__ = (
        UniqueConstraint("trial_id", "revision", name="uq_trial_protocols_revision"),
        UniqueConstraint("trial_id", "effective_on", name="uq_trial_protocols_effective_on"),
    )


class SiteRow(Base):
    """A hospital that takes part in a trial (SITEID)."""

    __tablename__ = "trial_sites"

    trial_id: Mapped[str] = mapped_column(ForeignKey("trials.trial_id"), primary_key=True)
    site_id: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
    added_at: Mapped[datetime] = mapped_column(UtcDateTime)

    __table_args__ = (Index("ix_trial_sites_site_id", "site_id"),)


class ReaderPlanRow(Base):
    """How the subjects of a trial get readers out of its pool; trials with seats have no such row."""

    __tablename__ = "reader_plans"

    trial_id: Mapped[str] = mapped_column(ForeignKey("trials.trial_id"), primary_key=True)
    assignment: Mapped[str]
    """``balanced`` or ``random``."""
    seed: Mapped[str]
    """32 hexadecimal digits, drawn when the trial began: with it every draw can be made again."""
    drawn_at: Mapped[datetime] = mapped_column(UtcDateTime)


TRIGGERS = all_of(
    always_final(ProtocolRow, "a filed protocol never changes"),
    always_final(ReaderPlanRow, "the plan by which readers are assigned never changes"),
)
