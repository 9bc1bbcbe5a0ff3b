"""The SQL of what is out of date."""

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import Any

from sqlalchemy import ColumnElement, delete, exists, insert, or_, select, update
from sqlalchemy.orm import Session

from imaging_service.accounts.scope import Column
from imaging_service.database import Base
from imaging_service.derived.tables import DUE, DerivedRow

Key = tuple[str, str]
"""(trial_id, subject_id)."""


def due(session: Session, limit: int) -> Sequence[Key]:
    """Return subjects that something has changed about, and keep others from renewing them too."""
    statement = (
        select(DerivedRow.trial_id, DerivedRow.subject_id)
        .where(DerivedRow.basis == DUE)
        .order_by(DerivedRow.trial_id, DerivedRow.subject_id)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    return [(row.trial_id, row.subject_id) for row in session.execute(statement)]


def other_basis(session: Session, trial_id: str, basis: str, limit: int | None = None) -> AbstractSet[str]:
    """Return the subjects of a trial whose rows follow from something else than `basis`."""
    statement = (
        select(DerivedRow.subject_id)
        .where(DerivedRow.trial_id == trial_id, or_(DerivedRow.basis < basis, DerivedRow.basis > basis))
        .limit(limit)
    )
    return frozenset(session.scalars(statement))


def lock_other_basis(session: Session, trial_id: str, basis: str, limit: int) -> Sequence[Key]:
    """Return subjects whose rows follow from something else, and keep others from renewing them too."""
    statement = (
        select(DerivedRow.subject_id)
        .where(DerivedRow.trial_id == trial_id, or_(DerivedRow.basis < basis, DerivedRow.basis > basis))
        .order_by(DerivedRow.subject_id)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    return [(trial_id, subject_id) for subject_id in session.scalars(statement)]


def note(session: Session, key: Key, basis: str) -> None:
    """Note that a subject's rows follow from `basis` now."""
    session.execute(
        update(DerivedRow)
        .where(DerivedRow.trial_id == key[0], DerivedRow.subject_id == key[1])
        .values(basis=basis)
    )


def keep(session: Session, row: type[Base], key: Key, rows: Sequence[Mapping[str, Any]]) -> None:
    """Keep derived rows about a subject instead of those that were kept before."""
    session.execute(delete(row).where(*_about(row, key)))
    if rows:
        trial_id, subject_id = key
        values = [{**each, "trial_id": trial_id, "subject_id": subject_id} for each in rows]
        session.execute(insert(row), values)


def kept(session: Session, row: type[Base], key: Key) -> Sequence[Mapping[str, Any]]:
    """Return the derived rows about a subject as they are kept."""
    found = session.execute(select(*row.__table__.columns).where(*_about(row, key)))
    return [dict(each) for each in found.mappings()]


def _about(row: type[Base], key: Key) -> Sequence[ColumnElement[bool]]:
    columns = row.__table__.columns
    return columns["trial_id"] == key[0], columns["subject_id"] == key[1]


def is_current(trial_id: Column, subject_id: Column, basis: str) -> ColumnElement[bool]:
    """Return the SQL condition that the derived rows of this subject follow from `basis`."""
    return exists().where(
        DerivedRow.trial_id == trial_id, DerivedRow.subject_id == subject_id, DerivedRow.basis == basis
    )
