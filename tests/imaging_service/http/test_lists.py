"""Pages and CSV: each row once, in order, and nothing that a spreadsheet would run."""

import csv
import io
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imaging_service.errors import BadRequestError
from imaging_service.http.csv_answer import cell, csv_response
from imaging_service.http.pages import decode_cursor, encode_cursor
from tests.builders.service import TestService

CELLS: list[tuple[Any, str]] = [
    (None, ""),
    (True, "true"),
    (12, "12"),
    (-12, "-12"),
    (Decimal("-12.50"), "-12.50"),
    (date(2026, 1, 5), "2026-01-05"),
    (datetime(2026, 1, 5, 8, tzinfo=UTC), "2026-01-05T08:00:00+00:00"),
    ("plain", "plain"),
    ("=1+1", "'=1+1"),
    ("+1", "'+1"),
    ("-1", "'-1"),
    ("@SUM(A1)", "'@SUM(A1)"),
    ("\t=1+1", "'\t=1+1"),
    ("\r=1+1", "'\r=1+1"),
    ([1, "a"], '[1,"a"]'),
    ({"b": 1, "a": 2}, '{"a":2,"b":1}'),
]


@pytest.mark.parametrize(("value", "expected"), CELLS, ids=repr)
def test_a_cell(value: Any, expected: str):
    assert cell(value) == expected


@given(st.text(max_size=20))
def test_no_text_becomes_a_formula(text: str):
    assert not cell(text).startswith(("=", "+", "-", "@", "\t", "\r", "\n"))


def test_a_file_reads_back_with_quotes_commas_and_lines():
    rows = [{"a": 'say "so"', "b": "x,y"}, {"a": "two\nlines"}]
    response = csv_response(["a", "b"], rows, "rows.csv")
    read = list(csv.DictReader(io.StringIO(bytes(response.body).decode(), newline="")))
    assert read == [{"a": 'say "so"', "b": "x,y"}, {"a": "two\nlines", "b": ""}]
    assert response.headers["content-disposition"] == 'attachment; filename="rows.csv"'


keys = st.lists(
    st.integers(-(2**63), 2**63 - 1)
    | st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=50),
    min_size=1,
    max_size=8,
).map(tuple)


@given(keys)
def test_a_cursor_gives_its_key_back(key: tuple[str | int, ...]):
    assert decode_cursor(encode_cursor(key)) == key


@given(st.text(max_size=60))
def test_any_other_text_is_no_cursor_or_a_key(text: str):
    try:
        key: tuple[str | int, ...] | None = decode_cursor(text)
    except BadRequestError:
        key = None
    assert key is None or all(isinstance(part, str | int) for part in key)


FORMATS = [
    ("application/json", "", "application/json"),
    ("text/csv", "", "text/csv"),
    ("text/html, text/csv;q=0.5, */*;q=0.1", "", "text/csv"),
    ("*/*", "", "application/json"),
    ("application/json", "?format=csv", "text/csv"),
    ("text/csv", "?format=json", "application/json"),
]


@pytest.mark.parametrize(("accept", "query", "expected"), FORMATS)
def test_a_list_is_answered_as_asked(sqlite_service: TestService, accept: str, query: str, expected: str):
    answer = sqlite_service.get(f"/audit{query}", "administrator", headers={"Accept": accept})
    assert answer.headers["content-type"].split(";")[0] == expected


def test_a_format_that_does_not_exist_is_told(sqlite_service: TestService):
    answer = sqlite_service.get("/audit", "administrator", headers={"Accept": "image/png"})
    assert (answer.status_code, answer.json()["code"]) == (406, "not_acceptable")


def test_a_file_that_goes_on_carries_its_cursor(sqlite_service: TestService):
    first = sqlite_service.get("/audit?format=csv&limit=2", "administrator")
    rest = sqlite_service.get(f"/audit?format=csv&cursor={first.headers['x-next-cursor']}", "administrator")
    numbers = [
        int(row["sequence"]) for text in (first.text, rest.text) for row in csv.DictReader(io.StringIO(text))
    ]
    assert numbers == list(range(1, len(numbers) + 1))
    assert "x-next-cursor" not in rest.headers
