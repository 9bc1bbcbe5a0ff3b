"""Adverse events of an SDTM AE data set, counted by term and worst grade."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from typing import Any

from imaging_service.cdisc.record import Record
from measurement.endpoints.adverse_events import (
    GRADES,
    AdverseEvent,
    SafetyPeriod,
    SafetyTable,
    TermCount,
    count_adverse_events,
)

_SHOWN = 20
"""Terms that are printed; the report has all."""


def adverse_events(records: Iterable[Record], as_of: date | None) -> Iterator[AdverseEvent]:
    """Yield the events of an AE data set that had begun by the cut.

    Parameters
    ----------
    records
        Its records.
    as_of
        The data cut; ``None`` for everything known.

    Raises
    ------
    ValueRefusedError
        If a grade is none of CTCAE's or an onset is no date.
    """
    for record in records:
        grade = record.number("AETOXGR")
        if grade is not None and grade not in GRADES:
            record.refuse("AETOXGR", "a grade from 1 to 5")
        onset = record.dtc("AESTDTC")
        if as_of is not None and onset is not None and onset.earliest > as_of:
            continue
        yield AdverseEvent(
            subject_id=record.text("USUBJID"),
            term=record.text("AEDECOD") or record.text("AETERM"),
            grade=int(grade) if grade is not None else None,
            onset=onset,
            record_id=record.text("AESEQ"),
        )


def safety_table(
    records: Iterable[Record], periods: Mapping[str, SafetyPeriod], as_of: date | None
) -> SafetyTable:
    """Count the events of all subjects with a safety period."""
    return count_adverse_events(adverse_events(records, as_of), periods)


def safety_lines(table: SafetyTable, days: int) -> Iterator[str]:
    """Yield the table as lines of text, the most frequent terms first."""
    yield f"Adverse events of {table.subjects} subjects, from consent to {days} days after the last dose"
    yield (
        f"  {'term':<40} subjects  events  " + "  ".join(f"grade {grade}" for grade in GRADES) + "  no grade"
    )
    for row in (table.any_term, *table.terms[:_SHOWN]):
        grades = "  ".join(f"{row.subjects_by_worst_grade.get(grade, 0):>7}" for grade in (*GRADES, None))
        yield f"  {row.term[:40]:<40} {row.subjects:>8}  {row.events:>6}  {grades}"
    if len(table.terms) > _SHOWN:
        yield f"  and {len(table.terms) - _SHOWN} more terms in the report"
    if table.left_out:
        yield f"  {len(table.left_out)} events lie outside or belong to subjects without a date of consent"


def safety_mapping(table: SafetyTable) -> dict[str, Any]:
    """Return the whole table as JSON can hold it."""
    return {
        "subjects": table.subjects,
        "any_term": _term(table.any_term),
        "terms": [_term(row) for row in table.terms],
        "events_left_out": len(table.left_out),
    }


def _term(row: TermCount) -> dict[str, Any]:
    grades = {str(grade or "none"): row.subjects_by_worst_grade.get(grade, 0) for grade in (*GRADES, None)}
    return {
        "term": row.term,
        "subjects": row.subjects,
        "events": row.events,
        "subjects_by_worst_grade": grades,
    }
