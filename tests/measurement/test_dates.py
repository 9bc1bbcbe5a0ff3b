from datetime import date

import pytest

from measurement.dates import DateTextError, PartialDate

SPANS = [
    ("2024-05-17", date(2024, 5, 17), date(2024, 5, 17), date(2024, 5, 17)),
    ("2024-05-17T09:30", date(2024, 5, 17), date(2024, 5, 17), date(2024, 5, 17)),
    ("2024-02", date(2024, 2, 1), date(2024, 2, 15), date(2024, 2, 29)),
    ("2023-02", date(2023, 2, 1), date(2023, 2, 15), date(2023, 2, 28)),
    ("2024", date(2024, 1, 1), date(2024, 7, 1), date(2024, 12, 31)),
]


@pytest.mark.parametrize(("text", "earliest", "middle", "latest"), SPANS)
def test_a_partial_date_spans_the_days_that_it_may_be(
    text: str, earliest: date, middle: date, latest: date
) -> None:
    partial = PartialDate.parse(text)
    assert (partial.earliest, partial.middle, partial.latest) == (earliest, middle, latest)


NO_DATES = ["", "24-05-17", "2024-5", "2024-13", "2023-02-29", "17MAY2024", "2024-05-17 09:30", "0000"]


@pytest.mark.parametrize("text", NO_DATES)
def test_a_text_that_is_no_date_is_named(text: str) -> None:
    with pytest.raises(DateTextError, match="must read YYYY, YYYY-MM or YYYY-MM-DD and exist; found"):
        PartialDate.parse(text)


@pytest.mark.parametrize("text", ["2024", "2024-02", "2024-02-09"])
def test_a_date_is_written_as_it_was_read(text: str) -> None:
    assert str(PartialDate.parse(text)) == text
