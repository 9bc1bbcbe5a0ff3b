"""Timepoints, calendars and the feed's cursor in the database."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, delete, func, insert, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from imaging_service.accounts.scope import Scope
from imaging_service.database import new_id
from imaging_service.http.pages import Page, PageRequest
from imaging_service.subjects.tables import SubjectRow
from imaging_service.timepoints.calendar import CalendarFacts, Slot
from imaging_service.timepoints.control import ControlState
from imaging_service.timepoints.placing import Place, Placement
from imaging_service.timepoints.records import WITH_IMAGES, Cycles, Progress, Status, Timepoint
from imaging_service.timepoints.tables import CalendarRow, CycleStartsRow, FeedCursorRow, TimepointRow

ARCHIVE_FEED = "archive"


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """Which timepoints are wanted; None asks nothing."""

    as_of: date
    """The day on which the status is asked."""
    site_id: str | None = None
    subject_id: str | None = None
    status: Status | None = None
    among: Select[str] | None = None
    """A statement of timepoint ids."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CalendarState:
    """From which facts a calendar was written."""

    subject_version: int
    protocol_version: str


def _timepoints() -> Select[Any]:
    """Select the columns of timepoints, not objects: a page of calendars reads hundreds of them."""
    return (
        select(
            *TimepointRow.__table__.columns,
            SubjectRow.site_id,
            func.coalesce(CalendarRow.last_received, -1).label("last_received"),
        )
        .join(
            SubjectRow,
            and_(
                SubjectRow.trial_id == TimepointRow.trial_id,
                SubjectRow.subject_id == TimepointRow.subject_id,
            ),
        )
        .outerjoin(
            CalendarRow,
            and_(
                CalendarRow.trial_id == TimepointRow.trial_id,
                CalendarRow.subject_id == TimepointRow.subject_id,
            ),
        )
    )


def _seen_by(scope: Scope) -> ColumnElement[bool]:
    return scope.sites(SubjectRow.trial_id, SubjectRow.site_id)


def find(session: Session, scope: Scope, timepoint_id: str, *, lock: bool = False) -> Timepoint | None:
    """Return a timepoint, or None when there is none in the scope; `lock` keeps others from changing it."""
    statement = _timepoints().where(TimepointRow.timepoint_id == timepoint_id, _seen_by(scope))
    return _one(session, statement, lock=lock)


def of_number(session: Session, trial_id: str, subject_id: str, number: int) -> Timepoint | None:
    """Return a subject's scheduled timepoint, and keep others from changing it."""
    statement = _timepoints().where(
        TimepointRow.trial_id == trial_id,
        TimepointRow.subject_id == subject_id,
        TimepointRow.number == number,
    )
    return _one(session, statement, lock=True)


def unscheduled_on(session: Session, trial_id: str, subject_id: str, day: date) -> Timepoint | None:
    """Return a subject's unscheduled timepoint of a day, and keep others from changing it."""
    statement = _timepoints().where(
        TimepointRow.trial_id == trial_id,
        TimepointRow.subject_id == subject_id,
        TimepointRow.number.is_(None),
        TimepointRow.imaged_on == day,
    )
    return _one(session, statement, lock=True)


def _one(session: Session, statement: Select[Any], *, lock: bool) -> Timepoint | None:
    if lock:
        statement = statement.with_for_update(of=TimepointRow)
    row = session.execute(statement).first()
    return None if row is None else _timepoint(row)


def of_subject(session: Session, scope: Scope, trial_id: str, subject_id: str) -> Sequence[Timepoint]:
    """Return a subject's timepoints in the order of their days, baseline first."""
    rows = session.execute(
        _timepoints()
        .where(TimepointRow.trial_id == trial_id, TimepointRow.subject_id == subject_id, _seen_by(scope))
        .order_by(TimepointRow.sort_on, TimepointRow.number, TimepointRow.timepoint_id)
    )
    return [_timepoint(row) for row in rows]


def of_subjects(
    session: Session, trial_id: str, subject_ids: Sequence[str]
) -> Mapping[str, Sequence[Timepoint]]:
    """Return the timepoints of subjects that the caller may see, in the order of their days, by subject."""
    rows = session.execute(
        _timepoints()
        .where(TimepointRow.trial_id == trial_id, TimepointRow.subject_id.in_(subject_ids))
        .order_by(
            TimepointRow.subject_id, TimepointRow.sort_on, TimepointRow.number, TimepointRow.timepoint_id
        )
    )
    found: dict[str, list[Timepoint]] = {}
    for row in rows:
        found.setdefault(row.subject_id, []).append(_timepoint(row))
    return found


def page(
    session: Session, scope: Scope, trial_id: str, wanted: Filter, request: PageRequest
) -> Page[Timepoint]:
    """Return the wanted timepoints of a trial, by subject and day."""
    statement = _timepoints().where(TimepointRow.trial_id == trial_id, _seen_by(scope), *_conditions(wanted))
    columns = (TimepointRow.subject_id, TimepointRow.sort_on, TimepointRow.timepoint_id)
    rows = session.execute(request.apply(statement, *columns)).all()
    return request.page(rows, lambda row: (row.subject_id, row.sort_on, row.timepoint_id), _timepoint)


def _conditions(wanted: Filter) -> Iterable[ColumnElement[bool]]:
    if wanted.site_id is not None:
        yield SubjectRow.site_id == wanted.site_id
    if wanted.subject_id is not None:
        yield TimepointRow.subject_id == wanted.subject_id
    if wanted.among is not None:
        (timepoint_id,) = wanted.among.selected_columns
        yield wanted.among.where(timepoint_id == TimepointRow.timepoint_id).exists()
    if wanted.status is not None:
        yield _has_status(wanted.status, wanted.as_of)


def _has_status(status: Status, today: date) -> ColumnElement[bool]:
    """Say `Timepoint.status` in SQL."""
    is_late = and_(TimepointRow.progress == Progress.EXPECTED, TimepointRow.closes_on < today)
    is_passed = TimepointRow.number < func.coalesce(CalendarRow.last_received, -1)
    if status is Status.EXPECTED:
        in_time = or_(TimepointRow.closes_on.is_(None), TimepointRow.closes_on >= today)
        return and_(TimepointRow.progress == Progress.EXPECTED, in_time)
    if status is Status.OVERDUE:
        return and_(is_late, ~is_passed)
    if status is Status.MISSED:
        return and_(is_late, is_passed)
    return TimepointRow.progress == status.value


def add_slot(session: Session, trial_id: str, subject_id: str, slot: Slot, progress: Progress) -> None:
    """Expect a timepoint."""
    session.execute(
        insert(TimepointRow).values(
            timepoint_id=new_id(),
            trial_id=trial_id,
            subject_id=subject_id,
            number=slot.number,
            nominal_on=slot.nominal_on,
            opens_on=slot.opens_on,
            closes_on=slot.closes_on,
            imaged_on=None,
            progress=progress,
            placement=None,
            not_done_reason=None,
            late_instances=0,
            sort_on=_sort_on(slot.nominal_on),
        )
    )


def move_slot(session: Session, timepoint: Timepoint, slot: Slot, progress: Progress) -> None:
    """Give a timepoint the days of its slot."""
    session.execute(
        update(TimepointRow)
        .where(TimepointRow.timepoint_id == timepoint.timepoint_id)
        .values(
            nominal_on=slot.nominal_on,
            opens_on=slot.opens_on,
            closes_on=slot.closes_on,
            progress=progress,
            sort_on=_sort_on(timepoint.imaged_on or slot.nominal_on),
        )
    )


def add_unscheduled(session: Session, trial_id: str, subject_id: str, place: Place) -> str:
    """Make a timepoint that no schedule expects, and return its id."""
    timepoint_id = new_id()
    session.execute(
        insert(TimepointRow).values(
            timepoint_id=timepoint_id,
            trial_id=trial_id,
            subject_id=subject_id,
            number=None,
            imaged_on=place.imaged_on,
            progress=Progress.RECEIVED,
            placement=place.placement,
            late_instances=0,
            control=ControlState.RECEIVED,
            sort_on=_sort_on(place.imaged_on),
        )
    )
    return timepoint_id


def receive(session: Session, timepoint: Timepoint, place: Place) -> None:
    """Give images to a timepoint that has none."""
    session.execute(
        update(TimepointRow)
        .where(TimepointRow.timepoint_id == timepoint.timepoint_id)
        .values(
            imaged_on=place.imaged_on,
            progress=Progress.RECEIVED,
            placement=place.placement,
            not_done_reason=None,
            control=ControlState.RECEIVED,
            sort_on=_sort_on(place.imaged_on),
        )
    )
    _count_received(session, timepoint.trial_id, timepoint.subject_id)


def release(session: Session, timepoint: Timepoint, progress: Progress) -> None:
    """Take the images back from a timepoint; an unscheduled one ceases to be."""
    row = TimepointRow.timepoint_id == timepoint.timepoint_id
    if timepoint.number is None:
        session.execute(delete(TimepointRow).where(row))
        return
    session.execute(
        update(TimepointRow)
        .where(row)
        .values(
            imaged_on=None,
            progress=progress,
            placement=None,
            late_instances=0,
            control=None,
            sort_on=_sort_on(timepoint.nominal_on),
        )
    )
    _count_received(session, timepoint.trial_id, timepoint.subject_id)


def set_progress(
    session: Session, timepoint_id: str, progress: Progress, *, not_done_reason: str | None = None
) -> None:
    """Write down how far a timepoint has come."""
    session.execute(
        update(TimepointRow)
        .where(TimepointRow.timepoint_id == timepoint_id)
        .values(progress=progress, not_done_reason=not_done_reason)
    )


def set_control(session: Session, timepoint_id: str, state: ControlState) -> None:
    """Write down how far quality control has come."""
    session.execute(
        update(TimepointRow).where(TimepointRow.timepoint_id == timepoint_id).values(control=state)
    )


def uncontrolled(session: Session, limit: int) -> Sequence[str]:
    """Return timepoints whose images no control has looked at yet."""
    return session.scalars(
        select(TimepointRow.timepoint_id)
        .where(TimepointRow.control == ControlState.RECEIVED)
        .order_by(TimepointRow.timepoint_id)
        .limit(limit)
    ).all()


def count_late(session: Session, timepoint_id: str, instances: int) -> None:
    """Count instances that arrived after the timepoint had its images, which are to be controlled again."""
    session.execute(
        update(TimepointRow)
        .where(TimepointRow.timepoint_id == timepoint_id)
        .values(
            late_instances=TimepointRow.late_instances + instances,
            control=ControlState.RECEIVED,
        )
    )


def calendar_state(session: Session, trial_id: str, subject_id: str) -> CalendarState | None:
    """Return from which facts the subject's calendar was written, or None before any."""
    row = session.execute(
        select(CalendarRow.subject_version, CalendarRow.protocol_version).where(
            CalendarRow.trial_id == trial_id, CalendarRow.subject_id == subject_id
        )
    ).one_or_none()
    return None if row is None else CalendarState(subject_version=row[0], protocol_version=row[1])


def save_calendar_state(session: Session, trial_id: str, subject_id: str, state: CalendarState) -> None:
    """Write down from which facts the calendar is written now."""
    values = {"subject_version": state.subject_version, "protocol_version": state.protocol_version}
    changed = session.execute(
        update(CalendarRow)
        .where(CalendarRow.trial_id == trial_id, CalendarRow.subject_id == subject_id)
        .values(**values)
        .returning(CalendarRow.trial_id)
    ).first()
    if changed is None:
        session.execute(
            insert(CalendarRow).values(trial_id=trial_id, subject_id=subject_id, last_received=-1, **values)
        )
        _count_received(session, trial_id, subject_id)


def calendar_facts(session: Session, trial_id: str, subject_id: str) -> CalendarFacts:
    """Return what the calendar depends on beside the subject's own dates, as known now."""
    central_on = session.scalar(
        select(CalendarRow.central_progression_on).where(
            CalendarRow.trial_id == trial_id, CalendarRow.subject_id == subject_id
        )
    )
    newest = newest_cycles(session, trial_id, subject_id)
    return CalendarFacts(
        cycle_starts=() if newest is None else newest.started_on, central_progression_on=central_on
    )


def save_central_progression(session: Session, trial_id: str, subject_id: str, day: date | None) -> None:
    """Write down on which day the accepted reads show progression."""
    session.execute(
        update(CalendarRow)
        .where(CalendarRow.trial_id == trial_id, CalendarRow.subject_id == subject_id)
        .values(central_progression_on=day)
    )


def newest_cycles(session: Session, trial_id: str, subject_id: str) -> Cycles | None:
    """Return when the subject's cycles began, as known now."""
    row = session.scalar(
        select(CycleStartsRow)
        .where(CycleStartsRow.trial_id == trial_id, CycleStartsRow.subject_id == subject_id)
        .order_by(CycleStartsRow.version.desc())
        .limit(1)
    )
    return None if row is None else _cycles(row)


def cycles_history(session: Session, trial_id: str, subject_id: str) -> Sequence[Cycles]:
    """Return all that was ever known of the subject's cycles, the first version first."""
    rows = session.scalars(
        select(CycleStartsRow)
        .where(CycleStartsRow.trial_id == trial_id, CycleStartsRow.subject_id == subject_id)
        .order_by(CycleStartsRow.version)
    )
    return [_cycles(row) for row in rows]


def add_cycles(session: Session, trial_id: str, subject_id: str, cycles: Cycles) -> None:
    """Keep what is known of the subject's cycles from now on."""
    session.execute(
        insert(CycleStartsRow).values(
            trial_id=trial_id,
            subject_id=subject_id,
            version=cycles.version,
            started_on=[day.isoformat() for day in cycles.started_on],
            reason=cycles.reason,
            recorded_by=cycles.recorded_by,
            recorded_at=cycles.recorded_at,
        )
    )


def _cycles(row: CycleStartsRow) -> Cycles:
    return Cycles(
        version=row.version,
        started_on=tuple(date.fromisoformat(day) for day in row.started_on),
        reason=row.reason,
        recorded_by=row.recorded_by,
        recorded_at=row.recorded_at,
    )


def stale_calendars(session: Session, versions: Mapping[str, str], limit: int) -> Sequence[tuple[str, str]]:
    """Return (trial_id, subject_id) of subjects whose calendar lags behind their facts.

    Parameters
    ----------
    session
        The transaction.
    versions
        The protocol version in force, by trial.
    limit
        At most this many.
    """
    lags = [
        and_(SubjectRow.trial_id == trial_id, CalendarRow.protocol_version != version)
        for trial_id, version in versions.items()
    ]
    statement = (
        select(SubjectRow.trial_id, SubjectRow.subject_id)
        .outerjoin(
            CalendarRow,
            and_(
                CalendarRow.trial_id == SubjectRow.trial_id, CalendarRow.subject_id == SubjectRow.subject_id
            ),
        )
        .where(
            or_(
                CalendarRow.subject_version.is_(None),
                CalendarRow.subject_version != SubjectRow.version,
                *lags,
            )
        )
    )
    rows = session.execute(statement.order_by(SubjectRow.trial_id, SubjectRow.subject_id).limit(limit))
    return [(row[0], row[1]) for row in rows]


def _count_received(session: Session, trial_id: str, subject_id: str) -> None:
    last = (
        select(func.coalesce(func.max(TimepointRow.number), -1))
        .where(
            TimepointRow.trial_id == trial_id,
            TimepointRow.subject_id == subject_id,
            TimepointRow.progress.in_(sorted(WITH_IMAGES)),
        )
        .scalar_subquery()
    )
    session.execute(
        update(CalendarRow)
        .where(CalendarRow.trial_id == trial_id, CalendarRow.subject_id == subject_id)
        .values(last_received=last)
    )


def feed_position(session: Session) -> int:
    """Return the last change of the archive that was dealt with, 0 before any."""
    position = session.scalar(select(FeedCursorRow.sequence).where(FeedCursorRow.feed == ARCHIVE_FEED))
    return position or 0


def advance_feed(session: Session, sequence: int) -> bool:
    """Move past a change; False when that, or a later one, was dealt with already.

    Others who follow the feed wait here until the transaction ends.
    """
    dialect: Any = postgresql if session.get_bind().dialect.name == "postgresql" else sqlite
    session.execute(
        dialect.insert(FeedCursorRow).values(feed=ARCHIVE_FEED, sequence=0).on_conflict_do_nothing()
    )
    moved = session.execute(
        update(FeedCursorRow)
        .where(FeedCursorRow.feed == ARCHIVE_FEED, FeedCursorRow.sequence < sequence)
        .values(sequence=sequence)
        .returning(FeedCursorRow.sequence)
    )
    return moved.first() is not None


def _sort_on(day: date | None) -> str:
    return "" if day is None else day.isoformat()


def _timepoint(row: Any) -> Timepoint:  # noqa: ANN401  a row of `_timepoints`
    return Timepoint(
        timepoint_id=row.timepoint_id,
        trial_id=row.trial_id,
        subject_id=row.subject_id,
        site_id=row.site_id,
        number=row.number,
        nominal_on=row.nominal_on,
        opens_on=row.opens_on,
        closes_on=row.closes_on,
        imaged_on=row.imaged_on,
        progress=Progress(row.progress),
        placement=None if row.placement is None else Placement(row.placement),
        not_done_reason=row.not_done_reason,
        late_instances=row.late_instances,
        last_received=row.last_received,
        control=None if row.control is None else ControlState(row.control),
    )
