"""What machines prove themselves with: API keys, and certificates over TLS."""

import re
import secrets
from collections.abc import Collection
from datetime import datetime, timedelta

from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from imaging_service.accounts import credential_repository as credentials
from imaging_service.accounts import repository
from imaging_service.accounts.back_off import sha256
from imaging_service.accounts.credential_repository import ApiKey, ClientCertificate
from imaging_service.accounts.principal import Role
from imaging_service.accounts.scope import Grant
from imaging_service.audit import service as audit
from imaging_service.audit.actor import Actor
from imaging_service.database import new_id
from imaging_service.errors import ConflictError, NotFoundError, RefusedError

_FINGERPRINT = re.compile(r"[0-9a-f]{64}")


def create_api_key(  # noqa: PLR0913  a key has this many facts
    session: Session,
    actor: Actor,
    account_id: str,
    *,
    title: str,
    limits: Collection[Grant] | None,
    expires_at: datetime,
    now: datetime,
    replaces: str | None = None,
) -> tuple[ApiKey, str]:
    """Give a service account a key; the secret is returned and never told again.

    Parameters
    ----------
    limits
        Only these trials and sites of the account's; ``None`` for all of them.
    replaces
        The key that this one is to take the place of.

    Raises
    ------
    NotFoundError
        There is no such open account.
    RefusedError
        The account is no service account, or the end is not in the future.
    """
    _refuse_people(session, account_id, "API keys")
    if expires_at <= now:
        message = f"The key would end at {expires_at.isoformat()}, which is not in the future."
        raise RefusedError(message, code="ends_in_the_past")
    secret = secrets.token_urlsafe(32)
    stored = None if limits is None else [_stored(limit) for limit in limits]
    row = ApiKey(
        key_id=new_id(),
        account_id=account_id,
        title=title,
        key_sha256=sha256(secret),
        limits=stored,
        replaces=replaces,
        created_at=now,
        expires_at=expires_at,
    )
    repository.add(session, row)
    after = {"account_id": account_id, "title": title, "limits": stored, "expires_at": expires_at}
    audit.record(
        session,
        actor,
        action="create API key",
        entity="api_key",
        entity_id=row.key_id,
        after=after | ({"replaces": replaces} if replaces else {}),
        at=now,
    )
    return row, secret


def rotate_api_key(  # noqa: PLR0913  the two times and whose they are
    session: Session, actor: Actor, key_id: str, *, valid_for: timedelta, overlap: timedelta, now: datetime
) -> tuple[ApiKey, str]:
    """Give the key's machine a new one of the same scope; the old one ends after `overlap`.

    Raises
    ------
    NotFoundError
        There is no such key.
    ConflictError
        The key has ended: what has ended cannot be handed on.
    """
    row = _key(session, key_id)
    if row.revoked_at is not None or row.expires_at <= now:
        message = f"The API key {key_id!r} has ended; create a new one."
        raise ConflictError(message, code="key_ended")
    limits = None if row.limits is None else [Grant(**limit) for limit in row.limits]
    made = create_api_key(
        session,
        actor,
        row.account_id,
        title=row.title,
        limits=limits,
        expires_at=now + valid_for,
        now=now,
        replaces=key_id,
    )
    row.expires_at = min(row.expires_at, now + overlap)
    return made


def revoke_api_key(session: Session, actor: Actor, key_id: str, *, now: datetime) -> None:
    """End an API key; nothing happens if it has ended.

    Raises
    ------
    NotFoundError
        There is no such key.
    """
    row = _key(session, key_id)
    if row.revoked_at is None:
        row.revoked_at = now
        audit.record(session, actor, action="revoke API key", entity="api_key", entity_id=key_id, at=now)


def register_certificate(  # noqa: PLR0913  a certificate has this many facts
    session: Session,
    actor: Actor,
    account_id: str,
    *,
    title: str,
    fingerprint: str,
    expires_at: datetime,
    now: datetime,
) -> ClientCertificate:
    """Let whoever proves to have a certificate's key act as a service account.

    Parameters
    ----------
    fingerprint
        SHA-256 of the certificate's DER form, in hex, with or without colons.

    Raises
    ------
    NotFoundError
        There is no such open account.
    RefusedError
        The account is no service account, or the fingerprint is none.
    ConflictError
        The certificate is registered already.
    """
    _refuse_people(session, account_id, "Certificates")
    digest = fingerprint.replace(":", "").lower()
    if not _FINGERPRINT.fullmatch(digest):
        message = f"The fingerprint is {fingerprint[:100]!r}; it must be a SHA-256 in hex, 64 digits."
        raise RefusedError(message, code="not_a_fingerprint")
    row = ClientCertificate(
        certificate_id=new_id(),
        account_id=account_id,
        title=title,
        fingerprint=digest,
        created_at=now,
        expires_at=expires_at,
    )
    try:
        with session.begin_nested():
            repository.add(session, row)
    except IntegrityError:
        message = f"The certificate {digest} is registered already; one certificate is one machine's."
        raise ConflictError(message, code="certificate_registered") from None
    audit.record(
        session,
        actor,
        action="register certificate",
        entity="client_certificate",
        entity_id=row.certificate_id,
        after={"account_id": account_id, "title": title, "fingerprint": digest, "expires_at": expires_at},
        at=now,
    )
    return row


def revoke_certificate(session: Session, actor: Actor, certificate_id: str, *, now: datetime) -> None:
    """End a certificate; nothing happens if it has ended.

    Raises
    ------
    NotFoundError
        There is no such certificate.
    """
    row = credentials.certificate_by_id(session, certificate_id)
    if row is None:
        message = f"There is no certificate {certificate_id!r}."
        raise NotFoundError(message)
    if row.revoked_at is None:
        row.revoked_at = now
        audit.record(
            session,
            actor,
            action="revoke certificate",
            entity="client_certificate",
            entity_id=certificate_id,
            at=now,
        )


def _key(session: Session, key_id: str) -> ApiKey:
    row = credentials.key_by_id(session, key_id)
    if row is None:
        message = f"There is no API key {key_id!r}."
        raise NotFoundError(message)
    return row


def _refuse_people(session: Session, account_id: str, what: str) -> None:
    account = repository.account_by_id(session, account_id)
    if account is None or account.closed_at is not None:
        message = f"There is no account with the key {account_id!r}."
        raise NotFoundError(message)
    if Role.SERVICE not in account.roles:
        message = f"{what} are for accounts with the role service; this one has {', '.join(account.roles)}."
        raise RefusedError(message, code="not_a_service")


def _stored(limit: Grant) -> dict[str, str | None]:
    return {"trial_id": limit.trial_id, "site_id": limit.site_id}
