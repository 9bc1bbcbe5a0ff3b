"""The ordered feed of changes, which others follow with a cursor."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection, insert, select

from dicom_listener.archive import tables
from dicom_listener.archive.records import Change, ChangeKind


def append(connection: Connection, *, kind: ChangeKind, study_instance_uid: str, at: datetime) -> None:
    """Write a change into the transaction of what it tells about."""
    connection.execute(
        insert(tables.changes).values(kind=kind.value, study_instance_uid=study_instance_uid, at=at)
    )


def after(connection: Connection, sequence: int, limit: int) -> Sequence[Change]:
    """Return at most `limit` changes that follow `sequence`, oldest first."""
    table = tables.changes
    rows = connection.execute(
        select(table).where(table.c.sequence > sequence).order_by(table.c.sequence).limit(limit)
    )
    return tuple(
        Change(
            sequence=row.sequence,
            kind=ChangeKind(row.kind),
            study_instance_uid=row.study_instance_uid,
            at=row.at,
        )
        for row in rows
    )
