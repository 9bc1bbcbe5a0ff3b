"""One study that holds two timepoints, two studies that make one; readers see what is on the open one."""

from typing import Any

import pytest

from tests.builders.arrivals import STUDY, TRIAL, TrialHouse, mr_instance
from tests.builders.service import PASSWORD

REASON = "The site filed two visits under one accession number."
OTHER = "1.2.5"


def split(house: TrialHouse, study: str = STUDY, account: str = "coordinator", **payload: Any) -> Any:
    body = {"series": [f"{study}.2"], "timepoint": 1, "imaged_on": "2025-02-12", "reason": REASON} | payload
    return house.service.post(house.path(f"/studies/{study}/split"), account, json=body)


def merge(house: TrialHouse, study: str, with_study: str, **payload: Any) -> Any:
    body = {"with_study": with_study, "reason": REASON} | payload
    return house.service.post(house.path(f"/studies/{study}/merge"), "coordinator", json=body)


def two_in_one(house: TrialHouse) -> TrialHouse:
    """Give a baseline study whose second series belongs to timepoint 1, and a reader."""
    house.service.grant("reader1", TRIAL, reader_slot=1)
    house.enrol()
    house.receive(mr_instance("20241220"), mr_instance("20241220", series=2))
    return house


def calendar(house: TrialHouse) -> dict[int, dict[str, Any]]:
    return {each["number"]: each for each in house.get("/subjects/01-001/calendar")}


def seen(house: TrialHouse, account: str = "reader1") -> set[str]:
    """Return the series that a reader sees, by every way there is; all of them must agree."""
    qido = {each["0020000E"]["Value"][0] for each in house.service.get("/dicomweb/series", account).json()}
    rest = set()
    for timepoint in calendar(house).values():
        answer = house.service.get(f"/timepoints/{timepoint['timepoint_id']}/series", account)
        if answer.status_code == 200:
            rest |= {each["series_instance_uid"] for each in answer.json()["series"]}
    wado = set()
    for uid in (f"{STUDY}.1", f"{STUDY}.2"):
        whole = house.service.get(f"/dicomweb/studies/{STUDY}/series/{uid}/metadata", account)
        frame = house.service.get(f"/instances/{uid}.1/frames/1.png", account)
        assert whole.status_code == frame.status_code
        wado |= {uid} if whole.status_code == 200 else set()
    assert qido == rest == wado
    return qido


def sign_empty(house: TrialHouse, timepoint_id: str) -> None:
    read = house.service.post(f"/timepoints/{timepoint_id}/reads", "reader1").json()["read_id"]
    body = {"password": PASSWORD, "meaning": "I confirm this read.", "confirms_no_disease": True}
    signed = house.service.post(f"/reads/{read}/signature", "reader1", json=body)
    assert signed.status_code == 201, signed.text


def test_a_split_study_shows_each_timepoint_its_own_series(house: TrialHouse):
    two_in_one(house)
    assert seen(house) == {f"{STUDY}.1", f"{STUDY}.2"}
    answer = split(house)
    assert answer.status_code == 200, answer.text
    house.follow()
    timepoints = calendar(house)
    assert [timepoints[number]["imaged_on"] for number in (0, 1)] == ["2024-12-20", "2025-02-12"]
    assert [timepoints[number]["control"] for number in (0, 1)] == ["accepted", "accepted"]
    assert [timepoints[number]["study_instance_uids"] for number in (0, 1)] == [[STUDY], [STUDY]]
    assert seen(house) == {f"{STUDY}.1"}
    study = house.service.get("/dicomweb/studies", "reader1").json()[0]
    assert study["00201206"]["Value"] == [1]  # Number of Study Related Series
    decisions = house.get(f"/studies/{STUDY}/decisions")
    assert [(each["code"], each["series"]) for each in decisions][-1] == ("split", [f"{STUDY}.2"])
    sign_empty(house, timepoints[0]["timepoint_id"])
    assert seen(house) == {f"{STUDY}.1", f"{STUDY}.2"}
    found = {
        each["0020000E"]["Value"][0]: each for each in house.service.get("/dicomweb/series", "reader1").json()
    }
    assert len(found) == 2


def test_a_reader_measures_only_on_the_series_of_the_timepoint(sqlite_house: TrialHouse):
    house = two_in_one(sqlite_house)
    split(house)
    house.follow()
    timepoint_id = calendar(house)[0]["timepoint_id"]
    read = house.service.post(f"/timepoints/{timepoint_id}/reads", "reader1").json()["read_id"]
    axis = {"frame": 1, "points": [[0, 0], [3, 3]]}
    body = {"role": "target", "location": "liver", "state": "measured"}
    for series, status in ((1, 201), (2, 404)):
        long_axis = axis | {"sop_instance_uid": f"{STUDY}.{series}.1"}
        answer = house.service.put(
            f"/reads/{read}/lesions/T0{series}", "reader1", json=body | {"long_axis": long_axis}
        )
        assert (answer.status_code == 201) is (status == 201), answer.text


def test_another_decision_puts_the_series_back(house: TrialHouse):
    two_in_one(house)
    assert split(house).status_code == 200
    assert split(house, timepoint=0, imaged_on=None).status_code == 200
    house.follow()
    timepoints = calendar(house)
    assert (timepoints[1]["imaged_on"], timepoints[1]["control"]) == (None, None)
    assert seen(house) == {f"{STUDY}.1", f"{STUDY}.2"}
    split(house)
    body = {"subject_id": "01-001", "timepoint": 0, "reason": REASON}
    assigned = house.service.post(house.path(f"/studies/{STUDY}/assignment"), "coordinator", json=body)
    assert assigned.status_code == 200
    assert calendar(house)[1]["imaged_on"] is None


def test_late_instances_of_a_split_series_are_counted_where_the_series_is(sqlite_house: TrialHouse):
    house = two_in_one(sqlite_house)
    split(house)
    house.follow()
    house.receive(mr_instance("20241220", series=2, number=2))
    assert {n: calendar(house)[n]["late_instances"] for n in (0, 1)} == {0: 0, 1: 1}


@pytest.mark.parametrize(
    ("payload", "status", "words"),
    [
        ({"series": [f"{STUDY}.2", f"{STUDY}.2"]}, 422, "is named 2 times; each is wanted once"),
        ({"series": ["1.2.9"]}, 422, "The series 1.2.9 is not in the study"),
        ({"series": [f"{STUDY}.1", f"{STUDY}.2"]}, 422, "assign the whole study instead"),
        ({"series": []}, 422, "body.series"),
        ({"imaged_on": "2031-01-01"}, 422, "which is in the future"),
        ({"timepoint": 99}, 422, "has no timepoint 99"),
        ({"reason": ""}, 422, "body.reason"),
        ({"version": 9}, 409, "has decision 1 now, not 9"),
    ],
)
def test_a_split_that_cannot_be_is_refused_and_nothing_changes(
    sqlite_house: TrialHouse, payload: dict[str, Any], status: int, words: str
):
    house = two_in_one(sqlite_house)
    before = house.study(), house.get("/subjects/01-001/calendar")
    answer = split(house, **payload)
    assert answer.status_code == status
    assert words in answer.json()["detail"]
    assert (house.study(), house.get("/subjects/01-001/calendar")) == before


def test_what_a_reader_has_opened_is_not_split(sqlite_house: TrialHouse):
    house = two_in_one(sqlite_house)
    house.service.post(f"/timepoints/{calendar(house)[0]['timepoint_id']}/reads", "reader1")
    answer = split(house)
    assert (answer.status_code, answer.json()["code"]) == (409, "timepoint_in_reading")


def test_two_studies_of_a_subject_are_merged_and_parted_again(house: TrialHouse):
    house.enrol()
    house.receive(mr_instance("20250212"))
    house.receive(mr_instance("20250213", study=OTHER))
    assert house.queued() == {OTHER: "second_study"}
    answer = merge(house, OTHER, STUDY, version=1)
    assert (answer.status_code, answer.json()["code"]) == (200, "merged")
    assert house.timepoint_of()["study_instance_uids"] == [STUDY, OTHER]
    assert merge(house, OTHER, STUDY).status_code == 200  # said twice, done once
    assert len(house.get(f"/studies/{OTHER}/decisions")) == 2
    stale = merge(house, OTHER, STUDY, version=1)
    assert (stale.status_code, stale.json()["code"]) == (409, "changed_meanwhile")
    rejected = house.service.post(
        house.path(f"/studies/{OTHER}/rejection"), "coordinator", json={"reason": REASON}
    )
    assert rejected.status_code == 200
    assert house.timepoint_of()["study_instance_uids"] == [STUDY]


def test_studies_of_two_subjects_are_never_merged(sqlite_house: TrialHouse):
    house = sqlite_house
    house.enrol()
    house.enrol("01-002", patient_ids=["P-2"])
    house.receive(mr_instance("20250212"))
    house.receive(mr_instance("20250212", study=OTHER, patient_id="P-2"))
    answer = merge(house, OTHER, STUDY)
    assert (answer.status_code, answer.json()["code"]) == (422, "other_subject")
    assert "studies of two subjects are never one timepoint" in answer.json()["detail"]
    same = merge(house, STUDY, STUDY)
    assert (same.status_code, same.json()["code"]) == (422, "same_study")
