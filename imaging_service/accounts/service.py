"""Accounts and what they may act on: create, grant, close."""

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime

from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from imaging_service.accounts import credential_repository, repository
from imaging_service.accounts.principal import Role
from imaging_service.accounts.repository import Account, AccountGrant
from imaging_service.accounts.scope import POOL, Grant
from imaging_service.accounts.sign_in import Authentication, confirm_password, use_authentication
from imaging_service.audit import service as audit
from imaging_service.audit.actor import Actor
from imaging_service.database import new_id
from imaging_service.errors import ConflictError, NotFoundError, RefusedError

__all__ = [
    "Authentication",
    "close_account",
    "confirm_password",
    "create_account",
    "end_grant",
    "find_account",
    "grant",
    "grant_to",
    "has_seats",
    "names",
    "reader_pool",
    "use_authentication",
]


class Seating:
    """A door to what accounts do not know of: how a trial seats its readers."""

    def __init__(self) -> None:
        self._checks: list[Callable[[Session, Grant], None]] = []

    def check_with(self, check: Callable[[Session, Grant], None]) -> None:
        """Let a chapter refuse reader slots."""
        if check not in self._checks:
            self._checks.append(check)

    def check(self, session: Session, permission: Grant) -> None:
        """Ask every chapter that wants to be asked."""
        for each in self._checks:
            each(session, permission)


SEATING = Seating()


def create_account(  # noqa: PLR0913  an account has this many facts
    session: Session,
    actor: Actor,
    *,
    account: str,
    name: str,
    roles: Collection[Role],
    password_hash: str | None,
    grants: Collection[Grant] = (),
    now: datetime,
) -> Account:
    """Create an account.

    Parameters
    ----------
    account
        The name to sign in with; unique.
    name
        The printed name, as signatures show it.
    password_hash
        From `Passwords.hash`; ``None`` for an account that acts by API keys only.

    Raises
    ------
    ConflictError
        The name is taken.
    """
    if repository.account_by_name(session, account) is not None:
        message = f"There is an account {account!r} already; choose another name."
        raise ConflictError(message, code="account_exists")
    row = Account(
        account_id=new_id(),
        account=account,
        name=name,
        roles=sorted(roles),
        password_hash=password_hash,
        created_at=now,
        grants=[],
    )
    repository.add(session, row)
    audit.record(
        session,
        actor,
        action="create account",
        entity="account",
        entity_id=row.account_id,
        after={"account": account, "name": name, "roles": sorted(roles)},
        at=now,
    )
    for permission in grants:
        grant(session, actor, row, permission, now=now)
    return row


def grant(session: Session, actor: Actor, account: Account, permission: Grant, *, now: datetime) -> None:
    """Let an account act on a trial, a site of it, or in a reader slot; nothing happens if it may already.

    Raises
    ------
    ConflictError
        Another account has the reader slot, this account reads in the trial's other slot, or the trial
        seats its readers otherwise.
    """
    repository.lock_grants(session, account)
    if any(_same(row, permission) for row in account.grants):
        return
    if permission.reader_slot is not None:
        SEATING.check(session, permission)
        _refuse_second_slot(session, account, permission)
    row = AccountGrant(
        grant_id=new_id(),
        trial_id=permission.trial_id,
        site_id=permission.site_id,
        reader_slot=permission.reader_slot,
    )
    account.grants.append(row)
    try:
        session.flush()
    except IntegrityError:
        raise _slot_taken(permission) from None
    audit.record(
        session,
        actor,
        action="grant",
        entity="account",
        entity_id=account.account_id,
        after={
            "trial_id": permission.trial_id,
            "site_id": permission.site_id,
            "reader_slot": permission.reader_slot,
        },
        at=now,
    )


def end_grant(  # noqa: PLR0913  what is ended, by whom, why
    session: Session, actor: Actor, account_id: str, grant_id: str, *, reason: str, now: datetime
) -> None:
    """Take a permission from an account from now on; what the account did stays.

    Raises
    ------
    NotFoundError
        The account has no such permission.
    """
    removed = repository.remove_grant(session, account_id, grant_id)
    if removed is None:
        message = f"The account has no grant {grant_id!r}."
        raise NotFoundError(message)
    audit.record(
        session,
        actor,
        action="end grant",
        entity="account",
        entity_id=account_id,
        before={
            "trial_id": removed.trial_id,
            "site_id": removed.site_id,
            "reader_slot": removed.reader_slot,
        },
        reason=reason,
        at=now,
    )


def _same(row: AccountGrant, permission: Grant) -> bool:
    return (row.trial_id, row.site_id, row.reader_slot) == (
        permission.trial_id,
        permission.site_id,
        permission.reader_slot,
    )


def _refuse_second_slot(session: Session, account: Account, permission: Grant) -> None:
    assert permission.reader_slot is not None  # noqa: S101  asked by the caller
    is_pool = permission.reader_slot == POOL
    if (
        not is_pool
        and repository.grant_of_slot(session, permission.trial_id, permission.reader_slot) is not None
    ):
        raise _slot_taken(permission)
    other = [
        row.reader_slot
        for row in account.grants
        if row.trial_id == permission.trial_id and row.reader_slot is not None
    ]
    if other:
        message = (
            f"The account {account.account!r} reads in {_slot_name(other[0])} of trial "
            f"{permission.trial_id!r}; {_slot_name(permission.reader_slot)} needs another, "
            "independent reader."
        )
        raise ConflictError(message, code="reader_not_independent")


def _slot_name(reader_slot: int) -> str:
    return "the pool" if reader_slot == POOL else f"slot {reader_slot}"


def reader_pool(session: Session, trial_id: str) -> Sequence[Account]:
    """Return the open accounts in a trial's pool of readers, by their keys."""
    return repository.accounts_of_slot(session, trial_id, POOL)


def names(session: Session, account_ids: Collection[str]) -> Mapping[str, str]:
    """Return the names that accounts sign in with, by their keys; closed ones too."""
    return repository.names(session, account_ids)


def has_seats(session: Session, trial_id: str) -> bool:
    """Whether somebody has a reader slot of its own in a trial."""
    return repository.has_seats(session, trial_id)


def _slot_taken(permission: Grant) -> ConflictError:
    message = (
        f"Reader slot {permission.reader_slot} of trial {permission.trial_id!r} has its reader; "
        "it can have one."
    )
    return ConflictError(message, code="reader_slot_taken")


def find_account(session: Session, account: str) -> Account:
    """Return the account that signs in as `account`.

    Raises
    ------
    NotFoundError
        There is none, or it was closed.
    """
    row = repository.account_by_name(session, account)
    if row is None or row.closed_at is not None:
        message = f"There is no account {account!r}."
        raise NotFoundError(message)
    return row


def grant_to(session: Session, actor: Actor, account: str, permission: Grant, *, now: datetime) -> Account:
    """Grant by the account's name; a reader slot needs an account with the role reader.

    Raises
    ------
    NotFoundError
        There is no such account.
    RefusedError
        The account is no reader.
    """
    row = find_account(session, account)
    if permission.reader_slot is not None and Role.READER not in row.roles:
        message = f"The account {account!r} has the roles {', '.join(row.roles)}; a reader slot needs reader."
        raise RefusedError(message, code="not_a_reader")
    grant(session, actor, row, permission, now=now)
    return row


def close_account(session: Session, actor: Actor, account_id: str, *, reason: str, now: datetime) -> None:
    """Close an account for good and end its sessions and keys; what it did stays.

    Raises
    ------
    NotFoundError
        There is no such account.
    """
    row = repository.account_by_id(session, account_id)
    if row is None:
        message = f"There is no account with the key {account_id!r}."
        raise NotFoundError(message)
    if row.closed_at is not None:
        return
    row.closed_at = now
    credential_repository.revoke_all_of(session, account_id, now)
    audit.record(
        session,
        actor,
        action="close account",
        entity="account",
        entity_id=account_id,
        after={"closed_at": now},
        reason=reason,
        at=now,
    )


def set_password(session: Session, actor: Actor, account: str, *, password_hash: str, now: datetime) -> None:
    """Give an account a new password and end its sessions and keys.

    Raises
    ------
    NotFoundError
        There is no such account, or it was closed.
    """
    row = find_account(session, account)
    row.password_hash = password_hash
    credential_repository.revoke_all_of(session, row.account_id, now)
    audit.record(session, actor, action="set password", entity="account", entity_id=row.account_id, at=now)
