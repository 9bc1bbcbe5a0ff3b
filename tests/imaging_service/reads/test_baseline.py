"""What may be chosen at baseline, and what a read must hold before it can be signed."""

import pytest

from tests.builders.reading import Imaged, ReadingRoom, measured, node, state

PLACES = ["liver", "lung", "brain", "spleen", "skin", "pleura"]


def test_a_sixth_target_is_refused(quick_room: ReadingRoom, baseline: Imaged, read_id: str) -> None:
    for number, place in enumerate(PLACES[:5], start=1):
        body = measured(baseline, 20.0, place)
        assert quick_room.enter("reader1", read_id, f"T0{number}", body).status_code == 201
    answer = quick_room.enter("reader1", read_id, "T06", measured(baseline, 20.0, PLACES[5]))
    assert answer.status_code == 422
    assert answer.json()["code"] == "too_many_targets"
    assert answer.json()["detail"] == (
        "T06 would be target 6; at most 5 are wanted, and T01, T02, T03, T04, T05 are chosen already. "
        "It can be a non-target."
    )
    kept = quick_room.service.get(f"/reads/{read_id}", "reader1").json()
    assert [lesion["lesion_id"] for lesion in kept["lesions"]] == ["T01", "T02", "T03", "T04", "T05"]


def test_a_third_target_in_one_organ_is_refused(
    quick_room: ReadingRoom, baseline: Imaged, read_id: str
) -> None:
    for name, place in (("T01", "axillary node, left"), ("T02", "inguinal node, right")):
        assert quick_room.enter("reader1", read_id, name, node(baseline, 16.0, place)).status_code == 201
    answer = quick_room.enter("reader1", read_id, "T03", node(baseline, 16.0, "mediastinal node"))
    assert answer.status_code == 422
    assert answer.json()["code"] == "too_many_targets_in_organ"
    assert "target 3 in lymph nodes; at most 2" in answer.json()["detail"]
    assert "T01, T02" in answer.json()["detail"]


def test_replacing_a_target_is_not_one_more(quick_room: ReadingRoom, baseline: Imaged, read_id: str) -> None:
    for number, place in enumerate(PLACES[:5], start=1):
        first = quick_room.enter("reader1", read_id, f"T0{number}", measured(baseline, 20.0, place))
    again = quick_room.enter(
        "reader1",
        read_id,
        "T05",
        measured(baseline, 25.0, PLACES[5]),
        headers={"If-Match": first.headers["ETag"]},
    )
    assert again.status_code == 200
    assert again.json()["diameter_mm"] == "25.0"


@pytest.mark.parametrize(
    ("lesion_id", "body", "code"),
    [
        pytest.param("X01", state("present", "bone"), "lesion_name", id="a name without a role"),
        pytest.param("T1", state("measured", "bone"), "lesion_name", id="a name with one digit"),
        pytest.param("NEW01", state("unequivocal", "bone"), "new_at_baseline", id="new at baseline"),
        pytest.param("NT01", state("absent", "bone"), "state", id="a non-target that is not there"),
        pytest.param("NT01", state("progressed", "bone"), "state", id="progress without a before"),
        pytest.param("T01", state("absent", "bone"), "state", id="a target that is not there"),
        pytest.param("T01", state("measured", "bone"), "axis_missing", id="a target without an axis"),
        pytest.param("NT01", state("present"), "lesion_facts", id="a lesion nowhere"),
        pytest.param("NT01", state("present", "bone", role="target"), "lesion_facts", id="another role"),
        pytest.param("NT01", state("present", "bone", merged_into="T01"), "merge", id="a merged non-target"),
    ],
)
def test_what_a_baseline_cannot_hold_is_refused(
    quick_room: ReadingRoom, read_id: str, lesion_id: str, body: dict[str, object], code: str
) -> None:
    answer = quick_room.enter("reader1", read_id, lesion_id, body)
    assert answer.status_code == 422, answer.text
    assert answer.json()["code"] == code
    assert "wanted" in answer.json()["detail"] or ";" in answer.json()["detail"]


def test_a_baseline_without_lesions_needs_the_word_that_there_was_no_disease(
    quick_room: ReadingRoom, read_id: str
) -> None:
    refused = quick_room.sign("reader1", read_id)
    assert refused.status_code == 409
    assert refused.json()["code"] == "incomplete"
    assert [gap["code"] for gap in refused.json()["findings"]] == ["baseline_without_lesions"]
    assert quick_room.sign("reader1", read_id, confirms_no_disease=True).status_code == 201


def test_no_disease_cannot_be_confirmed_over_a_lesion(quick_room: ReadingRoom, read_id: str) -> None:
    quick_room.enter("reader1", read_id, "NT01", state("present", "bone"))
    refused = quick_room.sign("reader1", read_id, confirms_no_disease=True)
    assert refused.status_code == 409
    assert "has 1 lesions; none was wanted" in refused.json()["detail"]


def test_a_lesion_is_withdrawn_with_the_version_that_was_seen(quick_room: ReadingRoom, read_id: str) -> None:
    entered = quick_room.enter("reader1", read_id, "NT01", state("present", "bone"))
    path = f"/reads/{read_id}/lesions/NT01"
    blind = quick_room.service.delete(path, "reader1")
    assert blind.status_code == 409
    assert blind.json()["code"] == "version_wanted"
    seen = {"If-Match": entered.headers["ETag"]}
    assert quick_room.service.delete(path, "reader1", headers=seen).status_code == 204
    assert quick_room.service.delete(path, "reader1").status_code == 204
    assert quick_room.service.get(f"/reads/{read_id}", "reader1").json()["lesions"] == []
