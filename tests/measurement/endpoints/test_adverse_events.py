from datetime import date

import pytest

from measurement.dates import PartialDate
from measurement.endpoints.adverse_events import AdverseEvent, GradeError, SafetyPeriod, count_adverse_events

PERIOD = SafetyPeriod(consent_on=date(2024, 3, 1), last_dose_on=date(2024, 9, 1))


def event(subject: str, term: str, grade: int | None, onset: str | None = "2024-05-05") -> AdverseEvent:
    return AdverseEvent(
        subject_id=subject, term=term, grade=grade, onset=PartialDate.parse(onset) if onset else None
    )


def test_a_subject_counts_once_a_term_at_the_worst_grade() -> None:
    table = count_adverse_events(
        [
            event("S1", "Diarrhoea", 1),
            event("S1", "Diarrhoea", 3),
            event("S2", "Diarrhoea", 2),
            event("S1", "Rash", 1),
        ],
        {"S1": PERIOD, "S2": PERIOD, "S3": PERIOD},
    )
    diarrhoea, rash = table.terms
    assert (diarrhoea.term, diarrhoea.events, diarrhoea.subjects) == ("Diarrhoea", 3, 2)
    assert diarrhoea.subjects_by_worst_grade == {3: 1, 2: 1}
    assert diarrhoea.subjects_with_grade_3_or_more == 1
    assert (rash.subjects, table.subjects) == (1, 3)
    assert (table.any_term.events, table.any_term.subjects_by_worst_grade) == (4, {3: 1, 2: 1})


ONSETS = [
    ("2024-02-29", False, "the day before consent"),
    ("2024-03-01", True, "the day of consent"),
    ("2024-10-01", True, "30 days after the last dose"),
    ("2024-10-02", False, "31 days after the last dose"),
    ("2024-10", True, "a month that begins inside"),
    ("2024-11", False, "a month wholly after"),
    ("2024", True, "a year that may lie inside"),
    ("2023", False, "a year wholly before"),
    (None, True, "an onset that nobody recorded"),
]


@pytest.mark.parametrize(("onset", "counts"), [pytest.param(*row[:2], id=row[2]) for row in ONSETS])
def test_an_event_counts_unless_it_is_certainly_outside(onset: str | None, counts: bool) -> None:  # noqa: FBT001 - a table's column
    table = count_adverse_events([event("S1", "Nausea", 2, onset)], {"S1": PERIOD})
    assert (table.any_term.events == 1) is counts
    assert (len(table.left_out) == 0) is counts


def test_while_treatment_goes_on_the_period_has_no_end() -> None:
    assert SafetyPeriod(consent_on=date(2024, 3, 1), last_dose_on=None).may_hold(
        PartialDate.parse("2031-01-01")
    )


def test_an_event_of_somebody_without_a_period_is_left_out_and_shown() -> None:
    table = count_adverse_events([event("S9", "Nausea", 2)], {"S1": PERIOD})
    assert [left.subject_id for left in table.left_out] == ["S9"]


def test_an_event_without_a_grade_is_counted_apart() -> None:
    table = count_adverse_events([event("S1", "Nausea", None)], {"S1": PERIOD})
    assert table.terms[0].subjects_by_worst_grade == {None: 1}


def test_a_grade_that_ctcae_does_not_have_is_refused() -> None:
    with pytest.raises(GradeError, match="must be 1 to 5; found 6 for Rash of S1"):
        event("S1", "Rash", 6)
