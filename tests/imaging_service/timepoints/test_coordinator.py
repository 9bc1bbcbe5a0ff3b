"""The coordinator's queue: assign, re-assign, reject, join, mark not done; all on the record."""

from typing import Any

import pytest

from imaging_service.accounts.act import Act
from imaging_service.accounts.principal import Role
from imaging_service.timepoints import service
from tests.builders.arrivals import STUDY, TRIAL, TrialHouse, mr_instance

REASON = "The site confirmed it by telephone."


def assign(house: TrialHouse, study: str = STUDY, account: str = "coordinator", **payload: Any) -> Any:
    body = {"subject_id": "01-001", "timepoint": 1, "reason": REASON} | payload
    return house.service.post(house.path(f"/studies/{study}/assignment"), account, json=body)


def test_a_waiting_study_is_assigned_with_the_reason(house: TrialHouse) -> None:
    house.enrol()
    house.receive(mr_instance("20250212", patient_id="MISTYPED"))
    answer = assign(house)
    assert answer.status_code == 200, answer.text
    house.follow()
    study = house.study()
    assert (study["state"], study["code"], study["reason"]) == ("matched", "assigned", REASON)
    timepoint = house.timepoint_of()
    assert (timepoint["number"], timepoint["placement"], timepoint["status"]) == (1, "in_window", "received")
    decisions = house.get(f"/studies/{STUDY}/decisions")
    assert [each["code"] for each in decisions] == ["unknown_subject", "assigned"]
    assert decisions[1]["decided_by"] == house.service.account_id("coordinator")


def test_a_waiting_study_comes_with_its_reason_and_a_picture(sqlite_house: TrialHouse) -> None:
    house = sqlite_house
    house.receive(mr_instance("20250212", patient_id="MISTYPED"))
    (waiting,) = house.get("/studies/unmatched")["items"]
    assert (waiting["code"], waiting["confidence"]) == ("unknown_subject", None)
    assert "has registered no subject for the PatientID 'MISTYPED'" in waiting["reason"]
    picture = house.service.client.get(waiting["thumbnail"], headers=house.service.headers("coordinator"))
    assert (picture.status_code, picture.headers["content-type"]) == (200, "image/jpeg")
    file = house.service.get(house.path("/studies/unmatched"), "coordinator", params={"format": "csv"})
    assert waiting["thumbnail"] in file.text


def test_a_study_moves_to_another_timepoint_and_frees_the_first(house: TrialHouse) -> None:
    house.enrol()
    house.receive(mr_instance("20250212"))
    first = house.timepoint_of()["timepoint_id"]
    assert assign(house, timepoint=2).status_code == 200
    house.follow()
    assert house.timepoint_of()["number"] == 2
    freed = house.get(f"/timepoints/{first}")
    assert (freed["imaged_on"], freed["status"], freed["placement"]) == (None, "missed", None)


def test_an_unscheduled_timepoint_comes_and_goes_with_its_study(house: TrialHouse) -> None:
    house.enrol()
    house.receive(mr_instance("20250212"))
    assert assign(house, timepoint="unscheduled").status_code == 200
    unscheduled = house.timepoint_of()
    assert (unscheduled["number"], unscheduled["name"]) == (None, "Unscheduled 2025-02-12")
    assert assign(house, timepoint=1).status_code == 200
    names = [each["name"] for each in house.get("/subjects/01-001/calendar")]
    assert "Unscheduled 2025-02-12" not in names
    assert house.timepoint_of()["number"] == 1


def test_a_second_session_joins_the_first_only_when_said_so(house: TrialHouse) -> None:
    house.enrol()
    house.receive(mr_instance("20250212"))
    house.receive(mr_instance("20250213", study="1.2.5"))
    refused = assign(house, "1.2.5")
    assert (refused.status_code, refused.json()["code"]) == (409, "timepoint_has_study")
    assert "say joins_other_study" in refused.json()["detail"]
    assert assign(house, "1.2.5", joins_other_study=True).status_code == 200
    timepoint = house.timepoint_of()
    assert timepoint["study_instance_uids"] == [STUDY, "1.2.5"]
    assert (timepoint["imaged_on"], timepoint["late_instances"]) == ("2025-02-12", 1)
    rejected = house.service.post(
        house.path("/studies/1.2.5/rejection"), "coordinator", json={"reason": REASON}
    )
    assert rejected.status_code == 200
    assert house.timepoint_of()["study_instance_uids"] == [STUDY]


def test_a_rejected_study_stays_in_the_books_and_is_not_tried_again(house: TrialHouse) -> None:
    house.receive(mr_instance("20250212"))
    path = house.path(f"/studies/{STUDY}/rejection")
    body = {"reason": "Knee examination, sent by mistake", "version": 1}
    answer = house.service.post(path, "coordinator", json=body)
    assert answer.status_code == 200, answer.text
    house.enrol()
    assert house.study()["state"] == "rejected"
    assert house.queued() == {}
    rejected = house.get("/studies", params={"state": "rejected"})["items"]
    assert [each["reason"] for each in rejected] == ["Knee examination, sent by mistake"]
    assert assign(house).status_code == 200
    assert house.study()["state"] == "matched"


def test_what_a_person_has_assigned_is_not_moved_by_new_dates(house: TrialHouse) -> None:
    house.enrol()
    house.receive(mr_instance("20250212"))
    assign(house, timepoint=2)
    house.correct(first_dose_on="2025-01-15")
    assert house.timepoint_of()["number"] == 2


def test_a_study_without_a_date_needs_one_from_the_coordinator(house: TrialHouse) -> None:
    house.enrol()
    house.receive(mr_instance(None))
    refused = assign(house)
    assert (refused.status_code, refused.json()["code"]) == (422, "imaged_on_wanted")
    future = assign(house, imaged_on="2031-01-01")
    assert (future.status_code, future.json()["code"]) == (422, "imaged_on_future")
    assert assign(house, imaged_on="2025-02-12").status_code == 200
    assert house.timepoint_of()["imaged_on"] == "2025-02-12"


@pytest.mark.parametrize(
    ("payload", "status", "words"),
    [
        ({"subject_id": "01-999"}, 404, "has no subject '01-999'"),
        ({"timepoint": 99}, 422, "has no timepoint 99; it has 0 to 17."),
        ({"timepoint": -1}, 422, "has no timepoint -1; it has 0 to 17."),
        ({"imaged_on": "2025-03-01"}, 422, "dated 2025-02-12, not 2025-03-01"),
        ({"version": 7}, 409, "has decision 1 now, not 7"),
        ({"reason": ""}, 422, "body.reason"),
        ({"timepoint": "later"}, 422, "body.timepoint"),
        ({"extra": 1}, 422, "body.extra"),
    ],
)
def test_an_assignment_that_cannot_be_is_refused_and_nothing_changes(
    sqlite_house: TrialHouse, payload: dict[str, Any], status: int, words: str
) -> None:
    house = sqlite_house
    house.enrol()
    house.receive(mr_instance("20250212", patient_id="P-9"))
    before = house.study()
    answer = assign(house, **payload)
    assert answer.status_code == status
    assert words in answer.json()["detail"]
    assert house.study() == before


def test_a_malformed_uid_is_refused_in_words(sqlite_house: TrialHouse) -> None:
    answer = sqlite_house.service.get(sqlite_house.path("/studies/1.2.x"), "coordinator")
    assert answer.status_code == 422
    assert answer.json()["findings"][0]["at"] == ["path", "study_instance_uid"]


def test_images_that_a_reader_has_opened_stay(house: TrialHouse) -> None:
    house.enrol()
    house.receive(mr_instance("20250212"))
    timepoint_id = house.timepoint_of()["timepoint_id"]
    with house.service.database.write() as session:
        act = Act.of_worker(session, house.queue, house.service.clock.now())
        service.begin_reading(act, timepoint_id)
    moved = assign(house, timepoint=2)
    rejected = house.service.post(
        house.path(f"/studies/{STUDY}/rejection"), "coordinator", json={"reason": REASON}
    )
    assert [(each.status_code, each.json()["code"]) for each in (moved, rejected)] == [
        (409, "timepoint_in_reading"),
        (409, "timepoint_in_reading"),
    ]
    assert house.timepoint_of()["timepoint_id"] == timepoint_id


def test_a_timepoint_not_done_has_its_reason_until_images_come(house: TrialHouse) -> None:
    house.enrol()
    overdue = house.get("/timepoints/overdue")["items"]
    first = next(each for each in overdue if each["number"] == 1)
    path = house.path(f"/timepoints/{first['timepoint_id']}/not_done")
    marked = house.service.post(path, "coordinator", json={"reason": "Scanner out of order"})
    assert (marked.status_code, marked.json()["status"]) == (200, "not_done")
    assert first["timepoint_id"] not in [
        each["timepoint_id"] for each in house.get("/timepoints/overdue")["items"]
    ]
    house.receive(mr_instance("20250212"))
    timepoint = house.timepoint_of()
    assert (timepoint["status"], timepoint["not_done_reason"]) == ("received", None)
    again = house.service.post(path, "coordinator", json={"reason": "Scanner out of order"})
    assert (again.status_code, again.json()["code"]) == (409, "timepoint_has_images")


def test_a_coordinator_of_one_site_sees_and_decides_that_site_only(house: TrialHouse) -> None:
    house.service.add_account("north", Role.COORDINATOR)
    house.service.grant("north", TRIAL, site_id="01")
    house.enrol()
    house.enrol("02-001", site_id="02", patient_ids=["P-2"])
    house.receive(mr_instance("20250212", patient_id="P-8"))
    house.receive(mr_instance("20250212", study="1.2.5", patient_id="P-9"), site_id="02")
    seen = house.get("/studies/unmatched", "north")["items"]
    assert [each["study_instance_uid"] for each in seen] == [STUDY]
    subjects = {each["subject_id"] for each in house.get("/timepoints", "north")["items"]}
    assert subjects == {"01-001"}
    assert assign(house, "1.2.5", "north").status_code == 404
    assert assign(house, STUDY, "north", subject_id="02-001").status_code == 404
    assert assign(house, STUDY, "north").status_code == 200


def test_readers_see_no_queue_and_no_timepoint_list(sqlite_house: TrialHouse) -> None:
    house = sqlite_house
    house.service.grant("reader1", TRIAL, reader_slot=1)
    for path in ("/timepoints", "/timepoints/overdue", "/studies/unmatched", "/studies", "/subjects"):
        assert house.service.get(house.path(path), "reader1").status_code == 403
    assert house.service.get(house.path("/studies/unmatched"), "sponsor").status_code == 403
