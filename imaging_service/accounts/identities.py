"""Who an account is at the identity provider: linked by an administrator, never by the person."""

from datetime import datetime

from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from imaging_service.accounts import identity_repository, repository
from imaging_service.accounts.identity_repository import Identity
from imaging_service.accounts.principal import Role
from imaging_service.audit import service as audit
from imaging_service.audit.actor import Actor
from imaging_service.database import new_id
from imaging_service.errors import ConflictError, NotFoundError, RefusedError


def link(  # noqa: PLR0913  an identity has this many facts
    session: Session, actor: Actor, account_id: str, *, issuer: str, subject: str, now: datetime
) -> Identity:
    """Let whoever the provider knows as `subject` sign in as the account.

    Raises
    ------
    NotFoundError
        There is no such open account.
    RefusedError
        The account is a machine's.
    ConflictError
        The identity is linked already, with this account or another.
    """
    account = repository.account_by_id(session, account_id)
    if account is None or account.closed_at is not None:
        message = f"There is no account with the key {account_id!r}."
        raise NotFoundError(message)
    if Role.SERVICE in account.roles:
        message = f"The account {account.account!r} is a machine's; machines have API keys and certificates."
        raise RefusedError(message, code="not_a_person")
    row = Identity(
        identity_id=new_id(), account_id=account_id, issuer=issuer, subject=subject, created_at=now
    )
    try:
        with session.begin_nested():
            repository.add(session, row)
    except IntegrityError:
        message = f"The identity {subject!r} of {issuer} is linked already; it can be one account's."
        raise ConflictError(message, code="identity_linked") from None
    audit.record(
        session,
        actor,
        action="link identity",
        entity="account",
        entity_id=account_id,
        after={"issuer": issuer, "subject": subject},
        at=now,
    )
    return row


def unlink(session: Session, actor: Actor, account_id: str, identity_id: str, *, now: datetime) -> None:
    """Take an identity from an account; sessions that it began go on until they are ended.

    Raises
    ------
    NotFoundError
        The account has no such identity.
    """
    row = identity_repository.identity_of(session, account_id, identity_id)
    if row is None:
        message = f"The account has no identity {identity_id!r}."
        raise NotFoundError(message)
    before = {"issuer": row.issuer, "subject": row.subject}
    identity_repository.remove(session, row)
    audit.record(
        session,
        actor,
        action="unlink identity",
        entity="account",
        entity_id=account_id,
        before=before,
        at=now,
    )
