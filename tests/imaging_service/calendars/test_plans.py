"""The pages of calendar and quality control find their rows by index on both databases."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import event, text

from tests.builders.arrivals import TrialHouse

LARGE = ("timepoints", "subjects", "calendars", "assessments", "site_queries", "controls", "subject_versions")
"""Tables that grow with the trial: none of them may be read from end to end for a page."""

PAGES = (
    "/calendar",
    "/calendar?status=overdue",
    "/calendar?status=missed",
    "/calendar?status=read",
    "/calendar?status=expected",
    "/calendar?control=in_control",
    "/calendar?subject=01-001",
    "/quality?state=in_control",
    "/site_queries?overdue=true",
    "/site_queries?subject=01-001",
)


@contextmanager
def listening(house: TrialHouse) -> Iterator[list[tuple[str, Any]]]:
    """Keep what is said to the database."""
    said: list[tuple[str, Any]] = []

    def note(_connection: Any, _cursor: Any, statement: str, parameters: Any, *_rest: Any) -> None:
        if statement.startswith("SELECT"):
            said.append((statement, parameters))

    with house.service.database.read() as session:
        engine = session.get_bind().engine
    event.listen(engine, "before_cursor_execute", note)
    try:
        yield said
    finally:
        event.remove(engine, "before_cursor_execute", note)


def plan_of(house: TrialHouse, statement: str, parameters: Any) -> str:
    with house.service.database.read() as session:
        connection = session.connection()
        if connection.dialect.name == "sqlite":
            rows = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)
            return "\n".join(str(row[3]) for row in rows)
        connection.execute(text("SET LOCAL enable_seqscan = off"))  # a small table is read whole otherwise
        return "\n".join(row[0] for row in connection.exec_driver_sql(f"EXPLAIN {statement}", parameters))


def scans(plan: str) -> list[str]:
    """Return the lines that read a large table from end to end."""
    return [
        line
        for line in plan.splitlines()
        for table in LARGE
        if line == f"SCAN {table}" or f"Seq Scan on {table}" in line
    ]


@pytest.fixture
def asked(house: TrialHouse) -> TrialHouse:
    house.enrol()
    body = {"code": "other", "text": "When was the examination?", "subject_id": "01-001"}
    assert house.service.post(house.path("/site_queries"), "coordinator", json=body).status_code == 201
    return house


def test_no_page_reads_a_table_from_end_to_end(asked: TrialHouse):
    found: dict[str, list[str]] = {}
    for page in PAGES:
        with listening(asked) as said:
            assert asked.service.get(asked.path(page), "coordinator").status_code == 200
        assert said
        lines = [line for each in said for line in scans(plan_of(asked, *each))]
        if lines:
            found[page] = lines
    assert found == {}


def test_the_rule_sees_a_scan(asked: TrialHouse):
    assert scans(plan_of(asked, "SELECT * FROM timepoints WHERE not_done_reason = 'x'", ())) != []
