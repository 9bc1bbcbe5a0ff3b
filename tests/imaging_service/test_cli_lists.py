"""The calendar and the questions to sites, as the person at the console meets them."""

import csv
import io
import json
from collections.abc import Callable, Iterator

import pytest

from imaging_service import cli
from tests.builders.reading import TRIAL, ReadingRoom, reading_room
from tests.builders.service import running_service

Told = Callable[..., tuple[int, str, str]]


@pytest.fixture(scope="module")
def room(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[ReadingRoom, str]]:
    """Migrate a database and give it a baseline, a timepoint that was not done, and two questions."""
    url = f"sqlite:///{tmp_path_factory.mktemp('lists')}/service.sqlite"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("IMAGING_SERVICE_DATABASE_URL", url)
        patch.setattr("imaging_service.processes.operation.configure_logs", lambda _level: None)
        assert cli.run(["migrate"]) == 0
    with running_service(url) as running:
        opened = reading_room(running)
        opened.enrol("S01-0001", "S01")
        opened.image("S01-0001", 0)
        opened.expect("S01-0001", 1, not_done="The scanner was broken.")
        for text in ("The early phase is missing; please send it.", "Which scanner was it?"):
            body = {"subject_id": "S01-0001", "code": "series_missing", "text": text}
            asked = running.post(f"/trials/{TRIAL}/site_queries", "coordinator", json=body)
            assert asked.status_code == 201, asked.text
        yield opened, url


@pytest.fixture
def told(
    room: tuple[ReadingRoom, str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Told:
    """Run a command against that database and return its code and what it printed."""
    monkeypatch.setenv("IMAGING_SERVICE_DATABASE_URL", room[1])
    monkeypatch.setattr("imaging_service.processes.operation.configure_logs", lambda _level: None)

    def run(*arguments: object) -> tuple[int, str, str]:
        code = cli.run([str(each) for each in arguments])
        printed = capsys.readouterr()
        assert "Traceback" not in printed.out + printed.err
        return code, printed.out, printed.err

    return run


def test_the_calendar_is_a_table_for_people(told: Told) -> None:
    code, out, _ = told("calendar", TRIAL)
    head, baseline, first = out.splitlines()
    assert (code, head.split()[:3]) == (0, ["subject", "id", "site"])
    assert baseline.split()[:4] == ["S01-0001", "S01", "Baseline", "received"]
    assert first.split()[:5] == ["S01-0001", "S01", "Timepoint", "1", "not_done"]


def test_the_calendar_for_programs_is_what_the_route_answers(
    told: Told, room: tuple[ReadingRoom, str]
) -> None:
    route = f"/trials/{TRIAL}/calendar?format=csv"
    answered = list(csv.DictReader(io.StringIO(room[0].service.get(route, "coordinator").text)))
    printed = list(csv.DictReader(io.StringIO(told("calendar", TRIAL, "--format", "csv")[1])))
    as_of_another_day = ("status", "days_overdue")
    assert [{k: v for k, v in row.items() if k not in as_of_another_day} for row in printed] == [
        {k: v for k, v in row.items() if k not in as_of_another_day} for row in answered
    ]
    listed = json.loads(told("calendar", TRIAL, "--format", "json")[1])
    assert [row["timepoint_id"] for row in listed] == [row["timepoint_id"] for row in answered]


def test_the_calendar_of_one_status(told: Told) -> None:
    rows = json.loads(told("calendar", TRIAL, "--status", "not_done", "--format", "json")[1])
    assert [(row["number"], row["not_done_reason"]) for row in rows] == [(1, "The scanner was broken.")]


def test_questions_are_listed_answered_and_closed(told: Told, room: tuple[ReadingRoom, str]) -> None:
    listed = json.loads(told("queries", "list", TRIAL, "--format", "json")[1])
    assert [(each["number"], each["state"]) for each in listed] == [(1, "open"), (2, "open")]
    answered = told("queries", "answer", TRIAL, 1, "It was sent today.")
    assert answered == (0, f"Query 1 of trial {TRIAL} is answered.\n", "")
    assert "It was sent today." in told("queries", "show", TRIAL, 1)[1]
    assert told("queries", "close", TRIAL, 1, "It has arrived.")[0] == 0
    route = f"/trials/{TRIAL}/site_queries/{listed[0]['query_id']}"
    entries = room[0].service.get(route, "coordinator").json()["entries"]
    assert [(each["deed"], each["text"]) for each in entries[1:]] == [
        ("answered", "It was sent today."),
        ("closed", "It has arrived."),
    ]
    (left,) = csv.DictReader(
        io.StringIO(told("queries", "list", TRIAL, "--state", "open", "--format", "csv")[1])
    )
    assert left["text"] == "Which scanner was it?"


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("calendar", "NONE"), "There is no trial 'NONE'."),
        (("calendar", TRIAL, "--status", "late"), "There is no status 'late'; expected, overdue"),
        (("queries", "list", TRIAL, "--state", "lost"), "There is no state 'lost'; open, answered, closed"),
        (("queries", "list", "NONE"), "There is no trial 'NONE'."),
        (("queries", "answer", TRIAL, 9, "A word."), f"Trial '{TRIAL}' has no query 9."),
        (("queries", "close", TRIAL, 2, ""), "The text is ''"),
    ],
    ids=lambda value: " ".join(map(str, value)) if isinstance(value, tuple) else "",
)
def test_a_mistake_is_a_sentence_and_code_2(told: Told, arguments: tuple[object, ...], sentence: str) -> None:
    code, out, err = told(*arguments)
    assert (code, out) == (2, "")
    assert err.startswith(sentence), err


def test_a_closed_question_is_answered_no_more(told: Told) -> None:
    assert told("queries", "close", TRIAL, 2, "It does not matter any more.")[0] == 0
    code, _, err = told("queries", "answer", TRIAL, 2, "It was the old one.")
    assert (code, err) == (2, "Query 2 is closed; it can be answered only while it is open.\n")
