"""The accounts' SQL."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Select, delete, func, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session, selectinload

from imaging_service.accounts.scope import POOL
from imaging_service.accounts.tables import (
    Account,
    AccountGrant,
    AccountSession,
    AuthenticationEvent,
    SignInFailures,
)

__all__ = ["Account", "AccountGrant", "AccountSession", "AuthenticationEvent", "SignInFailures"]


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


def lock_grants(session: Session, account: Account) -> None:
    """Keep others from changing what an account may do, and read that anew."""
    statement = accounts().where(Account.account_id == account.account_id).with_for_update(of=Account)
    session.scalars(statement.execution_options(populate_existing=True)).one()


def count_accounts(session: Session) -> int:
    """Return how many accounts there are."""
    return session.scalar(select(func.count()).select_from(Account)) or 0


def revoke_session(session: Session, session_id: str, now: datetime) -> bool:
    """End a session; false, and nothing is touched, when it had ended."""
    is_live = (AccountSession.session_id == session_id, AccountSession.revoked_at.is_(None))
    if session.scalar(select(AccountSession.session_id).where(*is_live).with_for_update()) is None:
        return False
    session.execute(update(AccountSession).where(*is_live).values(revoked_at=now))
    return True


def has_signed_in_from(session: Session, account: str, address: str, since: datetime) -> bool:
    """Whether the account of this name has signed in from this address."""
    found = session.execute(
        select(AccountSession.session_id)
        .join(Account, Account.account_id == AccountSession.account_id)
        .where(Account.account == account, AccountSession.address == address)
        .where(AccountSession.created_at >= since)
        .limit(1)
    )
    return found.first() is not None


def grant_of_slot(session: Session, trial_id: str, reader_slot: int) -> AccountGrant | None:
    """Return who reads in a slot of a trial."""
    return session.scalars(
        select(AccountGrant).where(AccountGrant.trial_id == trial_id, AccountGrant.reader_slot == reader_slot)
    ).one_or_none()


def accounts_of_slot(session: Session, trial_id: str, reader_slot: int) -> Sequence[Account]:
    """Return the open accounts that read in a slot of a trial, or in its pool, by their keys."""
    return session.scalars(
        select(Account)
        .join(AccountGrant, AccountGrant.account_id == Account.account_id)
        .where(
            AccountGrant.trial_id == trial_id,
            AccountGrant.reader_slot == reader_slot,
            Account.closed_at.is_(None),
        )
        .order_by(Account.account_id)
    ).all()


def has_seats(session: Session, trial_id: str) -> bool:
    """Whether some account has a reader slot of its own in a trial."""
    statement = select(AccountGrant.grant_id).where(
        AccountGrant.trial_id == trial_id, AccountGrant.reader_slot > POOL
    )
    return session.scalar(statement.limit(1)) is not None


def names(session: Session, account_ids: Collection[str]) -> Mapping[str, str]:
    """Return the names that accounts sign in with, by their keys."""
    statement = select(Account.account_id, Account.account).where(Account.account_id.in_(account_ids))
    return {row.account_id: row.account for row in session.execute(statement)}


def authentication(session: Session, authentication_id: str, account_id: str) -> AuthenticationEvent | None:
    """Return an account's own re-entered password."""
    row = session.get(AuthenticationEvent, authentication_id)
    return row if row is not None and row.account_id == account_id else None


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


def remove_grant(session: Session, account_id: str, grant_id: str) -> AccountGrant | None:
    """Remove a permission of an account; ``None`` when the account has none of this key."""
    removed = session.scalars(
        delete(AccountGrant)
        .where(AccountGrant.account_id == account_id, AccountGrant.grant_id == grant_id)
        .returning(AccountGrant)
    )
    return removed.one_or_none()


def failures(session: Session, account_sha256: str, address: str) -> SignInFailures | None:
    """Return the wrong passwords in a row for an account name from an address; either may be empty."""
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
