"""Count imported adverse events by term, grade and subject (NCI CTCAE grades 1 to 5).

Adverse events are kept by the trial's data capture system; here they are counted only, from consent to some
days after the last dose.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from types import MappingProxyType

from measurement.dates import PartialDate
from measurement.errors import MeasurementError

GRADES = (1, 2, 3, 4, 5)


class GradeError(MeasurementError):
    """A grade is not one of CTCAE's."""

    def __init__(self, subject_id: str, term: str, grade: int) -> None:
        """Name the event and its grade."""
        super().__init__(
            f"An adverse event's grade must be 1 to 5; found {grade} for {term} of {subject_id}."
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class AdverseEvent:
    """A row of an SDTM AE data set."""

    subject_id: str  # USUBJID
    term: str  # AEDECOD
    grade: int | None  # AETOXGR; None when not recorded
    onset: PartialDate | None  # AESTDTC
    record_id: str = ""  # AESEQ

    def __post_init__(self) -> None:
        """Refuse a grade that CTCAE does not have."""
        if self.grade is not None and self.grade not in GRADES:
            raise GradeError(self.subject_id, self.term, self.grade)


@dataclass(frozen=True, slots=True, kw_only=True)
class SafetyPeriod:
    """The days on which a subject's adverse events count; an open end where treatment goes on."""

    consent_on: date
    last_dose_on: date | None
    days_after_last_dose: int = 30

    def may_hold(self, onset: PartialDate | None) -> bool:
        """Whether the event may have begun in the period.

        A partial or missing onset counts unless it is certainly outside: leaving a real event out is the
        graver mistake.
        """
        if onset is None:
            return True
        if onset.latest < self.consent_on:
            return False
        return self.last_dose_on is None or onset.earliest <= self.last_dose_on + timedelta(
            days=self.days_after_last_dose
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class TermCount:
    """How often one term was seen."""

    term: str
    events: int
    subjects: int
    subjects_by_worst_grade: Mapping[int | None, int]  # each subject once; None: no grade recorded

    @property
    def subjects_with_grade_3_or_more(self) -> int:
        """Count subjects whose worst grade of this term is 3, 4 or 5."""
        return sum(count for grade, count in self.subjects_by_worst_grade.items() if grade and grade >= 3)


@dataclass(frozen=True, slots=True, kw_only=True)
class SafetyTable:
    """The cohort's adverse events: one row a term, the row of any term first named ANY."""

    subjects: int  # with a safety period, the denominator
    any_term: TermCount
    terms: tuple[TermCount, ...]  # most subjects first, then by name
    left_out: tuple[AdverseEvent, ...]  # outside the period, or of a subject without one


def count_adverse_events(events: Iterable[AdverseEvent], periods: Mapping[str, SafetyPeriod]) -> SafetyTable:
    """Count the events that fall in their subject's safety period.

    Parameters
    ----------
    events
        Rows in any order; several rows of a subject and term count once as a subject, at the worst grade.
    periods
        Safety period by subject; its length is the denominator.
    """
    counted: list[AdverseEvent] = []
    left_out: list[AdverseEvent] = []
    for event in events:
        period = periods.get(event.subject_id)
        inside = period is not None and period.may_hold(event.onset)
        (counted if inside else left_out).append(event)
    by_term: dict[str, list[AdverseEvent]] = defaultdict(list)
    for event in counted:
        by_term[event.term].append(event)
    terms = [_count(term, of_term) for term, of_term in by_term.items()]
    return SafetyTable(
        subjects=len(periods),
        any_term=_count("ANY", counted),
        terms=tuple(sorted(terms, key=lambda row: (-row.subjects, row.term))),
        left_out=tuple(left_out),
    )


def _count(term: str, events: list[AdverseEvent]) -> TermCount:
    worst: dict[str, int] = {}
    for event in events:
        worst[event.subject_id] = max(worst.get(event.subject_id, 0), event.grade or 0)
    by_grade: dict[int | None, int] = defaultdict(int)
    for grade in worst.values():
        by_grade[grade or None] += 1
    return TermCount(
        term=term,
        events=len(events),
        subjects=len(worst),
        subjects_by_worst_grade=MappingProxyType(dict(by_grade)),
    )
