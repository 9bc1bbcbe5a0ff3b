"""Sign in and out, and enter the password again for a signature.

Secrets are 32 random bytes of which only the SHA-256 is kept. A wrong password is answered after the same
work as a right one, and makes the next attempt from the same address wait; nobody can shut out anybody.
"""

import hashlib
import secrets
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from imaging_service.accounts import repository
from imaging_service.accounts.passwords import Passwords
from imaging_service.accounts.principal import Principal, Role
from imaging_service.accounts.repository import Account, AccountSession, SignInFailures
from imaging_service.accounts.scope import Grant, Scope
from imaging_service.audit import service as audit
from imaging_service.audit.actor import SystemActor
from imaging_service.database import Database, new_id
from imaging_service.errors import ConflictError, TooManyRequestsError, UnauthenticatedError

FREE_FAILURES = 5
"""Wrong passwords in a row, from one address, before the back-off begins."""

LONGEST_WAIT = timedelta(seconds=60)
FAILURES_FORGOTTEN_AFTER = timedelta(hours=1)
_UNLIMITED = frozenset({Role.ADMINISTRATOR})
_NOBODY = SystemActor(name="system:sign-in")


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """A password as someone entered it."""

    account: str
    password: str = field(repr=False)
    address: str
    """Network address of the caller: what the back-off counts by, beside the account."""
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """A bearer token as it is given out, once."""

    token: str = field(repr=False)
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
        scope = Scope(everywhere=bool(roles & _UNLIMITED), grants=frozenset(grants))
    return Principal(
        account_id=account.account_id,
        account=account.account,
        name=account.name,
        roles=roles,
        scope=scope,
        session_id=session_id,
    )


def sign_in(database: Database, passwords: Passwords, attempt: Attempt, lifetime: timedelta) -> Token:
    """Check a password and give out a token.

    Raises
    ------
    UnauthenticatedError
        No open account has this name and password; which of the two is wrong is not told.
    TooManyRequestsError
        Too many wrong passwords for this account came from this address.
    """
    row = _checked_account(database, passwords, attempt)
    token = secrets.token_urlsafe(32)
    expires_at = attempt.at + lifetime
    with database.write() as session:
        signed_in = AccountSession(
            session_id=new_id(),
            account_id=row.account_id,
            token_sha256=sha256(token),
            created_at=attempt.at,
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
            at=attempt.at,
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
    database: Database, passwords: Passwords, principal: Principal, attempt: Attempt
) -> Authentication:
    """Check the principal's password again, before it signs; call this outside a write transaction.

    Raises
    ------
    UnauthenticatedError
        The password is not the principal's.
    TooManyRequestsError
        Too many wrong passwords for this account came from this address.
    """
    row = _checked_account(database, passwords, attempt)
    if row.account_id != principal.account_id:
        raise _wrong_password()
    event = repository.AuthenticationEvent(
        authentication_id=new_id(), account_id=row.account_id, at=attempt.at, method="password"
    )
    with database.write() as session:
        repository.add(session, event)
        audit.record(
            session,
            principal,
            action="enter password again",
            entity="authentication",
            entity_id=event.authentication_id,
            at=attempt.at,
        )
    return Authentication(
        authentication_id=event.authentication_id,
        account_id=row.account_id,
        name=row.name,
        at=attempt.at,
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


def _checked_account(database: Database, passwords: Passwords, attempt: Attempt) -> Account:
    digest, now = sha256(attempt.account), attempt.at
    with database.read() as session:
        row = repository.account_by_name(session, attempt.account)
        _refuse_while_waiting(repository.failures(session, digest, attempt.address), now)
    known = row is not None and row.closed_at is None
    right = passwords.verify(row.password_hash if row is not None and known else None, attempt.password)
    with database.write() as session:
        if row is not None and right:
            repository.forget_failures(session, digest, attempt.address, now - FAILURES_FORGOTTEN_AFTER)
            return row
        repository.count_failure(session, digest, attempt.address, now)
        if row is not None:
            audit.record(
                session,
                _NOBODY,
                action="refuse sign in",
                entity="account",
                entity_id=row.account_id,
                after={"address": attempt.address},
                at=now,
            )
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
