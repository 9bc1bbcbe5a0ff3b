"""What an import says about each subject, read from CSV or from SDTM's DM, DS and EX."""

import csv
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import date
from typing import Any

from imaging_service.cdisc.errors import DataSetError
from imaging_service.cdisc.record import Place, Record
from imaging_service.cdisc.subject_dates import DateRecords, SubjectCalendar, calendar_of
from imaging_service.errors import RefusedError
from imaging_service.subjects.dates import SubjectDates, WithdrawalReason
from imaging_service.subjects.records import PatientId
from measurement.protocol.schedule import Anchor
from measurement.protocol.trial import PartialDates

_DATES = tuple(each.name for each in fields(SubjectDates) if each.name != "withdrawal_reason")
COLUMNS = ("subject_id", "site_id", "patient_ids", *_DATES, "withdrawal_reason")
"""Columns of a CSV file of subjects; only the first is needed. An empty cell leaves things as they are."""
DOMAINS = ("DM", "DS", "EX")
_MOST_ROWS = 20_000
_YEARS = range(1900, 2200)


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportRow:
    """What an import says about one subject."""

    row: int  # as people count: the header is row 1
    subject_id: str
    site_id: str | None = None
    patient_ids: Sequence[PatientId] = ()
    dates: Mapping[str, Any] = field(default_factory=dict)
    refusals: Sequence[str] = ()  # what cannot be read in it


def rows_of_csv(text: str) -> Sequence[ImportRow]:
    r"""Read a CSV file (RFC 4180) with the columns of `COLUMNS`; PatientIDs are parted by semicolons.

    Raises
    ------
    RefusedError
        It is no CSV file, has no header, or a column that would be overlooked.

    Examples
    --------
    >>> row, = rows_of_csv("subject_id,site_id,first_dose_on\nS1-001,S1,2026-01-05\n")
    >>> row.subject_id, row.dates
    ('S1-001', {'first_dose_on': datetime.date(2026, 1, 5)})
    """
    try:
        found = list(csv.reader(io.StringIO(text.removeprefix("\ufeff"), newline=""), strict=True))
    except csv.Error as error:
        message = f"The subjects cannot be read as CSV: {error}."
        raise RefusedError(message, code="import_unreadable") from None
    if not found or not any(found[0]):
        message = "The file of subjects is empty; a header row of column names was wanted."
        raise RefusedError(message, code="import_unreadable")
    header = [each.strip().lower() for each in found[0]]
    _check_header(header)
    lines = [(number, line) for number, line in enumerate(found[1:], 2) if any(line)]
    _check_number(len(lines))
    return [_row_of_csv(number, header, line) for number, line in lines]


def _check_header(header: Sequence[str]) -> None:
    unknown = [each for each in header if each not in COLUMNS]
    if unknown or len(set(header)) < len(header) or "subject_id" not in header:
        message = (
            f"The file of subjects has the columns {', '.join(header)}; known are {', '.join(COLUMNS)}, "
            "each at most once, and subject_id is needed."
        )
        raise RefusedError(message, code="import_columns")


def _check_number(count: int) -> None:
    if count > _MOST_ROWS:
        message = f"The import has {count} subjects; {_MOST_ROWS} at once is the most."
        raise RefusedError(message, code="import_too_long")


def _row_of_csv(number: int, header: Sequence[str], line: Sequence[str]) -> ImportRow:
    if len(line) != len(header):
        sentence = f"The row has {len(line)} cells; {len(header)} were wanted, as the header has."
        return ImportRow(row=number, subject_id=line[0].strip() if line else "", refusals=(sentence,))
    cells = {name: value.strip() for name, value in zip(header, line, strict=True) if value.strip()}
    refusals: list[str] = []
    dates: dict[str, Any] = {}
    for name in _DATES:
        if name in cells:
            day = _day(cells[name])
            if day is None:
                refusals.append(f"{name} is {cells[name]!r}; a date as YYYY-MM-DD was wanted.")
            dates[name] = day
    if "withdrawal_reason" in cells:
        known = [each.value for each in WithdrawalReason]
        if cells["withdrawal_reason"] in known:
            dates["withdrawal_reason"] = WithdrawalReason(cells["withdrawal_reason"])
        else:
            refusals.append(
                f"withdrawal_reason is {cells['withdrawal_reason']!r}; one of {', '.join(known)} was wanted."
            )
    return ImportRow(
        row=number,
        subject_id=cells.get("subject_id", ""),
        site_id=cells.get("site_id"),
        patient_ids=[PatientId(patient_id=each) for each in _parts(cells.get("patient_ids", ""))],
        dates=dates,
        refusals=tuple(refusals),
    )


def _parts(text: str) -> Iterator[str]:
    yield from (each.strip() for each in text.split(";") if each.strip())


def _day(text: str) -> date | None:
    try:
        day = date.fromisoformat(text) if len(text) == len("2026-01-05") else None
    except ValueError:
        return None
    return day if day is not None and day.year in _YEARS else None


DISPOSITIONS: Mapping[str, WithdrawalReason] = {
    "PROGRESSIVE DISEASE": WithdrawalReason.PROGRESSION,
    "DISEASE PROGRESSION": WithdrawalReason.PROGRESSION,
    "DEATH": WithdrawalReason.DEATH,
    "ADVERSE EVENT": WithdrawalReason.ADVERSE_EVENT,
    "WITHDRAWAL BY SUBJECT": WithdrawalReason.CONSENT_WITHDRAWN,
    "LOST TO FOLLOW-UP": WithdrawalReason.LOST_TO_FOLLOW_UP,
    "PHYSICIAN DECISION": WithdrawalReason.PHYSICIAN_DECISION,
    "COMPLETED": WithdrawalReason.COMPLETED,
    "OTHER": WithdrawalReason.OTHER,
}
"""Completion or reason for non-completion (DSDECOD, codelist NCOMPLT) → why the subject left."""


def rows_of_sdtm(domains: Mapping[str, Iterable[Record]], trial_id: str) -> Sequence[ImportRow]:
    """Read what DM, DS and EX say about each subject of DM.

    Parameters
    ----------
    domains
        Records by domain; DM is needed.
    trial_id
        The trial: STUDYID of every record that has one.

    Raises
    ------
    RefusedError
        DM is missing, or a domain is none of `DOMAINS`.
    """
    unknown = sorted(set(domains) - set(DOMAINS))
    if unknown or "DM" not in domains:
        found = ", ".join(sorted(domains)) or "none"
        message = f"The import has the domains {found}; DM was wanted, and DS and EX may be beside it."
        raise RefusedError(message, code="import_domains")
    of_subject: dict[str, dict[str, list[Record]]] = {}
    for name, records in domains.items():
        for record in records:
            of_subject.setdefault(record.text("USUBJID"), {}).setdefault(name, []).append(record)
    _check_number(len(of_subject))
    return [_row_of_sdtm(subject_id, found, trial_id) for subject_id, found in of_subject.items()]


def _row_of_sdtm(subject_id: str, found: Mapping[str, list[Record]], trial_id: str) -> ImportRow:
    first = next(iter(found.values()))[0]
    refusals = [
        f"STUDYID is {record.text('STUDYID')!r} in row {record.place.row} of {record.place.file}; "
        f"{trial_id!r} was wanted."
        for records in found.values()
        for record in records
        if record.text("STUDYID") not in {"", trial_id}
    ]
    if "DM" not in found:
        refusals.append(f"The subject has records in {' and '.join(sorted(found))} and none in DM.")
        return ImportRow(row=first.place.row, subject_id=subject_id, refusals=tuple(refusals))
    dm = found["DM"][0]
    records = DateRecords(dm=found["DM"], ds=found.get("DS", ()), ex=found.get("EX", ()))
    dates: dict[str, Any] = {}
    try:
        calendar = calendar_of(subject_id, records, PartialDates.REFUSE)
        refusals += [each.sentence for each in calendar.remarks]
        dates = {**_days_of(calendar), **_withdrawal(found.get("DS", ()))}
    except DataSetError as error:
        refusals.append(str(error))
    return ImportRow(
        row=dm.place.row,
        subject_id=subject_id,
        site_id=dm.text("SITEID") or None,
        dates=dates,
        refusals=tuple(refusals),
    )


def _days_of(calendar: SubjectCalendar) -> dict[str, date]:
    days = {
        "consent_on": calendar.consent,
        "randomised_on": calendar.anchors.get(Anchor.RANDOMISATION),
        "first_dose_on": calendar.anchors.get(Anchor.FIRST_DOSE),
        "new_therapy_on": calendar.new_therapy,
        "last_contact_on": calendar.last_alive,
        "death_on": calendar.death,
    }
    return {name: each.on for name, each in days.items() if each is not None}


def _withdrawal(dispositions: Iterable[Record]) -> dict[str, Any]:
    """Return the day on which the subject left the trial and why, as the first disposition event has it."""
    left = sorted(
        (day, DISPOSITIONS[record.word("DSDECOD")])
        for record in dispositions
        if record.word("DSCAT") == "DISPOSITION EVENT"
        and record.word("DSDECOD") in DISPOSITIONS
        and (day := record.day("DSSTDTC", PartialDates.REFUSE)) is not None
    )
    return {"withdrawal_on": left[0][0], "withdrawal_reason": left[0][1]} if left else {}


def records_of(name: str, rows: Iterable[Mapping[str, str]]) -> Sequence[Record]:
    """Return the rows of a domain as records, numbered as people count; names of columns in upper case."""
    return [
        Record(
            place=Place(file=name, row=number),
            values={column.upper(): value.strip() for column, value in row.items()},
        )
        for number, row in enumerate(rows, 1)
    ]
