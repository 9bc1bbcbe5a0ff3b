"""Accounts, their grants, sessions, keys, and the passwords entered again for signatures."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint, text
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
        Index(
            "uq_account_grants_reader_slot",
            "trial_id",
            "reader_slot",
            unique=True,
            sqlite_where=text("reader_slot > 0"),
            postgresql_where=text("reader_slot > 0"),
        ),
        Index("ix_account_grants_account_id", "account_id"),
    )

    grant_id: Mapped[str] = mapped_column(String(36), primary_key=True, default=new_id)
    account_id: Mapped[str] = mapped_column(ForeignKey("accounts.account_id"))
    trial_id: Mapped[str] = mapped_column(String(64))
    site_id: Mapped[str | None] = mapped_column(String(64))
    reader_slot: Mapped[int | None]
    """1, 2, … has one reader; 0, the pool, has as many as there are."""


class AccountSession(Base):
    """A bearer token that was given out, as its SHA-256."""

    __tablename__ = "account_sessions"
    __table_args__ = (Index("ix_account_sessions_account_id", "account_id"),)

    session_id: Mapped[str] = mapped_column(String(36), primary_key=True, default=new_id)
    account_id: Mapped[str] = mapped_column(ForeignKey("accounts.account_id"))
    token_sha256: Mapped[str] = mapped_column(String(64), unique=True)
    method: Mapped[str] = mapped_column(String(32))
    address: Mapped[str] = mapped_column(String(64))
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
    limits: Mapped[list[dict[str, Any]] | None] = mapped_column(Json)
    """Only these trials and sites of the account's; ``None`` for all."""
    replaces: Mapped[str | None] = mapped_column(String(36))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime())
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime())
    revoked_at: Mapped[datetime | None] = mapped_column(UtcDateTime())


class ClientCertificate(Base):
    """A certificate that a machine shows over TLS, as the SHA-256 of its DER form."""

    __tablename__ = "client_certificates"
    __table_args__ = (Index("ix_client_certificates_account_id", "account_id"),)

    certificate_id: Mapped[str] = mapped_column(String(36), primary_key=True, default=new_id)
    account_id: Mapped[str] = mapped_column(ForeignKey("accounts.account_id"))
    title: Mapped[str] = mapped_column(String(200))
    fingerprint: Mapped[str] = mapped_column(String(64), unique=True)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime())
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime())
    revoked_at: Mapped[datetime | None] = mapped_column(UtcDateTime())


class CredentialUse(Base):
    """When a session, an API key or a certificate was last used, to about a minute."""

    __tablename__ = "credential_uses"
    __table_args__ = ({"info": {"audited": False}},)

    credential_id: Mapped[str] = mapped_column(String(36), primary_key=True)
    used_at: Mapped[datetime] = mapped_column(UtcDateTime())


class Identity(Base):
    """Whom an account is to an identity provider (OpenID Connect Core, section 5.7)."""

    __tablename__ = "account_identities"
    __table_args__ = (
        UniqueConstraint("issuer", "subject", name="uq_account_identities_issuer_subject"),
        Index("ix_account_identities_account_id", "account_id"),
    )

    identity_id: Mapped[str] = mapped_column(String(36), primary_key=True, default=new_id)
    account_id: Mapped[str] = mapped_column(ForeignKey("accounts.account_id"))
    issuer: Mapped[str] = mapped_column(String(300))
    subject: Mapped[str] = mapped_column(String(255))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime())


class ProviderVisit(Base):
    """A browser that was sent to the identity provider and is not back yet; taken once."""

    __tablename__ = "provider_visits"
    __table_args__ = ({"info": {"audited": False}},)

    state_sha256: Mapped[str] = mapped_column(String(64), primary_key=True)
    browser_sha256: Mapped[str] = mapped_column(String(64))
    nonce: Mapped[str] = mapped_column(String(64))
    code_verifier: Mapped[str] = mapped_column(String(128))
    return_to: Mapped[str] = mapped_column(String(500))
    account_id: Mapped[str | None] = mapped_column(String(36))
    """Who enters the password again for a signature; ``None`` for signing in."""
    session_id: Mapped[str | None] = mapped_column(String(36))
    begun_at: Mapped[datetime] = mapped_column(UtcDateTime(), index=True)


class AuthenticationEvent(Base):
    """A password entered again, here or at the identity provider; a signature uses it once."""

    __tablename__ = "authentication_events"

    authentication_id: Mapped[str] = mapped_column(String(36), primary_key=True, default=new_id)
    account_id: Mapped[str] = mapped_column(ForeignKey("accounts.account_id"))
    at: Mapped[datetime] = mapped_column(UtcDateTime())
    method: Mapped[str] = mapped_column(String(32))
    used_at: Mapped[datetime | None] = mapped_column(UtcDateTime())


class SignInFailures(Base):
    """Wrong passwords in a row for an account name and an address; one of the two may be empty, for any."""

    __tablename__ = "sign_in_failures"
    __table_args__ = ({"info": {"audited": False}},)

    account_sha256: Mapped[str] = mapped_column(String(64), primary_key=True)
    address: Mapped[str] = mapped_column(String(64), primary_key=True)
    failures: Mapped[int]
    last_at: Mapped[datetime] = mapped_column(UtcDateTime(), index=True)
