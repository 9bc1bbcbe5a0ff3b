"""Receipts: what came in, from whom, and what became of it. Written once; the database refuses changes."""

from collections.abc import Sequence
from dataclasses import asdict, fields

from sqlalchemy import Connection, insert, select

from dicom_listener.archive import tables
from dicom_listener.archive.records import FiledReceipt, Outcome, Receipt

_NAMES = tuple(field.name for field in fields(Receipt))

_APPEND = insert(tables.receipts).returning(tables.receipts.c.sequence)


def append(connection: Connection, receipt: Receipt) -> int:
    """File `receipt` and return its sequence number."""
    values = asdict(receipt) | {"outcome": receipt.outcome.value, "fingerprint": receipt.fingerprint()}
    return int(connection.execute(_APPEND, values).scalar_one())


def after(connection: Connection, sequence: int, limit: int) -> Sequence[FiledReceipt]:
    """Return at most `limit` receipts that follow `sequence`, oldest first."""
    table = tables.receipts
    rows = connection.execute(
        select(table).where(table.c.sequence > sequence).order_by(table.c.sequence).limit(limit)
    ).mappings()
    return tuple(
        FiledReceipt(
            sequence=row["sequence"],
            fingerprint=row["fingerprint"],
            receipt=Receipt(**{name: row[name] for name in _NAMES} | {"outcome": Outcome(row["outcome"])}),
        )
        for row in rows
    )
