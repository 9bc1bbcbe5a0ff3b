"""Assessments in the database, reached only through the reads that a principal may see."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, func, not_, select, tuple_
from sqlalchemy.orm import InstrumentedAttribute, Session, aliased

from imaging_service.accounts.principal import Principal
from imaging_service.assessments.tables import AssessmentRow
from imaging_service.reads.read import Read
from imaging_service.reads.repository import SYSTEM, visible_to
from imaging_service.reads.tables import ReadRow
from imaging_service.subjects.tables import SubjectRow


@dataclass(frozen=True, slots=True, kw_only=True)
class Assessment:
    """The responses that follow from one read and the reader's earlier ones, as stored."""

    assessment_id: str
    read_id: str
    edition: int
    because_of: str
    derived_at: datetime
    trial_id: str
    subject_id: str
    slot: int
    timepoint_id: str
    position: int
    sum_mm: Decimal | None
    target_response: str | None
    non_target_response: str | None
    new_lesion: str | None
    overall_response: str | None
    best_response: str
    confirmed_best_response: str
    responded_on: date | None
    progression_on: date | None
    rules_version: str
    protocol_version: str
    inputs: Mapping[str, Any]
    inputs_sha256: str
    answer: Mapping[str, Any]


def _visible(principal: Principal) -> Select[AssessmentRow]:
    """Select the assessments of the reads that a principal may see."""
    own = visible_to(principal).where(ReadRow.read_id == AssessmentRow.read_id)
    return select(AssessmentRow).where(own.correlate(AssessmentRow).exists())


def add(session: Session, assessment: Assessment) -> None:
    """Keep one more answer."""
    values = {name: getattr(assessment, name) for name in Assessment.__slots__}
    session.add(AssessmentRow(**values))
    session.flush()


def newest_of(session: Session, principal: Principal, read: Read) -> Assessment | None:
    """Return the answer about a read that counts now, or None."""
    statement = (
        _visible(principal)
        .where(AssessmentRow.read_id == read.read_id)
        .order_by(AssessmentRow.edition.desc())
        .limit(1)
    )
    row = session.scalar(statement)
    return None if row is None else _assessment(row)


def newest(
    session: Session, principal: Principal, trial_id: str, *, subject_id: str | None = None
) -> Sequence[Assessment]:
    """Return the newest answer about each signed read, superseded reads included, by subject and slot."""
    return _first_of(session, principal, _wanted(trial_id, subject_id), [AssessmentRow.read_id])


def as_of_now(
    session: Session, principal: Principal, trial_id: str, subject_ids: Sequence[str]
) -> Sequence[Assessment]:
    """Return, for each subject and slot, the one answer that knows all that the reader has signed."""
    about = [AssessmentRow.subject_id, AssessmentRow.slot]
    wanted = [AssessmentRow.trial_id == trial_id, AssessmentRow.subject_id.in_(subject_ids)]
    return _first_of(session, principal, wanted, about)


def extent(session: Session, trial_id: str) -> tuple[int, int]:
    """Return how many answers are stored about a trial, and the highest slot: for the system's own count."""
    statement = (
        _visible(SYSTEM)
        .where(AssessmentRow.trial_id == trial_id)
        .with_only_columns(func.count(), func.max(AssessmentRow.slot))
    )
    row = session.execute(statement).one()
    return row[0], row[1] or 0


def newest_of_some(
    session: Session, principal: Principal, trial_id: str, subject_ids: Sequence[str]
) -> Sequence[Assessment]:
    """Return the newest answer about each signed read of some subjects, superseded reads included."""
    wanted = [AssessmentRow.trial_id == trial_id, AssessmentRow.subject_id.in_(subject_ids)]
    return _first_of(session, principal, wanted, [AssessmentRow.read_id])


def _wanted(trial_id: str, subject_id: str | None) -> list[ColumnElement[bool]]:
    wanted = [AssessmentRow.trial_id == trial_id]
    return wanted if subject_id is None else [*wanted, AssessmentRow.subject_id == subject_id]


def _first_of(
    session: Session,
    principal: Principal,
    wanted: Sequence[ColumnElement[bool]],
    about: Sequence[InstrumentedAttribute[Any]],
) -> Sequence[Assessment]:
    """Return the newest answer of each group: of most reads, of the newest revision, derived last."""
    newest_first = (
        AssessmentRow.position.desc(),
        ReadRow.revision.desc(),
        AssessmentRow.derived_at.desc(),
        AssessmentRow.edition.desc(),
    )
    ranked = (
        _visible(principal)
        .join(ReadRow, ReadRow.read_id == AssessmentRow.read_id)
        .where(*wanted)
        .with_only_columns(
            AssessmentRow.assessment_id,
            func.row_number().over(partition_by=about, order_by=newest_first).label("rank"),
        )
        .subquery()
    )
    statement = (
        _visible(principal)
        .join(ranked, ranked.c.assessment_id == AssessmentRow.assessment_id)
        .where(ranked.c.rank == 1)
        .order_by(AssessmentRow.subject_id, AssessmentRow.slot, AssessmentRow.position)
    )
    return [_assessment(row) for row in session.scalars(statement)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Response:
    """One reader's answer about one timepoint that counts now, in short."""

    trial_id: str
    site_id: str
    subject_id: str
    timepoint_id: str
    number: int | None
    imaged_on: date
    slot: int
    read_id: str
    revision: int
    position: int
    sum_mm: Decimal | None
    target_response: str | None
    non_target_response: str | None
    new_lesion: str | None
    overall_response: str | None
    best_response: str
    confirmed_best_response: str
    responded_on: date | None
    progression_on: date | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ResponseFilter:
    """Which answers are wanted; None asks nothing."""

    site_id: str | None = None
    subject_id: str | None = None
    slot: int | None = None
    response: str | None = None
    subject_ids: Sequence[str] | None = None


def responses_of_some(
    session: Session, principal: Principal, trial_id: str, subject_ids: Sequence[str]
) -> Iterator[Response]:
    """Yield the answers that count now of some subjects, by subject, slot and reading order."""
    statement, key = responses(principal, trial_id, ResponseFilter(subject_ids=subject_ids))
    for row in session.execute(statement.order_by(*key)):
        yield response_of(row)


def responses(
    principal: Principal, trial_id: str, wanted: ResponseFilter
) -> tuple[Select[Any], Sequence[InstrumentedAttribute[Any]]]:
    """Select the answers that count now, one for each timepoint and slot, and say what they are ordered by.

    Returns
    -------
    tuple
        The statement, whose rows `response_of` reads, and a unique key to order it by.
    """
    of_assessment = [
        getattr(AssessmentRow, name) for name in Response.__slots__ if hasattr(AssessmentRow, name)
    ]
    statement: Select[Any] = (
        _visible(principal)
        .join(ReadRow, ReadRow.read_id == AssessmentRow.read_id)
        .join(
            SubjectRow,
            and_(
                SubjectRow.trial_id == AssessmentRow.trial_id,
                SubjectRow.subject_id == AssessmentRow.subject_id,
            ),
        )
        .where(AssessmentRow.trial_id == trial_id, _counts_now(principal), *_asked(wanted))
        .with_only_columns(
            *of_assessment, SubjectRow.site_id, ReadRow.number, ReadRow.imaged_on, ReadRow.revision
        )
    )
    key: Sequence[InstrumentedAttribute[Any]] = (
        AssessmentRow.subject_id,
        AssessmentRow.slot,
        AssessmentRow.position,
        AssessmentRow.timepoint_id,
    )
    return statement, key


def overall_responses(
    session: Session, principal: Principal, trial_id: str, wanted: ResponseFilter
) -> Iterator[tuple[str, int, date, str | None]]:
    """Yield subject, slot, day of imaging and overall response of each of `responses`, in any order."""
    statement, _ = responses(principal, trial_id, wanted)
    short = statement.with_only_columns(
        AssessmentRow.subject_id, AssessmentRow.slot, ReadRow.imaged_on, AssessmentRow.overall_response
    )
    yield from session.execute(short)


def _counts_now(principal: Principal) -> ColumnElement[bool]:
    """Whether no newer answer about the same timepoint by the same reader is there; needs `ReadRow` beside.

    The newest revision of the read counts, and of its answers the one derived last.
    """
    newer, its_read = aliased(AssessmentRow), aliased(ReadRow, visible_to(principal).subquery())
    age = tuple_(ReadRow.revision, AssessmentRow.derived_at, AssessmentRow.edition)
    statement = (
        select(newer.assessment_id)
        .join(its_read, its_read.read_id == newer.read_id)
        .where(
            newer.timepoint_id == AssessmentRow.timepoint_id,
            newer.slot == AssessmentRow.slot,
            tuple_(its_read.revision, newer.derived_at, newer.edition) > age,
        )
    )
    return not_(statement.correlate(AssessmentRow, ReadRow).exists())


def _asked(wanted: ResponseFilter) -> Iterator[ColumnElement[bool]]:
    if wanted.site_id is not None:
        yield SubjectRow.site_id == wanted.site_id
    if wanted.subject_id is not None:
        yield AssessmentRow.subject_id == wanted.subject_id
    if wanted.subject_ids is not None:
        yield AssessmentRow.subject_id.in_(wanted.subject_ids)
    if wanted.slot is not None:
        yield AssessmentRow.slot == wanted.slot
    if wanted.response is not None:
        yield AssessmentRow.overall_response == wanted.response


def response_of(row: Any) -> Response:  # noqa: ANN401  a row of `responses`
    """Read a row of `responses`."""
    return Response(**{name: getattr(row, name) for name in Response.__slots__})


def timepoints_answered(principal: Principal, response: str) -> Select[str]:
    """Select the timepoints to which a reader whom the principal may see has given an overall response."""
    return (
        _visible(principal)
        .join(ReadRow, ReadRow.read_id == AssessmentRow.read_id)
        .where(AssessmentRow.overall_response == response, _counts_now(principal))
        .with_only_columns(AssessmentRow.timepoint_id)
    )


def editions(session: Session, principal: Principal, read_id: str) -> Sequence[Assessment]:
    """Return every answer about a read, the first one first."""
    statement = _visible(principal).where(AssessmentRow.read_id == read_id).order_by(AssessmentRow.edition)
    return [_assessment(row) for row in session.scalars(statement)]


def _assessment(row: AssessmentRow) -> Assessment:
    return Assessment(**{name: getattr(row, name) for name in Assessment.__slots__})
