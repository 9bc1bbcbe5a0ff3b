"""A subject's days from DM, EX, DS and the optional file of dates, each with the record that holds it."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from types import MappingProxyType
from typing import NamedTuple

from imaging_service.cdisc.errors import ColumnUnknownError
from imaging_service.cdisc.record import Place, Record
from imaging_service.cdisc.remark import Remark, RemarkKind
from measurement.protocol.schedule import Anchor
from measurement.protocol.trial import PartialDates


class DateSource(NamedTuple):
    """Where a day comes from (ADaM SRCDOM, SRCVAR, SRCSEQ)."""

    domain: str
    variable: str
    sequence: int | None = None


class Dated(NamedTuple):
    """A day and where it comes from."""

    on: date
    source: DateSource
    place: Place | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SubjectCalendar:
    """The days of a subject that are not days of imaging.

    Attributes
    ----------
    anchors
        What a protocol may count from, as far as known; never the day of baseline imaging.
    reference_on
        RFSTDTC, from which study days are counted.
    death, new_therapy, last_alive, consent, last_dose
        As far as known.
    remarks
        What is contradictory about them.
    """

    anchors: Mapping[Anchor, Dated] = field(default_factory=lambda: MappingProxyType({}))
    reference_on: date | None = None
    death: Dated | None = None
    new_therapy: Dated | None = None
    last_alive: Dated | None = None
    consent: Dated | None = None
    last_dose: Dated | None = None
    remarks: tuple[Remark, ...] = ()


DATE_COLUMNS: Mapping[str, str] = MappingProxyType(
    {
        "FIRST_DOSE": "RFXSTDTC",
        "RANDOMISATION": "RANDDTC",
        "ENROLMENT": "ENRLDTC",
        "CONSENT": "RFICDTC",
        "DEATH": "DTHDTC",
        "NEW_THERAPY": "NEWTXDTC",
        "LAST_ALIVE": "LSTALDTC",
        "LAST_DOSE": "RFXENDTC",
    }
)
"""Columns of the optional file of dates, beside USUBJID; what it says goes before any data set."""

_LOST = frozenset({"LOST TO FOLLOW-UP"})
"""Dispositions on whose day the subject was not known to be alive."""


def require_date_columns(file: str, columns: Sequence[str]) -> None:
    """Refuse a column of the file of dates that would be overlooked.

    Raises
    ------
    ColumnUnknownError
        If a column is none of `DATE_COLUMNS`.
    """
    known = ("STUDYID", "USUBJID", *DATE_COLUMNS.values())
    for name in columns:
        if name not in known:
            raise ColumnUnknownError(file, name, known)


@dataclass(frozen=True, slots=True, kw_only=True)
class DateRecords:
    """A subject's records that hold days."""

    dm: Sequence[Record] = ()
    ex: Sequence[Record] = ()
    ds: Sequence[Record] = ()
    dates: Sequence[Record] = ()


def calendar_of(subject_id: str, records: DateRecords, partial_dates: PartialDates) -> SubjectCalendar:
    """Collect a subject's days.

    Parameters
    ----------
    subject_id
        The subject, for remarks.
    records
        Where they are looked for.
    partial_dates
        What the protocol makes of an incomplete date.

    Returns
    -------
    SubjectCalendar
        The first source that has a day gives it: the file of dates, then DM, EX and DS as `_SOURCES` orders
        them. A death with two different days is a query.

    Raises
    ------
    ValueRefusedError
        If a day cannot be read, or a subject has more than one record in DM or the file of dates.
    """
    for several in (records.dm, records.dates):
        if len(several) > 1:
            several[1].refuse("USUBJID", "one record a subject")
    found = {name: list(_found(name, records, partial_dates)) for name in _SOURCES}
    first = {name: days[0] for name, days in found.items() if days}
    anchors = {anchor: first[anchor.value.upper()] for anchor in _ANCHORS if anchor.value.upper() in first}
    reference = first.get("REFERENCE")
    return SubjectCalendar(
        anchors=MappingProxyType(anchors),
        reference_on=reference.on if reference else None,
        death=first.get("DEATH"),
        new_therapy=first.get("NEW_THERAPY"),
        last_alive=max(found["LAST_ALIVE"], key=_day, default=None),
        consent=first.get("CONSENT"),
        last_dose=first.get("LAST_DOSE"),
        remarks=tuple(_contradictions(subject_id, found["DEATH"])),
    )


_ANCHORS = (Anchor.FIRST_DOSE, Anchor.RANDOMISATION, Anchor.ENROLMENT, Anchor.CONSENT)

_Finder = Callable[[DateRecords, PartialDates], Iterator[Dated]]


def _day(dated: Dated) -> date:
    return dated.on


def _found(name: str, records: DateRecords, partial_dates: PartialDates) -> Iterator[Dated]:
    for record in records.dates if name in DATE_COLUMNS else ():
        yield from _dated(record, "DATES", DATE_COLUMNS[name], partial_dates)
    for finder in _SOURCES[name]:
        yield from finder(records, partial_dates)


def _dated(record: Record, domain: str, column: str, partial_dates: PartialDates) -> Iterator[Dated]:
    on = record.day(column, partial_dates)
    if on is not None:
        sequence = record.number(f"{domain}SEQ")
        source = DateSource(domain, column, int(sequence) if sequence is not None else None)
        yield Dated(on, source, record.place)


def _known(record: Record, domain: str, column: str, partial_dates: PartialDates) -> Iterator[Dated]:
    """Yield a day of contact; an incomplete one says too little where the protocol completes none."""
    found = record.dtc(column)
    if found is not None and (found.is_complete or partial_dates is not PartialDates.REFUSE):
        yield from _dated(record, domain, column, partial_dates)


def _dm_contacts(records: DateRecords, partial_dates: PartialDates) -> Iterator[Dated]:
    for record in records.dm:
        for column in ("RFENDTC", "RFPENDTC", "RFXENDTC"):
            yield from _known(record, "DM", column, partial_dates)


def _dm(*columns: str) -> _Finder:
    def finder(records: DateRecords, partial_dates: PartialDates) -> Iterator[Dated]:
        for record in records.dm:
            for column in columns:
                yield from _dated(record, "DM", column, partial_dates)

    return finder


def _ds(*terms: str) -> _Finder:
    def finder(records: DateRecords, partial_dates: PartialDates) -> Iterator[Dated]:
        found = [
            dated
            for record in records.ds
            if record.word("DSDECOD") in terms
            for dated in _dated(record, "DS", "DSSTDTC", partial_dates)
        ]
        yield from sorted(found, key=_day)

    return finder


def _doses(records: DateRecords, column: str, partial_dates: PartialDates) -> list[Dated]:
    return [
        dated
        for record in records.ex
        if record.word("EXOCCUR") != "N"
        and record.word("EXSTAT") != "NOT DONE"
        and record.number("EXDOSE") != 0
        for dated in _dated(record, "EX", column, partial_dates)
    ]


def _first_dose(records: DateRecords, partial_dates: PartialDates) -> Iterator[Dated]:
    yield from sorted(_doses(records, "EXSTDTC", partial_dates), key=_day)[:1]


def _last_dose(records: DateRecords, partial_dates: PartialDates) -> Iterator[Dated]:
    doses = _doses(records, "EXSTDTC", partial_dates) + _doses(records, "EXENDTC", partial_dates)
    yield from sorted(doses, key=_day)[-1:]


def _contacts(records: DateRecords, partial_dates: PartialDates) -> Iterator[Dated]:
    for record in records.ds:
        if record.word("DSDECOD") not in {"DEATH", *_LOST}:
            yield from _known(record, "DS", "DSSTDTC", partial_dates)


_SOURCES: Mapping[str, Sequence[_Finder]] = MappingProxyType(
    {
        "FIRST_DOSE": (_dm("RFXSTDTC"), _first_dose, _dm("RFSTDTC")),
        "RANDOMISATION": (_dm("RANDDT", "RANDDTC"), _ds("RANDOMIZED", "RANDOMISED", "RANDOMIZATION")),
        "ENROLMENT": (_ds("ENROLLED", "ENROLMENT", "ENROLLMENT"), _dm("RFSTDTC")),
        "CONSENT": (_dm("RFICDTC"), _ds("INFORMED CONSENT OBTAINED")),
        "REFERENCE": (_dm("RFSTDTC"),),
        "DEATH": (_dm("DTHDTC"), _ds("DEATH")),
        "NEW_THERAPY": (),
        "LAST_ALIVE": (_dm_contacts, _last_dose, _contacts),
        "LAST_DOSE": (_dm("RFXENDTC"), _last_dose),
    }
)
"""Where each day is looked for after the file of dates, the first that has it wins."""


def _contradictions(subject_id: str, deaths: Iterable[Dated]) -> Iterator[Remark]:
    found = list(deaths)
    for first, other in zip(found[:1] * len(found), found, strict=True):
        if other.on != first.on:
            yield Remark(
                kind=RemarkKind.QUERY,
                code="death_contradicted",
                sentence=f"The death is dated {first.on} by {first.source.domain} and {other.on} by "
                f"{other.source.domain}: which is right? {first.on} is used.",
                subject_id=subject_id,
                place=other.place,
            )
