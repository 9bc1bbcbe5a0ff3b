"""The calendar of a whole trial in the database: a few statements for a page, whatever its size."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import ColumnElement, Select, and_, case, func, select
from sqlalchemy.orm import Session

from imaging_service.accounts.scope import Scope
from imaging_service.http.pages import Page, PageRequest, Selected
from imaging_service.subjects.tables import SubjectRow
from imaging_service.timepoints.control import ControlState
from imaging_service.timepoints.records import Progress, Status
from imaging_service.timepoints.tables import CalendarRow, CycleStartsRow, StudyRow, TimepointRow


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which subjects are wanted; None asks nothing."""

    today: date
    site_id: str | None = None
    subject_id: str | None = None
    status: Status | None = None
    """Only those with a timepoint in this status."""
    control: ControlState | None = None
    """Only those with a timepoint whose images are in this state."""


def subject_ids(
    session: Session, scope: Scope, trial_id: str, wanted: Wanted, request: PageRequest
) -> Page[str]:
    """Return the ids of a page of subjects, in their order."""
    statement = select(SubjectRow.subject_id).where(
        SubjectRow.trial_id == trial_id,
        scope.sites(SubjectRow.trial_id, SubjectRow.site_id),
        *_conditions(trial_id, wanted),
    )
    rows = session.scalars(request.apply(statement, SubjectRow.subject_id)).all()
    return request.page(rows, lambda row: (row,), lambda row: row)


def _conditions(trial_id: str, wanted: Wanted) -> Sequence[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if wanted.site_id is not None:
        conditions.append(SubjectRow.site_id == wanted.site_id)
    if wanted.subject_id is not None:
        conditions.append(SubjectRow.subject_id == wanted.subject_id)
    if wanted.status is not None:
        conditions.append(_has(trial_id, wanted.status, wanted.today).exists())
    if wanted.control is not None:
        conditions.append(_of_subject(trial_id).where(TimepointRow.control == wanted.control).exists())
    return conditions


def _of_subject(trial_id: str) -> Select[str]:
    """Select the timepoints of the subject of the outer statement: it stops as soon as its page is full."""
    return (
        select(TimepointRow.timepoint_id)
        .where(TimepointRow.trial_id == trial_id, TimepointRow.subject_id == SubjectRow.subject_id)
        .correlate(SubjectRow)
    )


def _has(trial_id: str, status: Status, today: date) -> Select[str]:
    waiting = _of_subject(trial_id).where(TimepointRow.progress == Progress.EXPECTED)
    if status is Status.EXPECTED:
        return waiting.where((TimepointRow.closes_on >= today) | TimepointRow.closes_on.is_(None))
    if status not in {Status.OVERDUE, Status.MISSED}:
        return _of_subject(trial_id).where(TimepointRow.progress == status.value)
    lapsed = waiting.where(TimepointRow.closes_on < today).join(CalendarRow, _of_calendar())
    is_passed = TimepointRow.number < CalendarRow.last_received
    return lapsed.where(is_passed if status is Status.MISSED else ~is_passed)


def _of_calendar() -> ColumnElement[bool]:
    return and_(
        CalendarRow.trial_id == TimepointRow.trial_id, CalendarRow.subject_id == TimepointRow.subject_id
    )


def central_progressions(
    session: Session, trial_id: str, subjects: Sequence[str]
) -> Mapping[str, date | None]:
    """Return the day of the progression that the accepted reads show, by subject."""
    rows = session.execute(
        select(CalendarRow.subject_id, CalendarRow.central_progression_on).where(
            CalendarRow.trial_id == trial_id, CalendarRow.subject_id.in_(subjects)
        )
    )
    return {row[0]: row[1] for row in rows}


def cycle_starts(session: Session, trial_id: str, subjects: Sequence[str]) -> Mapping[str, Sequence[date]]:
    """Return when the cycles of subjects began, as known now."""
    rows = session.execute(
        select(CycleStartsRow.subject_id, CycleStartsRow.started_on)
        .where(CycleStartsRow.trial_id == trial_id, CycleStartsRow.subject_id.in_(subjects))
        .order_by(CycleStartsRow.version)
    )
    return {subject_id: [date.fromisoformat(day) for day in days] for subject_id, days in rows}


def status_counts(session: Session, scope: Scope, trial_id: str, today: date) -> Mapping[Status, int]:
    """Return how many timepoints of the scope are in each status."""
    is_lapsed = case((TimepointRow.closes_on < today, 1), else_=0)
    rows = session.execute(
        _limited(
            select(TimepointRow.progress, is_lapsed.label("lapsed"), func.count()).where(
                TimepointRow.trial_id == trial_id
            ),
            scope,
            trial_id,
        ).group_by(TimepointRow.progress, is_lapsed)
    )
    counts = dict.fromkeys(Status, 0)
    for progress, lapsed, count in rows:
        is_overdue = bool(lapsed) and progress == Progress.EXPECTED
        counts[Status.OVERDUE if is_overdue else Status(progress)] += count
    missed = _missed(session, scope, trial_id, today)
    counts[Status.MISSED] = missed
    counts[Status.OVERDUE] -= missed
    return counts


def _missed(session: Session, scope: Scope, trial_id: str, today: date) -> int:
    statement = (
        select(func.count())
        .select_from(TimepointRow)
        .join(CalendarRow, _of_calendar())
        .where(
            TimepointRow.trial_id == trial_id,
            TimepointRow.progress == Progress.EXPECTED,
            TimepointRow.closes_on < today,
            TimepointRow.number < CalendarRow.last_received,
        )
    )
    return session.scalar(_limited(statement, scope, trial_id)) or 0


def control_counts(session: Session, scope: Scope, trial_id: str) -> Mapping[ControlState, int]:
    """Return how many timepoints of the scope have images in each state of quality control."""
    rows = session.execute(
        _limited(
            select(TimepointRow.control, func.count()).where(
                TimepointRow.trial_id == trial_id, TimepointRow.control.is_not(None)
            ),
            scope,
            trial_id,
        ).group_by(TimepointRow.control)
    )
    return dict.fromkeys(ControlState, 0) | {ControlState(state): count for state, count in rows if state}


def subject_count(session: Session, scope: Scope, trial_id: str) -> int:
    """Return how many subjects of the trial are in the scope."""
    statement = select(func.count()).where(
        SubjectRow.trial_id == trial_id, scope.sites(SubjectRow.trial_id, SubjectRow.site_id)
    )
    return session.scalar(statement) or 0


def waiting_studies(session: Session, scope: Scope, trial_id: str) -> int:
    """Return how many studies that seem to be the trial's wait for a coordinator."""
    statement = select(func.count()).where(
        StudyRow.trial_id == trial_id,
        StudyRow.state == "unmatched",
        scope.sites(StudyRow.trial_id, StudyRow.site_id),
    )
    return session.scalar(statement) or 0


def _limited(statement: Select[*Selected], scope: Scope, trial_id: str) -> Select[*Selected]:
    """Leave out other sites' rows, with a join only for who does not see the whole trial."""
    if scope.everywhere or any(
        grant.trial_id == trial_id and grant.site_id is None for grant in scope.grants
    ):
        return statement
    return statement.join(
        SubjectRow,
        and_(SubjectRow.trial_id == TimepointRow.trial_id, SubjectRow.subject_id == TimepointRow.subject_id),
    ).where(scope.sites(SubjectRow.trial_id, SubjectRow.site_id))
