"""Searching over QIDO-RS: what matches, for whom, and what a reader is told."""

from typing import Any

import pytest

from tests.builders.arrivals import STUDY, TrialHouse

FOLLOW_UP = "1.2.5"
STUDY_UID, PATIENT_ID, PATIENT_NAME, STUDY_DATE = "0020000D", "00100020", "00100010", "00080020"


def search(house: TrialHouse, rest: str = "/studies", account: str = "coordinator") -> Any:
    return house.service.get(f"/dicomweb{rest}", account)


def uids(answer: Any, tag: str = STUDY_UID) -> list[str]:
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/dicom+json"
    return [each[tag]["Value"][0] for each in answer.json()]


def test_a_coordinator_finds_the_studies_as_they_came(each_house: TrialHouse) -> None:
    answer = search(each_house)
    assert uids(answer) == [STUDY, FOLLOW_UP]
    first = answer.json()[0]
    assert first[PATIENT_ID] == {"vr": "LO", "Value": ["P-1"]}
    assert first[PATIENT_NAME] == {"vr": "PN", "Value": [{"Alphabetic": "Canary^Name"}]}
    assert first[STUDY_DATE] == {"vr": "DA", "Value": ["20241220"]}
    assert first["00080061"]["Value"] == ["MR", "SR"]
    assert first["00201208"] == {"vr": "IS", "Value": [3]}
    assert first["00081190"]["Value"][0].endswith(f"/api/v1/dicomweb/studies/{STUDY}")


def test_a_reader_finds_what_is_open_and_nothing_that_tells_whose_it_is(each_house: TrialHouse) -> None:
    answer = search(each_house, account="reader1")
    assert uids(answer) == [STUDY]
    (found,) = answer.json()
    reading_id = each_house.get("/subjects/01-001")["reading_id"]
    assert found[PATIENT_ID]["Value"] == [reading_id]
    assert found[PATIENT_NAME]["Value"] == [{"Alphabetic": reading_id}]
    assert found[STUDY_DATE]["Value"] == ["20000101"]
    assert found["00081030"]["Value"] == ["Timepoint 0"]
    assert found["00080061"]["Value"] == ["MR"]  # the site's report is not there
    assert (found["00201206"]["Value"], found["00201208"]["Value"]) == ([1], [2])
    for rest in ("/studies", "/series", "/instances"):
        text = search(each_house, rest, "reader1").text
        for hidden in ("CANARY", "Canary", "P-1", "01-001", "2024", "1964", "T1 dynamic", FOLLOW_UP):
            assert hidden not in text, hidden


@pytest.mark.parametrize(
    "rest", [f"/studies/{FOLLOW_UP}/series", f"/studies/{FOLLOW_UP}/instances", "/studies/1.2.999/series"]
)
def test_a_closed_study_is_answered_as_one_that_does_not_exist(house: TrialHouse, rest: str) -> None:
    assert search(house, rest, "reader1").json() == []


def test_the_report_of_the_site_is_not_there_for_a_reader(house: TrialHouse) -> None:
    rest = f"/studies/{STUDY}/series"
    assert uids(search(house, rest), "0020000E") == [f"{STUDY}.1", f"{STUDY}.7"]
    assert uids(search(house, rest, "reader1"), "0020000E") == [f"{STUDY}.1"]
    assert search(house, f"/studies/{STUDY}/series/{STUDY}.7/instances", "reader1").json() == []


@pytest.mark.parametrize("account", ["sponsor", "service"])
def test_other_roles_have_no_search(house: TrialHouse, account: str) -> None:
    assert search(house, account=account).status_code == 403


def test_who_does_not_read_in_the_trial_finds_nothing(house: TrialHouse) -> None:
    assert search(house, account="reader2").json() == []


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("PatientID=P-1", [STUDY, FOLLOW_UP]),
        ("00100020=P-1", [STUDY, FOLLOW_UP]),
        ("PatientID=P*", [STUDY, FOLLOW_UP]),
        ("PatientID=P-?", [STUDY, FOLLOW_UP]),
        ("PatientID=p-1", []),
        ("PatientName=canary*", [STUDY, FOLLOW_UP]),
        ("StudyDate=20241220", [STUDY]),
        ("StudyDate=20250101-", [FOLLOW_UP]),
        ("StudyDate=-20250101", [STUDY]),
        ("StudyDate=20241220-20250212", [STUDY, FOLLOW_UP]),
        ("StudyTime=1000-1030", [STUDY]),
        (f"StudyInstanceUID={FOLLOW_UP},1.2.9", [FOLLOW_UP]),
        ("ModalitiesInStudy=SR", [STUDY]),
        ("limit=1", [STUDY]),
        ("limit=1&offset=1", [FOLLOW_UP]),
        ("offset=2", []),
        ("includefield=all&includefield=00081030,StudyDescription", [STUDY, FOLLOW_UP]),
        ("PatientID=*", [STUDY, FOLLOW_UP]),
        ("PatientID=", [STUDY, FOLLOW_UP]),
    ],
)
def test_keys_match_as_the_standard_says(house: TrialHouse, query: str, found: list[str]) -> None:
    assert uids(search(house, f"/studies?{query}")) == found


@pytest.mark.parametrize(
    "query", ["PatientID=P-1", "PatientName=Canary*", "StudyDate=20241220", "AccessionNumber=CANARY-7"]
)
def test_a_reader_cannot_guess_by_searching(house: TrialHouse, query: str) -> None:
    assert search(house, f"/studies?{query}", "reader1").json() == []


def test_a_reader_searches_by_what_it_is_shown(house: TrialHouse) -> None:
    reading_id = house.get("/subjects/01-001")["reading_id"]
    query = f"PatientID={reading_id}&StudyDate=20000101&ModalitiesInStudy=MR"
    assert uids(search(house, f"/studies?{query}", "reader1")) == [STUDY]


@pytest.mark.parametrize(
    ("rest", "found"),
    [
        ("/instances?Modality=SR", [f"{STUDY}.7.1"]),
        (f"/studies/{STUDY}/instances?InstanceNumber=2", [f"{STUDY}.1.2"]),
        (f"/studies/{STUDY}/series/{STUDY}.1/instances", [f"{STUDY}.1.1", f"{STUDY}.1.2"]),
        ("/instances?SOPClassUID=1.2.840.10008.5.1.4.1.1.88.11", [f"{STUDY}.7.1"]),
    ],
)
def test_instances_are_found_at_every_address(house: TrialHouse, rest: str, found: list[str]) -> None:
    assert uids(search(house, rest), "00080018") == found


@pytest.mark.parametrize(
    ("query", "told"),
    [
        ("fuzzymatching=true", "Only literal matching has been performed."),
        ("SliceThickness=3", "SliceThickness is not matched"),
        ("Modality=MR", "Modality is not matched at this level"),
    ],
)
def test_what_is_not_done_is_told_in_a_warning(house: TrialHouse, query: str, told: str) -> None:
    answer = search(house, f"/studies?{query}")
    assert uids(answer) == [STUDY, FOLLOW_UP]
    assert answer.headers["warning"].startswith("299 ")
    assert told in answer.headers["warning"]


@pytest.mark.parametrize(
    "query",
    [
        *("NoSuchAttribute=1", "StudyDate=yesterday", "StudyDate=20250230", "limit=-1", "offset=x"),
        *("PatientID=1&PatientID=2", "includefield=Nothing", "PatientID=*a*b*c*d*e*f*g*h*i", "StudyTime=99x"),
    ],
)
def test_a_search_that_cannot_be_read_is_refused_in_words(house: TrialHouse, query: str) -> None:
    answer = search(house, f"/studies?{query}")
    assert answer.status_code == 400
    assert answer.json()["detail"].endswith(".")
