"""From a settled study to its timepoint, or to the coordinator's queue."""

from typing import Any

import pytest

from tests.builders.arrivals import STUDY, TRIAL, TrialHouse, mr_instance

TAGS: dict[str, Any] = {"ClinicalTrialProtocolID": TRIAL, "ClinicalTrialSubjectID": "01-001"}


def test_a_study_of_a_registered_patient_lands_on_its_timepoint(house: TrialHouse) -> None:
    house.enrol()
    house.receive(mr_instance("20250212"), mr_instance("20250212", number=2))
    study = house.study()
    assert (study["state"], study["code"], study["confidence"]) == ("matched", "in_window", "high")
    assert "the site has registered this PatientID" in study["reason"]
    assert "Imaged on day 42; timepoint 1 is nominal on day 42" in study["reason"]
    timepoint = house.timepoint_of()
    assert (timepoint["number"], timepoint["status"], timepoint["imaged_on"]) == (1, "received", "2025-02-12")
    assert timepoint["study_instance_uids"] == [STUDY]
    assert house.queued() == {}


@pytest.mark.parametrize(
    ("study_on", "placement", "number", "confidence"),
    [
        ("20241204", "baseline", 0, "high"),  # day -28, the first that counts
        ("20250101", "baseline", 0, "high"),  # the day of the first dose
        ("20250205", "in_window", 1, "high"),  # day 35, the window's first
        ("20250219", "in_window", 1, "high"),  # day 49, its last
        ("20250204", "early", 1, "medium"),  # day 34
        ("20250220", "late", 1, "medium"),  # day 50
        ("20250115", "between_windows", None, "low"),  # day 14
    ],
)
def test_the_study_date_decides_the_timepoint(
    sqlite_house: TrialHouse, study_on: str, placement: str, number: int | None, confidence: str
) -> None:
    house = sqlite_house
    house.enrol()
    house.receive(mr_instance(study_on))
    timepoint = house.timepoint_of()
    assert (timepoint["placement"], timepoint["number"], timepoint["confidence"]) == (
        placement,
        number,
        confidence,
    )


def test_a_study_after_the_last_timepoint_is_kept_as_unscheduled(sqlite_house: TrialHouse) -> None:
    house = sqlite_house
    house.enrol(first_dose_on="2023-01-01", consent_on="2022-12-20")
    house.receive(mr_instance("20250601"))
    timepoint = house.timepoint_of()
    assert (timepoint["placement"], timepoint["number"]) == ("after_last", None)


@pytest.mark.parametrize(
    ("dates", "placement"),
    [
        ({"progression_on": "2025-02-12"}, "after_progression"),
        ({"withdrawal_on": "2025-02-12", "withdrawal_reason": "progression"}, "after_withdrawal"),
    ],
)
def test_a_study_after_the_calendar_has_ended_is_kept_and_flagged(
    sqlite_house: TrialHouse, dates: dict[str, str], placement: str
) -> None:
    house = sqlite_house
    house.enrol()
    house.correct(**dates)
    house.receive(mr_instance("20250326"))
    timepoint = house.timepoint_of()
    assert (timepoint["placement"], timepoint["number"], timepoint["status"]) == (placement, None, "received")
    assert "2025-02-12; kept as unscheduled" in timepoint["reason"]


def test_trial_tags_name_the_subject_without_any_patient_id(house: TrialHouse) -> None:
    house.enrol(patient_ids=[])
    house.receive(mr_instance("20250212", patient_id="UNKNOWN", **TAGS))
    study = house.study()
    assert (study["subject_id"], study["confidence"]) == ("01-001", "high")
    assert "the trial tags (0012,0020) and (0012,0040) name it" in study["reason"]


def test_a_subject_tag_without_the_trial_is_believed_less(sqlite_house: TrialHouse) -> None:
    house = sqlite_house
    house.enrol(patient_ids=[])
    house.receive(mr_instance("20250212", patient_id="UNKNOWN", ClinicalTrialSubjectID="01-001"))
    assert house.study()["confidence"] == "medium"


def test_a_trial_tag_rules_out_the_same_patient_in_another_trial(sqlite_house: TrialHouse) -> None:
    house = sqlite_house
    other = '{"trial_id": "OTHER", "version": "1", "title": "Another trial"}'
    headers = {"Content-Type": "application/json"}
    assert house.service.post("/trials", "administrator", content=other, headers=headers).status_code == 201
    site = {"site_id": "01", "name": "Hospital 01"}
    assert house.service.post("/trials/OTHER/sites", "administrator", json=site).status_code == 201
    subject = {
        "subject_id": "X-1",
        "site_id": "01",
        "patient_ids": ["P-1"],
        "first_dose_on": "2025-01-01",
    }
    assert house.service.post("/trials/OTHER/subjects", "administrator", json=subject).status_code == 201
    house.enrol()
    house.receive(mr_instance("20250212"))
    assert house.queued() == {STUDY: "several_subjects"}
    unmatched = house.service.get("/trials/OTHER/studies/unmatched", "administrator").json()["items"]
    assert [each["code"] for each in unmatched] == ["several_subjects"]
    house.receive(mr_instance("20250212", study="1.2.5", ClinicalTrialProtocolID=TRIAL))
    assert house.study("1.2.5")["subject_id"] == "01-001"


DOUBTS: list[tuple[dict[str, Any], str, str]] = [
    ({"patient_id": "P-9"}, "unknown_subject", "Site '01' has registered no subject for the PatientID 'P-9'"),
    ({"patient_id": ""}, "unknown_subject", "for the missing PatientID"),
    ({"ClinicalTrialProtocolID": "NOPE"}, "unknown_trial", "the trial 'NOPE' in (0012,0020), which is not"),
    (
        {"ClinicalTrialProtocolID": TRIAL, "ClinicalTrialSubjectID": "99-999"},
        "unknown_subject",
        "has enrolled no such subject",
    ),
    (TAGS | {"ClinicalTrialSubjectID": "01-002"}, "several_subjects", "'01-001' of trial"),
    ({"Modality": "CT"}, "wrong_modality", "The study's modalities are CT; the protocol reads MR."),
    ({"study_on": None}, "no_study_date", "no Study Date (0008,0020)"),
    ({"study_on": ""}, "no_study_date", "no Study Date (0008,0020)"),
    ({"study_on": "20259999"}, "bad_study_date", "is not a date; YYYYMMDD was wanted"),
    ({"study_on": "20300101"}, "future_study_date", "dated 2030-01-01, which is in the future"),
    ({"study_on": "20241203"}, "before_baseline", "Imaged 29 days before the start; baseline allows 28."),
]


@pytest.mark.parametrize(
    ("sent", "code", "words"), DOUBTS, ids=[f"{code}: {sent}" for sent, code, _ in DOUBTS]
)
def test_what_is_doubtful_waits_for_a_coordinator(
    sqlite_house: TrialHouse, sent: dict[str, Any], code: str, words: str
) -> None:
    house = sqlite_house
    house.enrol()
    house.enrol("01-002", patient_ids=["P-2"])
    house.receive(mr_instance(**{"study_on": "20250212", **sent}))
    assert house.queued() == {STUDY: code}
    study = house.study()
    assert words in study["reason"]
    proposed = "low" if study["subject_id"] else None
    assert (study["state"], study["timepoint_id"], study["confidence"]) == ("unmatched", None, proposed)
    assert not [each for each in house.get("/timepoints")["items"] if each["imaged_on"]]


def test_one_study_of_two_patients_waits(sqlite_house: TrialHouse) -> None:
    house = sqlite_house
    house.enrol()
    house.enrol("01-002", patient_ids=["P-2"])
    house.receive(mr_instance("20250212"), mr_instance("20250212", number=2, patient_id="P-2"))
    assert house.queued() == {STUDY: "several_patients"}
    assert "2 different PatientIDs ('P-1', 'P-2')" in house.study()["reason"]


def test_one_study_from_two_sites_waits(sqlite_house: TrialHouse) -> None:
    house = sqlite_house
    house.enrol()
    house.push(mr_instance("20250212"), site_id="02")
    house.receive(mr_instance("20250212", number=2))
    queue = house.service.get(house.path("/studies/unmatched"), "administrator").json()["items"]
    assert [each["code"] for each in queue] == ["several_sites"]


def test_a_subject_of_another_site_is_not_given_the_study(sqlite_house: TrialHouse) -> None:
    house = sqlite_house
    house.enrol()
    house.receive(mr_instance("20250212", patient_id="", **TAGS), site_id="02")
    assert house.queued() == {STUDY: "other_site"}
    assert "sent by site '02', and subject '01-001' is enrolled at site '01'" in house.study()["reason"]


def test_a_patient_id_means_nothing_at_another_site(sqlite_house: TrialHouse) -> None:
    house = sqlite_house
    house.enrol()
    house.receive(mr_instance("20250212"), site_id="02")
    assert house.queued() == {STUDY: "unknown_subject"}


def test_an_issuer_that_differs_is_another_patient(sqlite_house: TrialHouse) -> None:
    house = sqlite_house
    house.enrol(patient_ids=[{"patient_id": "P-1", "issuer": "NORTH"}])
    house.receive(mr_instance("20250212", IssuerOfPatientID="SOUTH"))
    assert house.queued() == {STUDY: "unknown_subject"}
    house.receive(mr_instance("20250212", study="1.2.5", IssuerOfPatientID="NORTH"))
    assert house.study("1.2.5")["state"] == "matched"


def test_a_study_after_death_waits(sqlite_house: TrialHouse) -> None:
    house = sqlite_house
    house.enrol()
    house.correct(death_on="2025-02-01")
    house.receive(mr_instance("20250212"))
    assert house.queued() == {STUDY: "after_death"}


def test_a_second_study_for_a_timepoint_waits(house: TrialHouse) -> None:
    house.enrol()
    house.receive(mr_instance("20250212"))
    house.receive(mr_instance("20250213", study="1.2.5"))
    assert house.queued() == {"1.2.5": "second_study"}
    assert "has a study of 2025-02-12 already; this one is of 2025-02-13" in house.study("1.2.5")["reason"]
    assert house.timepoint_of()["study_instance_uids"] == [STUDY]


def test_a_baseline_study_waits_for_the_first_dose(house: TrialHouse) -> None:
    house.enrol(first_dose_on=None)
    baseline = house.get("/timepoints")["items"]
    assert [(each["number"], each["status"], each["nominal_on"]) for each in baseline] == [
        (0, "expected", None)
    ]
    house.receive(mr_instance("20241220"))
    assert house.queued() == {STUDY: "no_anchor"}
    house.correct(first_dose_on="2025-01-01")
    assert house.queued() == {}
    assert house.timepoint_of()["name"] == "Baseline"


def test_a_study_that_came_before_its_subject_is_matched_at_enrolment(house: TrialHouse) -> None:
    house.receive(mr_instance("20250212"))
    assert house.queued() == {STUDY: "unknown_subject"}
    house.enrol()
    assert house.queued() == {}
    decisions = house.get(f"/studies/{STUDY}/decisions")
    assert [each["code"] for each in decisions] == ["unknown_subject", "in_window"]
    assert [each["version"] for each in decisions] == [1, 2]


def test_a_patient_id_registered_later_finds_its_study(sqlite_house: TrialHouse) -> None:
    house = sqlite_house
    house.enrol(patient_ids=[])
    house.receive(mr_instance("20250212"))
    body = {"patient_ids": ["P-1"]}
    answer = house.service.post(house.path("/subjects/01-001/patient_ids"), "coordinator", json=body)
    assert answer.status_code == 200
    house.follow()
    assert house.study()["state"] == "matched"


def test_a_corrected_first_dose_moves_what_nobody_reads_yet(house: TrialHouse) -> None:
    house.enrol()
    house.receive(mr_instance("20250212"))
    house.correct(first_dose_on="2025-01-15")
    timepoint = house.timepoint_of()
    assert (timepoint["number"], timepoint["placement"], timepoint["nominal_on"]) == (
        1,
        "early",
        "2025-02-26",
    )
    house.correct(first_dose_on="2025-02-12")
    assert house.timepoint_of()["number"] == 0
    numbers = {each["number"]: each["status"] for each in house.get("/subjects/01-001/calendar")}
    assert numbers[1] != "received"


def test_every_decision_is_in_the_audit_without_a_patient_id(sqlite_house: TrialHouse) -> None:
    house = sqlite_house
    house.receive(mr_instance("20250212", patient_id="CANARY-7"))
    house.enrol()
    house.receive(mr_instance("20250212", study="1.2.5"))
    answer = house.service.get("/audit", "administrator", params={"limit": 500})
    assert answer.status_code == 200, answer.text
    actions = [each["action"] for each in answer.json()["items"]]
    assert {"take in study", "queue study", "match study", "renew calendar"} <= set(actions)
    assert "CANARY-7" not in answer.text
    assert "Canary" not in answer.text
    assert "CANARY-7" not in str(house.service.logs)
