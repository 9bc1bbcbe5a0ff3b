"""Sign in and out, and enter the password again for a signature.

Secrets are 32 random bytes of which only the SHA-256 is kept. A wrong password is answered after the same
work as a right one, and makes the next attempt wait (`back_off`); nobody can shut out anybody.
"""

import secrets
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from imaging_service.accounts import back_off, repository
from imaging_service.accounts import credential_repository as credentials
from imaging_service.accounts.back_off import sha256
from imaging_service.accounts.passwords import Passwords
from imaging_service.accounts.principal import Principal, Role
from imaging_service.accounts.repository import Account, AccountSession
from imaging_service.accounts.scope import Grant, Scope
from imaging_service.audit import service as audit
from imaging_service.audit.actor import SystemActor
from imaging_service.database import Database, is_busy, new_id
from imaging_service.errors import ConflictError, UnauthenticatedError

NOTED_EVERY = timedelta(minutes=1)
"""The use of a credential is kept to about this time, so that reading seldom writes."""

_UNLIMITED = frozenset({Role.ADMINISTRATOR})
NOBODY = SystemActor(name="system:sign-in")


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """Who a credential belongs to, and when it was used before."""

    principal: Principal
    credential_id: str
    used_at: datetime

    def is_due(self, now: datetime) -> bool:
        """Whether its use is worth noting again."""
        return now - self.used_at >= NOTED_EVERY


def authenticate(database: Database, token: str, now: datetime, idle: timedelta) -> Known:
    """Return whose token or API key this is.

    Raises
    ------
    UnauthenticatedError
        It is unknown, expired, revoked or was idle for too long, or its account was closed.
    """
    digest = sha256(token)
    with database.read() as session:
        found = credentials.live_session(session, digest, now)
        if found is not None:
            known = _known(found, found.credential.session_id, principal_of(found.account, found.credential))
            if now - known.used_at >= idle + NOTED_EVERY:
                message = "The session was not used for too long; sign in again."
                raise UnauthenticatedError(message, code="session_idle")
            return known
        found = credentials.live_key(session, digest, now)
        if found is not None:
            principal = principal_of(found.account, limits=_limits(found.credential.limits))
            return _known(found, found.credential.key_id, principal)
    message = "The token is unknown, expired or revoked; sign in again."
    raise UnauthenticatedError(message, code="token_invalid")


def authenticate_certificate(database: Database, fingerprint: str, now: datetime) -> Known:
    """Return whose certificate this is; that its owner has the key, TLS has proved.

    Raises
    ------
    UnauthenticatedError
        It is unknown, expired or revoked, or its account was closed.
    """
    with database.read() as session:
        found = credentials.live_certificate(session, fingerprint, now)
        if found is not None:
            return _known(found, found.credential.certificate_id, principal_of(found.account))
    message = (
        f"The certificate with the SHA-256 fingerprint {fingerprint} is not registered, expired or revoked."
    )
    raise UnauthenticatedError(message, code="certificate_unknown")


def note_use(database: Database, known: Known, now: datetime) -> None:
    """Keep that a credential was used; it is only a date, so a busy database is let be."""
    try:
        with database.write() as session:
            credentials.note_use(session, known.credential_id, now)
    except OperationalError as error:
        if not is_busy(error):
            raise


def _known(found: credentials.Found, credential_id: str, principal: Principal) -> Known:
    used_at = found.used_at or found.credential.created_at
    return Known(principal=principal, credential_id=credential_id, used_at=used_at)


def _limits(stored: Sequence[Mapping[str, str | None]] | None) -> list[Grant] | None:
    if stored is None:
        return None
    return [Grant(trial_id=str(limit["trial_id"]), site_id=limit["site_id"]) for limit in stored]


def principal_of(
    account: Account, signed_in: AccountSession | None = None, *, limits: Collection[Grant] | None = None
) -> Principal:
    """Return an account as the one who acts, in a session or not, within limits or not."""
    roles = frozenset(Role(role) for role in account.roles)
    grants = [
        Grant(trial_id=grant.trial_id, site_id=grant.site_id, reader_slot=grant.reader_slot)
        for grant in account.grants
    ]
    scope = Scope(everywhere=bool(roles & _UNLIMITED), grants=frozenset(grants))
    return Principal(
        account_id=account.account_id,
        account=account.account,
        name=account.name,
        roles=roles,
        scope=scope if limits is None else scope.within(limits),
        session_id=None if signed_in is None else signed_in.session_id,
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
    with database.write() as session:
        return open_session(
            session, row, method="password", address=attempt.address, now=attempt.at, lifetime=lifetime
        )


def open_session(  # noqa: PLR0913  a session has this many facts
    session: Session, account: Account, *, method: str, address: str, now: datetime, lifetime: timedelta
) -> Token:
    """Give out a token to whoever has proved to be `account`."""
    token = secrets.token_urlsafe(32)
    expires_at = now + lifetime
    signed_in = AccountSession(
        session_id=new_id(),
        account_id=account.account_id,
        token_sha256=sha256(token),
        method=method,
        address=address,
        created_at=now,
        expires_at=expires_at,
    )
    repository.add(session, signed_in)
    principal = principal_of(account, signed_in)
    audit.record(
        session,
        principal,
        action="sign in",
        entity="session",
        entity_id=signed_in.session_id,
        after={"expires_at": expires_at, "method": method, "address": address},
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
    with database.write() as session:
        return enter_authentication(session, principal, at=attempt.at, method="password", now=attempt.at)


def enter_authentication(
    session: Session, principal: Principal, *, at: datetime, method: str, now: datetime
) -> Authentication:
    """Keep that the principal has just proved again who it is: here, or at the identity provider at `at`."""
    event = repository.AuthenticationEvent(
        authentication_id=new_id(), account_id=principal.account_id, at=at, method=method
    )
    repository.add(session, event)
    audit.record(
        session,
        principal,
        action="enter password again",
        entity="authentication",
        entity_id=event.authentication_id,
        after={"method": method, "at": at},
        at=now,
    )
    return Authentication(
        authentication_id=event.authentication_id,
        account_id=principal.account_id,
        name=principal.name,
        at=at,
        method=method,
    )


def find_authentication(database: Database, principal: Principal, authentication_id: str) -> Authentication:
    """Return an earlier entry of the principal's own, for `use_authentication` to judge.

    Raises
    ------
    UnauthenticatedError
        The principal has made no such entry.
    """
    with database.read() as session:
        row = repository.authentication(session, authentication_id, principal.account_id)
    if row is None:
        message = "There is no such entry of your password; enter it again."
        raise UnauthenticatedError(message, code="authentication_spent")
    return Authentication(
        authentication_id=row.authentication_id,
        account_id=row.account_id,
        name=principal.name,
        at=row.at,
        method=row.method,
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
    now = attempt.at
    with database.read() as session:
        row = repository.account_by_name(session, attempt.account)
        back_off.refuse_while_waiting(session, attempt.account, attempt.address, now)
    known = row is not None and row.closed_at is None
    right = passwords.verify(row.password_hash if row is not None and known else None, attempt.password)
    with database.write() as session:
        if row is not None and right:
            back_off.forget(session, attempt.account, attempt.address, now)
            return row
        back_off.count(session, attempt.account, attempt.address, now)
        if row is not None:
            audit.record(
                session,
                NOBODY,
                action="refuse sign in",
                entity="account",
                entity_id=row.account_id,
                after={"address": attempt.address},
                at=now,
            )
    raise _wrong_password()


def _wrong_password() -> UnauthenticatedError:
    return UnauthenticatedError("No account has this name and password.", code="wrong_password")
