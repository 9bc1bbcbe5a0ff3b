"""Storage commitment transactions: what was asked for, and whether its report has been delivered."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import ColumnElement, Connection, delete, insert, select, update

from dicom_listener.archive import changes, tables
from dicom_listener.archive.records import ChangeKind

MAXIMUM_ATTEMPTS = 100
_FIRST_PAUSE = timedelta(seconds=2)
_LONGEST_PAUSE = timedelta(hours=1)
_IN_HAND = timedelta(seconds=30)  # the association that asked is given this long to take the report


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """An instance that is to be committed."""

    sop_class_uid: str
    sop_instance_uid: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Commitment:
    """A transaction."""

    transaction_uid: str
    calling_ae: str  # who asked
    called_ae: str  # whom it asked
    references: tuple[Reference, ...]
    attempts: int = 0


def add(connection: Connection, commitment: Commitment) -> None:
    """Keep a transaction until its report is delivered; one that is asked for again begins anew."""
    table, now = tables.commitments, datetime.now(UTC)
    connection.execute(delete(table).where(*_is(commitment)))
    pairs = [(each.sop_class_uid, each.sop_instance_uid) for each in commitment.references]
    connection.execute(
        insert(table).values(
            transaction_uid=commitment.transaction_uid,
            calling_ae=commitment.calling_ae,
            called_ae=commitment.called_ae,
            referenced=json.dumps(pairs, separators=(",", ":")),
            requested_at=now,
            attempts=0,
            next_attempt_at=now + _IN_HAND,
        )
    )


def postpone(connection: Connection, commitment: Commitment) -> bool:
    """Set the time of the attempt after this one; tell whether nobody else has taken this one.

    The pause doubles from attempt to attempt, up to an hour.
    """
    table = tables.commitments
    pause = min(_FIRST_PAUSE * 2 ** min(commitment.attempts, 20), _LONGEST_PAUSE)
    taken = connection.execute(
        update(table)
        .where(*_is(commitment), table.c.attempts == commitment.attempts)
        .values(attempts=commitment.attempts + 1, next_attempt_at=datetime.now(UTC) + pause)
    )
    return bool(taken.rowcount)


def release(connection: Connection, commitment: Commitment) -> None:
    """Let the report go out by an association of its own, at once."""
    connection.execute(
        update(tables.commitments).where(*_is(commitment)).values(next_attempt_at=datetime.now(UTC))
    )


def mark_reported(connection: Connection, commitment: Commitment) -> None:
    """Note that the report was taken."""
    connection.execute(
        update(tables.commitments).where(*_is(commitment)).values(reported_at=datetime.now(UTC))
    )


def due(connection: Connection) -> Sequence[Commitment]:
    """Return the transactions whose report should be tried now, oldest first."""
    table = tables.commitments
    rows = connection.execute(
        select(table)
        .where(
            table.c.reported_at.is_(None),
            table.c.next_attempt_at <= datetime.now(UTC),
            table.c.attempts < MAXIMUM_ATTEMPTS,
        )
        .order_by(table.c.requested_at)
    )
    return [
        Commitment(
            transaction_uid=row.transaction_uid,
            calling_ae=row.calling_ae,
            called_ae=row.called_ae,
            references=tuple(
                Reference(sop_class_uid=sop_class, sop_instance_uid=uid)
                for sop_class, uid in json.loads(row.referenced)
            ),
            attempts=row.attempts,
        )
        for row in rows
    ]


def settle(connection: Connection, study_instance_uids: Sequence[str]) -> None:
    """Settle the studies of committed instances at once: who asks for commitment has sent what there is."""
    table, at = tables.studies, datetime.now(UTC)
    for uid in study_instance_uids:
        settled = connection.execute(
            update(table)
            .where(table.c.study_instance_uid == uid, table.c.settled_at.is_(None))
            .values(settled_at=at)
        )
        if settled.rowcount:
            changes.append(connection, kind=ChangeKind.STUDY_SETTLED, study_instance_uid=uid, at=at)


def _is(commitment: Commitment) -> tuple[ColumnElement[bool], ...]:
    table = tables.commitments.c
    return (
        table.transaction_uid == commitment.transaction_uid,
        table.calling_ae == commitment.calling_ae,
    )
