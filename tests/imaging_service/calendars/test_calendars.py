"""The coordinators' page: every subject with its timepoints, what is due, what waits, in pages and files."""

import csv
import io
from typing import Any

import pytest
from sqlalchemy import event

from imaging_service.accounts.principal import Role
from tests.builders.arrivals import TRIAL, TrialHouse, mr_instance


def calendars(house: TrialHouse, account: str = "coordinator", **params: Any) -> dict[str, Any]:
    answer = house.service.get(house.path("/calendar"), account, params=params)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def of_subject(house: TrialHouse, subject_id: str = "01-001") -> dict[str, Any]:
    (found,) = calendars(house, subject=subject_id)["items"]
    assert isinstance(found, dict)
    return found


def test_a_subject_is_told_with_dates_states_and_counts(house: TrialHouse):
    house.enrol()
    house.receive(mr_instance("20241220"))
    house.receive(mr_instance("20250326", study="1.2.5"))
    found = of_subject(house)
    assert (found["anchor_on"], found["closed_on"], found["open_queries"]) == ("2025-01-01", None, 0)
    shown = {each["number"]: each for each in found["timepoints"]}
    assert [(shown[n]["status"], shown[n]["control"]) for n in (0, 1, 2)] == [
        ("received", "accepted"),
        ("missed", None),
        ("received", "accepted"),
    ]
    assert found["counts"] == {"received": 2, "missed": 1, "overdue": 6, "expected": 9}
    assert (found["next_due"]["number"], found["next_due"]["status"]) == (3, "overdue")
    counted = house.get("/calendar/counts")
    assert counted["subjects"] == 1
    assert {name: count for name, count in counted["timepoints"].items() if count} == found["counts"]
    assert counted["control"]["accepted"] == 2


def test_imaging_after_the_end_is_flagged_and_the_calendar_closed(house: TrialHouse):
    house.enrol()
    house.receive(mr_instance("20241220"))
    house.correct(progression_on="2025-02-12")
    house.receive(mr_instance("20250326", study="1.2.5"))
    found = of_subject(house)
    assert (found["closed_on"], found["closed_by"]) == ("2025-02-12", "progression")
    after = [each for each in found["timepoints"] if each["is_after_end"]]
    assert [(each["number"], each["imaged_on"]) for each in after] == [(None, "2025-03-26")]
    assert found["counts"]["closed"] == 16
    assert found["next_due"]["number"] == 1


def test_pages_filters_and_files(sqlite_house: TrialHouse):
    house = sqlite_house
    for number in range(1, 4):
        house.enrol(f"01-00{number}", patient_ids=[f"P-{number}"])
    house.enrol("02-001", site_id="02", patient_ids=["P-1"], first_dose_on="2026-01-02")
    house.receive(mr_instance("20241220", patient_id="P-2"))
    first = calendars(house, limit=2)
    second = calendars(house, limit=2, cursor=first["next_cursor"])
    assert [each["subject_id"] for each in (*first["items"], *second["items"])] == [
        *("01-001", "01-002", "01-003", "02-001")
    ]
    assert second["next_cursor"] is None
    for params, expected in (
        ({"site": "02"}, ["02-001"]),
        ({"status": "received"}, ["01-002"]),
        ({"control": "accepted"}, ["01-002"]),
        ({"status": "overdue", "limit": 500}, ["01-001", "01-002", "01-003", "02-001"]),
        ({"status": "missed"}, []),
        ({"status": "expected"}, ["01-001", "01-002", "01-003", "02-001"]),
    ):
        assert [each["subject_id"] for each in calendars(house, **params)["items"]] == expected, params
    file = house.service.get(house.path("/calendar"), "coordinator", params={"format": "csv", "limit": 2})
    rows = list(csv.DictReader(io.StringIO(file.text)))
    assert len(rows) == 36
    assert file.headers["x-next-cursor"] == first["next_cursor"]


def test_a_page_takes_as_many_statements_whatever_its_size(sqlite_house: TrialHouse):
    house = sqlite_house
    counts = []
    for number in range(1, 9):
        house.enrol(f"01-00{number}", patient_ids=[f"P-{number}"])
        if number in {1, 8}:
            counts.append(statements_of(house))
    assert counts[0] == counts[1] <= 16


def statements_of(house: TrialHouse) -> int:
    said: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        said.append(statement)

    with house.service.database.read() as session:
        engine = session.get_bind().engine
    event.listen(engine, "before_cursor_execute", note)
    try:
        calendars(house)
    finally:
        event.remove(engine, "before_cursor_execute", note)
    return sum(each.lstrip().upper().startswith("SELECT") for each in said)


def test_an_account_sees_its_own_sites_only(sqlite_house: TrialHouse):
    house = sqlite_house
    house.service.add_account("north", Role.COORDINATOR)
    house.service.grant("north", TRIAL, site_id="01")
    house.enrol()
    house.enrol("02-001", site_id="02", patient_ids=["P-2"])
    house.receive(mr_instance("20241220", patient_id="P-2"), site_id="02")
    assert [each["subject_id"] for each in calendars(house, "north")["items"]] == ["01-001"]
    counted = house.get("/calendar/counts", "north")
    assert (counted["subjects"], counted["timepoints"]["received"], counted["control"]["accepted"]) == (
        1,
        0,
        0,
    )
    assert house.get("/calendar/counts")["timepoints"]["received"] == 1


@pytest.mark.parametrize("path", ["/calendar", "/calendar/counts", "/calendar?format=csv"])
def test_readers_see_no_calendar(sqlite_house: TrialHouse, path: str):
    sqlite_house.service.grant("reader1", TRIAL, reader_slot=1)
    assert sqlite_house.service.get(sqlite_house.path(path), "reader1").status_code == 403
