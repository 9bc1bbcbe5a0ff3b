"""Site evaluations in the database, reached only within the sites of a scope."""

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from datetime import date
from typing import Any

from pydantic import TypeAdapter
from sqlalchemy import Select, and_, case, func, select
from sqlalchemy.orm import Session, aliased

from imaging_service.accounts.scope import Scope
from imaging_service.adjudication.review import FIRST
from imaging_service.adjudication.tables import KeptReviewRow
from imaging_service.derived import repository as derived
from imaging_service.evaluations.comparison import Pair
from imaging_service.evaluations.evaluation import Evaluation, Placed
from imaging_service.evaluations.kept import Agreement, KeptComparison
from imaging_service.evaluations.tables import EvaluationRow, KeptComparisonRow
from imaging_service.http.pages import Page, PageRequest
from imaging_service.subjects.tables import SubjectRow
from imaging_service.timepoints.tables import TimepointRow

_PAIR = TypeAdapter(Pair)


def _visible(scope: Scope, trial_id: str) -> Select[EvaluationRow, str, int | None, date | None, int]:
    """Select the evaluations of a trial's sites that are in the scope, with their places."""
    later = aliased(EvaluationRow)
    newest = (
        select(func.max(later.edition))
        .where(later.timepoint_id == EvaluationRow.timepoint_id)
        .correlate(EvaluationRow)
        .scalar_subquery()
    )
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


def current(
    session: Session, scope: Scope, trial_id: str, subject_ids: Sequence[str]
) -> Mapping[str, Sequence[Placed]]:
    """Return the evaluations of some subjects that no later edition corrects, by subject and then by day."""
    statement = (
        _visible(scope, trial_id)
        .where(EvaluationRow.subject_id.in_(subject_ids))
        .order_by(TimepointRow.imaged_on, EvaluationRow.timepoint_id, EvaluationRow.edition)
    )
    found: dict[str, list[Placed]] = {}
    for each in map(_placed, session.execute(statement)):
        if each.is_current:
            found.setdefault(each.evaluation.subject_id, []).append(each)
    return found


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


KEPT = KeptComparisonRow


def kept_values(kept: KeptComparison) -> Mapping[str, Any]:
    """Return a comparison as it is kept."""
    return {
        "slot": kept.slot,
        "site_id": kept.site_id,
        "differs": bool(kept.differing),
        "figures": {
            "responses": [[*pair, count] for pair, count in sorted(kept.responses.items())],
            "agreeing": dict(kept.agreeing),
            "compared": dict(kept.compared),
        },
        "differing": [_PAIR.dump_python(each, mode="json") for each in kept.differing],
    }


def _that_count(
    scope: Scope,
    trial_id: str,
    today: date,
    *columns: Any,  # noqa: ANN401  any column
) -> Select[*tuple[Any, ...]]:
    """Select what is kept of the reads that count on a day, accepted or provisional."""
    counts = case((KeptReviewRow.finished_from <= today, KeptReviewRow.slot), else_=FIRST)
    return (
        select(*columns)
        .join(
            KeptReviewRow,
            and_(
                KeptReviewRow.trial_id == KeptComparisonRow.trial_id,
                KeptReviewRow.subject_id == KeptComparisonRow.subject_id,
            ),
        )
        .where(
            KeptComparisonRow.trial_id == trial_id,
            KeptComparisonRow.slot == counts,
            scope.sites(KeptComparisonRow.trial_id, KeptComparisonRow.site_id),
        )
    )


def agreement(
    session: Session, scope: Scope, trial_id: str, today: date, without: AbstractSet[str]
) -> Agreement:
    """Return what the kept comparisons of the reads that count add up to, apart from some subjects."""
    found = Agreement()
    statement = _that_count(scope, trial_id, today, KeptComparisonRow.subject_id, KeptComparisonRow.figures)
    for subject_id, figures in session.execute(statement):
        if subject_id not in without:
            for site, central, count in figures["responses"]:
                found.responses[site, central] += count
            found.agreeing.update(figures["agreeing"])
            found.compared.update(figures["compared"])
    return found


def differing(  # noqa: PLR0913  a search has this many conditions
    session: Session, scope: Scope, trial_id: str, *, basis: str, today: date, after: str, limit: int
) -> Sequence[Pair]:
    """Return the differences of the first subjects from `after` on that have any, none out of date."""
    statement = (
        _that_count(scope, trial_id, today, KeptComparisonRow.differing)
        .where(
            KeptComparisonRow.differs,
            KeptComparisonRow.subject_id >= after,
            derived.is_current(KeptComparisonRow.trial_id, KeptComparisonRow.subject_id, basis),
        )
        .order_by(KeptComparisonRow.subject_id)
        .limit(limit)
    )
    return [_PAIR.validate_python(pair) for of_subject in session.scalars(statement) for pair in of_subject]
