"""Search the index: what a study, a series and an instance are, as the archive knows them."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, RowMapping, Table, distinct, func, select

from dicom_listener.archive import tables
from dicom_listener.archive.records import (
    ConflictRecord,
    FindingCode,
    FindingRecord,
    InstanceRecord,
    SeriesRecord,
    Source,
    StudyRecord,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class StudyFilter:
    """What the studies searched for have in common; None asks nothing."""

    patient_id: str | None = None
    site_id: str | None = None
    modality: str | None = None
    studied_from: date | None = None
    studied_to: date | None = None
    is_settled: bool | None = None


def studies(
    connection: Connection, wanted: StudyFilter, *, after: str = "", limit: int = 100
) -> Sequence[StudyRecord]:
    """Return at most `limit` studies in the order of their UIDs, from the one that follows `after`."""
    table = tables.studies
    rows = connection.execute(
        select(table)
        .where(table.c.study_instance_uid > after, *_conditions(wanted))
        .order_by(table.c.study_instance_uid)
        .limit(limit)
    ).all()
    return _with_details(connection, rows)


def study(connection: Connection, study_instance_uid: str) -> StudyRecord | None:
    """Return the study, or None when nothing of it was received."""
    table = tables.studies
    rows = connection.execute(select(table).where(table.c.study_instance_uid == study_instance_uid)).all()
    return next(iter(_with_details(connection, rows)), None)


def series_of(connection: Connection, study_instance_uid: str) -> Sequence[SeriesRecord]:
    """Return the series of a study by number, then UID."""
    table, members = tables.series, tables.instances
    counts = (
        select(members.c.series_instance_uid, func.count().label("number_of_instances"))
        .where(members.c.study_instance_uid == study_instance_uid)
        .group_by(members.c.series_instance_uid)
        .subquery()
    )
    rows = connection.execute(
        select(table, counts.c.number_of_instances)
        .join(counts, counts.c.series_instance_uid == table.c.series_instance_uid)
        .where(table.c.study_instance_uid == study_instance_uid)
        .order_by(table.c.series_number, table.c.series_instance_uid)
    )
    return tuple(SeriesRecord(**row._mapping) for row in rows)  # noqa: SLF001 - a Row's public mapping


def instances_of(connection: Connection, series_instance_uid: str) -> Sequence[InstanceRecord]:
    """Return the instances of a series by number, then UID."""
    table = tables.instances
    rows = connection.execute(
        select(table)
        .where(table.c.series_instance_uid == series_instance_uid)
        .order_by(table.c.instance_number, table.c.sop_instance_uid)
    )
    return tuple(InstanceRecord(**row._mapping) for row in rows)  # noqa: SLF001 - a Row's public mapping


def instance(connection: Connection, sop_instance_uid: str) -> InstanceRecord | None:
    """Return the kept instance, or None."""
    table = tables.instances
    row = connection.execute(select(table).where(table.c.sop_instance_uid == sop_instance_uid)).one_or_none()
    return None if row is None else InstanceRecord(**row._mapping)  # noqa: SLF001 - a Row's public mapping


def conflicts_of(connection: Connection, study_instance_uid: str) -> Sequence[ConflictRecord]:
    """Return the other contents kept beside a study's instances, in the order in which they came."""
    rows = _of_study(connection, tables.conflicts, study_instance_uid)
    names = ConflictRecord.__slots__
    return tuple(ConflictRecord(**{name: row[name] for name in names}) for row in rows)


def findings_of(connection: Connection, study_instance_uid: str) -> Sequence[FindingRecord]:
    """Return why a person should look at a study, in the order in which it was found."""
    rows = _of_study(connection, tables.findings, study_instance_uid)
    return tuple(FindingRecord(**(dict(row) | {"code": FindingCode(row["code"])})) for row in rows)


def counts(connection: Connection) -> Mapping[str, int]:
    """Return how many studies, series, instances, bytes, conflicts, findings and receipts there are."""
    counted = (
        tables.studies,
        tables.series,
        tables.instances,
        tables.conflicts,
        tables.findings,
        tables.receipts,
    )
    numbers = {
        table.name: connection.execute(select(func.count()).select_from(table)).scalar_one()
        for table in counted
    }
    size = connection.execute(select(func.coalesce(func.sum(tables.instances.c.size), 0))).scalar_one()
    return numbers | {"bytes": int(size)}


def _of_study(connection: Connection, table: Table, study_instance_uid: str) -> Iterable[RowMapping]:
    return connection.execute(
        select(table).where(table.c.study_instance_uid == study_instance_uid).order_by(table.c.sequence)
    ).mappings()


def _conditions(wanted: StudyFilter) -> Iterable[ColumnElement[bool]]:
    table, uid = tables.studies, tables.studies.c.study_instance_uid
    if wanted.patient_id is not None:
        members = tables.instances
        yield uid.in_(select(members.c.study_instance_uid).where(members.c.patient_id == wanted.patient_id))
    if wanted.site_id is not None:
        sources = tables.sources
        yield uid.in_(select(sources.c.study_instance_uid).where(sources.c.site_id == wanted.site_id))
    if wanted.modality is not None:
        series = tables.series
        yield uid.in_(select(series.c.study_instance_uid).where(series.c.modality == wanted.modality))
    if wanted.studied_from is not None:
        yield table.c.study_date >= wanted.studied_from
    if wanted.studied_to is not None:
        yield table.c.study_date <= wanted.studied_to
    if wanted.is_settled is not None:
        yield table.c.settled_at.is_not(None) if wanted.is_settled else table.c.settled_at.is_(None)


def _with_details(connection: Connection, rows: Sequence[Row[Any]]) -> Sequence[StudyRecord]:
    uids = [row.study_instance_uid for row in rows]
    if not uids:
        return ()
    patients = _grouped(connection, tables.instances, "patient_id", uids)
    modalities = _grouped(connection, tables.series, "modality", uids)
    series = _counted(connection, tables.series, uids)
    instances = _counted(connection, tables.instances, uids)
    sources = _sources(connection, uids)
    columns = tables.studies.c
    skipped = {"patient_name", "patient_birth_date", "patient_sex", "study_id", "last_receipt"}
    skipped |= {"referring_physician_name"}
    names = [column.name for column in columns if column.name not in skipped]
    return tuple(
        StudyRecord(
            **{name: getattr(row, name) for name in names},
            patient_ids=patients[row.study_instance_uid],
            modalities=modalities[row.study_instance_uid],
            sources=sources[row.study_instance_uid],
            number_of_series=series[row.study_instance_uid],
            number_of_instances=instances[row.study_instance_uid],
        )
        for row in rows
    )


def _grouped(
    connection: Connection, table: Table, column: str, uids: Sequence[str]
) -> Mapping[str, tuple[str, ...]]:
    uid, value = table.c.study_instance_uid, table.c[column]
    grouped: dict[str, tuple[str, ...]] = defaultdict(tuple)
    for row in connection.execute(select(uid, value).where(uid.in_(uids)).distinct().order_by(value)):
        grouped[row[0]] += (row[1],)
    return grouped


def _counted(connection: Connection, table: Table, uids: Sequence[str]) -> Mapping[str, int]:
    uid, key = table.c.study_instance_uid, next(iter(table.primary_key))
    rows = connection.execute(select(uid, func.count(distinct(key))).where(uid.in_(uids)).group_by(uid))
    return defaultdict(int, {row[0]: row[1] for row in rows})


def _sources(connection: Connection, uids: Sequence[str]) -> Mapping[str, tuple[Source, ...]]:
    table = tables.sources
    grouped: dict[str, tuple[Source, ...]] = defaultdict(tuple)
    rows = connection.execute(
        select(table)
        .where(table.c.study_instance_uid.in_(uids))
        .order_by(table.c.site_id, table.c.calling_ae)
    )
    for row in rows:
        grouped[row.study_instance_uid] += (Source(site_id=row.site_id, calling_ae=row.calling_ae),)
    return grouped


def days_moved(connection: Connection, study_instance_uid: str) -> int:
    """Return by how many days the dates of a de-identified study were moved; 0 for one that came as it is."""
    table = tables.originals
    found = connection.execute(
        select(table.c.days_moved)
        .where(table.c.study_instance_uid == study_instance_uid, table.c.copy_digest != "")
        .limit(1)
    ).scalar_one_or_none()
    return found or 0
