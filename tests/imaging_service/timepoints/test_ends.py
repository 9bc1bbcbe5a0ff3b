"""What moves and what ends a calendar: delayed cycles, and whose progression, as the protocol says."""

from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from imaging_service.calendars import service as calendars
from imaging_service.timepoints.responses import CENTRAL
from tests.builders.arrivals import PROTOCOL, TrialHouse, mr_instance

REASON = "Cycle 2 was delayed for neutropenia."


def amend(house: TrialHouse, before: str, after: str) -> None:
    """File the protocol's next version with one other value, in force at once."""
    written = PROTOCOL.read_text().replace('version = "1.0"', 'version = "2.0"\neffective_on = 2026-01-01', 1)
    assert before in written
    content = written.replace(before, after, 1).encode()
    headers = {"Content-Type": "application/toml"}
    answer = house.service.post("/trials", "administrator", content=content, headers=headers)
    assert answer.status_code == 201, answer.text


def cycles(house: TrialHouse, *days: str, **more: Any) -> Any:
    body = {"started_on": list(days), "reason": REASON} | more
    answer = house.service.put(house.path("/subjects/01-001/cycles"), "coordinator", json=body)
    house.follow()
    return answer


def nominal(house: TrialHouse) -> list[str]:
    every = house.get("/subjects/01-001/calendar")
    return [each["nominal_on"] for each in every if each["number"] in {1, 2}]


def test_a_delayed_cycle_moves_later_timepoints_and_what_came_in_between(house: TrialHouse):
    amend(house, "calendar_fixed = true", "calendar_fixed = false")
    house.enrol()
    house.receive(mr_instance("20250305"))
    assert nominal(house) == ["2025-02-12", "2025-03-26"]
    assert house.timepoint_of()["placement"] == "between_windows"
    assert cycles(house, "2025-01-01", "2025-02-12").status_code == 200
    assert nominal(house) == ["2025-03-05", "2025-04-16"]
    assert (house.timepoint_of()["number"], house.timepoint_of()["placement"]) == (1, "in_window")


def test_a_fixed_calendar_stays_whatever_the_cycles_do(sqlite_house: TrialHouse):
    house = sqlite_house
    house.enrol()
    assert cycles(house, "2025-01-01", "2025-02-12").status_code == 200
    assert nominal(house) == ["2025-02-12", "2025-03-26"]


def test_cycles_keep_their_history_and_the_second_writer_gets_a_conflict(house: TrialHouse):
    house.enrol()
    assert cycles(house, "2025-01-01", version=0).json()["version"] == 1
    second = cycles(house, "2025-01-01", "2025-01-22", version=0)
    assert (second.status_code, second.json()["code"]) == (409, "changed_meanwhile")
    assert cycles(house, "2025-01-01", "2025-01-29", version=1).json()["version"] == 2
    history = house.get("/subjects/01-001/cycles")
    assert [each["started_on"] for each in history] == [["2025-01-01"], ["2025-01-01", "2025-01-29"]]
    with pytest.raises(DBAPIError, match="never changes"), house.service.database.write() as session:
        session.execute(text("DELETE FROM cycle_starts"))


@pytest.mark.parametrize(
    ("days", "words"),
    [
        (["2025-01-22", "2025-01-22"], "Cycle 2 began on 2025-01-22, not after cycle 1 on 2025-01-22."),
        (["2025-01-01", "2031-01-01"], "Cycle 2 begins on 2031-01-01, which is in the future"),
        (["2024-12-24"], "Cycle 1 began on 2024-12-24, before the first dose on 2025-01-01."),
        (["2025-11-01"], "Cycle 1 began on 2025-11-01, after the death on 2025-10-01."),
    ],
)
def test_cycles_that_cannot_be_are_refused(sqlite_house: TrialHouse, days: list[str], words: str):
    sqlite_house.enrol(death_on="2025-10-01")
    answer = cycles(sqlite_house, *days)
    assert answer.status_code == 422
    assert words in answer.json()["detail"]
    assert sqlite_house.get("/subjects/01-001/cycles") == []


CENTRAL_DAY, SITE_DAY = "2025-02-12", "2025-03-26"


@pytest.mark.parametrize(
    ("authority", "closed_on", "closed_by"),
    [
        ("site", SITE_DAY, "progression"),
        ("central", CENTRAL_DAY, "central_progression"),
        ("either", CENTRAL_DAY, "central_progression"),
    ],
)
def test_whose_progression_ends_imaging_is_the_protocols_choice(
    sqlite_house: TrialHouse, authority: str, closed_on: str, closed_by: str
):
    house = sqlite_house
    if authority != "site":
        amend(house, 'withdrawal = "site"', f'withdrawal = "{authority}"')
    house.enrol()
    house.receive(mr_instance("20241220"))
    with accepted_reads_show(house, CENTRAL_DAY):
        house.correct(progression_on=SITE_DAY)
        (subject,) = house.get("/calendar")["items"]
    assert (subject["closed_on"], subject["closed_by"]) == (closed_on, closed_by)
    assert subject["central_progression_on"] == CENTRAL_DAY
    open_numbers = [each["number"] for each in subject["timepoints"] if each["status"] != "closed"]
    assert open_numbers == ([0, 1, 2] if authority == "site" else [0, 1])


class accepted_reads_show:  # noqa: N801  reads as a sentence
    """Let the accepted reads show progression on a day, whoever has read."""

    def __init__(self, house: TrialHouse, day: str) -> None:
        self.day = house.service.clock.now().date().fromisoformat(day)

    def __enter__(self) -> None:
        CENTRAL.answer_with(lambda *_: self.day)

    def __exit__(self, *_: object) -> None:
        CENTRAL.answer_with(calendars.central_progression_on)


def test_a_day_after_central_progression_is_flagged(sqlite_house: TrialHouse):
    house = sqlite_house
    amend(house, 'withdrawal = "site"', 'withdrawal = "central"')
    house.enrol()
    with accepted_reads_show(house, CENTRAL_DAY):
        house.correct(last_contact_on="2025-06-01")
        house.receive(mr_instance("20250326"))
        found = house.timepoint_of()
    assert (found["number"], found["placement"]) == (None, "after_progression")
    assert "the progression that the accepted reads show on 2025-02-12" in found["reason"]
