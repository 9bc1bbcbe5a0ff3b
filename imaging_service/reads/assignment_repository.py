"""Which subjects are assigned to which readers, in the database; `visible_to` asks here."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, exists, func, not_, select
from sqlalchemy.orm import InstrumentedAttribute, Session, aliased

from imaging_service.accounts.scope import Scope
from imaging_service.http.pages import Page, PageRequest
from imaging_service.reads.assigning import Candidate
from imaging_service.reads.assignment import Assignment
from imaging_service.reads.tables import AssignmentRow
from imaging_service.subjects.tables import SubjectRow
from imaging_service.timepoints.control import ControlState
from imaging_service.timepoints.tables import TimepointRow

Column = InstrumentedAttribute[Any]


def _is_held() -> ColumnElement[bool]:
    """Whether no newer edition about the same slot is there."""
    newer = aliased(AssignmentRow)
    return not_(
        exists().where(
            newer.trial_id == AssignmentRow.trial_id,
            newer.subject_id == AssignmentRow.subject_id,
            newer.slot == AssignmentRow.slot,
            newer.edition > AssignmentRow.edition,
        )
    )


def assigned_to(account_id: str) -> Select[str, str, int]:
    """Select the trial, subject and slot of what an account reads now."""
    return select(AssignmentRow.trial_id, AssignmentRow.subject_id, AssignmentRow.slot).where(
        AssignmentRow.account_id == account_id, _is_held()
    )


def is_assigned_to(
    account_id: str, trial_id: Column, subject_id: Column, slot: Column
) -> ColumnElement[bool]:
    """Return the SQL condition that an account reads a slot of a row's subject now."""
    return exists().where(
        AssignmentRow.trial_id == trial_id,
        AssignmentRow.subject_id == subject_id,
        AssignmentRow.slot == slot,
        AssignmentRow.account_id == account_id,
        _is_held(),
    )


def slot_of(session: Session, account_id: str, trial_id: str, subject_id: str) -> int | None:
    """Return the slot of a subject that an account reads now, or None."""
    statement = assigned_to(account_id).where(
        AssignmentRow.trial_id == trial_id, AssignmentRow.subject_id == subject_id
    )
    return session.scalar(statement.with_only_columns(AssignmentRow.slot))


def add(session: Session, assignment: Assignment) -> None:
    """Keep a new assignment."""
    candidates = assignment.candidates
    session.add(
        AssignmentRow(
            trial_id=assignment.trial_id,
            subject_id=assignment.subject_id,
            slot=assignment.slot,
            edition=assignment.edition,
            account_id=assignment.account_id,
            candidates=None
            if candidates is None
            else [[each.account_id, each.subjects] for each in candidates],
            reason=assignment.reason,
            assigned_by=assignment.assigned_by,
            assigned_at=assignment.assigned_at,
        )
    )
    session.flush()


def of_subject(session: Session, trial_id: str, subject_id: str) -> Sequence[Assignment]:
    """Return every assignment of a subject, by slot, the first edition first."""
    rows = session.scalars(
        select(AssignmentRow)
        .where(AssignmentRow.trial_id == trial_id, AssignmentRow.subject_id == subject_id)
        .order_by(AssignmentRow.slot, AssignmentRow.edition)
    )
    return [_assignment(row) for row in rows]


def of_trial(
    session: Session, scope: Scope, trial_id: str, page: PageRequest
) -> Page[tuple[Assignment, bool]]:
    """Return every assignment of the subjects in the scope, and whether it holds now.

    They come by subject and slot, the first edition first.
    """
    statement = _in_scope(scope, trial_id).add_columns(_is_held().label("is_current"))
    rows = session.execute(page.apply(statement, *_KEY)).all()
    return page.page(
        rows,
        lambda row: (row[0].subject_id, row[0].slot, row[0].edition),
        lambda row: (_assignment(row[0]), bool(row.is_current)),
    )


def every(session: Session, scope: Scope, trial_id: str) -> Iterator[Assignment]:
    """Yield every assignment of the subjects in the scope, by subject and slot, the first edition first."""
    for row in session.scalars(_in_scope(scope, trial_id).order_by(*_KEY)):
        yield _assignment(row)


_KEY = (AssignmentRow.subject_id, AssignmentRow.slot, AssignmentRow.edition)


def _in_scope(scope: Scope, trial_id: str) -> Select[AssignmentRow]:
    return (
        select(AssignmentRow)
        .join(SubjectRow, _is_subject_of(AssignmentRow))
        .where(AssignmentRow.trial_id == trial_id, scope.sites(SubjectRow.trial_id, SubjectRow.site_id))
    )


def _is_subject_of(row: type[AssignmentRow | TimepointRow]) -> ColumnElement[bool]:
    return and_(SubjectRow.trial_id == row.trial_id, SubjectRow.subject_id == row.subject_id)


def subjects_of_each(session: Session, trial_id: str) -> Mapping[str, int]:
    """Return how many subjects of a trial each account reads now."""
    rows = session.execute(
        select(AssignmentRow.account_id, func.count())
        .where(AssignmentRow.trial_id == trial_id, _is_held())
        .group_by(AssignmentRow.account_id)
    )
    return {row[0]: row[1] for row in rows}


def waiting(session: Session, scope: Scope, trial_id: str, readers: int) -> Sequence[str]:
    """Return the subjects that can be read and lack a reader, in the order in which they were first imaged.

    A subject can be read once quality control has accepted its baseline, as nothing is read before that.
    """
    has = (
        select(func.count(AssignmentRow.slot.distinct()))
        .where(
            AssignmentRow.trial_id == TimepointRow.trial_id,
            AssignmentRow.subject_id == TimepointRow.subject_id,
            AssignmentRow.slot <= readers,
        )
        .scalar_subquery()
    )
    statement = (
        select(TimepointRow.subject_id)
        .join(SubjectRow, _is_subject_of(TimepointRow))
        .where(
            TimepointRow.trial_id == trial_id,
            TimepointRow.number == 0,
            TimepointRow.imaged_on.is_not(None),
            TimepointRow.control == ControlState.ACCEPTED,
            has < readers,
            scope.sites(SubjectRow.trial_id, SubjectRow.site_id),
        )
        .order_by(TimepointRow.imaged_on, TimepointRow.subject_id)
    )
    return session.scalars(statement).all()


def _assignment(row: AssignmentRow) -> Assignment:
    drawn = row.candidates
    return Assignment(
        trial_id=row.trial_id,
        subject_id=row.subject_id,
        slot=row.slot,
        edition=row.edition,
        account_id=row.account_id,
        candidates=None
        if drawn is None
        else tuple(Candidate(account_id=key, subjects=subjects) for key, subjects in drawn),
        reason=row.reason,
        assigned_by=row.assigned_by,
        assigned_at=row.assigned_at,
    )
