"""Which sessions an account has, and ending them before their time."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from imaging_service.accounts import credential_repository as credentials
from imaging_service.accounts import repository
from imaging_service.audit import service as audit
from imaging_service.audit.actor import Actor
from imaging_service.errors import NotFoundError


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveSession:
    """A session that has not ended."""

    session_id: str
    method: str
    address: str
    created_at: datetime
    expires_at: datetime
    used_at: datetime


def live_sessions(session: Session, account_id: str, now: datetime) -> Sequence[LiveSession]:
    """Return an account's sessions, newest first; those that are idle for too long stand until their end."""
    return [
        LiveSession(
            session_id=row.session_id,
            method=row.method,
            address=row.address,
            created_at=row.created_at,
            expires_at=row.expires_at,
            used_at=used_at or row.created_at,
        )
        for row, used_at in credentials.sessions_of(session, account_id, now)
    ]


def end_one(session: Session, actor: Actor, account_id: str, session_id: str, now: datetime) -> None:
    """End one session of an account; nothing happens if it has ended.

    Raises
    ------
    NotFoundError
        The account has no such session.
    """
    if credentials.session_of(session, account_id, session_id) is None:
        message = f"There is no session {session_id!r}."
        raise NotFoundError(message)
    if repository.revoke_session(session, session_id, now):
        audit.record(session, actor, action="end session", entity="session", entity_id=session_id, at=now)


def end_all(session: Session, actor: Actor, account_id: str, *, reason: str, now: datetime) -> int:
    """End every session of an account and return how many there were.

    Raises
    ------
    NotFoundError
        There is no such account.
    """
    if repository.account_by_id(session, account_id) is None:
        message = f"There is no account with the key {account_id!r}."
        raise NotFoundError(message)
    ended = credentials.revoke_sessions_of(session, account_id, now)
    audit.record(
        session,
        actor,
        action="end sessions",
        entity="account",
        entity_id=account_id,
        after={"ended": ended},
        reason=reason,
        at=now,
    )
    return ended
