"""Accounts, their grants, sessions, keys, and the passwords entered again for signatures."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from imaging_service.database import Base, Json, UtcDateTime, new_id


class Account(Base):
    """Someone, or some machine, that may act."""

    __tablename__ = "accounts"

    account_id: Mapped[str] = mapped_column(String(36), primary_key=True, default=new_id)
    account: Mapped[str] = mapped_column(String(64), unique=True)
    name: Mapped[str] = mapped_column(String(200))
    roles: Mapped[list[str]] = mapped_column(Json)
    password_hash: Mapped[str | None] = mapped_column(String(200))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime())
    closed_at: Mapped[datetime | None] = mapped_column(UtcDateTime())

    grants: Mapped[list["AccountGrant"]] = relationship(lazy="raise", order_by="AccountGrant.grant_id")


class AccountGrant(Base):
    """A trial, a site of it, or a reader slot of it, that an account may act on."""

    __tablename__ = "account_grants"
    __table_args__ = (
        UniqueConstraint("trial_id", "reader_slot", name="uq_account_grants_reader_slot"),
        Index("ix_account_grants_account_id", "account_id"),
    )

    grant_id: Mapped[str] = mapped_column(String(36), primary_key=True, default=new_id)
    account_id: Mapped[str] = mapped_column(ForeignKey("accounts.account_id"))
    trial_id: Mapped[str] = mapped_column(String(64))
    site_id: Mapped[str | None] = mapped_column(String(64))
    reader_slot: Mapped[int | None]


class AccountSession(Base):
    """A bearer token that was given out, as its SHA-256."""

    __tablename__ = "account_sessions"
    __table_args__ = (Index("ix_account_sessions_account_id", "account_id"),)

    session_id: Mapped[str] = mapped_column(String(36), primary_key=True, default=new_id)
    account_id: Mapped[str] = mapped_column(ForeignKey("accounts.account_id"))
    token_sha256: Mapped[str] = mapped_column(String(64), unique=True)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime())
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime())
    revoked_at: Mapped[datetime | None] = mapped_column(UtcDateTime())


class ApiKey(Base):
    """A machine's long-lived secret, as its SHA-256, with its own scope and end."""

    __tablename__ = "api_keys"
    __table_args__ = (Index("ix_api_keys_account_id", "account_id"),)

    key_id: Mapped[str] = mapped_column(String(36), primary_key=True, default=new_id)
    account_id: Mapped[str] = mapped_column(ForeignKey("accounts.account_id"))
    title: Mapped[str] = mapped_column(String(200))
    key_sha256: Mapped[str] = mapped_column(String(64), unique=True)
    trial_ids: Mapped[list[str] | None] = mapped_column(Json)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime())
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime())
    revoked_at: Mapped[datetime | None] = mapped_column(UtcDateTime())


class AuthenticationEvent(Base):
    """A password entered again; a signature uses it once."""

    __tablename__ = "authentication_events"

    authentication_id: Mapped[str] = mapped_column(String(36), primary_key=True, default=new_id)
    account_id: Mapped[str] = mapped_column(ForeignKey("accounts.account_id"))
    at: Mapped[datetime] = mapped_column(UtcDateTime())
    method: Mapped[str] = mapped_column(String(32))
    used_at: Mapped[datetime | None] = mapped_column(UtcDateTime())


class SignInFailures(Base):
    """Wrong passwords in a row for one account name from one address: what the back-off counts."""

    __tablename__ = "sign_in_failures"
    __table_args__ = ({"info": {"audited": False}},)

    account_sha256: Mapped[str] = mapped_column(String(64), primary_key=True)
    address: Mapped[str] = mapped_column(String(64), primary_key=True)
    failures: Mapped[int]
    last_at: Mapped[datetime] = mapped_column(UtcDateTime(), index=True)
