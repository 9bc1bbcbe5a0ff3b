"""Findings, states and their history in the database."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, func, insert, select, update
from sqlalchemy.orm import Session

from imaging_service.accounts.scope import Scope
from imaging_service.http.pages import Page, PageRequest
from imaging_service.quality.records import Control, Step
from imaging_service.quality.tables import ControlRow, TransitionRow
from imaging_service.quality.transitions import Cause
from imaging_service.subjects.tables import SubjectRow
from imaging_service.timepoints.control import ControlState
from imaging_service.timepoints.tables import TimepointRow


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """Which timepoints are wanted; None asks nothing."""

    state: ControlState | None = None
    site_id: str | None = None
    subject_id: str | None = None
    has_findings: bool | None = None
    """Whether there is a finding that blocks."""


def _controls() -> Select[TimepointRow, str, ControlRow]:
    return (
        select(TimepointRow, SubjectRow.site_id, ControlRow)
        .join(
            SubjectRow,
            and_(
                SubjectRow.trial_id == TimepointRow.trial_id,
                SubjectRow.subject_id == TimepointRow.subject_id,
            ),
        )
        .outerjoin(ControlRow, ControlRow.timepoint_id == TimepointRow.timepoint_id)
        .execution_options(populate_existing=True)
    )


def find(session: Session, scope: Scope, timepoint_id: str, *, lock: bool = False) -> Control | None:
    """Return a timepoint's control, or None when there is no such timepoint in the scope."""
    statement = _controls().where(
        TimepointRow.timepoint_id == timepoint_id, scope.sites(SubjectRow.trial_id, SubjectRow.site_id)
    )
    row = session.execute(statement.with_for_update(of=TimepointRow) if lock else statement).first()
    return None if row is None else _control(*row)


def page(
    session: Session, scope: Scope, trial_id: str, wanted: Filter, request: PageRequest
) -> Page[Control]:
    """Return the timepoints of a trial that have images, by subject and day."""
    statement = _controls().where(
        TimepointRow.trial_id == trial_id,
        TimepointRow.control == wanted.state
        if wanted.state is not None
        else TimepointRow.control.is_not(None),
        scope.sites(SubjectRow.trial_id, SubjectRow.site_id),
        *_conditions(wanted),
    )
    columns = (TimepointRow.subject_id, TimepointRow.sort_on, TimepointRow.timepoint_id)
    rows = session.execute(request.apply(statement, *columns)).all()
    return request.page(
        rows,
        lambda row: (row[0].subject_id, row[0].sort_on, row[0].timepoint_id),
        lambda row: _control(*row),
    )


def _conditions(wanted: Filter) -> Sequence[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if wanted.site_id is not None:
        conditions.append(SubjectRow.site_id == wanted.site_id)
    if wanted.subject_id is not None:
        conditions.append(TimepointRow.subject_id == wanted.subject_id)
    if wanted.has_findings is not None:
        blocking = func.coalesce(ControlRow.blocking, 0)
        conditions.append(blocking > 0 if wanted.has_findings else blocking == 0)
    return conditions


def last_step(session: Session, timepoint_id: str) -> Step | None:
    """Return the newest change of a timepoint's state, or None before any."""
    row = session.scalar(
        select(TransitionRow)
        .where(TransitionRow.timepoint_id == timepoint_id)
        .order_by(TransitionRow.version.desc())
        .limit(1)
    )
    return None if row is None else _step(row)


def steps(session: Session, timepoint_id: str) -> Sequence[Step]:
    """Return every change of a timepoint's state, the first one first."""
    rows = session.scalars(
        select(TransitionRow)
        .where(TransitionRow.timepoint_id == timepoint_id)
        .order_by(TransitionRow.version)
    )
    return [_step(row) for row in rows]


def remembered(session: Session, timepoint_id: str) -> Control | None:
    """Return what the history says of an unscheduled timepoint that ceased to be."""
    row = session.scalar(
        select(TransitionRow)
        .where(TransitionRow.timepoint_id == timepoint_id)
        .order_by(TransitionRow.version.desc())
        .limit(1)
    )
    if row is None:
        return None
    return Control(
        timepoint_id=timepoint_id,
        trial_id=row.trial_id,
        site_id="",
        subject_id=row.subject_id,
        number=None,
        imaged_on=None,
        late_instances=0,
        state=None,
        version=row.version,
        findings=(),
        blocking=0,
        protocol_version=None,
        controlled_at=None,
    )


def add_step(session: Session, trial_id: str, subject_id: str, step: Step) -> None:
    """Keep a change of state for ever."""
    session.execute(
        insert(TransitionRow).values(
            timepoint_id=step.timepoint_id,
            version=step.version,
            trial_id=trial_id,
            subject_id=subject_id,
            from_state=step.before,
            to_state=step.after,
            cause=step.cause,
            reason=step.reason,
            findings=[dict(each) for each in step.findings],
            protocol_version=step.protocol_version,
            changed_by=step.changed_by,
            changed_at=step.changed_at,
        )
    )
    changed = session.execute(
        update(ControlRow)
        .where(ControlRow.timepoint_id == step.timepoint_id)
        .values(version=step.version)
        .returning(ControlRow.timepoint_id)
    ).first()
    if changed is None:
        session.execute(
            insert(ControlRow).values(
                timepoint_id=step.timepoint_id,
                trial_id=trial_id,
                version=step.version,
                findings=[],
                blocking=0,
            )
        )


def keep_findings(  # noqa: PLR0913  what a control results in
    session: Session,
    timepoint_id: str,
    findings: Sequence[Mapping[str, Any]],
    *,
    blocking: int,
    protocol_version: str,
    at: datetime,
) -> None:
    """Keep what a control has found, instead of what an earlier one found."""
    session.execute(
        update(ControlRow)
        .where(ControlRow.timepoint_id == timepoint_id)
        .values(
            findings=[dict(each) for each in findings],
            blocking=blocking,
            protocol_version=protocol_version,
            controlled_at=at,
        )
    )


def _control(timepoint: TimepointRow, site_id: str, row: ControlRow | None) -> Control:
    return Control(
        timepoint_id=timepoint.timepoint_id,
        trial_id=timepoint.trial_id,
        site_id=site_id,
        subject_id=timepoint.subject_id,
        number=timepoint.number,
        imaged_on=timepoint.imaged_on,
        late_instances=timepoint.late_instances,
        state=None if timepoint.control is None else ControlState(timepoint.control),
        version=0 if row is None else row.version,
        findings=() if row is None else row.findings,
        blocking=0 if row is None else row.blocking,
        protocol_version=None if row is None else row.protocol_version,
        controlled_at=None if row is None else row.controlled_at,
    )


def _step(row: TransitionRow) -> Step:
    return Step(
        timepoint_id=row.timepoint_id,
        version=row.version,
        before=None if row.from_state is None else ControlState(row.from_state),
        after=None if row.to_state is None else ControlState(row.to_state),
        cause=Cause(row.cause),
        reason=row.reason,
        findings=row.findings,
        protocol_version=row.protocol_version,
        changed_by=row.changed_by,
        changed_at=row.changed_at,
    )
