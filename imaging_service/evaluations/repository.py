"""Site evaluations in the database, reached only within the sites of a scope."""

from collections.abc import Sequence
from datetime import date
from typing import Any

from sqlalchemy import Select, and_, func, select
from sqlalchemy.orm import Session

from imaging_service.accounts.scope import Scope
from imaging_service.evaluations.evaluation import Evaluation, Placed
from imaging_service.evaluations.tables import EvaluationRow
from imaging_service.http.pages import Page, PageRequest
from imaging_service.subjects.tables import SubjectRow
from imaging_service.timepoints.tables import TimepointRow


def _visible(scope: Scope, trial_id: str) -> Select[EvaluationRow, str, int | None, date | None, int]:
    """Select the evaluations of a trial's sites that are in the scope, with their places."""
    newest = func.max(EvaluationRow.edition).over(partition_by=EvaluationRow.timepoint_id)
    return (
        select(
            EvaluationRow,
            SubjectRow.site_id,
            TimepointRow.number,
            TimepointRow.imaged_on,
            newest.label("newest"),
        )
        .join(TimepointRow, TimepointRow.timepoint_id == EvaluationRow.timepoint_id)
        .join(
            SubjectRow,
            and_(
                SubjectRow.trial_id == EvaluationRow.trial_id,
                SubjectRow.subject_id == EvaluationRow.subject_id,
            ),
        )
        .where(EvaluationRow.trial_id == trial_id, scope.sites(SubjectRow.trial_id, SubjectRow.site_id))
    )


def every(session: Session, scope: Scope, trial_id: str) -> Sequence[Placed]:
    """Return every evaluation of a trial in the scope, by subject and day."""
    statement = _visible(scope, trial_id).order_by(
        EvaluationRow.subject_id, TimepointRow.imaged_on, EvaluationRow.timepoint_id, EvaluationRow.edition
    )
    return [_placed(row) for row in session.execute(statement)]


def page(
    session: Session, scope: Scope, trial_id: str, subject_id: str | None, wanted: PageRequest
) -> Page[Placed]:
    """Return the evaluations of a trial or of one subject, by subject, timepoint and edition."""
    statement = _visible(scope, trial_id)
    if subject_id is not None:
        statement = statement.where(EvaluationRow.subject_id == subject_id)
    key = (EvaluationRow.subject_id, EvaluationRow.timepoint_id, EvaluationRow.edition)
    rows = session.execute(wanted.apply(statement, *key)).all()
    return wanted.page(rows, lambda row: (row[0].subject_id, row[0].timepoint_id, row[0].edition), _placed)


def newest(session: Session, timepoint_id: str) -> Evaluation | None:
    """Return the newest edition about a timepoint that the caller has found in the scope."""
    statement = (
        select(EvaluationRow)
        .where(EvaluationRow.timepoint_id == timepoint_id)
        .order_by(EvaluationRow.edition.desc())
        .limit(1)
    )
    row = session.scalar(statement)
    return None if row is None else _evaluation(row)


def add(session: Session, evaluation: Evaluation) -> None:
    """Keep one more edition."""
    session.add(EvaluationRow(**{name: getattr(evaluation, name) for name in Evaluation.__slots__}))
    session.flush()


def _placed(row: Any) -> Placed:  # noqa: ANN401  a row of `_visible`
    return Placed(
        evaluation=_evaluation(row[0]),
        site_id=row.site_id,
        number=row.number,
        imaged_on=row.imaged_on,
        is_current=row[0].edition == row.newest,
    )


def _evaluation(row: EvaluationRow) -> Evaluation:
    return Evaluation(**{name: getattr(row, name) for name in Evaluation.__slots__})
