"""Accounts: sign in and out, re-authenticate for a signature, grant and revoke.

Secrets are 32 random bytes of which only the SHA-256 is kept. A wrong password is answered after the same
work as a right one, and makes the next attempt from the same address wait; nobody can shut out anybody.
"""

import hashlib
import secrets
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from imaging_service.accounts import repository
from imaging_service.accounts.passwords import Passwords
from imaging_service.accounts.principal import Principal, Role
from imaging_service.accounts.repository import Account, AccountGrant, AccountSession, ApiKey, SignInFailures
from imaging_service.accounts.scope import Grant, Scope
from imaging_service.audit import service as audit
from imaging_service.audit.actor import Actor, SystemActor
from imaging_service.database import Database, new_id
from imaging_service.errors import (
    ConflictError,
    NotFoundError,
    RefusedError,
    TooManyRequestsError,
    UnauthenticatedError,
)

FREE_FAILURES = 5
"""Wrong passwords in a row, from one address, before the back-off begins."""

LONGEST_WAIT = timedelta(seconds=60)
FAILURES_FORGOTTEN_AFTER = timedelta(hours=1)
_UNLIMITED = frozenset({Role.ADMINISTRATOR})
_NOBODY = SystemActor(name="system:sign-in")


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """A bearer token as it is given out, once."""

    token: str
    expires_at: datetime
    principal: Principal


@dataclass(frozen=True, slots=True, kw_only=True)
class Authentication:
    """A password entered again by the principal; it carries one signature, within a few minutes."""

    authentication_id: str
    account_id: str
    name: str
    at: datetime
    method: str


def sha256(secret: str) -> str:
    """Return what is kept of a secret."""
    return hashlib.sha256(secret.encode()).hexdigest()


def authenticate(database: Database, token: str, now: datetime) -> Principal:
    """Return whose token or API key this is.

    Raises
    ------
    UnauthenticatedError
        It is unknown, expired or revoked, or its account was closed.
    """
    digest = sha256(token)
    with database.read() as session:
        found = repository.live_session(session, digest, now)
        if found is not None:
            return _principal(found[1], session_id=found[0].session_id)
        key = repository.live_key(session, digest, now)
        if key is not None:
            return _principal(key[1], only_trials=key[0].trial_ids)
    message = "The token is unknown, expired or revoked; sign in again."
    raise UnauthenticatedError(message, code="token_invalid")


def _principal(
    account: Account, *, session_id: str | None = None, only_trials: Collection[str] | None = None
) -> Principal:
    roles = frozenset(Role(role) for role in account.roles)
    grants = [
        Grant(trial_id=grant.trial_id, site_id=grant.site_id, reader_slot=grant.reader_slot)
        for grant in account.grants
    ]
    if only_trials is not None:
        whole = roles & _UNLIMITED
        grants = (
            [Grant(trial_id=t) for t in only_trials]
            if whole
            else [grant for grant in grants if grant.trial_id in only_trials]
        )
        scope = Scope.of(grants)
    else:
        scope = Scope.all() if roles & _UNLIMITED else Scope.of(grants)
    return Principal(
        account_id=account.account_id,
        account=account.account,
        name=account.name,
        roles=roles,
        scope=scope,
        session_id=session_id,
    )


def sign_in(
    database: Database,
    passwords: Passwords,
    *,
    account: str,
    password: str,
    address: str,
    now: datetime,
    lifetime: timedelta,
) -> Token:
    """Check a password and give out a token.

    Raises
    ------
    UnauthenticatedError
        No open account has this name and password; which of the two is wrong is not told.
    TooManyRequestsError
        Too many wrong passwords for this account came from this address.
    """
    row = _checked_account(database, passwords, account=account, password=password, address=address, now=now)
    token = secrets.token_urlsafe(32)
    expires_at = now + lifetime
    with database.write() as session:
        signed_in = AccountSession(
            session_id=new_id(),
            account_id=row.account_id,
            token_sha256=sha256(token),
            created_at=now,
            expires_at=expires_at,
        )
        repository.add(session, signed_in)
        principal = _principal(row, session_id=signed_in.session_id)
        audit.record(
            session,
            principal,
            action="sign in",
            entity="session",
            entity_id=signed_in.session_id,
            after={"expires_at": expires_at},
            at=now,
        )
    return Token(token=token, expires_at=expires_at, principal=principal)


def sign_out(session: Session, principal: Principal, now: datetime) -> None:
    """End the principal's session; its token is worth nothing from now on."""
    if principal.session_id is None:
        message = "An API key has no session to end; an administrator can revoke the key."
        raise ConflictError(message, code="no_session")
    if repository.revoke_session(session, principal.session_id, now):
        audit.record(
            session, principal, action="sign out", entity="session", entity_id=principal.session_id, at=now
        )


def confirm_password(
    database: Database,
    passwords: Passwords,
    principal: Principal,
    *,
    password: str,
    address: str,
    now: datetime,
) -> Authentication:
    """Check the principal's password again, before it signs; call this outside a write transaction.

    Raises
    ------
    UnauthenticatedError
        The password is not the principal's.
    TooManyRequestsError
        Too many wrong passwords for this account came from this address.
    """
    row = _checked_account(
        database, passwords, account=principal.account, password=password, address=address, now=now
    )
    if row.account_id != principal.account_id:
        raise _wrong_password()
    event = repository.AuthenticationEvent(
        authentication_id=new_id(), account_id=row.account_id, at=now, method="password"
    )
    with database.write() as session:
        repository.add(session, event)
        audit.record(
            session,
            principal,
            action="enter password again",
            entity="authentication",
            entity_id=event.authentication_id,
            at=now,
        )
    return Authentication(
        authentication_id=event.authentication_id,
        account_id=row.account_id,
        name=row.name,
        at=now,
        method=event.method,
    )


def use_authentication(
    session: Session,
    principal: Principal,
    authentication: Authentication,
    *,
    now: datetime,
    valid_for: timedelta = timedelta(minutes=5),
) -> None:
    """Spend the re-entered password on one signature, in the signature's transaction.

    Raises
    ------
    UnauthenticatedError
        It was spent before, is another's, or is too old.
    """
    fresh = repository.use_authentication(
        session, authentication.authentication_id, principal.account_id, now - valid_for, now
    )
    if not fresh:
        message = "This signature needs the password entered again: the earlier entry was used or is too old."
        raise UnauthenticatedError(message, code="authentication_spent")


def _checked_account(
    database: Database, passwords: Passwords, *, account: str, password: str, address: str, now: datetime
) -> Account:
    digest = sha256(account)
    with database.read() as session:
        row = repository.account_by_name(session, account)
        _refuse_while_waiting(repository.failures(session, digest, address), now)
    is_open = row is not None and row.closed_at is None
    right = passwords.verify(row.password_hash if row is not None and is_open else None, password)
    if row is not None and right:
        with database.write() as session:
            repository.forget_failures(session, digest, address, now - FAILURES_FORGOTTEN_AFTER)
        return row
    _count_failure(database, digest, address, row, now)
    raise _wrong_password()


def _wrong_password() -> UnauthenticatedError:
    return UnauthenticatedError("No account has this name and password.", code="wrong_password")


def _refuse_while_waiting(counted: SignInFailures | None, now: datetime) -> None:
    if counted is None or counted.failures < FREE_FAILURES:
        return
    wait = min(LONGEST_WAIT, timedelta(seconds=2 ** min(counted.failures - FREE_FAILURES, 10)))
    rest = (counted.last_at + wait - now).total_seconds()
    if rest > 0:
        seconds = int(rest) + 1
        message = (
            f"{counted.failures} wrong passwords in a row came from this address; "
            f"the next may be tried in {seconds} s."
        )
        raise TooManyRequestsError(message, retry_after_seconds=seconds)


def _count_failure(
    database: Database, digest: str, address: str, account: Account | None, now: datetime
) -> None:
    with database.write() as session:
        counted = repository.failures(session, digest, address)
        if counted is None or counted.last_at < now - FAILURES_FORGOTTEN_AFTER:
            repository.forget_failures(session, digest, address, now - FAILURES_FORGOTTEN_AFTER)
            session.expunge_all()
            repository.add(
                session, SignInFailures(account_sha256=digest, address=address, failures=1, last_at=now)
            )
        else:
            counted.failures += 1
            counted.last_at = now
        if account is not None:
            audit.record(
                session,
                _NOBODY,
                action="refuse sign in",
                entity="account",
                entity_id=account.account_id,
                after={"address": address},
                at=now,
            )


def create_account(
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
        Another account has the reader slot, or this account reads in the trial's other slot.
    """
    if any(_same(row, permission) for row in account.grants):
        return
    if permission.reader_slot is not None:
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


def _same(row: AccountGrant, permission: Grant) -> bool:
    return (row.trial_id, row.site_id, row.reader_slot) == (
        permission.trial_id,
        permission.site_id,
        permission.reader_slot,
    )


def _refuse_second_slot(session: Session, account: Account, permission: Grant) -> None:
    assert permission.reader_slot is not None  # noqa: S101  asked by the caller
    if repository.grant_of_slot(session, permission.trial_id, permission.reader_slot) is not None:
        raise _slot_taken(permission)
    other = [
        row.reader_slot
        for row in account.grants
        if row.trial_id == permission.trial_id and row.reader_slot is not None
    ]
    if other:
        message = (
            f"The account {account.account!r} reads in slot {other[0]} of trial {permission.trial_id!r}; "
            f"slot {permission.reader_slot} needs another, independent reader."
        )
        raise ConflictError(message, code="reader_not_independent")


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
    repository.revoke_all_of(session, account_id, now)
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


def create_api_key(
    session: Session,
    actor: Actor,
    account_id: str,
    *,
    title: str,
    trial_ids: Collection[str] | None,
    expires_at: datetime,
    now: datetime,
) -> tuple[ApiKey, str]:
    """Give a service account a key; the secret is returned and never told again.

    Raises
    ------
    NotFoundError
        There is no such open account.
    RefusedError
        The account is no service account, or the end is not in the future.
    """
    account = repository.account_by_id(session, account_id)
    if account is None or account.closed_at is not None:
        message = f"There is no account with the key {account_id!r}."
        raise NotFoundError(message)
    if Role.SERVICE not in account.roles:
        message = f"API keys are for accounts with the role service; this one has {', '.join(account.roles)}."
        raise RefusedError(message, code="not_a_service")
    if expires_at <= now:
        message = f"The key would end at {expires_at.isoformat()}, which is not in the future."
        raise RefusedError(message, code="ends_in_the_past")
    secret = secrets.token_urlsafe(32)
    row = ApiKey(
        key_id=new_id(),
        account_id=account_id,
        title=title,
        key_sha256=sha256(secret),
        trial_ids=None if trial_ids is None else sorted(trial_ids),
        created_at=now,
        expires_at=expires_at,
    )
    repository.add(session, row)
    audit.record(
        session,
        actor,
        action="create API key",
        entity="api_key",
        entity_id=row.key_id,
        after={
            "account_id": account_id,
            "title": title,
            "trial_ids": row.trial_ids,
            "expires_at": expires_at,
        },
        at=now,
    )
    return row, secret


def revoke_api_key(session: Session, actor: Actor, key_id: str, *, now: datetime) -> None:
    """End an API key; nothing happens if it has ended.

    Raises
    ------
    NotFoundError
        There is no such key.
    """
    row = repository.key_by_id(session, key_id)
    if row is None:
        message = f"There is no API key {key_id!r}."
        raise NotFoundError(message)
    if row.revoked_at is None:
        row.revoked_at = now
        audit.record(session, actor, action="revoke API key", entity="api_key", entity_id=key_id, at=now)
