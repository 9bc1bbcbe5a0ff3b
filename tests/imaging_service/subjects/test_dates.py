"""Which dates a subject cannot have."""

from datetime import UTC, date, datetime

import pytest

from imaging_service.subjects.dates import (
    NAMES,
    NEVER_AFTER,
    SubjectDates,
    WithdrawalReason,
    contradictions,
    today_anywhere,
)

TODAY = date(2026, 1, 5)


@pytest.mark.parametrize(("earlier", "later"), NEVER_AFTER)
def test_an_order_that_cannot_be_is_told_with_both_dates(earlier: str, later: str) -> None:
    reason = WithdrawalReason.OTHER if "withdrawal_on" in {earlier, later} else None
    dates = SubjectDates(**{earlier: date(2025, 3, 2), later: date(2025, 3, 1)}, withdrawal_reason=reason)
    (sentence,) = contradictions(dates, today=TODAY)
    assert sentence == (
        f"{NAMES[later].capitalize()} is dated 2025-03-01, before {NAMES[earlier]} on 2025-03-02."
    )
    same_day = SubjectDates(**{earlier: date(2025, 3, 1), later: date(2025, 3, 1)}, withdrawal_reason=reason)
    assert contradictions(same_day, today=TODAY) == []


@pytest.mark.parametrize("field", NAMES)
def test_no_date_lies_in_the_future(field: str) -> None:
    reason = WithdrawalReason.OTHER if field == "withdrawal_on" else None
    tomorrow = SubjectDates(**{field: date(2026, 1, 6)}, withdrawal_reason=reason)
    (sentence,) = contradictions(tomorrow, today=TODAY)
    assert "is dated 2026-01-06, which is in the future" in sentence
    today = SubjectDates(**{field: TODAY}, withdrawal_reason=reason)
    assert contradictions(today, today=TODAY) == []


@pytest.mark.parametrize(
    ("dates", "words"),
    [
        (SubjectDates(withdrawal_on=TODAY), "has a date and no reason"),
        (SubjectDates(withdrawal_reason=WithdrawalReason.DEATH), "has a reason and no date"),
    ],
)
def test_a_withdrawal_needs_a_date_and_a_reason(dates: SubjectDates, words: str) -> None:
    (sentence,) = contradictions(dates, today=TODAY)
    assert words in sentence


@pytest.mark.parametrize(
    ("now", "today"),
    [
        (datetime(2026, 1, 5, 9, 59, tzinfo=UTC), date(2026, 1, 5)),
        (datetime(2026, 1, 5, 10, 0, tzinfo=UTC), date(2026, 1, 6)),  # midnight at UTC+14
    ],
)
def test_a_day_may_be_entered_where_it_has_begun(now: datetime, today: date) -> None:
    assert today_anywhere(now) == today


def test_imaging_ends_with_whatever_comes_first() -> None:
    dates = SubjectDates(progression_on=date(2025, 5, 2), death_on=date(2025, 6, 1))
    assert dates.closed_on == date(2025, 5, 2)
    assert SubjectDates(first_dose_on=date(2025, 5, 2)).closed_on is None
