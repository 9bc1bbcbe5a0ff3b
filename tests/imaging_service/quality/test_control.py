"""Images are controlled before they are read: what rules find, what a person decides, what readers see."""

from typing import Any

import pytest

from tests.builders.arrivals import PROTOCOL, STUDY, TRIAL, TrialHouse, mr_instance
from tests.builders.service import PASSWORD

REASON = "Every sequence is blurred by motion."
THICK: dict[str, Any] = {"SliceThickness": 8}


def quality(house: TrialHouse, study: str = STUDY) -> dict[str, Any]:
    found: dict[str, Any] = house.get(f"/timepoints/{house.study(study)['timepoint_id']}/quality")
    return found


def decide(house: TrialHouse, what: str, study: str = STUDY, **body: Any) -> Any:
    path = f"/timepoints/{house.study(study)['timepoint_id']}/quality/{what}"
    return house.service.post(house.path(path), "coordinator", json=body)


def states(house: TrialHouse, study: str = STUDY) -> list[str]:
    path = f"/timepoints/{house.study(study)['timepoint_id']}/quality/history"
    return [each["after"] for each in house.get(path)]


def amend(house: TrialHouse, *changes: tuple[str, str]) -> None:
    """File the protocol's next version, in force at once."""
    text = PROTOCOL.read_text().replace('version = "1.0"', 'version = "2.0"\neffective_on = 2026-01-01', 1)
    for before, after in changes:
        assert before in text
        text = text.replace(before, after, 1)
    headers = {"Content-Type": "application/toml"}
    answer = house.service.post("/trials", "administrator", content=text.encode(), headers=headers)
    assert answer.status_code == 201, answer.text


def by_person(house: TrialHouse) -> None:
    amend(house, ('accept = "automatic"', 'accept = "person"'))


def may_read(house: TrialHouse, study: str = STUDY, account: str = "reader1") -> bool:
    """Whether a reader gets the images by every way there is; all of them must agree."""
    timepoint_id = house.study(study)["timepoint_id"]
    series: bool = house.service.get(f"/timepoints/{timepoint_id}/series", account).status_code == 200
    frame = house.service.get(f"/instances/{study}.1.1/frames/1.png", account).status_code == 200
    found = house.service.get("/dicomweb/studies", account, params={"StudyInstanceUID": study}).json()
    metadata = house.service.get(f"/dicomweb/studies/{study}/metadata", account).status_code == 200
    listed = timepoint_id in [
        each["timepoint_id"] for each in house.service.get("/worklist", account).json()["items"]
    ]
    answers = {"series": series, "frame": frame, "qido": bool(found), "wado": metadata, "worklist": listed}
    assert len(set(answers.values())) == 1, answers
    return series


@pytest.fixture
def baseline(sqlite_house: TrialHouse) -> TrialHouse:
    """Give a subject whose baseline has come, and a reader."""
    return with_baseline(sqlite_house)


def with_baseline(house: TrialHouse, **attributes: Any) -> TrialHouse:
    house.service.grant("reader1", TRIAL, reader_slot=1)
    house.enrol()
    house.receive(mr_instance("20241220", **attributes))
    return house


def test_images_without_a_blocking_finding_are_accepted_and_only_then_read(house: TrialHouse):
    house.service.grant("reader1", TRIAL, reader_slot=1)
    house.enrol()
    house.push(mr_instance("20241220", **THICK))
    house.settle()
    house.follow()
    found = quality(house)
    assert (found["state"], found["blocking"], found["protocol_version"]) == ("accepted", 0, "1.0")
    assert [(each["code"], each["severity"]) for each in found["findings"]] == [("slices_too_thick", "warns")]
    assert "has slices of 8 mm; wanted: at most 5 mm." in found["findings"][0]["sentence"]
    assert states(house) == ["received", "in_control", "accepted"]
    assert may_read(house)
    assert house.timepoint_of()["control"] == "accepted"


def test_a_person_accepts_where_the_protocol_says_so(sqlite_house: TrialHouse):
    house = sqlite_house
    by_person(house)
    with_baseline(house)
    assert quality(house)["state"] == "in_control"
    assert not may_read(house)
    timepoint_id = house.study()["timepoint_id"]
    assert house.service.post(f"/timepoints/{timepoint_id}/reads", "reader1").status_code == 404
    accepted = decide(house, "acceptance", version=2)
    assert (accepted.status_code, accepted.json()["state"]) == (200, "accepted")
    assert may_read(house)
    assert decide(house, "acceptance").status_code == 200  # said twice, done once
    assert states(house) == ["received", "in_control", "accepted"]


def test_a_blocking_finding_waits_for_a_person_who_says_why(sqlite_house: TrialHouse):
    house = sqlite_house
    amend(
        house, ('name = "thin-slice MRI"\nseverity = "warns"', 'name = "thin-slice MRI"\nseverity = "blocks"')
    )
    with_baseline(house, **THICK)
    found = quality(house)
    assert (found["state"], found["blocking"]) == ("in_control", 1)
    queue = house.get("/quality", params={"state": "in_control", "blocked": "true"})["items"]
    assert [each["timepoint_id"] for each in queue] == [found["timepoint_id"]]
    refused = decide(house, "acceptance")
    assert (refused.status_code, refused.json()["code"]) == (409, "reason_wanted")
    assert decide(house, "acceptance", reason="Thick, and readable.").status_code == 200
    assert may_read(house)


def test_images_of_a_rejected_timepoint_are_hidden_and_the_next_one_follows(baseline: TrialHouse):
    house = baseline
    house.receive(mr_instance("20250212", study="1.2.5"))
    assert decide(house, "rejection", reason=REASON).status_code == 200
    assert not may_read(house)
    assert quality(house)["state"] == "rejected"
    unseen = house.service.get(f"/timepoints/{house.study()['timepoint_id']}/series", "coordinator")
    assert unseen.status_code == 200  # staff go on seeing what was rejected
    assert not may_read(house, "1.2.5")  # a baseline is still wanted
    assert decide(house, "reopening", reason="Looked at again.").json()["state"] == "in_control"
    assert decide(house, "acceptance").status_code == 200
    assert may_read(house)


def test_a_timepoint_that_is_not_accepted_keeps_its_turn(sqlite_house: TrialHouse):
    house = with_baseline(sqlite_house)
    house.receive(mr_instance("20250212", study="1.2.5"))
    assert decide(house, "reopening", reason="A second look.").json()["state"] == "in_control"
    assert not may_read(house)
    assert not may_read(house, "1.2.5")


def test_all_at_once_shows_every_accepted_timepoint_and_signs_in_order(sqlite_house: TrialHouse):
    house = sqlite_house
    amend(house, ('order = "sequential"', 'order = "all_at_once"'))
    with_baseline(house)
    house.receive(mr_instance("20250212", study="1.2.5"))
    later = house.study("1.2.5")["timepoint_id"]
    assert house.service.get(f"/timepoints/{later}/series", "reader1").status_code == 200
    shown = house.service.get("/dicomweb/studies", "reader1").json()
    assert len(shown) == 2
    read = house.service.post(f"/timepoints/{later}/reads", "reader1").json()["read_id"]
    body = {"password": PASSWORD, "meaning": "I confirm this read.", "confirms_no_disease": True}
    early = house.service.post(f"/reads/{read}/signature", "reader1", json=body)
    assert (early.status_code, early.json()["code"]) == (409, "earlier_timepoint_waits")
    house.receive(mr_instance("20250212", study="1.2.5", series=2))
    house.receive(mr_instance("20250326", study="1.2.6"))
    assert decide(house, "rejection", "1.2.6", reason=REASON).status_code == 200
    assert not may_read(house, "1.2.6")


def test_late_instances_open_control_again_and_leave_a_read_as_it_is(baseline: TrialHouse):
    house = baseline
    read = house.service.post(f"/timepoints/{house.study()['timepoint_id']}/reads", "reader1").json()
    house.receive(mr_instance("20241220", number=2))
    assert states(house) == [*["received", "in_control", "accepted"] * 2]
    assert house.timepoint_of()["late_instances"] == 1
    after = house.service.get(f"/reads/{read['read_id']}", "reader1").json()
    assert after == read
    refused = decide(house, "rejection", reason=REASON)
    assert (refused.status_code, refused.json()["code"]) == (409, "timepoint_in_reading")


def test_images_that_are_taken_away_end_the_control(baseline: TrialHouse):
    house = baseline
    timepoint_id = house.study()["timepoint_id"]
    body = {"reason": "Another person's images."}
    rejected = house.service.post(house.path(f"/studies/{STUDY}/rejection"), "coordinator", json=body)
    assert rejected.status_code == 200
    house.follow()
    history = house.get(f"/timepoints/{timepoint_id}/quality/history")
    assert [(each["after"], each["cause"]) for each in history[-1:]] == [(None, "images_taken_away")]
    assert house.get(f"/timepoints/{timepoint_id}/quality")["state"] is None
    decided = house.service.post(
        house.path(f"/timepoints/{timepoint_id}/quality/acceptance"), "coordinator", json={}
    )
    assert (decided.status_code, decided.json()["code"]) == (409, "transition_not_allowed")
    assert "without images" in decided.json()["detail"]


def test_the_second_of_two_decisions_gets_a_conflict(house: TrialHouse):
    with_baseline(house)
    seen = quality(house)["version"]
    assert decide(house, "rejection", reason=REASON, version=seen).status_code == 200
    second = decide(house, "reopening", reason="Seen before.", version=seen)
    assert (second.status_code, second.json()["code"]) == (409, "changed_meanwhile")
    assert quality(house)["state"] == "rejected"


@pytest.mark.parametrize("body", [{}, {"reason": " "}, {"reason": "ok, now", "extra": 1}])
def test_a_rejection_needs_a_reason(baseline: TrialHouse, body: dict[str, Any]):
    assert decide(baseline, "rejection", **body).status_code == 422
    assert quality(baseline)["state"] == "accepted"


def test_quality_is_told_as_a_file_and_to_no_reader(baseline: TrialHouse):
    house = baseline
    file = house.service.get(house.path("/quality"), "coordinator", params={"format": "csv"})
    assert file.text.splitlines()[0].startswith("timepoint_id,trial_id,site_id,subject_id")
    assert house.service.get(house.path("/quality"), "reader1").status_code == 403


def test_an_enhanced_image_is_controlled_by_its_functional_groups(sqlite_house: TrialHouse):
    from pydicom import Dataset  # noqa: PLC0415
    from pydicom.sequence import Sequence  # noqa: PLC0415

    def item(**values: Any) -> Dataset:
        made = Dataset()
        for name, value in values.items():
            setattr(made, name, value)
        return made

    def group(number: int) -> Dataset:
        return item(
            FrameContentSequence=Sequence(
                [item(TemporalPositionIndex=1, FrameAcquisitionDateTime=f"202412200900{number:02}.5")]
            ),
            PlanePositionSequence=Sequence([item(ImagePositionPatient=[0, 0, 12 * number])]),
            MRDiffusionSequence=Sequence([item(DiffusionBValue=800.0)]),
        )

    shared = item(
        PixelMeasuresSequence=Sequence([item(PixelSpacing=[1, 1], SliceThickness=4)]),
        PlaneOrientationSequence=Sequence([item(ImageOrientationPatient=[1, 0, 0, 0, 1, 0])]),
    )
    house = with_baseline(
        sqlite_house,
        SOPClassUID="1.2.840.10008.5.1.4.1.1.4.1",
        NumberOfFrames=2,
        PixelSpacing=None,
        SliceThickness=None,
        ImagePositionPatient=None,
        ImageOrientationPatient=None,
        EchoPulseSequence="GRADIENT",
        SharedFunctionalGroupsSequence=Sequence([shared]),
        PerFrameFunctionalGroupsSequence=Sequence([group(1), group(2)]),
        PixelData=bytes(64),
    )
    (found,) = quality(house)["findings"]
    assert (found["code"], found["found"]) == (
        "gap_too_wide",
        "1 gaps between neighbouring slices, up to 8 mm",
    )
