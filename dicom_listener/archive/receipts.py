"""Receipts: what came in, from whom, and what became of it. Written once; the database refuses changes."""

from collections.abc import Sequence
from dataclasses import fields
from typing import Any

from sqlalchemy import Connection, Select, func, insert, select

from dicom_listener.archive import tables
from dicom_listener.archive.records import FiledReceipt, Outcome, Receipt

_ACKNOWLEDGED = (Outcome.STORED, Outcome.ALREADY_STORED, Outcome.CONFLICT_KEPT, Outcome.HELD)
_NAMES = tuple(field.name for field in fields(Receipt))

_APPEND = insert(tables.receipts).returning(tables.receipts.c.sequence)
_APPEND_ALL = insert(tables.receipts)
_LATEST = select(func.max(tables.receipts.c.sequence))


def append(connection: Connection, receipt: Receipt) -> int:
    """File `receipt` and return its sequence number."""
    return int(connection.execute(_APPEND, _values(receipt)).scalar_one())


def append_all(connection: Connection, filed: Sequence[Receipt]) -> int:
    """File receipts in their order, and return the sequence number of the last."""
    connection.execute(_APPEND_ALL, [_values(receipt) for receipt in filed])
    return int(connection.execute(_LATEST).scalar_one())


def after(connection: Connection, sequence: int, limit: int) -> Sequence[FiledReceipt]:
    """Return at most `limit` receipts that follow `sequence`, oldest first."""
    table = tables.receipts
    statement = select(table).where(table.c.sequence > sequence).order_by(table.c.sequence).limit(limit)
    return _filed(connection, statement)


def of_instances(connection: Connection, sop_instance_uids: Sequence[str]) -> Sequence[FiledReceipt]:
    """Return every receipt of some instances, oldest first."""
    table = tables.receipts
    wanted = table.c.sop_instance_uid.in_(sop_instance_uids)
    return _filed(connection, select(table).where(wanted).order_by(table.c.sequence))


def _filed(connection: Connection, statement: Select[*tuple[Any, ...]]) -> Sequence[FiledReceipt]:
    return tuple(
        FiledReceipt(
            sequence=row["sequence"],
            fingerprint=row["fingerprint"],
            receipt=Receipt(**{name: row[name] for name in _NAMES} | {"outcome": Outcome(row["outcome"])}),
        )
        for row in connection.execute(statement).mappings()
    )


def sites_of(connection: Connection, sop_instance_uid: str) -> frozenset[str]:
    """Name the sites that were told Success for something that came under a UID."""
    table = tables.receipts
    rows = connection.execute(
        select(table.c.site_id)
        .distinct()
        .where(table.c.sop_instance_uid == sop_instance_uid, table.c.outcome.in_(_ACKNOWLEDGED))
    )
    return frozenset(rows.scalars())


def _values(receipt: Receipt) -> dict[str, Any]:
    values = {name: getattr(receipt, name) for name in _NAMES}
    return values | {"outcome": receipt.outcome.value, "fingerprint": receipt.fingerprint()}
