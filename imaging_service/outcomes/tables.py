"""What is kept of each reader's course of a subject, beside what it follows from."""

from datetime import date

from sqlalchemy.orm import Mapped, mapped_column

from imaging_service.database import Base


class KeptCourseRow(Base):
    """A subject's endpoints from one reader's reads, as of everything known; see `CourseLine`."""

    __tablename__ = "kept_courses"

    trial_id: Mapped[str] = mapped_column(primary_key=True)
    subject_id: Mapped[str] = mapped_column(primary_key=True)
    slot: Mapped[int] = mapped_column(primary_key=True)
    site_id: Mapped[str]
    is_responder: Mapped[bool]
    has_clinical_benefit: Mapped[bool]
    is_controlled: Mapped[bool]
    pfs_days: Mapped[int | None]
    pfs_is_event: Mapped[bool | None]
    dor_days: Mapped[int | None]
    dor_is_event: Mapped[bool | None]
    ttr_days: Mapped[int | None]
    ttr_is_event: Mapped[bool | None]
    dsd_days: Mapped[int | None]
    dsd_is_event: Mapped[bool | None]
    os_days: Mapped[int | None]
    os_is_event: Mapped[bool | None]
    best_response: Mapped[str]
    confirmed_best_response: Mapped[str]
    pfs_starts_on: Mapped[date | None]
    pfs_ends_on: Mapped[date | None]
    pfs_ending: Mapped[str | None]
    pfs_record_id: Mapped[str | None]
    doubt: Mapped[str | None]

    __table_args__ = {"info": {"audited": False}}  # noqa: RUF012  as SQLAlchemy declares it
