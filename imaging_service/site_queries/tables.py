"""Questions to a site as they stand, and every word that was said about them."""

from datetime import date, datetime

from sqlalchemy import ForeignKeyConstraint, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from imaging_service.database import Base, UtcDateTime
from imaging_service.final_rows import always_final


class SiteQueryRow(Base):
    """A question to a site, as it stands now."""

    __tablename__ = "site_queries"

    query_id: Mapped[str] = mapped_column(primary_key=True)
    number: Mapped[int]
    """Within the trial, from 1: what people call it."""
    trial_id: Mapped[str]
    site_id: Mapped[str]
    subject_id: Mapped[str | None]
    timepoint_id: Mapped[str | None]
    """Without a foreign key: an unscheduled timepoint ceases to be when its images are taken away."""
    study_instance_uid: Mapped[str | None]
    code: Mapped[str]
    text: Mapped[str]
    state: Mapped[str]
    due_on: Mapped[date]
    version: Mapped[int]
    """Counts its entries."""
    asked_at: Mapped[datetime] = mapped_column(UtcDateTime)

    __table_args__ = (
        ForeignKeyConstraint(["trial_id", "site_id"], ["trial_sites.trial_id", "trial_sites.site_id"]),
        ForeignKeyConstraint(["trial_id", "subject_id"], ["subjects.trial_id", "subjects.subject_id"]),
        UniqueConstraint("trial_id", "number"),
        Index("ix_site_queries_trial_id_state_due_on", "trial_id", "state", "due_on"),
        Index("ix_site_queries_trial_id_subject_id", "trial_id", "subject_id", "state"),
        Index("ix_site_queries_timepoint_id", "timepoint_id", "state"),
    )


class SiteQueryEntryRow(Base):
    """One thing that was said about a question; rows are only added."""

    __tablename__ = "site_query_entries"

    query_id: Mapped[str] = mapped_column(primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True)
    deed: Mapped[str]
    """asked, answered, followed_up, closed or reopened."""
    state: Mapped[str]
    """Of the question from then on."""
    text: Mapped[str]
    due_on: Mapped[date]
    said_by: Mapped[str]
    said_by_name: Mapped[str]
    """Printed name at that time."""
    said_at: Mapped[datetime] = mapped_column(UtcDateTime)

    __table_args__ = (ForeignKeyConstraint(["query_id"], ["site_queries.query_id"]),)


TRIGGERS = always_final(SiteQueryEntryRow, "what was said about a question never changes")
