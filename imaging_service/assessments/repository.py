"""Assessments in the database, reached only through the reads that a principal may see."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, exists, func, not_, or_, select
from sqlalchemy.orm import InstrumentedAttribute, Session, aliased

from imaging_service.accounts.principal import Principal
from imaging_service.assessments.tables import AssessmentRow
from imaging_service.reads.read import Read
from imaging_service.reads.repository import visible_to
from imaging_service.reads.tables import ReadRow


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
    progression_on: date | None
    rules_version: str
    protocol_version: str
    inputs: Mapping[str, Any]
    inputs_sha256: str
    answer: Mapping[str, Any]


def _visible(principal: Principal) -> Select[AssessmentRow]:
    """Select the assessments of the reads that a principal may see."""
    reads = visible_to(principal).with_only_columns(ReadRow.read_id)
    return select(AssessmentRow).where(AssessmentRow.read_id.in_(reads))


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
    session: Session, principal: Principal, trial_id: str, *, subject_id: str | None = None
) -> Sequence[Assessment]:
    """Return, for each subject and slot, the one answer that knows all that the reader has signed."""
    about = [AssessmentRow.subject_id, AssessmentRow.slot]
    return _first_of(session, principal, _wanted(trial_id, subject_id), about)


def at_timepoints(
    session: Session, principal: Principal, timepoint_ids: Sequence[str]
) -> Sequence[Assessment]:
    """Return the answers about timepoints that count now, one for each slot that has signed."""
    wanted = [AssessmentRow.timepoint_id.in_(timepoint_ids)]
    return _first_of(session, principal, wanted, [AssessmentRow.timepoint_id, AssessmentRow.slot])


def _wanted(trial_id: str, subject_id: str | None) -> list[ColumnElement[bool]]:
    wanted = [AssessmentRow.trial_id == trial_id]
    return wanted if subject_id is None else [*wanted, AssessmentRow.subject_id == subject_id]


def _first_of(
    session: Session,
    principal: Principal,
    wanted: Sequence[ColumnElement[bool]],
    about: Sequence[InstrumentedAttribute[Any]],
) -> Sequence[Assessment]:
    """Return the newest answer of each group: that of most reads, then the one derived last."""
    newest_first = (
        AssessmentRow.position.desc(),
        AssessmentRow.derived_at.desc(),
        AssessmentRow.edition.desc(),
    )
    ranked = (
        _visible(principal)
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


def timepoints_answered(principal: Principal, response: str) -> Select[str]:
    """Select the timepoints to which an overall response was given, by any reader the principal may see."""
    newer = aliased(AssessmentRow)
    is_newest = not_(
        exists().where(
            newer.timepoint_id == AssessmentRow.timepoint_id,
            newer.slot == AssessmentRow.slot,
            or_(
                newer.derived_at > AssessmentRow.derived_at,
                and_(
                    newer.derived_at == AssessmentRow.derived_at,
                    newer.edition > AssessmentRow.edition,
                ),
            ),
        )
    )
    return (
        _visible(principal)
        .where(AssessmentRow.overall_response == response, is_newest)
        .with_only_columns(AssessmentRow.timepoint_id)
    )


def editions(session: Session, principal: Principal, read_id: str) -> Sequence[Assessment]:
    """Return every answer about a read, the first one first."""
    statement = _visible(principal).where(AssessmentRow.read_id == read_id).order_by(AssessmentRow.edition)
    return [_assessment(row) for row in session.scalars(statement)]


def _assessment(row: AssessmentRow) -> Assessment:
    return Assessment(**{name: getattr(row, name) for name in Assessment.__slots__})
