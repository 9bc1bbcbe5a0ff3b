"""The accounts' SQL."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Select, delete, func, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session, selectinload

from imaging_service.accounts.tables import (
    Account,
    AccountGrant,
    AccountSession,
    ApiKey,
    AuthenticationEvent,
    SignInFailures,
)

__all__ = ["Account", "AccountGrant", "AccountSession", "ApiKey", "AuthenticationEvent", "SignInFailures"]


def add(session: Session, row: Any) -> None:  # noqa: ANN401  any table's row
    """Insert a row now, so that a taken key is told at once."""
    session.add(row)
    session.flush()


def accounts() -> Select[Account]:
    """Return the statement of every account, with its grants."""
    return select(Account).options(selectinload(Account.grants))


def account_by_id(session: Session, account_id: str) -> Account | None:
    """Return an account by its key."""
    return session.scalars(accounts().where(Account.account_id == account_id)).one_or_none()


def account_by_name(session: Session, account: str) -> Account | None:
    """Return an account by the name it signs in with."""
    return session.scalars(accounts().where(Account.account == account)).one_or_none()


def count_accounts(session: Session) -> int:
    """Return how many accounts there are."""
    return session.scalar(select(func.count()).select_from(Account)) or 0


def live_session(session: Session, token_sha256: str, now: datetime) -> tuple[AccountSession, Account] | None:
    """Return the unexpired, unrevoked session of a token, with its open account."""
    row = session.execute(
        select(AccountSession, Account)
        .join(Account, Account.account_id == AccountSession.account_id)
        .options(selectinload(Account.grants))
        .where(AccountSession.token_sha256 == token_sha256)
        .where(AccountSession.revoked_at.is_(None), AccountSession.expires_at > now)
        .where(Account.closed_at.is_(None))
    ).one_or_none()
    return None if row is None else (row[0], row[1])


def live_key(session: Session, key_sha256: str, now: datetime) -> tuple[ApiKey, Account] | None:
    """Return the unexpired, unrevoked API key, with its open account."""
    row = session.execute(
        select(ApiKey, Account)
        .join(Account, Account.account_id == ApiKey.account_id)
        .options(selectinload(Account.grants))
        .where(ApiKey.key_sha256 == key_sha256)
        .where(ApiKey.revoked_at.is_(None), ApiKey.expires_at > now)
        .where(Account.closed_at.is_(None))
    ).one_or_none()
    return None if row is None else (row[0], row[1])


def key_by_id(session: Session, key_id: str) -> ApiKey | None:
    """Return an API key by its key."""
    return session.get(ApiKey, key_id)


def keys_of(session: Session, account_id: str) -> Sequence[ApiKey]:
    """Return an account's API keys, oldest first."""
    statement = select(ApiKey).where(ApiKey.account_id == account_id)
    return session.scalars(statement.order_by(ApiKey.created_at, ApiKey.key_id)).all()


def revoke_session(session: Session, session_id: str, now: datetime) -> bool:
    """End a session; false when it had ended."""
    ended = session.execute(
        update(AccountSession)
        .where(AccountSession.session_id == session_id, AccountSession.revoked_at.is_(None))
        .values(revoked_at=now)
        .returning(AccountSession.session_id)
    )
    return ended.first() is not None


def revoke_all_of(session: Session, account_id: str, now: datetime) -> None:
    """End every session and API key of an account."""
    for table in (AccountSession, ApiKey):
        session.execute(
            update(table)
            .where(table.account_id == account_id, table.revoked_at.is_(None))
            .values(revoked_at=now)
        )


def grant_of_slot(session: Session, trial_id: str, reader_slot: int) -> AccountGrant | None:
    """Return who reads in a slot of a trial."""
    return session.scalars(
        select(AccountGrant).where(AccountGrant.trial_id == trial_id, AccountGrant.reader_slot == reader_slot)
    ).one_or_none()


def use_authentication(
    session: Session, authentication_id: str, account_id: str, since: datetime, now: datetime
) -> bool:
    """Mark a re-entered password as used; false when it was used, is another's or is too old."""
    used = session.execute(
        update(AuthenticationEvent)
        .where(
            AuthenticationEvent.authentication_id == authentication_id,
            AuthenticationEvent.account_id == account_id,
            AuthenticationEvent.used_at.is_(None),
            AuthenticationEvent.at >= since,
        )
        .values(used_at=now)
        .returning(AuthenticationEvent.authentication_id)
    )
    return used.first() is not None


def failures(session: Session, account_sha256: str, address: str) -> SignInFailures | None:
    """Return the wrong passwords in a row for an account name from an address."""
    return session.get(SignInFailures, (account_sha256, address))


def count_failure(session: Session, account_sha256: str, address: str, now: datetime) -> None:
    """Count one more wrong password, as one statement: two at the same time count two."""
    dialect = postgresql if session.get_bind().dialect.name == "postgresql" else sqlite
    first = dialect.insert(SignInFailures).values(
        account_sha256=account_sha256, address=address, failures=1, last_at=now
    )
    session.execute(
        first.on_conflict_do_update(
            index_elements=[SignInFailures.account_sha256, SignInFailures.address],
            set_={"failures": SignInFailures.failures + 1, "last_at": now},
        )
    )


def forget_failures(session: Session, account_sha256: str, address: str, before: datetime) -> None:
    """Remove the count of one account and address, and every count older than `before`."""
    this = (SignInFailures.account_sha256 == account_sha256) & (SignInFailures.address == address)
    session.execute(delete(SignInFailures).where(or_(this, SignInFailures.last_at < before)))
