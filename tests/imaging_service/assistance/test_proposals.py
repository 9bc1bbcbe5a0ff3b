"""A reader asks for an outline and makes of it what seems right; the record says what."""

import pytest

from tests.imaging_service.assistance.conftest import BASELINE, FOLLOW_UP, Case


def outcomes(case: Case, read_id: str) -> list[str]:
    answer = case.house.service.get(f"/reads/{read_id}/proposals", "reader1")
    assert answer.status_code == 200, answer.text
    return [each["outcome"] for each in answer.json()]


def axes_of(proposal, *, moved: float = 0.0):
    """Return the axes of a proposal as a page sends them back, one end moved along the row."""
    where = {"sop_instance_uid": proposal["sop_instance_uid"], "frame": proposal["frame"]}
    (column, row), end = proposal["long_axis"]
    return {
        "long_axis": where | {"points": [[column - moved, row], end]},
        "short_axis": where | {"points": proposal["short_axis"]},
    }


def test_a_click_in_a_lesion_proposes_its_true_diameters(case: Case) -> None:
    read_id = case.open(BASELINE)
    answer = case.ask(read_id)
    assert answer.status_code == 201, answer.text
    truth, proposal = case.studies[BASELINE].truth.of("T01"), answer.json()
    assert proposal["long_mm"] == pytest.approx(truth.long_axis.length_mm, abs=2)
    assert proposal["short_mm"] == pytest.approx(truth.short_axis.length_mm, abs=2)
    assert proposal["outcome"] == "open"
    assert len(proposal["outline"]) > 30


def test_a_box_does_as_well(case: Case) -> None:
    read_id = case.open(BASELINE)
    _, (column, row) = case.middle(BASELINE)
    proposal = case.ask(read_id, points=[[column - 16, row - 13], [column + 17, row + 12]]).json()
    assert proposal["long_mm"] == pytest.approx(32, abs=2)


def test_a_phase_before_contrast_is_subtracted_first(case: Case) -> None:
    plan = case.studies[BASELINE].plan
    before = next(each for each in plan.series if each.sequence_name == "DCE_PRE")
    read_id = case.open(BASELINE)
    proposal = case.ask(read_id, subtract={"sop_instance_uid": plan.sop_instance_uid(before, 4)}).json()
    assert proposal["long_mm"] == pytest.approx(32, abs=2)


def test_nothing_is_entered_into_the_read(case: Case) -> None:
    read_id = case.open(BASELINE)
    case.ask(read_id)
    read = case.house.service.get(f"/reads/{read_id}", "reader1").json()
    assert (read["lesions"], read["version"]) == ([], 0)


def test_the_record_says_what_the_reader_made_of_each_proposal(case: Case) -> None:
    read_id = case.open(BASELINE)
    first = case.ask(read_id).json()
    case.enter(read_id, **axes_of(first))
    assert outcomes(case, read_id) == ["accepted"]

    lesion = case.house.service.get(f"/reads/{read_id}", "reader1").json()["lesions"][0]
    body = {"state": "measured", **axes_of(first, moved=1.0)}
    changed = case.house.service.put(
        f"/reads/{read_id}/lesions/T01",
        "reader1",
        json=body | {"location": "liver, segment VII"},
        headers={"If-Match": f'"{lesion["version"]}"'},
    )
    assert changed.status_code == 200, changed.text
    assert outcomes(case, read_id) == ["edited"]

    second = case.ask(read_id).json()
    assert outcomes(case, read_id) == ["rejected", "edited"]
    rejected = case.house.service.post(
        f"/reads/{read_id}/proposals/{second['proposal_id']}/rejection", "reader1"
    )
    assert rejected.json()["outcome"] == "rejected"
    assert outcomes(case, read_id) == ["edited", "rejected"]


def test_what_is_not_used_by_the_time_of_signing_is_rejected(case: Case) -> None:
    read_id = case.open(BASELINE)
    proposal = case.ask(read_id, lesion_id="T02").json()
    case.enter(read_id, **axes_of(proposal))
    assert outcomes(case, read_id) == ["open"]
    case.sign(read_id)
    assert outcomes(case, read_id) == ["rejected"]


def test_a_proposal_is_rejected_once(case: Case) -> None:
    read_id = case.open(BASELINE)
    path = f"/reads/{read_id}/proposals/{case.ask(read_id).json()['proposal_id']}/rejection"
    assert case.house.service.post(path, "reader1").status_code == 201
    again = case.house.service.post(path, "reader1")
    assert (again.status_code, again.json()["code"]) == (409, "rejected_already")


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"points": [[500.0, 5.0]]}, 422, "proposal_refused"),
        ({"points": [[5.0, 5.0], [6.0, 50.0]]}, 422, "proposal_refused"),
        ({"points": []}, 422, "invalid_request"),
        ({"points": [[1.0, 1.0]] * 3}, 422, "invalid_request"),
        ({"frame": 2}, 422, "frame_unknown"),
        ({"sop_instance_uid": "1.2.3"}, 422, "instance_elsewhere"),
        ({"lesion_id": "X1"}, 422, "lesion_name"),
    ],
    ids=[
        "beside the image",
        "a box without width",
        "no point",
        "three points",
        "no such frame",
        "another timepoint's instance",
        "no lesion's name",
    ],
)
def test_what_cannot_be_asked_is_refused_in_a_sentence(case: Case, body, status, code) -> None:
    answer = case.ask(case.open(BASELINE), **body)
    assert answer.status_code == status, answer.text
    assert answer.json()["detail"].endswith(".")
    assert answer.json()["code"] == code


def test_frames_of_two_places_are_not_subtracted(case: Case) -> None:
    plan = case.studies[BASELINE].plan
    before = next(each for each in plan.series if each.sequence_name == "DCE_PRE")
    answer = case.ask(case.open(BASELINE), subtract={"sop_instance_uid": plan.sop_instance_uid(before, 5)})
    assert (answer.status_code, answer.json()["code"]) == (422, "frames_apart")


def test_nobody_asks_in_another_readers_draft(case: Case) -> None:
    read_id = case.open(BASELINE)
    case.open(BASELINE, "reader2")
    assert case.ask(read_id, "reader2").status_code == 404
    assert case.house.service.get(f"/reads/{read_id}/proposals", "reader2").status_code == 404


def test_nothing_is_proposed_in_a_signed_read(case: Case) -> None:
    read_id = case.open(BASELINE)
    case.enter(read_id, **axes_of(case.ask(read_id).json()))
    case.sign(read_id)
    assert case.ask(read_id).status_code == 409


def test_a_later_timepoint_stays_closed(case: Case) -> None:
    """A proposal is no way to look at images whose turn it is not."""
    read_id = case.open(BASELINE)
    later, middle = case.middle(FOLLOW_UP)
    assert case.ask(read_id, sop_instance_uid=later, points=[middle]).status_code == 422
