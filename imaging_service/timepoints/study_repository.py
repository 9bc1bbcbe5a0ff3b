"""Received studies, their facts and every decision about them, in the database."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, false, func, insert, literal, or_, select, true, union, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from imaging_service.accounts.scope import Scope
from imaging_service.http.pages import Page, PageRequest
from imaging_service.timepoints.doubts import Confidence
from imaging_service.timepoints.facts import SeriesFacts, StudyFacts, visible
from imaging_service.timepoints.membership_repository import of_study, series_on, timepoint_of_series
from imaging_service.timepoints.placing import Placement
from imaging_service.timepoints.records import (
    Decision,
    StoredInstance,
    StoredSeries,
    Study,
    StudyState,
    Verdict,
)
from imaging_service.timepoints.tables import (
    StudyDecisionRow,
    StudyInstanceRow,
    StudyRow,
    StudySeriesRow,
)
from imaging_service.trials.tables import SiteRow


@dataclass(frozen=True, slots=True, kw_only=True)
class Decided:
    """A verdict with who gave it and when."""

    verdict: Verdict
    by: str
    at: datetime


def find(session: Session, study_instance_uid: str, *, lock: bool = False) -> Study | None:
    """Return a study, whoever asks; `lock` keeps others from deciding about it."""
    statement = select(StudyRow).where(StudyRow.study_instance_uid == study_instance_uid)
    if lock:
        statement = statement.with_for_update()
    row = session.scalar(statement.execution_options(populate_existing=True))
    return None if row is None else _study(row)


def find_in(
    session: Session, scope: Scope, trial_id: str, study_instance_uid: str, *, lock: bool
) -> Study | None:
    """Return a study that belongs, or may belong, to a trial of the scope."""
    statement = (
        select(StudyRow)
        .where(StudyRow.study_instance_uid == study_instance_uid, _concerns(scope, trial_id))
        .execution_options(populate_existing=True)
    )
    row = session.scalar(statement.with_for_update() if lock else statement)
    return None if row is None else _study(row)


def page(
    session: Session, scope: Scope, trial_id: str, state: StudyState, request: PageRequest
) -> Page[Study]:
    """Return the studies of a state that belong, or may belong, to a trial."""
    statement = select(StudyRow).where(StudyRow.state == state, _concerns(scope, trial_id))
    rows = session.scalars(request.apply(statement, StudyRow.study_instance_uid)).all()
    return request.page(rows, lambda row: (row.study_instance_uid,), _study)


def _concerns(scope: Scope, trial_id: str) -> ColumnElement[bool]:
    """Whether a study is the trial's, or nobody's and from a site of the trial.

    A study from a site of no trial at all is shown to who sees every trial.
    """
    site = and_(SiteRow.trial_id == trial_id, SiteRow.site_id == StudyRow.site_id)
    of_nobody = or_(
        StudyRow.site_id.is_(None), ~select(SiteRow).where(SiteRow.site_id == StudyRow.site_id).exists()
    )
    may_be = or_(select(SiteRow).where(site).exists(), of_nobody if scope.everywhere else false())
    return and_(
        or_(StudyRow.trial_id == trial_id, and_(StudyRow.trial_id.is_(None), may_be)),
        true() if scope.everywhere else scope.sites(literal(trial_id), StudyRow.site_id),
    )


def waiting(session: Session, trial_id: str, site_id: str) -> Sequence[Study]:
    """Return the unmatched studies to which a change of a subject of the site may give a place.

    Nobody else decides about them until the transaction ends.
    """
    rows = session.scalars(
        select(StudyRow)
        .where(
            StudyRow.state == StudyState.UNMATCHED,
            or_(
                StudyRow.trial_id == trial_id,
                and_(StudyRow.trial_id.is_(None), StudyRow.site_id == site_id),
            ),
        )
        .order_by(StudyRow.study_date, StudyRow.received_at, StudyRow.study_instance_uid)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    return [_study(row) for row in rows]


def of_timepoints(session: Session, timepoint_ids: Sequence[str]) -> Mapping[str, Sequence[Study]]:
    """Return the studies that have series on these timepoints, by timepoint in the order of their dates."""
    whole = select(StudyRow.timepoint_id, StudyRow.study_instance_uid).where(
        StudyRow.timepoint_id.in_(timepoint_ids), StudyRow.state == StudyState.MATCHED
    )
    split = select(StudySeriesRow.timepoint_id, StudySeriesRow.study_instance_uid).where(
        StudySeriesRow.timepoint_id.in_(timepoint_ids)
    )
    places = union(whole, split).subquery()
    rows = session.execute(
        select(places.c.timepoint_id, StudyRow)
        .join(StudyRow, StudyRow.study_instance_uid == places.c.study_instance_uid)
        .order_by(StudyRow.study_date, StudyRow.received_at, StudyRow.study_instance_uid)
        .execution_options(populate_existing=True)
    )
    found: dict[str, list[Study]] = {}
    for timepoint_id, row in rows:
        found.setdefault(timepoint_id, []).append(_study(row))
    return found


def timepoints_of(session: Session, study_instance_uid: str) -> Sequence[str]:
    """Return the timepoints that have series of a study: its own, then those that it was split to."""
    own = session.scalars(
        select(StudyRow.timepoint_id).where(
            StudyRow.study_instance_uid == study_instance_uid, StudyRow.timepoint_id.is_not(None)
        )
    )
    split = session.scalars(
        select(StudySeriesRow.timepoint_id)
        .where(
            StudySeriesRow.study_instance_uid == study_instance_uid,
            StudySeriesRow.timepoint_id.is_not(None),
        )
        .order_by(StudySeriesRow.timepoint_id)
    )
    return list(dict.fromkeys(each for each in (*own, *split) if each is not None))


def series_of_study(session: Session, study_instance_uid: str) -> Sequence[StoredSeries]:
    """Return the series of a study in the order of their numbers, without their instances."""
    rows = session.scalars(
        select(StudySeriesRow)
        .where(StudySeriesRow.study_instance_uid == study_instance_uid)
        .order_by(StudySeriesRow.series_number, StudySeriesRow.series_instance_uid)
        .execution_options(populate_existing=True)
    )
    return [_series(row, ()) for row in rows]


def split_to(
    session: Session, study_instance_uid: str, series: Sequence[str], timepoint_id: str | None
) -> None:
    """Give series of a study a timepoint of their own; None puts them back on their study's."""
    session.execute(
        update(StudySeriesRow)
        .where(
            StudySeriesRow.study_instance_uid == study_instance_uid,
            StudySeriesRow.series_instance_uid.in_(series),
        )
        .values(timepoint_id=timepoint_id)
    )


def instance_count(session: Session, study_instance_uid: str, series: Sequence[str]) -> int:
    """Return how many instances some series of a study have."""
    statement = select(func.count()).where(
        StudyInstanceRow.study_instance_uid == study_instance_uid,
        StudyInstanceRow.series_instance_uid.in_(series),
    )
    return session.scalar(statement) or 0


def first_instances(session: Session, studies: Sequence[str]) -> Mapping[str, tuple[str, str]]:
    """Return a series and an instance with pixels of each study, to show what it looks like."""
    middle = (
        select(
            StudyInstanceRow.study_instance_uid,
            StudyInstanceRow.series_instance_uid,
            StudyInstanceRow.sop_instance_uid,
            func.row_number()
            .over(
                partition_by=StudyInstanceRow.study_instance_uid,
                order_by=(StudyInstanceRow.series_instance_uid, StudyInstanceRow.sop_instance_uid),
            )
            .label("rank"),
        )
        .where(StudyInstanceRow.study_instance_uid.in_(studies), StudyInstanceRow.rows.is_not(None))
        .subquery()
    )
    rows = session.execute(select(middle).where(middle.c.rank == 1))
    return {row.study_instance_uid: (row.series_instance_uid, row.sop_instance_uid) for row in rows}


def of_subject(session: Session, trial_id: str, subject_id: str, *, lock: bool = False) -> Sequence[Study]:
    """Return the studies that are matched to a subject, in the order of their dates."""
    statement = (
        select(StudyRow)
        .where(
            StudyRow.trial_id == trial_id,
            StudyRow.subject_id == subject_id,
            StudyRow.state == StudyState.MATCHED,
        )
        .order_by(StudyRow.study_date, StudyRow.received_at, StudyRow.study_instance_uid)
        .execution_options(populate_existing=True)
    )
    rows = session.scalars(statement.with_for_update() if lock else statement)
    return [_study(row) for row in rows]


def keep_facts(session: Session, facts: StudyFacts, *, is_late: bool, first: Decided) -> int:
    """Keep what the archive says of a study, and return how many instances are new.

    Parameters
    ----------
    session
        The transaction.
    facts
        The study.
    is_late
        Whether the new instances came after the study had been matched.
    first
        The verdict of a study that was not known before.
    """
    record = facts.record
    values: dict[str, Any] = {
        "site_id": facts.site_id,
        "patient_ids": list(facts.patient_ids),
        "issuer": visible(record.issuer_of_patient_id),
        "study_date": record.study_date,
        "study_date_is_unreadable": facts.date_is_unreadable,
        "modalities": [visible(each) for each in record.modalities if each],
        "protocol_tag": visible(record.clinical_trial_protocol_id),
        "subject_tag": visible(record.clinical_trial_subject_id),
        "series_count": record.number_of_series,
        "instance_count": record.number_of_instances,
        "received_at": record.received_at,
        "settled_at": record.settled_at,
        "conflicts": facts.conflicts,
    }
    uid = record.study_instance_uid
    changed = session.execute(
        update(StudyRow).where(StudyRow.study_instance_uid == uid).values(**values).returning(StudyRow.state)
    ).first()
    if changed is None:
        opening = _verdict_values(first.verdict) | {"decided_by": first.by, "version": 0}
        session.execute(insert(StudyRow).values(study_instance_uid=uid, **values, **opening))
    return _keep_series(session, uid, facts.series, is_late=is_late)


def _keep_series(
    session: Session, study_instance_uid: str, series: Iterable[SeriesFacts], *, is_late: bool
) -> int:
    dialect: Any = postgresql if session.get_bind().dialect.name == "postgresql" else sqlite
    count = 0
    for each in series:
        record = each.record
        session.execute(
            dialect.insert(StudySeriesRow)
            .values(
                study_instance_uid=study_instance_uid,
                series_instance_uid=record.series_instance_uid,
                modality=visible(record.modality) or None,
                series_number=record.series_number,
                description=visible(record.series_description) or None,
                frame_of_reference_uid=visible(record.frame_of_reference_uid) or None,
                facts=dict(each.coded),
            )
            .on_conflict_do_nothing()
        )
        rows = list(_instance_values(study_instance_uid, each, is_late=is_late))
        if rows:
            session.execute(insert(StudyInstanceRow), rows)
        count += len(rows)
    return count


def _instance_values(
    study_instance_uid: str, series: SeriesFacts, *, is_late: bool
) -> Iterable[dict[str, Any]]:
    for facts in series.instances:
        record = facts.record
        yield {
            "sop_instance_uid": record.sop_instance_uid,
            "study_instance_uid": study_instance_uid,
            "series_instance_uid": series.record.series_instance_uid,
            "sop_class_uid": record.sop_class_uid,
            "transfer_syntax_uid": record.transfer_syntax_uid,
            "instance_number": record.instance_number,
            "rows": record.rows,
            "columns": record.columns,
            "number_of_frames": record.number_of_frames,
            "size": record.size,
            "sha256": record.digest,
            "frames": [dict(frame) for frame in facts.frames],
            "is_late": is_late,
        }


def set_conflicts(session: Session, study_instance_uid: str, conflicts: int) -> None:
    """Count the instances that were kept apart from a study."""
    session.execute(
        update(StudyRow).where(StudyRow.study_instance_uid == study_instance_uid).values(conflicts=conflicts)
    )


def reopen(session: Session, study_instance_uid: str) -> None:
    """Note that more instances of a study are coming."""
    session.execute(
        update(StudyRow).where(StudyRow.study_instance_uid == study_instance_uid).values(settled_at=None)
    )


def known_instances(session: Session, study_instance_uid: str) -> frozenset[str]:
    """Return the SOP Instance UIDs whose facts are kept."""
    return frozenset(
        session.scalars(
            select(StudyInstanceRow.sop_instance_uid).where(
                StudyInstanceRow.study_instance_uid == study_instance_uid
            )
        )
    )


def decide(
    session: Session,
    study: Study,
    decided: Decided,
    *,
    series: Sequence[str] | None = None,
    of_series: Verdict | None = None,
) -> None:
    """Let a verdict count, and keep it for ever.

    Parameters
    ----------
    session
        The transaction.
    study
        The study.
    decided
        What counts for it from now on.
    series
        The series that the decision is about; None for the whole study.
    of_series
        What was decided about them, kept instead.
    """
    version = study.version + 1
    values = _verdict_values(decided.verdict)
    session.execute(
        update(StudyRow)
        .where(StudyRow.study_instance_uid == study.study_instance_uid)
        .values(**values, decided_by=decided.by, version=version)
    )
    values = _verdict_values(of_series or decided.verdict)
    values.pop("placement")
    session.execute(
        insert(StudyDecisionRow).values(
            study_instance_uid=study.study_instance_uid,
            version=version,
            series=None if series is None else list(series),
            decided_by=decided.by,
            decided_at=decided.at,
            **values,
        )
    )


def detach(session: Session, study_instance_uid: str) -> None:
    """Take a study from its timepoints; a verdict follows in the same transaction."""
    session.execute(
        update(StudyRow).where(StudyRow.study_instance_uid == study_instance_uid).values(timepoint_id=None)
    )
    session.execute(
        update(StudySeriesRow)
        .where(StudySeriesRow.study_instance_uid == study_instance_uid)
        .values(timepoint_id=None)
    )


def decisions(session: Session, study_instance_uid: str) -> Sequence[Decision]:
    """Return every verdict about a study, the first one first."""
    rows = session.scalars(
        select(StudyDecisionRow)
        .where(StudyDecisionRow.study_instance_uid == study_instance_uid)
        .order_by(StudyDecisionRow.version)
    )
    return [
        Decision(
            version=row.version,
            verdict=_verdict(row, placement=None),
            decided_by=row.decided_by,
            decided_at=row.decided_at,
            series=row.series,
        )
        for row in rows
    ]


def series_of_timepoint(session: Session, timepoint_id: str) -> Sequence[StoredSeries]:
    """Return the series of a timepoint's studies with their instances, in the order of their numbers."""
    series = session.scalars(
        select(StudySeriesRow)
        .join(StudyRow, of_study())
        .where(series_on(timepoint_id))
        .order_by(StudyRow.study_date, StudyRow.received_at, StudySeriesRow.series_number)
        .execution_options(populate_existing=True)
    ).all()
    instances = session.scalars(
        select(StudyInstanceRow)
        .join(StudySeriesRow, _of_series())
        .join(StudyRow, of_study())
        .where(series_on(timepoint_id))
        .order_by(StudyInstanceRow.instance_number, StudyInstanceRow.sop_instance_uid)
    )
    members: dict[tuple[str, str], list[StoredInstance]] = {}
    for row in instances:
        key = (row.study_instance_uid, row.series_instance_uid)
        members.setdefault(key, []).append(_instance(row))
    return [
        _series(row, members.get((row.study_instance_uid, row.series_instance_uid), [])) for row in series
    ]


def instance(session: Session, sop_instance_uid: str) -> tuple[str, StoredInstance] | None:
    """Return an instance that belongs to a timepoint, with the timepoint's id."""
    row = session.execute(
        select(timepoint_of_series(), StudyInstanceRow)
        .join(StudySeriesRow, _of_series())
        .join(StudyRow, of_study())
        .where(StudyInstanceRow.sop_instance_uid == sop_instance_uid, StudyRow.state == StudyState.MATCHED)
        .select_from(StudyInstanceRow)
    ).one_or_none()
    return None if row is None or row[0] is None else (row[0], _instance(row[1]))


def _of_series() -> ColumnElement[bool]:
    return and_(
        StudySeriesRow.study_instance_uid == StudyInstanceRow.study_instance_uid,
        StudySeriesRow.series_instance_uid == StudyInstanceRow.series_instance_uid,
    )


def _verdict_values(verdict: Verdict) -> dict[str, Any]:
    return {
        "state": verdict.state,
        "trial_id": verdict.trial_id,
        "subject_id": verdict.subject_id,
        "timepoint_id": verdict.timepoint_id,
        "placement": verdict.placement,
        "code": verdict.code,
        "sentence": verdict.sentence,
        "confidence": verdict.confidence,
    }


def _verdict(row: StudyRow | StudyDecisionRow, *, placement: str | None) -> Verdict:
    return Verdict(
        state=StudyState(row.state),
        trial_id=row.trial_id,
        subject_id=row.subject_id,
        timepoint_id=row.timepoint_id,
        placement=None if placement is None else Placement(placement),
        code=row.code,
        sentence=row.sentence,
        confidence=None if row.confidence is None else Confidence(row.confidence),
    )


def _study(row: StudyRow) -> Study:
    return Study(
        study_instance_uid=row.study_instance_uid,
        site_id=row.site_id,
        patient_ids=row.patient_ids,
        issuer=row.issuer,
        study_date=row.study_date,
        study_date_is_unreadable=row.study_date_is_unreadable,
        modalities=row.modalities,
        protocol_tag=row.protocol_tag,
        subject_tag=row.subject_tag,
        series_count=row.series_count,
        instance_count=row.instance_count,
        received_at=row.received_at,
        settled_at=row.settled_at,
        conflicts=row.conflicts,
        verdict=_verdict(row, placement=row.placement),
        decided_by=row.decided_by,
        version=row.version,
    )


def _series(row: StudySeriesRow, instances: Sequence[StoredInstance]) -> StoredSeries:
    return StoredSeries(
        study_instance_uid=row.study_instance_uid,
        series_instance_uid=row.series_instance_uid,
        modality=row.modality,
        series_number=row.series_number,
        description=row.description,
        frame_of_reference_uid=row.frame_of_reference_uid,
        facts=row.facts,
        instances=instances,
        timepoint_id=row.timepoint_id,
    )


def _instance(row: StudyInstanceRow) -> StoredInstance:
    return StoredInstance(
        sop_instance_uid=row.sop_instance_uid,
        sop_class_uid=row.sop_class_uid,
        transfer_syntax_uid=row.transfer_syntax_uid,
        instance_number=row.instance_number,
        rows=row.rows,
        columns=row.columns,
        number_of_frames=row.number_of_frames,
        size=row.size,
        sha256=row.sha256,
        frames=row.frames,
        is_late=row.is_late,
    )
