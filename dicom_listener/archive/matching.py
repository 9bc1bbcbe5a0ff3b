"""Match keys against the index, as C-FIND and C-MOVE mean them (PS3.4 C.2.2.2).

An attribute is a row of a table: its keyword, the level that it belongs to, how it matches and where its
value stands. A search is built from keys alone; it knows neither a network nor a data set.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from functools import lru_cache
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, and_, distinct, exists, func, or_, select

from dicom_listener.archive import tables
from dicom_listener.archive.records import InstanceRecord
from dicom_listener.errors import SearchKeyError

_studies, _series, _instances = tables.studies.c, tables.series.c, tables.instances.c
_related_studies = tables.studies.alias("related_studies").c
_related_series = tables.series.alias("related_series").c
_related_instances = tables.instances.alias("related_instances").c

_REMEMBERED = 64
_MAXIMUM_VALUES = 5000
_MAXIMUM_WILDCARDS = 8
"""More would let one key keep the database busy for ever."""


class Level(StrEnum):
    """What an answer describes (PS3.4 C.6.1.1), in the order of the hierarchy."""

    PATIENT = "PATIENT"
    STUDY = "STUDY"
    SERIES = "SERIES"
    IMAGE = "IMAGE"


LEVELS = tuple(Level)


class Match(StrEnum):
    """How a key matches, beside universal matching, which each of them has."""

    UID = "single value, list of UID"
    TEXT = "single value, wildcard"
    NAME = "single value, wildcard, without regard to case"
    DATE = "single value, range"
    DATE_AS_TEXT = "single value, range, of a date kept as text"
    TIME = "single value, range, to the second"
    NUMBER = "single value"
    RETURNED = "returned only"


@dataclass(frozen=True, slots=True, kw_only=True)
class Attribute:
    """An attribute that can be matched, returned, or both."""

    keyword: str
    level: Level
    match: Match
    column: ColumnElement[Any]
    related: ColumnElement[bool] | None = None  # where `column` belongs to rows below: any of them matches

    @property
    def returned(self) -> ColumnElement[Any]:
        """The value in an answer; several of them are separated by backslashes."""
        if self.related is None:
            return self.column
        return select(func.aggregate_strings(self.column, "\\")).where(self.related).scalar_subquery()


def _count(column: ColumnElement[Any], related: ColumnElement[bool]) -> ColumnElement[int]:
    return select(func.count(distinct(column))).where(related).scalar_subquery()


_same_patient = and_(
    _related_studies.patient_id == _studies.patient_id,
    _related_studies.issuer_of_patient_id == _studies.issuer_of_patient_id,
)
_series_of_patient = and_(
    _same_patient, _related_series.study_instance_uid == _related_studies.study_instance_uid
)
_instances_of_patient = and_(
    _same_patient, _related_instances.study_instance_uid == _related_studies.study_instance_uid
)
_series_of_study = _related_series.study_instance_uid == _studies.study_instance_uid
_instances_of_study = _related_instances.study_instance_uid == _studies.study_instance_uid
_instances_of_series = _related_instances.series_instance_uid == _series.series_instance_uid

_TABLE: Mapping[Level, Sequence[tuple[Any, ...]]] = {
    Level.PATIENT: (
        ("PatientID", Match.TEXT, _studies.patient_id),
        ("IssuerOfPatientID", Match.TEXT, _studies.issuer_of_patient_id),
        ("PatientName", Match.NAME, _studies.patient_name),
        ("PatientBirthDate", Match.DATE_AS_TEXT, _studies.patient_birth_date),
        ("PatientSex", Match.TEXT, _studies.patient_sex),
        (
            "NumberOfPatientRelatedStudies",
            Match.RETURNED,
            _count(_related_studies.study_instance_uid, _same_patient),
        ),
        (
            "NumberOfPatientRelatedSeries",
            Match.RETURNED,
            _count(_related_series.series_instance_uid, _series_of_patient),
        ),
        (
            "NumberOfPatientRelatedInstances",
            Match.RETURNED,
            _count(_related_instances.sop_instance_uid, _instances_of_patient),
        ),
    ),
    Level.STUDY: (
        ("StudyInstanceUID", Match.UID, _studies.study_instance_uid),
        ("StudyDate", Match.DATE, _studies.study_date),
        ("StudyTime", Match.TIME, _studies.study_time),
        ("AccessionNumber", Match.TEXT, _studies.accession_number),
        ("StudyID", Match.TEXT, _studies.study_id),
        ("StudyDescription", Match.TEXT, _studies.study_description),
        ("ReferringPhysicianName", Match.NAME, _studies.referring_physician_name),
        ("ClinicalTrialProtocolID", Match.TEXT, _studies.clinical_trial_protocol_id),
        ("ClinicalTrialSubjectID", Match.TEXT, _studies.clinical_trial_subject_id),
        ("ModalitiesInStudy", Match.TEXT, _related_series.modality, _series_of_study),
        ("SOPClassesInStudy", Match.UID, _related_instances.sop_class_uid, _instances_of_study),
        (
            "NumberOfStudyRelatedSeries",
            Match.RETURNED,
            _count(_related_series.series_instance_uid, _series_of_study),
        ),
        (
            "NumberOfStudyRelatedInstances",
            Match.RETURNED,
            _count(_related_instances.sop_instance_uid, _instances_of_study),
        ),
    ),
    Level.SERIES: (
        ("SeriesInstanceUID", Match.UID, _series.series_instance_uid),
        ("Modality", Match.TEXT, _series.modality),
        ("SeriesNumber", Match.NUMBER, _series.series_number),
        ("SeriesDescription", Match.TEXT, _series.series_description),
        ("SeriesDate", Match.DATE, _series.series_date),
        ("BodyPartExamined", Match.TEXT, _series.body_part_examined),
        ("Manufacturer", Match.TEXT, _series.manufacturer),
        ("ManufacturerModelName", Match.TEXT, _series.manufacturer_model_name),
        ("FrameOfReferenceUID", Match.UID, _series.frame_of_reference_uid),
        (
            "NumberOfSeriesRelatedInstances",
            Match.RETURNED,
            _count(_related_instances.sop_instance_uid, _instances_of_series),
        ),
    ),
    Level.IMAGE: (
        ("SOPInstanceUID", Match.UID, _instances.sop_instance_uid),
        ("SOPClassUID", Match.UID, _instances.sop_class_uid),
        ("InstanceNumber", Match.NUMBER, _instances.instance_number),
        ("Rows", Match.NUMBER, _instances["rows"]),
        ("Columns", Match.NUMBER, _instances["columns"]),
        ("NumberOfFrames", Match.NUMBER, _instances.number_of_frames),
    ),
}

ATTRIBUTES = {
    row[0]: Attribute(
        keyword=row[0], level=level, match=row[1], column=row[2], related=row[3] if row[3:] else None
    )
    for level, rows in _TABLE.items()
    for row in rows
}
"""Every attribute that can be asked for, by keyword."""

UNIQUE_KEYS = {
    Level.PATIENT: "PatientID",
    Level.STUDY: "StudyInstanceUID",
    Level.SERIES: "SeriesInstanceUID",
    Level.IMAGE: "SOPInstanceUID",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Search:
    """What is looked for.

    Raises
    ------
    SearchKeyError
        From `answers` and `instances`, when a key holds what its attribute cannot be.
    """

    level: Level
    keys: Mapping[str, str]  # by keyword of `ATTRIBUTES`, at this level or above; an empty one matches all
    site_id: str | None = None  # only studies that this site has sent

    @property
    def attributes(self) -> Sequence[Attribute]:
        """The attributes of the keys, in the keys' order."""
        return [ATTRIBUTES[keyword] for keyword in self.keys]


def answers(
    connection: Connection, search: Search, *, after: str = "", limit: int = 500
) -> Sequence[tuple[str, Mapping[str, Any]]]:
    """Return at most `limit` matches that follow `after`.

    Returns
    -------
    Sequence[tuple[str, Mapping[str, Any]]]
        For each match what the next call's `after` is, and the value of each key by keyword.
    """
    row_uid, statement = _ROW_UIDS[search.level], _selection(search.level, tuple(search.keys))
    conditions = list(_conditions(search, connection.dialect.name))
    if search.level is Level.PATIENT:
        chosen = (
            select(func.min(_studies.study_instance_uid))
            .where(*conditions, _studies.patient_id != "")
            .group_by(_studies.patient_id, _studies.issuer_of_patient_id)
        )
        conditions = [row_uid.in_(chosen.correlate(None))]
    rows = connection.execute(statement.where(*conditions, row_uid > after).limit(limit))
    return [(row[0], dict(zip(search.keys, row[1:], strict=True))) for row in rows]


def instances(connection: Connection, search: Search, *, limit: int) -> Sequence[InstanceRecord]:
    """Return at most `limit` instances below what matches, series by series."""
    statement = _joined(select(tables.instances), Level.IMAGE)
    rows = connection.execute(
        statement.where(*_conditions(search, connection.dialect.name))
        .order_by(_series.series_number, _series.series_instance_uid, _instances.instance_number)
        .limit(limit)
    )
    return [InstanceRecord(**row._mapping) for row in rows]  # noqa: SLF001 - a Row's public mapping


_ROW_UIDS: Mapping[Level, ColumnElement[str]] = {
    Level.PATIENT: _studies.study_instance_uid,
    Level.STUDY: _studies.study_instance_uid,
    Level.SERIES: _series.series_instance_uid,
    Level.IMAGE: _instances.sop_instance_uid,
}


@lru_cache(maxsize=_REMEMBERED)
def _selection(level: Level, keywords: tuple[str, ...]) -> Select[Any]:
    """Return what fetches these keys' values; peers ask for the same ones again and again."""
    row_uid, keys = _ROW_UIDS[level], (ATTRIBUTES[keyword] for keyword in keywords)
    columns = (each.returned.label(each.keyword) for each in keys)
    return _joined(select(row_uid, *columns), level).order_by(row_uid)


def _joined(statement: Select[Any], level: Level) -> Select[Any]:
    """Select from the level's own table, with those above it."""
    if level is Level.IMAGE:
        return (
            statement.select_from(tables.instances)
            .join(tables.series, _series.series_instance_uid == _instances.series_instance_uid)
            .join(tables.studies, _studies.study_instance_uid == _instances.study_instance_uid)
        )
    if level is Level.SERIES:
        return statement.select_from(tables.series).join(
            tables.studies, _studies.study_instance_uid == _series.study_instance_uid
        )
    return statement.select_from(tables.studies)


def _conditions(search: Search, dialect: str) -> Iterator[ColumnElement[bool]]:
    if search.site_id is not None:
        sources = tables.sources.c
        of_site = select(sources.study_instance_uid).where(sources.site_id == search.site_id)
        yield _studies.study_instance_uid.in_(of_site)
    for attribute in search.attributes:
        value = search.keys[attribute.keyword].strip(" \0")
        if not value or set(value) == {"*"} or attribute.match is Match.RETURNED:
            continue
        condition = _MATCHES[attribute.match](attribute, value, dialect)
        yield condition if attribute.related is None else exists().where(attribute.related, condition)


def _values(attribute: Attribute, value: str) -> Sequence[str]:
    values = [each.strip(" \0") for each in value.split("\\")]
    if len(values) > _MAXIMUM_VALUES:
        raise SearchKeyError(attribute.keyword, f"{len(values)} values", f"at most {_MAXIMUM_VALUES}")
    return [each for each in values if each]


def _is_uid_of(attribute: Attribute, value: str, _dialect: str) -> ColumnElement[bool]:
    return attribute.column.in_(_values(attribute, value))


def _is_text(attribute: Attribute, value: str, dialect: str) -> ColumnElement[bool]:
    return or_(*(_is_like(attribute, attribute.column, each, dialect) for each in _values(attribute, value)))


def _is_name(attribute: Attribute, value: str, dialect: str) -> ColumnElement[bool]:
    lowered = "".join(letter.lower() if letter.isascii() else letter for letter in value)
    return or_(
        _is_like(attribute, attribute.column, value, dialect),
        _is_like(attribute, func.lower(attribute.column), lowered, dialect),
    )


def _is_like(
    attribute: Attribute, column: ColumnElement[str], value: str, dialect: str
) -> ColumnElement[bool]:
    """Compare by single value or wildcard (PS3.4 C.2.2.2.4), with regard to case."""
    if "*" not in value and "?" not in value:
        return column == value
    pattern = re.sub(r"\*+", "*", value)
    if pattern.count("*") > _MAXIMUM_WILDCARDS:
        raise SearchKeyError(attribute.keyword, "many wildcards", f"at most {_MAXIMUM_WILDCARDS}")
    if dialect == "sqlite":  # whose LIKE disregards case
        return column.op("GLOB", is_comparison=True)(pattern.replace("[", "[[]"))
    escaped = re.sub(r"([%_\\])", r"\\\1", pattern)
    return column.like(escaped.replace("*", "%").replace("?", "_"), escape="\\")


def _is_date(attribute: Attribute, value: str, _dialect: str) -> ColumnElement[bool]:
    return and_(*_within(attribute, value, _day, _day))


def _is_date_as_text(attribute: Attribute, value: str, _dialect: str) -> ColumnElement[bool]:
    def text(day: str) -> str:
        return f"{_day(day):%Y%m%d}"

    return and_(attribute.column != "", *_within(attribute, value, text, text))


def _is_time(attribute: Attribute, value: str, _dialect: str) -> ColumnElement[bool]:
    digits = func.replace(attribute.column, ":", "")
    second = func.substr(digits + "000000", 1, 6)
    ranged = Attribute(keyword=attribute.keyword, level=attribute.level, match=attribute.match, column=second)
    return and_(attribute.column != "", *_within(ranged, value, _first_second, _last_second))


def _is_number(attribute: Attribute, value: str, _dialect: str) -> ColumnElement[bool]:
    try:
        numbers = [int(each) for each in _values(attribute, value)]
    except ValueError as error:
        raise SearchKeyError(attribute.keyword, "no number", "an integer") from error
    return attribute.column.in_([number for number in numbers if abs(number) < 2**31])


_MATCHES: Mapping[Match, Callable[[Attribute, str, str], ColumnElement[bool]]] = {
    Match.UID: _is_uid_of,
    Match.TEXT: _is_text,
    Match.NAME: _is_name,
    Match.DATE: _is_date,
    Match.DATE_AS_TEXT: _is_date_as_text,
    Match.TIME: _is_time,
    Match.NUMBER: _is_number,
}


def _within(
    attribute: Attribute, value: str, first: Callable[[str], Any], last: Callable[[str], Any]
) -> Iterable[ColumnElement[bool]]:
    """Compare with a value or a range of two, of which one may be absent (PS3.4 C.2.2.2.5)."""
    begin, hyphen, end = (part.strip() for part in value.partition("-"))
    if not hyphen:
        end = begin
    try:
        conditions = [attribute.column >= first(begin)] if begin else []
        return conditions + ([attribute.column <= last(end)] if end else [])
    except ValueError as error:
        wanted = "one date or time, or two with a hyphen between them"
        raise SearchKeyError(attribute.keyword, "none", wanted) from error


_DAY = re.compile(r"([0-9]{4})\.?([0-9]{2})\.?([0-9]{2})", re.ASCII)
_TIME = re.compile(r"([0-9]{2})(?::?([0-9]{2})(?::?([0-9]{2})(?:\.[0-9]{1,6})?)?)?", re.ASCII)


def _day(text: str) -> date:
    match = _DAY.fullmatch(text)
    if match is None:
        raise ValueError(text)
    return date(*map(int, match.groups()))


def _first_second(text: str) -> str:
    return _padded(text, "00")


def _last_second(text: str) -> str:
    return _padded(text, "59")


def _padded(text: str, missing: str) -> str:
    match = _TIME.fullmatch(text)
    if match is None:
        raise ValueError(text)
    return "".join(part or missing for part in match.groups())
