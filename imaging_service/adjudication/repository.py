"""The SQL of adjudication: subjects with their calendars, decisions, and what is kept of reviews."""

from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import astuple, dataclass
from datetime import date
from typing import Any

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from imaging_service.accounts.scope import Scope
from imaging_service.adjudication.finishing import Place
from imaging_service.adjudication.kept import KeptReview
from imaging_service.adjudication.review import Decision, Standing
from imaging_service.adjudication.tables import DecisionRow, KeptReviewRow
from imaging_service.derived import repository as derived
from imaging_service.http.pages import Page, PageRequest
from imaging_service.subjects.tables import SubjectRow
from imaging_service.timepoints.records import Progress
from imaging_service.timepoints.tables import TimepointRow
from measurement.endpoints.agreement import PairSums


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
    subject_ids: Sequence[str] | None = None


def subjects(session: Session, scope: Scope, wanted: Wanted) -> Sequence[NamedSubject]:
    """Return the wanted subjects that are in the scope, by their names."""
    return [_subject(row) for row in session.execute(_named(scope, wanted).order_by(SubjectRow.subject_id))]


def _named(scope: Scope, wanted: Wanted) -> Select[str, str, str]:
    statement = select(SubjectRow.subject_id, SubjectRow.site_id, SubjectRow.reading_id).where(
        SubjectRow.trial_id == wanted.trial_id, scope.sites(SubjectRow.trial_id, SubjectRow.site_id)
    )
    for column, value in (
        (SubjectRow.subject_id, wanted.subject_id),
        (SubjectRow.reading_id, wanted.reading_id),
        (SubjectRow.site_id, wanted.site_id),
    ):
        if value is not None:
            statement = statement.where(column == value)
    if wanted.subject_ids is not None:
        statement = statement.where(SubjectRow.subject_id.in_(wanted.subject_ids))
    return statement


def _subject(row: Any) -> NamedSubject:  # noqa: ANN401  a row of `_named`
    return NamedSubject(subject_id=row.subject_id, site_id=row.site_id, reading_id=row.reading_id)


def calendars(session: Session, trial_id: str, subject_ids: Sequence[str]) -> Mapping[str, Sequence[Place]]:
    """Return the timepoints of some subjects of a trial."""
    statement = select(
        TimepointRow.subject_id,
        TimepointRow.timepoint_id,
        TimepointRow.number,
        TimepointRow.imaged_on,
        TimepointRow.closes_on,
        TimepointRow.progress,
    ).where(TimepointRow.trial_id == trial_id, TimepointRow.subject_id.in_(subject_ids))
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


def decisions(
    session: Session, trial_id: str, subject_ids: Sequence[str]
) -> Mapping[str, Sequence[Decision]]:
    """Return every decision about some subjects of a trial, the first one first."""
    statement = (
        select(DecisionRow)
        .where(DecisionRow.trial_id == trial_id, DecisionRow.subject_id.in_(subject_ids))
        .order_by(DecisionRow.edition)
    )
    found: dict[str, list[Decision]] = {}
    for row in session.scalars(statement):
        values = {name: getattr(row, name) for name in Decision.__slots__}
        found.setdefault(row.subject_id, []).append(Decision(**values))
    return found


def add(session: Session, decision: Decision) -> None:
    """Keep a decision."""
    session.add(DecisionRow(**{name: getattr(decision, name) for name in Decision.__slots__}))
    session.flush()


KEPT = KeptReviewRow


_PLAIN = (
    *("trial_id", "subject_id", "site_id", "reading_id"),
    *("finished_from", "standing", "slot"),
)


def kept_values(kept: KeptReview) -> Mapping[str, Any]:
    """Return a review as it is kept."""
    figures = [
        list(kept.differing),
        [[*pair, count] for pair, count in sorted(kept.responses.items())],
        list(astuple(kept.baseline_sums)),
        list(astuple(kept.later_sums)),
    ]
    return {**{name: getattr(kept, name) for name in _PLAIN}, "figures": figures}


def kept_reviews(session: Session, scope: Scope, wanted: Wanted) -> Iterator[KeptReview]:
    """Return what is kept of the reviews of a trial, or of one site of it; some of it may be out of date."""
    columns = [getattr(KeptReviewRow, name) for name in _PLAIN]
    statement = select(*columns, KeptReviewRow.figures).where(
        KeptReviewRow.trial_id == wanted.trial_id,
        scope.sites(KeptReviewRow.trial_id, KeptReviewRow.site_id),
    )
    if wanted.site_id is not None:
        statement = statement.where(KeptReviewRow.site_id == wanted.site_id)
    if wanted.subject_ids is not None:
        statement = statement.where(KeptReviewRow.subject_id.in_(wanted.subject_ids))
    for row in session.execute(statement):
        yield _kept(row)


def _kept(row: Any) -> KeptReview:  # noqa: ANN401  a row of `kept_reviews`
    differing, responses, baseline, later = row.figures
    return KeptReview(
        trial_id=row.trial_id,
        subject_id=row.subject_id,
        site_id=row.site_id,
        reading_id=row.reading_id,
        finished_from=row.finished_from,
        standing=Standing(row.standing),
        slot=row.slot,
        differing=differing,
        responses={(one, other): count for one, other, count in responses},
        baseline_sums=PairSums(*baseline),
        later_sums=PairSums(*later),
    )


def open_cases(  # noqa: PLR0913  a search has this many conditions
    session: Session,
    scope: Scope,
    wanted: Wanted,
    *,
    basis: str,
    today: date,
    not_of: AbstractSet[str],
    after: str,
    limit: int,
) -> Sequence[str]:
    """Return the subjects of a trial's open cases, by reading id, apart from those that are out of date.

    Parameters
    ----------
    session, scope, wanted
        Where to look; only the trial of `wanted` counts.
    basis
        What kept rows must follow from.
    today
        The day on which it is asked.
    not_of
        Subjects to leave out.
    after, limit
        The last reading id of the page before, and how many to return.
    """
    statement = (
        select(KeptReviewRow.subject_id)
        .where(
            KeptReviewRow.trial_id == wanted.trial_id,
            KeptReviewRow.standing == Standing.TO_ADJUDICATE,
            KeptReviewRow.reading_id > after,
            KeptReviewRow.finished_from <= today,
            KeptReviewRow.subject_id.not_in(sorted(not_of)),
            scope.sites(KeptReviewRow.trial_id, KeptReviewRow.site_id),
            derived.is_current(KeptReviewRow.trial_id, KeptReviewRow.subject_id, basis),
        )
        .order_by(KeptReviewRow.reading_id)
        .limit(limit)
    )
    return list(session.scalars(statement))


def page_of_subjects(session: Session, scope: Scope, wanted: Wanted, page: PageRequest) -> Page[NamedSubject]:
    """Return a page of the wanted subjects that are in the scope, by their names."""
    rows = session.execute(
        page.apply(_named(scope, wanted), SubjectRow.trial_id, SubjectRow.subject_id)
    ).all()
    return page.page(rows, lambda row: (wanted.trial_id, row.subject_id), _subject)
