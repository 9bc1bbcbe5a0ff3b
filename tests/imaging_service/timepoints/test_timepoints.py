"""The calendar over REST: expected, overdue, missed, closed; filters, pages, CSV."""

import csv
from datetime import UTC, datetime
from io import StringIO
from typing import Any

import pytest
from sqlalchemy import literal, select

from imaging_service.timepoints.responses import RESPONSES, ResponseSearch
from imaging_service.timepoints.tables import TimepointRow
from tests.builders.arrivals import TrialHouse, mr_instance

YEAR = {"first_dose_on": "2025-11-01", "consent_on": "2025-10-01"}
"""First dose 65 days before the day of the test: timepoint 1 (day 42 + 7) has passed, 2 is to come."""


def statuses(house: TrialHouse, subject_id: str = "01-001") -> dict[int | None, str]:
    calendar = house.get(f"/subjects/{subject_id}/calendar")
    return {each["number"]: each["status"] for each in calendar}


def test_enrolment_expects_every_timepoint_of_the_protocol(house: TrialHouse) -> None:
    house.enrol(**YEAR)
    calendar = house.get("/subjects/01-001/calendar")
    assert [each["number"] for each in calendar] == list(range(18))
    second = calendar[2]
    assert (second["nominal_on"], second["opens_on"], second["closes_on"], second["name"]) == (
        "2026-01-24",
        "2026-01-17",
        "2026-01-31",
        "Timepoint 2",
    )
    assert statuses(house)[0] == statuses(house)[1] == "overdue"
    assert set(list(statuses(house).values())[2:]) == {"expected"}


def test_overdue_is_asked_of_the_clock(house: TrialHouse) -> None:
    house.enrol(**YEAR)
    house.receive(mr_instance("20251020"))
    overdue = house.get("/timepoints/overdue")["items"]
    assert [(each["number"], each["days_overdue"]) for each in overdue] == [(1, 16)]  # since 20 December
    house.service.clock.set(datetime(2025, 12, 20, 23, tzinfo=UTC))
    assert house.get("/timepoints/overdue")["items"] == []  # the window's last day
    house.service.clock.set(datetime(2025, 12, 21, 1, tzinfo=UTC))
    assert [each["days_overdue"] for each in house.get("/timepoints/overdue")["items"]] == [1]


def test_a_timepoint_is_missed_once_a_later_one_has_come(house: TrialHouse) -> None:
    house.enrol(first_dose_on="2025-09-01", consent_on="2025-08-20")
    house.receive(mr_instance("20250825"))
    house.receive(mr_instance("20251124", study="1.2.5"))  # day 84
    assert [statuses(house)[number] for number in (0, 1, 2, 3)] == [
        "received",
        "missed",
        "received",
        "expected",
    ]
    missed = house.get("/timepoints", params={"status": "missed"})["items"]
    assert [each["number"] for each in missed] == [1]
    assert house.get("/timepoints/overdue")["items"] == []


@pytest.mark.parametrize(
    "dates",
    [
        {"progression_on": "2025-12-13"},
        {"withdrawal_on": "2025-12-13", "withdrawal_reason": "consent_withdrawn"},
        {"death_on": "2025-12-13"},
    ],
)
def test_what_ends_a_subjects_imaging_closes_the_later_timepoints(
    sqlite_house: TrialHouse, dates: dict[str, str]
) -> None:
    house = sqlite_house
    house.enrol(**YEAR)
    house.correct(**dates)
    found = statuses(house)
    assert found[1] == "overdue"  # its window was open on that day
    assert {found[number] for number in range(2, 18)} == {"closed"}
    taken_back: dict[str, Any] = dict.fromkeys(dates)
    house.correct(**taken_back)
    assert statuses(house)[2] == "expected"


def test_timepoints_are_found_by_site_subject_and_status(house: TrialHouse) -> None:
    house.enrol()
    house.enrol("02-001", site_id="02", patient_ids=["P-2"])
    house.receive(mr_instance("20250212", patient_id="P-2"), site_id="02")
    by_site = house.get("/timepoints", params={"site": "02", "status": "received"})["items"]
    assert [(each["subject_id"], each["number"]) for each in by_site] == [("02-001", 1)]
    by_subject = house.get("/timepoints", params={"subject": "01-001"})["items"]
    assert {each["subject_id"] for each in by_subject} == {"01-001"}
    assert len(by_subject) == 18
    none = house.get("/timepoints", params={"site": "01", "status": "received"})["items"]
    assert none == []


def test_every_page_together_is_the_whole_list(house: TrialHouse) -> None:
    house.enrol()
    house.enrol("01-002", patient_ids=["P-2"], first_dose_on="2025-01-02")
    whole = [each["timepoint_id"] for each in house.get("/timepoints", params={"limit": 500})["items"]]
    assert len(whole) == 36
    pages, cursor = [], None
    while True:
        answer = house.get("/timepoints", params={"limit": 7} | ({"cursor": cursor} if cursor else {}))
        pages += [each["timepoint_id"] for each in answer["items"]]
        cursor = answer["next_cursor"]
        if cursor is None:
            break
    assert pages == whole


def test_lists_are_answered_as_csv(house: TrialHouse) -> None:
    house.enrol()
    house.receive(mr_instance("20250212", patient_id="=cmd()"))
    answer = house.service.get(
        house.path("/studies/unmatched"), "coordinator", headers={"Accept": "text/csv"}
    )
    (row,) = csv.DictReader(StringIO(answer.text))
    assert (row["code"], row["patient_ids"]) == ("unknown_subject", '["=cmd()"]')
    assert row["reason"].startswith("Site '01' has registered no subject")
    calendar = house.service.get(
        house.path("/timepoints"), "coordinator", params={"format": "csv", "limit": 5}
    )
    rows = list(csv.DictReader(StringIO(calendar.text)))
    assert [each["number"] for each in rows] == ["0", "1", "2", "3", "4"]
    assert calendar.headers["X-Next-Cursor"]


def test_a_search_by_response_asks_the_chapter_that_knows(
    sqlite_house: TrialHouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    house = sqlite_house
    house.enrol()
    search = ResponseSearch()
    monkeypatch.setattr("imaging_service.timepoints.router.RESPONSES", search)
    refused = house.service.get(house.path("/timepoints"), "coordinator", params={"response": "PD"})
    assert (refused.status_code, refused.json()["code"]) == (422, "no_assessments")
    search.answer_with(lambda _, response: select(TimepointRow.timepoint_id).where(literal(response) == "PD"))
    assert len(house.get("/timepoints", params={"response": "PD"})["items"]) == 18
    assert house.get("/timepoints", params={"response": "CR"})["items"] == []
    assert RESPONSES is not search


def test_a_timepoint_of_another_trial_is_not_found(sqlite_house: TrialHouse) -> None:
    house = sqlite_house
    house.enrol()
    timepoint_id = house.get("/timepoints")["items"][0]["timepoint_id"]
    assert house.service.get(f"/trials/OTHER/timepoints/{timepoint_id}", "administrator").status_code == 404
    missing = "00000000-0000-4000-8000-000000000000"
    assert house.service.get(house.path(f"/timepoints/{missing}"), "coordinator").status_code == 404
