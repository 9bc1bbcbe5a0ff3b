"""Subjects, their versions and their PatientIDs in the database."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, fields
from datetime import datetime
from typing import Any

from sqlalchemy import Select, and_, or_, select, update
from sqlalchemy.orm import Session

from imaging_service.accounts.scope import Scope
from imaging_service.http.pages import Page, PageRequest
from imaging_service.subjects.dates import SubjectDates, WithdrawalReason
from imaging_service.subjects.records import PatientId, Subject, SubjectVersion
from imaging_service.subjects.tables import PatientIdRow, SubjectRow, SubjectVersionRow

Key = tuple[str, str]
"""(trial_id, subject_id)."""


def add(session: Session, subject: Subject, first: SubjectVersion) -> None:
    """Keep a new subject with its first dates."""
    session.add(
        SubjectRow(
            trial_id=subject.trial_id,
            subject_id=subject.subject_id,
            site_id=subject.site_id,
            reading_id=subject.reading_id,
            version=first.version,
            enrolled_at=subject.enrolled_at,
        )
    )
    session.flush()
    add_version(session, (subject.trial_id, subject.subject_id), first)


def add_version(session: Session, key: Key, version: SubjectVersion) -> bool:
    """Keep new dates and let them count; False when others were recorded meanwhile.

    The first version is kept with its subject; each later one must follow the one that counts.
    """
    trial_id, subject_id = key
    if version.version > 1:
        moved = session.execute(
            update(SubjectRow)
            .where(
                SubjectRow.trial_id == trial_id,
                SubjectRow.subject_id == subject_id,
                SubjectRow.version == version.version - 1,
            )
            .values(version=version.version)
            .returning(SubjectRow.version)
        ).first()
        if moved is None:
            return False
    session.add(
        SubjectVersionRow(
            trial_id=trial_id,
            subject_id=subject_id,
            version=version.version,
            reason=version.reason,
            recorded_by=version.recorded_by,
            recorded_at=version.recorded_at,
            **asdict(version.dates),
        )
    )
    session.flush()
    return True


def _current(scope: Scope) -> Select[SubjectRow, SubjectVersionRow]:
    return (
        select(SubjectRow, SubjectVersionRow)
        .join(
            SubjectVersionRow,
            and_(
                SubjectVersionRow.trial_id == SubjectRow.trial_id,
                SubjectVersionRow.subject_id == SubjectRow.subject_id,
                SubjectVersionRow.version == SubjectRow.version,
            ),
        )
        .where(scope.sites(SubjectRow.trial_id, SubjectRow.site_id))
    )


def find(session: Session, scope: Scope, trial_id: str, subject_id: str) -> Subject | None:
    """Return a subject with its dates and PatientIDs, or None when there is none in the scope."""
    row = session.execute(
        _current(scope).where(SubjectRow.trial_id == trial_id, SubjectRow.subject_id == subject_id)
    ).one_or_none()
    if row is None:
        return None
    return _subject(row[0], row[1], _patient_ids(session, trial_id, [subject_id]))


def page(
    session: Session, scope: Scope, trial_id: str, site_id: str | None, wanted: PageRequest
) -> Page[Subject]:
    """Return the subjects of a trial, or of one site of it."""
    statement = _current(scope).where(SubjectRow.trial_id == trial_id)
    if site_id is not None:
        statement = statement.where(SubjectRow.site_id == site_id)
    rows = session.execute(wanted.apply(statement, SubjectRow.subject_id)).all()
    known = _patient_ids(session, trial_id, [row[0].subject_id for row in rows])
    return wanted.page(rows, lambda row: (row[0].subject_id,), lambda row: _subject(row[0], row[1], known))


def some(session: Session, scope: Scope, trial_id: str, subject_ids: Sequence[str]) -> Sequence[Subject]:
    """Return those of the named subjects that are in the scope."""
    statement = _current(scope).where(SubjectRow.trial_id == trial_id, SubjectRow.subject_id.in_(subject_ids))
    rows = session.execute(statement.order_by(SubjectRow.subject_id)).all()
    known = _patient_ids(session, trial_id, [row[0].subject_id for row in rows])
    return [_subject(row[0], row[1], known) for row in rows]


def history(session: Session, scope: Scope, trial_id: str, subject_id: str) -> Sequence[SubjectVersion]:
    """Return every version of a subject's dates, oldest first."""
    rows = session.scalars(
        select(SubjectVersionRow)
        .join(
            SubjectRow,
            and_(
                SubjectRow.trial_id == SubjectVersionRow.trial_id,
                SubjectRow.subject_id == SubjectVersionRow.subject_id,
            ),
        )
        .where(
            SubjectRow.trial_id == trial_id,
            SubjectRow.subject_id == subject_id,
            scope.sites(SubjectRow.trial_id, SubjectRow.site_id),
        )
        .order_by(SubjectVersionRow.version)
    )
    return [
        SubjectVersion(
            version=row.version,
            dates=_dates(row),
            reason=row.reason,
            recorded_by=row.recorded_by,
            recorded_at=row.recorded_at,
        )
        for row in rows
    ]


def is_reading_id_taken(session: Session, trial_id: str, reading_id: str) -> bool:
    """Whether a subject of the trial has this reading id."""
    found = session.scalar(
        select(SubjectRow.subject_id).where(
            SubjectRow.trial_id == trial_id, SubjectRow.reading_id == reading_id
        )
    )
    return found is not None


def add_patient_ids(
    session: Session, subject: Subject, new: Iterable[PatientId], *, by: str, at: datetime
) -> None:
    """Register PatientIDs of the subject's site."""
    session.add_all(
        PatientIdRow(
            trial_id=subject.trial_id,
            site_id=subject.site_id,
            patient_id=each.patient_id,
            issuer=each.issuer,
            subject_id=subject.subject_id,
            added_by=by,
            added_at=at,
        )
        for each in new
    )
    session.flush()


def holder_of(session: Session, trial_id: str, site_id: str, wanted: PatientId) -> str | None:
    """Return the subject that a site has registered for a PatientID, whatever the issuer."""
    statement = select(PatientIdRow.subject_id).where(
        PatientIdRow.trial_id == trial_id,
        PatientIdRow.site_id == site_id,
        PatientIdRow.patient_id == wanted.patient_id,
        _issuer_fits(wanted.issuer),
    )
    return session.scalar(statement.order_by(PatientIdRow.issuer).limit(1))


def subjects_of_patient(
    session: Session, site_id: str, patient_ids: Sequence[str], issuer: str
) -> Sequence[tuple[str, str, str]]:
    """Return (trial_id, subject_id, site_id) of every subject a site has registered for these PatientIDs."""
    rows = session.execute(
        select(PatientIdRow.trial_id, PatientIdRow.subject_id, SubjectRow.site_id)
        .join(
            SubjectRow,
            and_(
                SubjectRow.trial_id == PatientIdRow.trial_id,
                SubjectRow.subject_id == PatientIdRow.subject_id,
            ),
        )
        .where(
            PatientIdRow.site_id == site_id,
            PatientIdRow.patient_id.in_(patient_ids),
            _issuer_fits(issuer),
        )
        .distinct()
    )
    return [(row[0], row[1], row[2]) for row in rows]


def subjects_of_tag(
    session: Session, subject_id: str, *, trial_id: str | None, site_id: str | None
) -> Sequence[tuple[str, str, str]]:
    """Return (trial_id, subject_id, site_id) of every subject of this name in a trial, or at a site."""
    statement = select(SubjectRow.trial_id, SubjectRow.subject_id, SubjectRow.site_id).where(
        SubjectRow.subject_id == subject_id
    )
    if trial_id is not None:
        statement = statement.where(SubjectRow.trial_id == trial_id)
    else:
        statement = statement.where(SubjectRow.site_id == site_id)
    return [(row[0], row[1], row[2]) for row in session.execute(statement)]


def lock(session: Session, trial_id: str, subject_id: str) -> None:
    """Hold the subject until the transaction ends, so that two of them do not write one calendar."""
    session.execute(
        select(SubjectRow.version)
        .where(SubjectRow.trial_id == trial_id, SubjectRow.subject_id == subject_id)
        .with_for_update()
    )


def _issuer_fits(issuer: str) -> Any:  # noqa: ANN401  an SQL condition, of which there are kinds
    """Accept any issuer where one side names none: that contradicts nothing."""
    if not issuer:
        return and_(True)  # noqa: FBT003  SQL's own word
    return or_(PatientIdRow.issuer == "", PatientIdRow.issuer == issuer)


def _patient_ids(
    session: Session, trial_id: str, subject_ids: Sequence[str]
) -> Mapping[str, tuple[PatientId, ...]]:
    rows = session.scalars(
        select(PatientIdRow)
        .where(PatientIdRow.trial_id == trial_id, PatientIdRow.subject_id.in_(subject_ids))
        .order_by(PatientIdRow.patient_id, PatientIdRow.issuer)
    )
    known: dict[str, tuple[PatientId, ...]] = {}
    for row in rows:
        entry = PatientId(patient_id=row.patient_id, issuer=row.issuer)
        known[row.subject_id] = (*known.get(row.subject_id, ()), entry)
    return known


def _subject(
    row: SubjectRow, version: SubjectVersionRow, known: Mapping[str, tuple[PatientId, ...]]
) -> Subject:
    return Subject(
        trial_id=row.trial_id,
        subject_id=row.subject_id,
        site_id=row.site_id,
        reading_id=row.reading_id,
        version=row.version,
        enrolled_at=row.enrolled_at,
        dates=_dates(version),
        patient_ids=known.get(row.subject_id, ()),
    )


def _dates(row: SubjectVersionRow) -> SubjectDates:
    values = {field.name: getattr(row, field.name) for field in fields(SubjectDates)}
    reason = values["withdrawal_reason"]
    return SubjectDates(
        **values | {"withdrawal_reason": None if reason is None else WithdrawalReason(reason)}
    )
