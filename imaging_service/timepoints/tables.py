"""Timepoints, the studies that answer them, every decision about a study, and its copied facts."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import BigInteger, ForeignKey, ForeignKeyConstraint, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from imaging_service.database import Base, Json, UtcDateTime
from imaging_service.final_rows import all_of, always_final


class TimepointRow(Base):
    """One scheduled or unscheduled imaging occasion of a subject (VISITNUM)."""

    __tablename__ = "timepoints"

    timepoint_id: Mapped[str] = mapped_column(primary_key=True)
    trial_id: Mapped[str]
    subject_id: Mapped[str]
    number: Mapped[int | None]
    """0 is baseline, k the k-th scheduled one; empty for an unscheduled one."""
    nominal_on: Mapped[date | None]
    opens_on: Mapped[date | None]
    closes_on: Mapped[date | None]
    imaged_on: Mapped[date | None]
    """Study date of the first study that was matched to it."""
    progress: Mapped[str]
    placement: Mapped[str | None]
    """Where the study date fell: in_window, early, late, …"""
    not_done_reason: Mapped[str | None]
    late_instances: Mapped[int]
    """Instances that arrived after the images had been given to the timepoint."""
    control: Mapped[str | None]
    """How far quality control of its images has come; empty without images."""
    sort_on: Mapped[str]
    """The day of imaging, else the nominal one, as YYYY-MM-DD: the order of a subject's timepoints."""

    __table_args__ = (
        ForeignKeyConstraint(["trial_id", "subject_id"], ["subjects.trial_id", "subjects.subject_id"]),
        UniqueConstraint("trial_id", "subject_id", "number"),
        Index(
            "ix_timepoints_unread",
            "trial_id",
            "subject_id",
            sqlite_where=text("progress <> 'read' AND imaged_on IS NOT NULL"),
            postgresql_where=text("progress <> 'read' AND imaged_on IS NOT NULL"),
        ),
        Index("ix_timepoints_trial_id_progress_closes_on", "trial_id", "progress", "closes_on", "subject_id"),
        Index(
            "ix_timepoints_trial_id_progress_subject_id",
            *("trial_id", "progress", "subject_id", "closes_on", "number"),
        ),
        Index("ix_timepoints_trial_id_control", "trial_id", "control", "subject_id"),
        Index(
            "ix_timepoints_trial_id_subject_id_sort_on", "trial_id", "subject_id", "sort_on", "timepoint_id"
        ),
    )


class CalendarRow(Base):
    """From which facts a subject's expected timepoints were written; stale when the facts have moved on."""

    __tablename__ = "calendars"

    trial_id: Mapped[str] = mapped_column(primary_key=True)
    subject_id: Mapped[str] = mapped_column(primary_key=True)
    subject_version: Mapped[int]
    protocol_version: Mapped[str]
    last_received: Mapped[int]
    """The highest scheduled number with images, -1 before any."""
    central_progression_on: Mapped[date | None]
    """Day of the progression that the accepted reads show; empty while they show none."""

    __table_args__ = (
        ForeignKeyConstraint(["trial_id", "subject_id"], ["subjects.trial_id", "subjects.subject_id"]),
    )


class CycleStartsRow(Base):
    """On which days a subject's treatment cycles began, as known at one time; rows are only added."""

    __tablename__ = "cycle_starts"

    trial_id: Mapped[str] = mapped_column(primary_key=True)
    subject_id: Mapped[str] = mapped_column(primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True)
    started_on: Mapped[list[str]] = mapped_column(Json)
    """Of cycles 1, 2, … as YYYY-MM-DD."""
    reason: Mapped[str]
    recorded_by: Mapped[str]
    recorded_at: Mapped[datetime] = mapped_column(UtcDateTime)

    __table_args__ = (
        ForeignKeyConstraint(["trial_id", "subject_id"], ["subjects.trial_id", "subjects.subject_id"]),
    )


class StudyRow(Base):
    """A DICOM study as the archive settled it, and where it belongs."""

    __tablename__ = "studies"

    study_instance_uid: Mapped[str] = mapped_column(primary_key=True)
    site_id: Mapped[str | None]
    """The site whose senders have sent it; empty when there is not exactly one."""
    patient_ids: Mapped[list[str]] = mapped_column(Json)
    issuer: Mapped[str]
    study_date: Mapped[date | None]
    study_date_is_unreadable: Mapped[bool]
    """Whether the study had a date that is none."""
    modalities: Mapped[list[str]] = mapped_column(Json)
    protocol_tag: Mapped[str]
    """Clinical Trial Protocol ID (0012,0020), or empty."""
    subject_tag: Mapped[str]
    """Clinical Trial Subject ID (0012,0040), or empty."""
    series_count: Mapped[int]
    instance_count: Mapped[int]
    received_at: Mapped[datetime] = mapped_column(UtcDateTime)
    settled_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    """Empty while the archive expects more instances."""
    conflicts: Mapped[int]
    """Instances the archive kept apart because they repeat a UID with other content."""
    state: Mapped[str]
    """matched, unmatched or rejected."""
    trial_id: Mapped[str | None] = mapped_column(ForeignKey("trials.trial_id"))
    subject_id: Mapped[str | None]
    timepoint_id: Mapped[str | None] = mapped_column(ForeignKey("timepoints.timepoint_id"))
    placement: Mapped[str | None]
    code: Mapped[str]
    sentence: Mapped[str]
    confidence: Mapped[str | None]
    decided_by: Mapped[str]
    """The account that has assigned or rejected it, else the system."""
    version: Mapped[int]
    """Counts its decisions."""

    __table_args__ = (
        Index("ix_studies_trial_id_state", "trial_id", "state"),
        Index("ix_studies_state_site_id", "state", "site_id"),
        Index("ix_studies_timepoint_id", "timepoint_id"),
    )


class StudyDecisionRow(Base):
    """One decision about a study; rows are added and never changed."""

    __tablename__ = "study_decisions"

    study_instance_uid: Mapped[str] = mapped_column(
        ForeignKey("studies.study_instance_uid"), primary_key=True
    )
    version: Mapped[int] = mapped_column(primary_key=True)
    state: Mapped[str]
    trial_id: Mapped[str | None]
    subject_id: Mapped[str | None]
    timepoint_id: Mapped[str | None]
    code: Mapped[str]
    sentence: Mapped[str]
    confidence: Mapped[str | None]
    series: Mapped[list[str] | None] = mapped_column(Json)
    """The series that it is about; empty when it is about the whole study."""
    decided_by: Mapped[str]
    decided_at: Mapped[datetime] = mapped_column(UtcDateTime)


class StudySeriesRow(Base):
    """A series as it was when its study was matched."""

    __tablename__ = "study_series"

    study_instance_uid: Mapped[str] = mapped_column(
        ForeignKey("studies.study_instance_uid"), primary_key=True
    )
    series_instance_uid: Mapped[str] = mapped_column(primary_key=True)
    modality: Mapped[str | None]
    series_number: Mapped[int | None] = mapped_column(BigInteger)
    description: Mapped[str | None]
    """Shown to readers only when the sender has declared the identity removed (0012,0062)."""
    frame_of_reference_uid: Mapped[str | None]
    facts: Mapped[dict[str, Any]] = mapped_column(Json)
    """Coded attributes that help to choose a series: sequence, contrast, image type."""
    timepoint_id: Mapped[str | None] = mapped_column(ForeignKey("timepoints.timepoint_id"))
    """Its own timepoint, when a person has split it from its study; else it is on the study's."""

    __table_args__ = (
        Index(  # of the few that were split: among all of them SQLite expects no gain from an index
            "ix_study_series_split",
            "timepoint_id",
            sqlite_where=text("timepoint_id IS NOT NULL"),
            postgresql_where=text("timepoint_id IS NOT NULL"),
        ),
    )


class StudyInstanceRow(Base):
    """An instance as it was when its study was matched: digest and geometry, never the pixels."""

    __tablename__ = "study_instances"

    sop_instance_uid: Mapped[str] = mapped_column(primary_key=True)
    study_instance_uid: Mapped[str]
    series_instance_uid: Mapped[str]
    sop_class_uid: Mapped[str]
    transfer_syntax_uid: Mapped[str]
    instance_number: Mapped[int | None] = mapped_column(BigInteger)
    rows: Mapped[int | None]
    columns: Mapped[int | None]
    number_of_frames: Mapped[int] = mapped_column(BigInteger)
    size: Mapped[int] = mapped_column(BigInteger)
    sha256: Mapped[str]
    frames: Mapped[list[dict[str, Any]]] = mapped_column(Json)
    """The geometry of each frame, or the reason why it cannot be measured; frame 1 comes first."""
    is_late: Mapped[bool]
    """Whether it arrived after its study had been matched."""

    __table_args__ = (
        ForeignKeyConstraint(
            ["study_instance_uid", "series_instance_uid"],
            ["study_series.study_instance_uid", "study_series.series_instance_uid"],
        ),
        Index("ix_study_instances_study_instance_uid", "study_instance_uid"),
    )


class FeedCursorRow(Base):
    """How far the archive's change feed has been followed."""

    __tablename__ = "feed_cursors"

    feed: Mapped[str] = mapped_column(primary_key=True)
    sequence: Mapped[int] = mapped_column(BigInteger)

    __table_args__ = {"info": {"audited": False}}  # noqa: RUF012  as SQLAlchemy declares it


TRIGGERS = all_of(
    always_final(StudyDecisionRow, "a decision about a study never changes"),
    always_final(CycleStartsRow, "what was known of treatment cycles never changes"),
)
