"""Notices, who is told of them, and how far each has come.

A notice follows from a change that is audited where it is made; its own rows are not audited a second time.
"""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from imaging_service.database import Base, Json, UtcDateTime
from imaging_service.final_rows import final_when

_FOLLOWS = {"info": {"audited": False}}


class NoticeRow(Base):
    """One thing that has happened."""

    __tablename__ = "notices"

    notice_id: Mapped[str] = mapped_column(primary_key=True)
    sequence: Mapped[int | None] = mapped_column(unique=True)
    """Given just before the commit, under a lock: who has read up to a number has missed none below it."""
    kind: Mapped[str]
    trial_id: Mapped[str] = mapped_column(ForeignKey("trials.trial_id"))
    site_id: Mapped[str | None]
    subject_id: Mapped[str | None]
    reading_id: Mapped[str | None]
    timepoint_id: Mapped[str | None]
    reference: Mapped[str | None]
    once_key: Mapped[str | None] = mapped_column(unique=True)
    """Says what may be told only once, such as that a timepoint is overdue."""
    at: Mapped[datetime] = mapped_column(UtcDateTime)

    __table_args__ = (Index("ix_notices_trial_id_sequence", "trial_id", "sequence"), _FOLLOWS)


class WebhookRow(Base):
    """An address that is told what happens in a trial."""

    __tablename__ = "webhooks"

    webhook_id: Mapped[str] = mapped_column(primary_key=True)
    trial_id: Mapped[str] = mapped_column(ForeignKey("trials.trial_id"), index=True)
    url: Mapped[str]
    kinds: Mapped[list[str]] = mapped_column(Json)
    secret: Mapped[str]
    """Key of the signatures; told once, to who registers the webhook."""
    is_enabled: Mapped[bool]
    registered_by: Mapped[str]
    registered_at: Mapped[datetime] = mapped_column(UtcDateTime)
    ended_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class WebhookPositionRow(Base):
    """Up to which notice a webhook's deliveries have been laid out."""

    __tablename__ = "webhook_positions"

    webhook_id: Mapped[str] = mapped_column(ForeignKey("webhooks.webhook_id"), primary_key=True)
    sequence: Mapped[int]

    __table_args__ = (_FOLLOWS,)


class DeliveryRow(Base):
    """One notice on its way to one receiver."""

    __tablename__ = "webhook_deliveries"

    delivery_id: Mapped[str] = mapped_column(primary_key=True)
    webhook_id: Mapped[str] = mapped_column(ForeignKey("webhooks.webhook_id"))
    sequence: Mapped[int]
    notice_id: Mapped[str] = mapped_column(ForeignKey("notices.notice_id"))
    line: Mapped[str]
    """What is delivered in order: the subject's blinded name, or nothing for what is about no subject."""
    state: Mapped[str]
    attempts: Mapped[int]
    next_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    last_error: Mapped[str | None]
    delivered_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    __table_args__ = (
        UniqueConstraint("webhook_id", "sequence"),
        Index(
            "ix_webhook_deliveries_open",
            "webhook_id",
            "line",
            "sequence",
            sqlite_where=text("state IN ('waiting', 'dead')"),
            postgresql_where=text("state IN ('waiting', 'dead')"),
        ),
        _FOLLOWS,
    )


TRIGGERS = final_when(NoticeRow, "{row}.sequence IS NOT NULL", "a notice never changes")
