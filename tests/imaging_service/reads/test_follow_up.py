"""At follow-up every lesion of the baseline gets a value or a state, and doubts are answered."""

from typing import Any

import pytest

from tests.builders.reading import Imaged, ReadingRoom, long_axis, measured, node, short_axis, state


@pytest.fixture
def follow_up(quick_room: ReadingRoom, subject: str, baseline: Imaged) -> Imaged:
    """Images of timepoint 1 after a signed baseline of two targets, a node and a non-target."""
    quick_room.read(
        "reader1",
        baseline,
        {
            "T01": measured(baseline, 40.0, "liver, segment II"),
            "T02": measured(baseline, 30.0, "liver, segment VII"),
            "T03": node(baseline, 20.0, "axillary lymph node"),
            "NT01": state("present", "bone"),
        },
    )
    return quick_room.image(subject, 1)


@pytest.fixture
def draft(quick_room: ReadingRoom, follow_up: Imaged) -> str:
    return quick_room.open("reader1", follow_up)


def enter(room: ReadingRoom, draft: str, lesion_id: str, body: dict[str, Any]) -> Any:
    return room.enter("reader1", draft, lesion_id, body)


def test_the_draft_shows_what_must_be_answered(quick_room: ReadingRoom, draft: str) -> None:
    shown = quick_room.service.get(f"/reads/{draft}", "reader1").json()
    assert [(each["lesion_id"], each["baseline_mm"]) for each in shown["followed"]] == [
        ("T01", "40.0"),
        ("T02", "30.0"),
        ("T03", "20.0"),
        ("NT01", None),
    ]
    assert [gap["lesion_id"] for gap in shown["gaps"]] == ["T01", "T02", "T03", "NT01"]


def test_signing_an_incomplete_read_lists_every_gap_and_changes_nothing(
    quick_room: ReadingRoom, follow_up: Imaged, draft: str
) -> None:
    enter(quick_room, draft, "T02", measured(follow_up, 25.0))
    refused = quick_room.sign("reader1", draft)
    assert refused.status_code == 409
    assert refused.json()["code"] == "incomplete"
    assert [gap["lesion_id"] for gap in refused.json()["findings"]] == ["T01", "T03", "NT01"]
    assert "found 3 gaps, wanted none" in refused.json()["detail"]
    assert quick_room.service.get(f"/reads/{draft}", "reader1").json()["status"] == "draft"


def test_states_and_shrunken_values_answer_the_lesions(
    quick_room: ReadingRoom, follow_up: Imaged, draft: str
) -> None:
    quick = {
        "T01": state("too_small"),
        "T02": state("absent"),
        "T03": node(follow_up, 8.0),
        "NT01": state("absent"),
    }
    for lesion_id, body in quick.items():
        assert enter(quick_room, draft, lesion_id, body).status_code == 201
    verdict = quick_room.sign("reader1", draft).json()["assessment"]["timepoint"]
    assert verdict["sum_of_diameters"]["mm"] == "13.0"  # 5 for too small, 0 for absent, 8 for the node
    assert verdict["target_response"] == "PR"


def test_findings_of_eligibility_are_never_raised_at_follow_up(
    quick_room: ReadingRoom, follow_up: Imaged, draft: str
) -> None:
    assert enter(quick_room, draft, "T01", measured(follow_up, 6.0)).json()["findings"] == []


def test_the_fragments_of_a_split_target_are_drawn_one_by_one(
    quick_room: ReadingRoom, follow_up: Imaged, draft: str
) -> None:
    one = {"long_axis": long_axis(follow_up, 12.0)}
    refused = enter(quick_room, draft, "T01", state("split", fragments=[one]))
    assert refused.status_code == 422
    assert "the axes of at least 2 fragments; found 1" in refused.json()["detail"]
    two = [one, {"long_axis": long_axis(follow_up, 9.0)}]
    assert enter(quick_room, draft, "T01", state("split", fragments=two)).status_code == 201
    enter(quick_room, draft, "T02", state("absent"))
    enter(quick_room, draft, "T03", node(follow_up, 9.0))
    enter(quick_room, draft, "NT01", state("present"))
    verdict = quick_room.sign("reader1", draft).json()["assessment"]["timepoint"]
    assert verdict["sum_of_diameters"]["mm"] == "30.0"  # 12 + 9 + 0 + 9


def test_a_merged_target_points_to_the_one_that_carries_the_mass(
    quick_room: ReadingRoom, follow_up: Imaged, draft: str
) -> None:
    alone = enter(quick_room, draft, "T02", state("merged"))
    assert alone.status_code == 422
    assert "another target was wanted: T01, T03" in alone.json()["detail"]
    assert enter(quick_room, draft, "T02", state("merged", merged_into="T01")).status_code == 201
    enter(quick_room, draft, "T03", node(follow_up, 9.0))
    enter(quick_room, draft, "NT01", state("present"))
    enter(quick_room, draft, "T01", state("absent"))
    refused = quick_room.sign("reader1", draft)
    assert [gap["code"] for gap in refused.json()["findings"]] == ["merged_into_unmeasured"]


@pytest.mark.parametrize(
    ("lesion_id", "body", "code", "words"),
    [
        pytest.param("T04", state("absent"), "not_at_baseline", "T01, T02, T03", id="a target nobody chose"),
        pytest.param("NT02", state("absent"), "not_at_baseline", "NT01", id="a non-target nobody chose"),
        pytest.param("T01", state("not_evaluable"), "reason_missing", "why was wanted", id="no reason"),
        pytest.param("NT01", state("progressed"), "reason_missing", "why was wanted", id="no reason for PD"),
        pytest.param("T01", state("gone"), "state", "absent", id="an unknown state"),
        pytest.param("T01", state("absent", "spleen"), "lesion_facts", "liver", id="another place"),
        pytest.param(
            "T03", state("absent", is_nodal=False), "lesion_facts", "is_nodal", id="no node any more"
        ),
        pytest.param("NEW01", state("unequivocal"), "lesion_facts", "location", id="a new lesion nowhere"),
    ],
)
def test_what_contradicts_the_baseline_is_refused(  # noqa: PLR0917  a table row has as many columns
    quick_room: ReadingRoom, draft: str, lesion_id: str, body: dict[str, Any], code: str, words: str
) -> None:
    answer = enter(quick_room, draft, lesion_id, body)
    assert answer.status_code == 422, answer.text
    assert answer.json()["code"] == code
    assert words in answer.json()["detail"]


def test_an_absent_lesion_has_no_axis(quick_room: ReadingRoom, follow_up: Imaged, draft: str) -> None:
    body = state("absent", long_axis=long_axis(follow_up, 10.0), short_axis=short_axis(follow_up, 5.0))
    answer = enter(quick_room, draft, "T01", body)
    assert answer.status_code == 422
    assert answer.json()["code"] == "axis_unwanted"
    assert "2 drawn axes" in answer.json()["detail"]


def complete(room: ReadingRoom, draft: str) -> None:
    for lesion_id in ("T01", "T02", "T03"):
        assert enter(room, draft, lesion_id, state("too_small")).status_code == 201
    assert enter(room, draft, "NT01", state("present")).status_code == 201


def test_an_equivocal_new_lesion_must_be_answered_at_the_next_timepoint(
    quick_room: ReadingRoom, subject: str, follow_up: Imaged, draft: str
) -> None:
    complete(quick_room, draft)
    assert enter(quick_room, draft, "NEW01", state("equivocal", "brain")).status_code == 201
    verdict = quick_room.sign("reader1", draft).json()["assessment"]["timepoint"]
    assert (verdict["new_lesion"], verdict["overall_response"]) == ("EQUIVOCAL", "PR")

    second = quick_room.image(subject, 2)
    next_draft = quick_room.open("reader1", second)
    complete(quick_room, next_draft)
    refused = quick_room.sign("reader1", next_draft)
    assert [gap["code"] for gap in refused.json()["findings"]] == ["doubt_open"]
    assert enter(quick_room, next_draft, "NEW01", state("unequivocal")).status_code == 201
    assessment = quick_room.sign("reader1", next_draft).json()["assessment"]
    assert assessment["timepoint"]["overall_response"] == "PD"
    # the progression is dated by the scan that first showed it (E09 4.3.5)
    assert assessment["progression"]["progressed_on"] == "2024-02-26"
    assert assessment["progression"]["seen_at"] == follow_up.timepoint_id


def test_a_preview_says_what_would_follow_and_stores_nothing(
    quick_room: ReadingRoom, follow_up: Imaged, draft: str
) -> None:
    enter(quick_room, draft, "T01", measured(follow_up, 80.0))
    path = f"/reads/{draft}/assessment"
    preview = quick_room.service.get(f"{path}/preview", "reader1").json()
    # 80 mm alone is more than 20 % and 5 mm above the nadir of 90 mm? it is not: the rest is missing
    assert preview["timepoint"]["target_response"] == "NE"
    assert preview["timepoint"]["sum_of_diameters"] == {
        "mm": None,
        "at_least_mm": "80.0",
        "missing": ["T02", "T03"],
    }
    stored = quick_room.service.get(path, "reader1")
    assert stored.status_code == 409
    assert stored.json()["code"] == "not_signed"
