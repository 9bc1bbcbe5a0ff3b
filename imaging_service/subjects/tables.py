"""Subjects, every version of their dates, and the PatientIDs that sites send for them."""

from datetime import date, datetime

from sqlalchemy import ForeignKeyConstraint, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from imaging_service.database import Base, UtcDateTime
from imaging_service.final_rows import always_final


class SubjectRow(Base):
    """An enrolled person (USUBJID)."""

    __tablename__ = "subjects"

    trial_id: Mapped[str] = mapped_column(primary_key=True)
    subject_id: Mapped[str] = mapped_column(primary_key=True)
    site_id: Mapped[str]
    reading_id: Mapped[str]
    """What readers see instead (0012,0042); drawn at random, so it says nothing about the subject."""
    version: Mapped[int]
    """The version of the dates that counts now."""
    enrolled_at: Mapped[datetime] = mapped_column(UtcDateTime)

    __table_args__ = (
        ForeignKeyConstraint(["trial_id", "site_id"], ["trial_sites.trial_id", "trial_sites.site_id"]),
        UniqueConstraint("trial_id", "reading_id"),
        Index("ix_subjects_trial_id_site_id", "trial_id", "site_id"),
    )


class SubjectVersionRow(Base):
    """The dates of a subject as they were believed from one moment on; never changed."""

    __tablename__ = "subject_versions"

    trial_id: Mapped[str] = mapped_column(primary_key=True)
    subject_id: Mapped[str] = mapped_column(primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True)
    consent_on: Mapped[date | None]
    randomised_on: Mapped[date | None]
    first_dose_on: Mapped[date | None]
    new_therapy_on: Mapped[date | None]
    progression_on: Mapped[date | None]
    """Progression as the site documents it; the central read's own date is derived, never entered."""
    withdrawal_on: Mapped[date | None]
    withdrawal_reason: Mapped[str | None]
    last_contact_on: Mapped[date | None]
    death_on: Mapped[date | None]
    reason: Mapped[str]
    """Why this version was recorded."""
    recorded_by: Mapped[str]
    recorded_at: Mapped[datetime] = mapped_column(UtcDateTime)

    __table_args__ = (
        ForeignKeyConstraint(["trial_id", "subject_id"], ["subjects.trial_id", "subjects.subject_id"]),
    )


class PatientIdRow(Base):
    """A PatientID under which a site's PACS knows a subject."""

    __tablename__ = "patient_ids"

    trial_id: Mapped[str] = mapped_column(primary_key=True)
    site_id: Mapped[str] = mapped_column(primary_key=True)
    patient_id: Mapped[str] = mapped_column(primary_key=True)
    issuer: Mapped[str] = mapped_column(primary_key=True)
    """Issuer of Patient ID (0010,0021); empty where the site names none."""
    subject_id: Mapped[str]
    added_by: Mapped[str]
    added_at: Mapped[datetime] = mapped_column(UtcDateTime)

    __table_args__ = (
        ForeignKeyConstraint(["trial_id", "subject_id"], ["subjects.trial_id", "subjects.subject_id"]),
        Index("ix_patient_ids_site_id_patient_id", "site_id", "patient_id"),
    )


TRIGGERS = always_final(SubjectVersionRow, "a recorded version of a subject never changes")
