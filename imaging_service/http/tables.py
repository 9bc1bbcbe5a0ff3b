"""Answers kept for requests that are sent again with the same Idempotency-Key."""

from datetime import datetime

from sqlalchemy import LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from imaging_service.database import Base, Json, UtcDateTime


class IdempotencyKey(Base):
    """One write, and what it was answered; there is none whose write was not committed."""

    __tablename__ = "idempotency_keys"
    __table_args__ = ({"info": {"audited": False}},)

    account_id: Mapped[str] = mapped_column(String(36), primary_key=True)
    key: Mapped[str] = mapped_column(String(128), primary_key=True)
    request_sha256: Mapped[str] = mapped_column(String(64))
    status: Mapped[int | None]
    headers: Mapped[list[list[str]] | None] = mapped_column(Json)
    body: Mapped[bytes | None] = mapped_column(LargeBinary)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime(), index=True)
