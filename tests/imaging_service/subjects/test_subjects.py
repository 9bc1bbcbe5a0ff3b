"""Enrol, correct with a reason, keep the history, give a blinded name."""

import re
from threading import Thread
from typing import Any

import pytest
from sqlalchemy import select

from imaging_service.jobs.tables import JobRow
from imaging_service.subjects import service as subjects
from imaging_service.subjects.reading_id import new_reading_id
from tests.builders.arrivals import TRIAL, TrialHouse

SUBJECT = {
    "subject_id": "01-001",
    "site_id": "01",
    "patient_ids": ["P-1", {"patient_id": "P-1", "issuer": "NORTH"}],
    "consent_on": "2024-12-01",
    "first_dose_on": "2025-01-01",
}


def enrol(house: TrialHouse, account: str = "coordinator", **payload: Any) -> Any:
    return house.service.post(house.path("/subjects"), account, json=SUBJECT | payload)


def correct(house: TrialHouse, **payload: Any) -> Any:
    body = {"reason": "As the site reports."} | payload
    return house.service.patch(house.path("/subjects/01-001"), "coordinator", json=body)


def test_a_subject_is_enrolled_with_a_blinded_name(house: TrialHouse) -> None:
    answer = enrol(house)
    assert answer.status_code == 201, answer.text
    subject = answer.json()
    assert re.fullmatch(r"R-[2-9A-Z]{7}", subject["reading_id"])
    assert subject["patient_ids"] == [
        {"patient_id": "P-1", "issuer": ""},
        {"patient_id": "P-1", "issuer": "NORTH"},
    ]
    assert (subject["version"], subject["first_dose_on"], subject["death_on"]) == (1, "2025-01-01", None)
    assert house.get("/subjects/01-001") == subject
    assert house.get("/subjects", params={"site": "01"})["items"] == [subject]
    assert house.get("/subjects", params={"site": "02"})["items"] == []


def test_a_reading_id_that_is_taken_is_drawn_again(
    sqlite_house: TrialHouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    draws = iter(["R-2222222", "R-2222222", "R-3333333"])
    monkeypatch.setattr(subjects, "new_reading_id", lambda: next(draws))
    assert enrol(sqlite_house).json()["reading_id"] == "R-2222222"
    second = enrol(sqlite_house, subject_id="01-002", patient_ids=[])
    assert second.json()["reading_id"] == "R-3333333"


def test_reading_ids_repeat_hardly_ever() -> None:
    assert len({new_reading_id() for _ in range(2000)}) == 2000


@pytest.mark.parametrize(
    ("payload", "status", "words"),
    [
        ({"site_id": "99"}, 404, "has no site '99'"),
        (
            {"death_on": "2024-12-31"},
            422,
            "The death is dated 2024-12-31, before the first dose on 2025-01-01.",
        ),
        ({"first_dose_on": "2031-01-01"}, 422, "The first dose is dated 2031-01-01, which is in the future"),
        ({"first_dose_on": "2025-02-30"}, 422, "body.first_dose_on"),
        ({"first_dose_on": "01/02/2025"}, 422, "body.first_dose_on"),
        ({"subject_id": "a b"}, 422, "body.subject_id"),
        ({"withdrawal_reason": "bored", "withdrawal_on": "2025-03-01"}, 422, "body.withdrawal_reason"),
        ({"patient_ids": ["x" * 65]}, 422, "body.patient_ids"),
        ({"patient_ids": ["A\\B"]}, 422, "body.patient_ids"),
        ({"sex": "F"}, 422, "body.sex"),
    ],
)
def test_what_cannot_be_is_refused_and_nobody_is_enrolled(
    sqlite_house: TrialHouse, payload: dict[str, Any], status: int, words: str
) -> None:
    answer = enrol(sqlite_house, **payload)
    assert answer.status_code == status
    assert words in answer.json()["detail"]
    assert sqlite_house.get("/subjects")["items"] == []


def test_several_contradictions_are_told_one_by_one(sqlite_house: TrialHouse) -> None:
    answer = enrol(sqlite_house, death_on="2024-11-01")
    findings = [each["sentence"] for each in answer.json()["findings"]]
    assert findings == [
        "The death is dated 2024-11-01, before the consent on 2024-12-01.",
        "The death is dated 2024-11-01, before the first dose on 2025-01-01.",
    ]


def test_nobody_is_enrolled_twice_and_no_patient_id_stands_for_two(house: TrialHouse) -> None:
    enrol(house)
    twice = enrol(house)
    assert (twice.status_code, twice.json()["code"]) == (409, "subject_exists")
    taken = enrol(house, subject_id="01-002", patient_ids=["P-1"])
    assert (taken.status_code, taken.json()["code"]) == (409, "patient_id_taken")
    assert "for subject '01-001'; it can stand for one subject." in taken.json()["detail"]
    assert len(house.get("/subjects")["items"]) == 1
    elsewhere = enrol(house, subject_id="02-001", site_id="02", patient_ids=["P-1"])
    assert elsewhere.status_code == 201


def test_a_correction_keeps_what_was_believed_before(house: TrialHouse) -> None:
    enrol(house)
    answer = correct(house, first_dose_on="2025-01-08", reason="Delayed by a week")
    assert (answer.status_code, answer.json()["version"]) == (200, 2)
    assert correct(house, first_dose_on=None, reason="Never given").json()["first_dose_on"] is None
    versions = house.get("/subjects/01-001/versions")
    assert [(each["version"], each["first_dose_on"], each["reason"]) for each in versions] == [
        (1, "2025-01-01", "Enrolment"),
        (2, "2025-01-08", "Delayed by a week"),
        (3, None, "Never given"),
    ]
    assert versions[1]["consent_on"] == "2024-12-01"
    assert versions[1]["recorded_by"] == house.service.account_id("coordinator")


def test_a_correction_without_a_change_is_no_version(sqlite_house: TrialHouse) -> None:
    enrol(sqlite_house)
    assert correct(sqlite_house, first_dose_on="2025-01-01").json()["version"] == 1
    assert correct(sqlite_house).json()["version"] == 1


@pytest.mark.parametrize(
    ("payload", "status", "words"),
    [
        ({"death_on": "2024-12-31"}, 422, "before the first dose"),
        ({"last_contact_on": "2031-01-01"}, 422, "in the future"),
        ({"withdrawal_on": "2025-03-01"}, 422, "a withdrawal needs both"),
        ({"first_dose_on": "2025-01-08", "version": 9}, 409, "is at version 1 now, not 9"),
        ({"first_dose_on": "2025-01-08", "reason": ""}, 422, "body.reason"),
    ],
)
def test_a_correction_that_cannot_be_is_refused(
    sqlite_house: TrialHouse, payload: dict[str, Any], status: int, words: str
) -> None:
    before = enrol(sqlite_house).json()
    answer = correct(sqlite_house, **payload)
    assert answer.status_code == status
    assert words in answer.json()["detail"]
    assert sqlite_house.get("/subjects/01-001") == before


def test_of_two_corrections_at_once_the_second_is_told(house: TrialHouse) -> None:
    enrol(house)
    found: list[int] = []

    def write(day: str) -> None:
        found.append(correct(house, first_dose_on=day, version=1).status_code)

    house.service.token("coordinator")
    writers = [Thread(target=write, args=(f"2025-01-{day:02}",)) for day in range(2, 6)]
    for each in writers:
        each.start()
    for each in writers:
        each.join()
    assert sorted(found) == [200, 409, 409, 409]
    assert len(house.get("/subjects/01-001/versions")) == 2


def test_each_change_calls_for_a_new_calendar_in_its_own_transaction(house: TrialHouse) -> None:
    enrol(house)
    correct(house, first_dose_on="2025-01-08")
    with house.service.database.read() as session:
        jobs = session.execute(select(JobRow.name, JobRow.payload)).all()
    assert [tuple(each) for each in jobs] == [("renew calendar", {"trial_id": TRIAL, "subject_id": "01-001"})]


def test_a_subject_of_another_site_is_as_a_missing_one(sqlite_house: TrialHouse) -> None:
    house = sqlite_house
    house.service.grant("service", TRIAL, site_id="02")
    enrol(house)
    other = house.service.get(house.path("/subjects/01-001"), "service")
    missing = house.service.get(house.path("/subjects/01-999"), "service")
    assert other.status_code == missing.status_code == 404
    assert other.json()["detail"].replace("01-001", "?") == missing.json()["detail"].replace("01-999", "?")
    assert house.get("/subjects", "service")["items"] == []


def test_readers_do_not_see_subjects(sqlite_house: TrialHouse) -> None:
    sqlite_house.service.grant("reader1", TRIAL, reader_slot=1)
    enrol(sqlite_house)
    for path in ("/subjects", "/subjects/01-001", "/subjects/01-001/versions"):
        assert sqlite_house.service.get(sqlite_house.path(path), "reader1").status_code == 403
