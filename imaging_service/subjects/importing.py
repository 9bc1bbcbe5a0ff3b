"""Import many subjects: look first at what would happen to each, then do all of it or nothing."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum
from typing import Any

from imaging_service.accounts.act import Act
from imaging_service.accounts.scope import Scope
from imaging_service.errors import NotFoundError, RefusedError
from imaging_service.subjects import repository, service
from imaging_service.subjects.dates import SubjectDates, changed_fields, contradictions, today_anywhere
from imaging_service.subjects.import_rows import ImportRow
from imaging_service.subjects.records import Correction, Enrolment, PatientId, Subject
from imaging_service.trials import service as trials

_KEY = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_LONG_STRING = re.compile(r"[^\x00-\x1f\x7f\\]{1,64}")


class Fate(StrEnum):
    """What an import does to a subject."""

    ENROLLED = "enrolled"
    CORRECTED = "corrected"
    UNCHANGED = "unchanged"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What an import does to one subject, and why it does not."""

    row: ImportRow
    fate: Fate
    before: Mapping[str, Any]
    after: Mapping[str, Any]
    refusals: Sequence[str] = ()
    flags: Sequence[str] = ()  # what is let pass and should be looked at
    version: int | None = None  # of the subject as it was seen
    new_patient_ids: Sequence[PatientId] = ()


def plan(act: Act, trial_id: str, rows: Sequence[ImportRow]) -> Sequence[Plan]:
    """Say what would happen to each subject; nothing is stored.

    Raises
    ------
    NotFoundError
        There is no such trial in the scope.
    """
    trials.find_trial(act.session, act.scope, trial_id)
    first: dict[str, int] = {}
    ids: dict[tuple[str, str], str] = {}
    plans: list[Plan] = []
    for row in rows:
        found = _plan(act, trial_id, row)
        refusals = [*found.refusals]
        if first.setdefault(row.subject_id, row.row) != row.row:
            refusals.append(f"Row {first[row.subject_id]} says something about the same subject already.")
        refusals += _taken(found, row, ids)
        if refusals:
            found = replace(found, fate=Fate.REFUSED, refusals=tuple(refusals))
        plans.append(found)
    return plans


def _taken(found: Plan, row: ImportRow, ids: dict[tuple[str, str], str]) -> Iterator[str]:
    """Yield each PatientID that an earlier row has for another subject of the site."""
    site_id = str(found.after.get("site_id") or row.site_id)
    for each in found.new_patient_ids:
        holder = ids.setdefault((site_id, each.patient_id), row.subject_id)
        if holder != row.subject_id:
            yield f"The PatientID {each.patient_id!r} stands for subject {holder!r} in an earlier row."


def _plan(act: Act, trial_id: str, row: ImportRow) -> Plan:
    refusals = [*row.refusals, *_malformed(row)]
    if refusals:
        return Plan(row=row, fate=Fate.REFUSED, before={}, after={}, refusals=tuple(refusals))
    known = repository.find(act.session, Scope.all(), trial_id, row.subject_id)
    if known is None:
        return _enrolment(act, trial_id, row)
    if not act.scope.sees_site(trial_id, known.site_id):
        sentence = f"Subject {row.subject_id!r} cannot be enrolled under this name."
        return Plan(row=row, fate=Fate.REFUSED, before={}, after={}, refusals=(sentence,))
    return _correction(act, known, row)


def _malformed(row: ImportRow) -> Iterator[str]:
    for name, value in (("subject_id", row.subject_id), ("site_id", row.site_id)):
        if value is not None and not _KEY.fullmatch(value):
            yield (
                f"{name} is {value!r}; 1 to 64 letters, digits, dots, hyphens and underlines were wanted, "
                "a letter or digit first."
            )
    for each in row.patient_ids:
        if not _LONG_STRING.fullmatch(each.patient_id):
            yield "A PatientID has up to 64 characters, none of them a backslash or a control character."


def _enrolment(act: Act, trial_id: str, row: ImportRow) -> Plan:
    refusals: list[str] = []
    if row.site_id is None:
        refusals.append(
            f"Subject {row.subject_id!r} is not enrolled yet; its site_id was wanted, found none."
        )
    else:
        try:
            trials.find_site(act.session, act.scope, trial_id, row.site_id)
        except NotFoundError as error:
            refusals.append(error.detail)
    dates = SubjectDates(**row.dates)
    refusals += contradictions(dates, today=today_anywhere(act.now))
    if row.site_id is not None:
        refusals += _held(act, trial_id, row.site_id, row)
    return Plan(
        row=row,
        fate=Fate.REFUSED if refusals else Fate.ENROLLED,
        before={},
        after={"site_id": row.site_id, **row.dates},
        refusals=tuple(refusals),
        new_patient_ids=tuple(row.patient_ids),
    )


def _correction(act: Act, known: Subject, row: ImportRow) -> Plan:
    dates = replace(known.dates, **row.dates)
    changed = changed_fields(known.dates, dates)
    new_ids = tuple(each for each in row.patient_ids if each not in known.patient_ids)
    refusals = list(contradictions(dates, today=today_anywhere(act.now))) if changed else []
    if row.site_id not in (None, known.site_id):
        refusals.append(
            f"Subject {known.subject_id!r} is at site {known.site_id!r}, not {row.site_id!r}; "
            "an import moves nobody."
        )
    refusals += _held(act, known.trial_id, known.site_id, replace(row, patient_ids=new_ids))
    fate = Fate.CORRECTED if changed or new_ids else Fate.UNCHANGED
    return Plan(
        row=row,
        fate=Fate.REFUSED if refusals else fate,
        before={name: getattr(known.dates, name) for name in changed},
        after={name: getattr(dates, name) for name in changed},
        refusals=tuple(refusals),
        flags=tuple(service.DOUBTS.about(act.session, known, dates)) if changed else (),
        version=known.version,
        new_patient_ids=new_ids,
    )


def _held(act: Act, trial_id: str, site_id: str, row: ImportRow) -> Iterator[str]:
    for each in row.patient_ids:
        holder = repository.holder_of(act.session, trial_id, site_id, each)
        if holder not in (None, row.subject_id):
            yield (
                f"Site {site_id!r} has registered the PatientID {each.patient_id!r} for subject {holder!r}; "
                "it can stand for one subject."
            )


def carry_out(act: Act, trial_id: str, rows: Sequence[ImportRow], reason: str) -> Sequence[Plan]:
    """Do what the rows say, all of it or nothing; done again, it changes nothing.

    Raises
    ------
    NotFoundError
        There is no such trial in the scope.
    RefusedError
        A row cannot be carried out; every one is named.
    """
    plans = plan(act, trial_id, rows)
    findings = [
        {"code": "import_row", "row": each.row.row, "subject_id": each.row.subject_id, "sentence": sentence}
        for each in plans
        for sentence in each.refusals
    ]
    if findings:
        count = sum(each.fate is Fate.REFUSED for each in plans)
        message = (
            f"{count} of {len(plans)} rows cannot be imported, so nothing was: {findings[0]['sentence']}"
        )
        raise RefusedError(message, code="import_refused", findings=findings)
    for each in plans:
        _carry_out(act, trial_id, each, reason)
    return plans


def _carry_out(act: Act, trial_id: str, found: Plan, reason: str) -> None:
    row = found.row
    if found.fate is Fate.ENROLLED:
        enrolment = Enrolment(
            trial_id=trial_id,
            subject_id=row.subject_id,
            site_id=str(row.site_id),
            dates=SubjectDates(**row.dates),
            patient_ids=row.patient_ids,
        )
        service.enrol(act, enrolment)
    elif found.fate is Fate.CORRECTED:
        if found.after:
            correction = Correction(changes=found.after, reason=reason, seen_version=found.version)
            service.correct(act, trial_id, row.subject_id, correction)
        if found.new_patient_ids:
            service.register_patient_ids(act, trial_id, row.subject_id, found.new_patient_ids)


def shown(values: Mapping[str, Any]) -> dict[str, str | None]:
    """Return values as an answer shows them."""
    return {
        name: value.isoformat() if isinstance(value, date) else None if value is None else str(value)
        for name, value in values.items()
    }
