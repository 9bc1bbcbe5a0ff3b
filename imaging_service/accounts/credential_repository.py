"""The SQL of what callers prove themselves with: sessions, API keys, certificates."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

from sqlalchemy import select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import InstrumentedAttribute, Session, selectinload

from imaging_service.accounts.tables import (
    Account,
    AccountSession,
    ApiKey,
    ClientCertificate,
    CredentialUse,
)

__all__ = ["AccountSession", "ApiKey", "ClientCertificate", "CredentialUse"]

_Credential = TypeVar("_Credential", AccountSession, ApiKey, ClientCertificate)


@dataclass(frozen=True, slots=True)
class Found:
    """A credential that is good at this instant, with its open account and its last use."""

    credential: Any
    account: Account
    used_at: datetime | None


def _live(  # noqa: PLR0913, PLR0917  three tables of one shape
    session: Session,
    table: type[_Credential],
    key: InstrumentedAttribute[str],
    secret: InstrumentedAttribute[str],
    wanted: str,
    now: datetime,
) -> Found | None:
    row = session.execute(
        select(table, Account, CredentialUse.used_at)
        .join(Account, Account.account_id == table.account_id)
        .outerjoin(CredentialUse, CredentialUse.credential_id == key)
        .options(selectinload(Account.grants))
        .where(secret == wanted, table.revoked_at.is_(None), table.expires_at > now)
        .where(Account.closed_at.is_(None))
    ).one_or_none()
    return None if row is None else Found(*row)


def live_session(session: Session, token_sha256: str, now: datetime) -> Found | None:
    """Return the unexpired, unrevoked session of a token."""
    table = AccountSession
    return _live(session, table, table.session_id, table.token_sha256, token_sha256, now)


def live_key(session: Session, key_sha256: str, now: datetime) -> Found | None:
    """Return the unexpired, unrevoked API key."""
    return _live(session, ApiKey, ApiKey.key_id, ApiKey.key_sha256, key_sha256, now)


def live_certificate(session: Session, fingerprint: str, now: datetime) -> Found | None:
    """Return the unexpired, unrevoked certificate."""
    table = ClientCertificate
    return _live(session, table, table.certificate_id, table.fingerprint, fingerprint, now)


def note_use(session: Session, credential_id: str, now: datetime) -> None:
    """Keep when a credential was last used."""
    dialect = postgresql if session.get_bind().dialect.name == "postgresql" else sqlite
    first = dialect.insert(CredentialUse).values(credential_id=credential_id, used_at=now)
    session.execute(
        first.on_conflict_do_update(index_elements=[CredentialUse.credential_id], set_={"used_at": now})
    )


def sessions_of(
    session: Session, account_id: str, now: datetime
) -> Sequence[tuple[AccountSession, datetime | None]]:
    """Return an account's unexpired, unrevoked sessions with their last use, newest first."""
    table = AccountSession
    rows = session.execute(
        select(table, CredentialUse.used_at)
        .outerjoin(CredentialUse, CredentialUse.credential_id == table.session_id)
        .where(table.account_id == account_id, table.revoked_at.is_(None), table.expires_at > now)
        .order_by(table.created_at.desc(), table.session_id)
    )
    return [(row[0], row[1]) for row in rows]


def session_of(session: Session, account_id: str, session_id: str) -> AccountSession | None:
    """Return one session of an account."""
    row = session.get(AccountSession, session_id)
    return row if row is not None and row.account_id == account_id else None


def key_by_id(session: Session, key_id: str) -> ApiKey | None:
    """Return an API key by its key."""
    return session.get(ApiKey, key_id)


def certificate_by_id(session: Session, certificate_id: str) -> ClientCertificate | None:
    """Return a certificate by its key."""
    return session.get(ClientCertificate, certificate_id)


def keys_of(session: Session, account_id: str) -> Sequence[tuple[ApiKey, datetime | None]]:
    """Return an account's API keys with their last use, oldest first."""
    rows = session.execute(
        select(ApiKey, CredentialUse.used_at)
        .outerjoin(CredentialUse, CredentialUse.credential_id == ApiKey.key_id)
        .where(ApiKey.account_id == account_id)
        .order_by(ApiKey.created_at, ApiKey.key_id)
    )
    return [(row[0], row[1]) for row in rows]


def certificates_of(session: Session, account_id: str) -> Sequence[tuple[ClientCertificate, datetime | None]]:
    """Return an account's certificates with their last use, oldest first."""
    table = ClientCertificate
    rows = session.execute(
        select(table, CredentialUse.used_at)
        .outerjoin(CredentialUse, CredentialUse.credential_id == table.certificate_id)
        .where(table.account_id == account_id)
        .order_by(table.created_at, table.certificate_id)
    )
    return [(row[0], row[1]) for row in rows]


def revoke_all_of(session: Session, account_id: str, now: datetime) -> None:
    """End every session, API key and certificate of an account."""
    for table in (AccountSession, ApiKey, ClientCertificate):
        session.execute(
            update(table)
            .where(table.account_id == account_id, table.revoked_at.is_(None))
            .values(revoked_at=now)
        )


def revoke_sessions_of(session: Session, account_id: str, now: datetime) -> int:
    """End every session of an account; return how many there were."""
    ended = session.execute(
        update(AccountSession)
        .where(AccountSession.account_id == account_id, AccountSession.revoked_at.is_(None))
        .where(AccountSession.expires_at > now)
        .values(revoked_at=now)
        .returning(AccountSession.session_id)
    )
    return len(ended.all())
