"""A write sent twice with the same Idempotency-Key happens once, and is answered the same.

The key is claimed at the start of the write's own transaction and the answer is kept at its end, so that
the two are kept together or not at all. A second request with the key waits for the first in the
database: behind SQLite's one writer, or on PostgreSQL's unique index.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, delete, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from imaging_service.errors import ConflictError, RefusedError
from imaging_service.http.tables import IdempotencyKey

KEPT_HEADERS = frozenset({"content-type", "location", "etag"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """A key as one caller sent it with one request."""

    account_id: str
    key: str
    request_sha256: str
    """SHA-256 of method, path, query and body."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What was sent back."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes


def claim(session: Session, wanted: Claim, now: datetime, remembered_for: timedelta) -> Answer | None:
    """Take the key, or return the answer of the request that had it before.

    Raises
    ------
    RefusedError
        The key was sent before with another request.
    ConflictError
        The key's answer held a secret and is not told again.
    """
    session.execute(delete(IdempotencyKey).where(IdempotencyKey.created_at < now - remembered_for))
    values = {
        "account_id": wanted.account_id,
        "key": wanted.key,
        "request_sha256": wanted.request_sha256,
        "created_at": now,
    }
    dialect = postgresql if session.get_bind().dialect.name == "postgresql" else sqlite
    taken = session.execute(
        dialect.insert(IdempotencyKey).values(values).on_conflict_do_nothing().returning(IdempotencyKey.key)
    ).first()
    return None if taken else _earlier_answer(session, wanted)


def _earlier_answer(session: Session, wanted: Claim) -> Answer:
    row = session.execute(select(IdempotencyKey).where(*_is(wanted))).scalar_one()
    if row.request_sha256 != wanted.request_sha256:
        message = (
            f"The Idempotency-Key {wanted.key!r} was sent before with another request; "
            "a new request needs a new key."
        )
        raise RefusedError(message, code="idempotency_key_reused")
    if row.status is None or row.body is None:
        message = (
            f"The request with the Idempotency-Key {wanted.key!r} was carried out; "
            "its answer held a secret and is told only once."
        )
        raise ConflictError(message, code="idempotency_answer_secret")
    headers = tuple((name, value) for name, value in row.headers or ())
    return Answer(status=row.status, headers=headers, body=row.body)


def keep(session: Session, claimed: Claim, answer: Answer) -> None:
    """Keep the answer beside the claim, in the same transaction."""
    session.execute(
        update(IdempotencyKey)
        .where(*_is(claimed))
        .values(
            status=answer.status,
            headers=[[name, value] for name, value in answer.headers if name.lower() in KEPT_HEADERS],
            body=answer.body,
        )
    )


def _is(claimed: Claim) -> tuple[ColumnElement[bool], ...]:
    return (IdempotencyKey.account_id == claimed.account_id, IdempotencyKey.key == claimed.key)
