"""The SQL of adjudication: subjects with their calendars, and decisions."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from imaging_service.accounts.scope import Scope
from imaging_service.adjudication.finishing import Place
from imaging_service.adjudication.review import Decision
from imaging_service.adjudication.tables import DecisionRow
from imaging_service.subjects.tables import SubjectRow
from imaging_service.timepoints.records import Progress
from imaging_service.timepoints.tables import TimepointRow


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedSubject:
    """A subject under its own name and under the one that readers know."""

    subject_id: str
    site_id: str
    reading_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which subjects of a trial are wanted; None asks nothing."""

    trial_id: str
    subject_id: str | None = None
    reading_id: str | None = None
    site_id: str | None = None


def subjects(session: Session, scope: Scope, wanted: Wanted) -> Sequence[NamedSubject]:
    """Return the wanted subjects that are in the scope, by their names."""
    statement = (
        select(SubjectRow.subject_id, SubjectRow.site_id, SubjectRow.reading_id)
        .where(SubjectRow.trial_id == wanted.trial_id, scope.sites(SubjectRow.trial_id, SubjectRow.site_id))
        .order_by(SubjectRow.subject_id)
    )
    for column, value in (
        (SubjectRow.subject_id, wanted.subject_id),
        (SubjectRow.reading_id, wanted.reading_id),
        (SubjectRow.site_id, wanted.site_id),
    ):
        if value is not None:
            statement = statement.where(column == value)
    return [
        NamedSubject(subject_id=row.subject_id, site_id=row.site_id, reading_id=row.reading_id)
        for row in session.execute(statement)
    ]


def calendars(session: Session, trial_id: str, subject_id: str | None) -> Mapping[str, Sequence[Place]]:
    """Return the timepoints of a subject, or of every subject of a trial."""
    statement = select(
        TimepointRow.subject_id,
        TimepointRow.timepoint_id,
        TimepointRow.number,
        TimepointRow.imaged_on,
        TimepointRow.closes_on,
        TimepointRow.progress,
    ).where(TimepointRow.trial_id == trial_id)
    if subject_id is not None:
        statement = statement.where(TimepointRow.subject_id == subject_id)
    found: dict[str, list[Place]] = {}
    for row in session.execute(statement):
        found.setdefault(row.subject_id, []).append(
            Place(
                timepoint_id=row.timepoint_id,
                number=row.number,
                imaged_on=row.imaged_on,
                closes_on=row.closes_on,
                progress=Progress(row.progress),
            )
        )
    return found


def decisions(session: Session, trial_id: str, subject_id: str | None) -> Mapping[str, Sequence[Decision]]:
    """Return every decision about a subject, or about every subject of a trial, the first one first."""
    statement = select(DecisionRow).where(DecisionRow.trial_id == trial_id).order_by(DecisionRow.edition)
    if subject_id is not None:
        statement = statement.where(DecisionRow.subject_id == subject_id)
    found: dict[str, list[Decision]] = {}
    for row in session.scalars(statement):
        values = {name: getattr(row, name) for name in Decision.__slots__}
        found.setdefault(row.subject_id, []).append(Decision(**values))
    return found


def add(session: Session, decision: Decision) -> None:
    """Keep a decision."""
    session.add(DecisionRow(**{name: getattr(decision, name) for name in Decision.__slots__}))
    session.flush()
