from datetime import date

import pytest

from measurement.dates import DateTextError, Imputation, PartialDate

IMPUTED = [
    ("2024-05-17", Imputation.NONE, date(2024, 5, 17)),
    ("2024-05-17T09:30", Imputation.LAST, date(2024, 5, 17)),
    ("2024-02", Imputation.FIRST, date(2024, 2, 1)),
    ("2024-02", Imputation.MIDDLE, date(2024, 2, 15)),
    ("2024-02", Imputation.LAST, date(2024, 2, 29)),
    ("2023-02", Imputation.LAST, date(2023, 2, 28)),
    ("2024", Imputation.FIRST, date(2024, 1, 1)),
    ("2024", Imputation.MIDDLE, date(2024, 7, 1)),
    ("2024", Imputation.LAST, date(2024, 12, 31)),
    ("2024", Imputation.NONE, None),
    ("2024-02", Imputation.NONE, None),
]


@pytest.mark.parametrize(("text", "rule", "expected"), IMPUTED)
def test_a_partial_date_stands_for_the_day_that_the_rule_says(
    text: str, rule: Imputation, expected: date
) -> None:
    assert PartialDate.parse(text).imputed(rule) == expected


@pytest.mark.parametrize(
    "text", ["", "24-05-17", "2024-5", "2024-13", "2023-02-29", "17MAY2024", "2024-05-17 09:30"]
)
def test_a_text_that_is_no_date_is_named(text: str) -> None:
    with pytest.raises(DateTextError, match="must read YYYY, YYYY-MM or YYYY-MM-DD and exist; found"):
        PartialDate.parse(text)


@pytest.mark.parametrize("text", ["2024", "2024-02", "2024-02-09"])
def test_a_date_is_written_as_it_was_read(text: str) -> None:
    assert str(PartialDate.parse(text)) == text
