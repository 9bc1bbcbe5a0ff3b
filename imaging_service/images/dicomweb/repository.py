"""Studies within a principal's scope, and the instances that were matched with them."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from sqlalchemy import and_, exists, or_, select
from sqlalchemy.orm import Session, aliased

from imaging_service.accounts.scope import Scope
from imaging_service.subjects.tables import SubjectRow
from imaging_service.timepoints.membership_repository import of_study, timepoint_of_series
from imaging_service.timepoints.records import StudyState
from imaging_service.timepoints.tables import StudyInstanceRow, StudyRow, StudySeriesRow, TimepointRow
from imaging_service.trials.tables import SiteRow

_AT_ONCE = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class FiledStudy:
    """A study and where it belongs."""

    study_instance_uid: str
    trial_id: str | None
    timepoint_id: str | None  # of a matched study
    number: int | None  # of the timepoint
    reading_id: str | None
    study_date: date | None
    baseline_on: date | None
    """The day of the subject's baseline."""
    split_to: Mapping[str, int | None] = field(default_factory=dict)
    """Numbers of the other timepoints that have series of it, by their ids."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FiledInstance:
    """An instance of a matched study."""

    study_instance_uid: str
    series_instance_uid: str
    sop_instance_uid: str
    sop_class_uid: str
    modality: str
    is_identity_removed: bool
    """Whether its sender declares so (0012,0062)."""
    timepoint_id: str | None
    """Of its series, which may have been split from its study's."""


def studies(session: Session, scope: Scope, uids: Sequence[str] | None) -> Sequence[FiledStudy]:
    """Return the studies of the scope in the order of their UIDs.

    Parameters
    ----------
    session
        The transaction.
    scope
        Of who asks.
    uids
        The only ones wanted, or None for all.
    """
    baseline = aliased(TimepointRow)
    site_of_scope = exists().where(
        SiteRow.site_id == StudyRow.site_id, scope.sites(SiteRow.trial_id, SiteRow.site_id)
    )
    statement = (
        select(StudyRow, TimepointRow.number, SubjectRow.reading_id, baseline.imaged_on)
        .outerjoin(TimepointRow, TimepointRow.timepoint_id == StudyRow.timepoint_id)
        .outerjoin(
            SubjectRow,
            and_(SubjectRow.trial_id == StudyRow.trial_id, SubjectRow.subject_id == StudyRow.subject_id),
        )
        .outerjoin(
            baseline,
            and_(
                baseline.trial_id == StudyRow.trial_id,
                baseline.subject_id == StudyRow.subject_id,
                baseline.number == 0,
            ),
        )
        .where(
            or_(
                scope.sites(StudyRow.trial_id, SubjectRow.site_id),
                and_(StudyRow.state != StudyState.MATCHED, site_of_scope),
            )
        )
        .order_by(StudyRow.study_instance_uid)
    )
    if uids is not None:
        statement = statement.where(StudyRow.study_instance_uid.in_(uids))
    split = _split(session, uids)
    return [
        FiledStudy(
            study_instance_uid=row.study_instance_uid,
            trial_id=row.trial_id,
            timepoint_id=row.timepoint_id if row.state == StudyState.MATCHED else None,
            number=number,
            reading_id=reading_id,
            study_date=row.study_date,
            baseline_on=baseline_on,
            split_to=split.get(row.study_instance_uid, {}),
        )
        for row, number, reading_id, baseline_on in session.execute(statement)
    ]


def _split(session: Session, uids: Sequence[str] | None) -> Mapping[str, Mapping[str, int | None]]:
    """Return the timepoints to which series of studies were split, with their numbers, by study."""
    statement = (
        select(StudySeriesRow.study_instance_uid, TimepointRow.timepoint_id, TimepointRow.number)
        .join(TimepointRow, TimepointRow.timepoint_id == StudySeriesRow.timepoint_id)
        .distinct()
    )
    if uids is not None:
        statement = statement.where(StudySeriesRow.study_instance_uid.in_(uids))
    found: dict[str, dict[str, int | None]] = {}
    for study, timepoint_id, number in session.execute(statement):
        found.setdefault(study, {})[timepoint_id] = number
    return found


def study_of(session: Session, sop_instance_uid: str) -> str | None:
    """Return the study of an instance."""
    wanted = StudyInstanceRow.sop_instance_uid == sop_instance_uid
    return session.scalar(select(StudyInstanceRow.study_instance_uid).where(wanted))


def instances(session: Session, study_instance_uids: Sequence[str]) -> Iterator[FiledInstance]:
    """Give the instances that these studies had when they were matched, and those that came late."""
    for begin in range(0, len(study_instance_uids), _AT_ONCE):
        rows = session.execute(
            select(
                StudyInstanceRow.study_instance_uid,
                StudyInstanceRow.series_instance_uid,
                StudyInstanceRow.sop_instance_uid,
                StudyInstanceRow.sop_class_uid,
                StudySeriesRow.modality,
                StudySeriesRow.facts,
                timepoint_of_series(),
            )
            .join(
                StudySeriesRow,
                and_(
                    StudySeriesRow.study_instance_uid == StudyInstanceRow.study_instance_uid,
                    StudySeriesRow.series_instance_uid == StudyInstanceRow.series_instance_uid,
                ),
            )
            .join(StudyRow, of_study())
            .where(StudyInstanceRow.study_instance_uid.in_(study_instance_uids[begin : begin + _AT_ONCE]))
        )
        for study, series, instance, sop_class, modality, facts, timepoint_id in rows:
            yield FiledInstance(
                study_instance_uid=study,
                series_instance_uid=series,
                sop_instance_uid=instance,
                sop_class_uid=sop_class,
                modality=modality or "",
                is_identity_removed=facts.get("is_identity_removed") is True,
                timepoint_id=timepoint_id,
            )
