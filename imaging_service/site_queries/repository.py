"""Questions to sites in the database."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import ColumnElement, func, insert, select, update
from sqlalchemy.orm import Session

from imaging_service.accounts.scope import Scope
from imaging_service.http.pages import Page, PageRequest
from imaging_service.site_queries.records import Entry, SiteQuery
from imaging_service.site_queries.states import UNFINISHED, Deed, QueryCode, QueryState
from imaging_service.site_queries.tables import SiteQueryEntryRow, SiteQueryRow
from imaging_service.trials.tables import TrialRow


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """Which questions are wanted; None asks nothing."""

    state: QueryState | None = None
    site_id: str | None = None
    subject_id: str | None = None
    timepoint_id: str | None = None
    study_instance_uid: str | None = None
    overdue_on: date | None = None
    """Only those that should have been answered before this day."""
    number: int | None = None
    """What people call it."""


def find(
    session: Session, scope: Scope, trial_id: str, query_id: str, *, lock: bool = False
) -> SiteQuery | None:
    """Return a question of a site in the scope; `lock` keeps others from saying anything about it."""
    statement = (
        select(SiteQueryRow)
        .where(
            SiteQueryRow.query_id == query_id,
            SiteQueryRow.trial_id == trial_id,
            scope.sites(SiteQueryRow.trial_id, SiteQueryRow.site_id),
        )
        .execution_options(populate_existing=True)
    )
    row = session.scalar(statement.with_for_update() if lock else statement)
    return None if row is None else _query(row)


def page(
    session: Session, scope: Scope, trial_id: str, wanted: Filter, request: PageRequest
) -> Page[SiteQuery]:
    """Return the wanted questions of a trial, the longest asked first."""
    statement = select(SiteQueryRow).where(
        SiteQueryRow.trial_id == trial_id,
        scope.sites(SiteQueryRow.trial_id, SiteQueryRow.site_id),
        *_conditions(wanted),
    )
    rows = session.scalars(request.apply(statement, SiteQueryRow.number)).all()
    return request.page(rows, lambda row: (row.number,), _query)


def next_number(session: Session, trial_id: str) -> int:
    """Return the number of the trial's next question; who asks at the same time waits for it."""
    session.execute(
        select(TrialRow.trial_id).where(TrialRow.trial_id == trial_id).with_for_update(key_share=True)
    )
    highest = session.scalar(select(func.max(SiteQueryRow.number)).where(SiteQueryRow.trial_id == trial_id))
    return (highest or 0) + 1


def _conditions(wanted: Filter) -> Sequence[ColumnElement[bool]]:
    equal = {
        SiteQueryRow.state: wanted.state,
        SiteQueryRow.site_id: wanted.site_id,
        SiteQueryRow.subject_id: wanted.subject_id,
        SiteQueryRow.timepoint_id: wanted.timepoint_id,
        SiteQueryRow.study_instance_uid: wanted.study_instance_uid,
        SiteQueryRow.number: wanted.number,
    }
    conditions = [column == value for column, value in equal.items() if value is not None]
    if wanted.overdue_on is not None:
        conditions += [SiteQueryRow.state == QueryState.OPEN, SiteQueryRow.due_on < wanted.overdue_on]
    return conditions


def is_unfinished(session: Session, timepoint_id: str) -> bool:
    """Whether a question about a timepoint is open, or answered and not closed."""
    statement = select(SiteQueryRow.query_id).where(
        SiteQueryRow.timepoint_id == timepoint_id, SiteQueryRow.state.in_(sorted(UNFINISHED))
    )
    return session.scalar(statement.limit(1)) is not None


def unfinished_of_subjects(session: Session, trial_id: str, subject_ids: Sequence[str]) -> Mapping[str, int]:
    """Return how many questions about each subject are not closed."""
    rows = session.execute(
        select(SiteQueryRow.subject_id, func.count())
        .where(
            SiteQueryRow.trial_id == trial_id,
            SiteQueryRow.subject_id.in_(subject_ids),
            SiteQueryRow.state.in_(sorted(UNFINISHED)),
        )
        .group_by(SiteQueryRow.subject_id)
    )
    return {subject_id: count for subject_id, count in rows if subject_id is not None}


def add(session: Session, query: SiteQuery) -> None:
    """Keep a new question."""
    session.execute(insert(SiteQueryRow).values(**{name: getattr(query, name) for name in query.__slots__}))


def say(session: Session, query_id: str, entry: Entry) -> None:
    """Keep what was said, and let the question stand so."""
    session.execute(
        insert(SiteQueryEntryRow).values(
            query_id=query_id, **{name: getattr(entry, name) for name in entry.__slots__}
        )
    )
    session.execute(
        update(SiteQueryRow)
        .where(SiteQueryRow.query_id == query_id)
        .values(state=entry.state, due_on=entry.due_on, version=entry.version)
    )


def entries(session: Session, query_id: str) -> Sequence[Entry]:
    """Return everything that was said about a question, the first word first."""
    rows = session.scalars(
        select(SiteQueryEntryRow)
        .where(SiteQueryEntryRow.query_id == query_id)
        .order_by(SiteQueryEntryRow.version)
    )
    return [
        Entry(
            version=row.version,
            deed=Deed(row.deed),
            state=QueryState(row.state),
            text=row.text,
            due_on=row.due_on,
            said_by=row.said_by,
            said_by_name=row.said_by_name,
            said_at=row.said_at,
        )
        for row in rows
    ]


def _query(row: SiteQueryRow) -> SiteQuery:
    return SiteQuery(
        query_id=row.query_id,
        number=row.number,
        trial_id=row.trial_id,
        site_id=row.site_id,
        subject_id=row.subject_id,
        timepoint_id=row.timepoint_id,
        study_instance_uid=row.study_instance_uid,
        code=QueryCode(row.code),
        text=row.text,
        state=QueryState(row.state),
        due_on=row.due_on,
        version=row.version,
        asked_at=row.asked_at,
    )
