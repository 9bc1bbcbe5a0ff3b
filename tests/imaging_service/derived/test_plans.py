"""The databases' own plans: what is asked all day reads no large table whole."""

import re
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from sqlalchemy import event

from tests.builders.cohort import TRIAL, Size, Template, fill, template
from tests.builders.service import TestService, running_service

LARGE = (
    *("reads", "read_lesions", "read_axes", "read_signatures", "assessments", "timepoints", "studies"),
    *("study_series", "study_instances", "site_evaluations", "subject_versions"),
)
HOT = (
    ("reader1", "/worklist"),
    ("adjudicator", "/adjudications"),
    ("sponsor", f"/trials/{TRIAL}/outcomes"),
    ("sponsor", f"/trials/{TRIAL}/outcomes?view=accepted"),
    ("coordinator", f"/trials/{TRIAL}/reads/discordant"),
    ("coordinator", f"/trials/{TRIAL}/readers/statistics"),
    ("coordinator", f"/trials/{TRIAL}/evaluations/comparison"),
    ("coordinator", f"/trials/{TRIAL}/subjects?limit=20"),
    ("coordinator", f"/trials/{TRIAL}/calendar?limit=20"),
    ("coordinator", f"/trials/{TRIAL}/calendar/counts"),
    ("coordinator", f"/trials/{TRIAL}/timepoints?limit=20"),
    ("coordinator", f"/trials/{TRIAL}/timepoints/overdue"),
    ("coordinator", f"/trials/{TRIAL}/assessments?limit=20"),
    ("coordinator", f"/trials/{TRIAL}/reviews?limit=20"),
    ("coordinator", f"/trials/{TRIAL}/evaluations?limit=20"),
    ("coordinator", "/accounts/me"),
)
SUBJECTS = 400


@pytest.fixture(scope="module")
def copied() -> Template:
    return template(Size(subjects=SUBJECTS, timepoints=6), 8)


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def large(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, copied: Template
) -> Iterator[TestService]:
    with ExitStack() as stack:
        if request.param == "sqlite":
            url = f"sqlite:///{tmp_path_factory.mktemp('plans')}/large.sqlite"
        else:
            url = stack.enter_context(request.getfixturevalue("postgres").database())
        service = stack.enter_context(running_service(url))
        fill(service.database, Size(subjects=SUBJECTS, timepoints=6), of=copied)
        for slot in (1, 2):
            service.grant(f"reader{slot}", TRIAL, reader_slot=slot)
        for account in ("coordinator", "sponsor", "adjudicator"):
            service.grant(account, TRIAL)
        yield service


def asked(service: TestService, account: str, path: str) -> list[tuple[str, Any]]:
    """Return the statements that a request sends."""
    service.token(account)
    statements: list[tuple[str, Any]] = []

    def note(_connection: Any, _cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        if statement.lstrip().upper().startswith(("SELECT", "WITH")):
            statements.append((statement, parameters))

    event.listen(service.database.reader, "before_cursor_execute", note)
    try:
        answer = service.get(path, account)
    finally:
        event.remove(service.database.reader, "before_cursor_execute", note)
    assert answer.status_code == 200, answer.text
    return statements


def plan(service: TestService, statement: str, parameters: Any) -> list[str]:
    word = "EXPLAIN QUERY PLAN " if service.database.is_sqlite else "EXPLAIN "
    with service.database.reader.connect() as connection:
        if not service.database.is_sqlite:  # a table of a few pages is read whole even where an index fits
            connection.exec_driver_sql("SET LOCAL enable_seqscan = off")
        rows = connection.exec_driver_sql(word + statement, parameters)
        return [str(row[-1]) for row in rows]


def whole_tables(lines: list[str]) -> list[str]:
    """Return the lines of a plan that read a large table from end to end."""
    tables = "|".join(LARGE)
    scan = re.compile(rf"(\bSCAN ({tables})\b|\bSeq Scan on ({tables})\b)")
    return [line.strip() for line in lines if scan.search(line)]


@pytest.mark.parametrize(("account", "path"), HOT, ids=[path for _, path in HOT])
def test_no_large_table_is_read_whole(large: TestService, account: str, path: str) -> None:
    found = asked(large, account, path)
    assert found
    whole = {
        statement[:200]: scans
        for statement, parameters in found
        if (scans := whole_tables(plan(large, statement, parameters)))
    }
    assert whole == {}


def test_a_plan_that_reads_a_whole_table_is_recognised(large: TestService) -> None:
    assert whole_tables(plan(large, "SELECT count(*) FROM reads WHERE protocol_version = 'x'", ()))
