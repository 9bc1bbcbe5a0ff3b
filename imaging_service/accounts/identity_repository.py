"""The SQL of identities at the identity provider, and of visits to it."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import delete, select
from sqlalchemy.orm import Session, selectinload

from imaging_service.accounts.tables import Account, Identity, ProviderVisit

__all__ = ["Identity", "ProviderVisit"]


def account_of(session: Session, issuer: str, subject: str) -> Account | None:
    """Return the account that is linked with an identity."""
    return session.scalars(
        select(Account)
        .join(Identity, Identity.account_id == Account.account_id)
        .options(selectinload(Account.grants))
        .where(Identity.issuer == issuer, Identity.subject == subject)
    ).one_or_none()


def identities_of(session: Session, account_id: str) -> Sequence[Identity]:
    """Return an account's identities, oldest first."""
    statement = select(Identity).where(Identity.account_id == account_id)
    return session.scalars(statement.order_by(Identity.created_at, Identity.identity_id)).all()


def identity_of(session: Session, account_id: str, identity_id: str) -> Identity | None:
    """Return one identity of an account."""
    row = session.get(Identity, identity_id)
    return row if row is not None and row.account_id == account_id else None


def remove(session: Session, identity: Identity) -> None:
    """Remove an identity."""
    session.delete(identity)
    session.flush()


def forget_visits(session: Session, before: datetime) -> None:
    """Remove the visits that were begun too long ago."""
    session.execute(delete(ProviderVisit).where(ProviderVisit.begun_at < before))


def take_visit(
    session: Session, state_sha256: str, browser_sha256: str, since: datetime
) -> ProviderVisit | None:
    """Remove and return the visit of a state and browser; ``None`` when it is unknown, taken or too old."""
    taken = session.scalars(
        delete(ProviderVisit)
        .where(ProviderVisit.state_sha256 == state_sha256, ProviderVisit.browser_sha256 == browser_sha256)
        .where(ProviderVisit.begun_at >= since)
        .returning(ProviderVisit)
    )
    return taken.one_or_none()
