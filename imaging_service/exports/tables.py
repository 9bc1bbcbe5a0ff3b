"""Where the two readers of a subject differ, kept beside what it follows from."""

from datetime import date

from sqlalchemy.orm import Mapped, mapped_column

from imaging_service.database import Base


class KeptDiscordanceRow(Base):
    """One variable in which the readers of a subject differ; see `Discordance`."""

    __tablename__ = "kept_discordances"

    trial_id: Mapped[str] = mapped_column(primary_key=True)
    subject_id: Mapped[str] = mapped_column(primary_key=True)
    place: Mapped[int] = mapped_column(primary_key=True)
    """Among those of the subject."""
    site_id: Mapped[str]
    variable: Mapped[str]
    timepoint_id: Mapped[str]
    number: Mapped[int | None]
    imaged_on: Mapped[date]
    reader_1: Mapped[str | None]
    reader_2: Mapped[str | None]
    first_read_id: Mapped[str]
    second_read_id: Mapped[str]

    __table_args__ = {"info": {"audited": False}}  # noqa: RUF012  as SQLAlchemy declares it
