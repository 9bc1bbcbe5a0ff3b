"""At signing the responses are derived and stored with everything that they follow from."""

from typing import Any

import pytest

from imaging_service.assessments import repository
from imaging_service.assessments.derivation import digest, restored, stored
from imaging_service.reads.repository import SYSTEM
from tests.builders.reading import TRIAL, Imaged, ReadingRoom, measured, node, state


def courses(room: ReadingRoom, account: str, lengths: list[float]) -> list[dict[str, Any]]:
    """Read one target of these lengths, baseline first, and return the assessments."""
    subject = room.someone()
    images = [room.image(subject, number) for number in range(len(lengths))]
    lesions = [
        {"T01": measured(imaged, mm, "liver" if number == 0 else None)}
        for number, (imaged, mm) in enumerate(zip(images, lengths, strict=True))
    ]
    return room.course(account, images, lesions)


@pytest.mark.parametrize(
    ("lengths", "expected"),
    [
        pytest.param([50.0, 35.0, 28.0], ["PR", "PR"], id="-30 % of 50 mm is exactly 35 mm"),
        pytest.param([50.0, 35.1, 42.1], ["SD", "SD"], id="+20 % of 35.1 mm would be 42.12 mm"),
        pytest.param([50.0, 40.0, 48.0], ["SD", "PD"], id="+20 % and +8 mm from the nadir"),
        pytest.param([20.0, 15.0, 19.0], ["SD", "SD"], id="+26 % and only +4 mm"),
    ],
)
def test_the_limits_of_the_sum_are_exact(
    quick_room: ReadingRoom, lengths: list[float], expected: list[str]
) -> None:
    _, *follow_ups = courses(quick_room, "reader1", lengths)
    assert [each["timepoint"]["target_response"] for each in follow_ups] == expected


def test_every_reason_cites_its_rule_and_its_records(room: ReadingRoom) -> None:
    _, _, progressed = courses(room, "reader1", [50.0, 40.0, 48.0])
    reason = progressed["timepoint"]["reasons"][0]
    assert reason["code"] == "sum_progressed"
    assert "48.0 mm" in reason["sentence"]
    assert "40.0 mm" in reason["sentence"]
    assert reason["source"].startswith("E09")
    assert f"{progressed['read_id']}/T01" in reason["record_ids"]
    assert progressed["rules_version"] == "1.0.0"
    assert progressed["protocol_version"] == "1.0"
    assert progressed["progression"]["progressed_on"] == "2024-04-08"


def test_a_complete_response_counts_a_node_below_ten_millimetres(quick_room: ReadingRoom) -> None:
    subject = quick_room.someone()
    baseline, first = quick_room.image(subject, 0), quick_room.image(subject, 1)
    chosen = {"T01": measured(baseline, 30.0, "liver"), "T02": node(baseline, 18.0, "axillary node")}
    quick_room.read("reader1", baseline, chosen)
    answer = quick_room.read("reader1", first, {"T01": state("absent"), "T02": node(first, 9.9)})
    assert answer["timepoint"]["target_response"] == "CR"
    assert answer["timepoint"]["sum_of_diameters"]["mm"] == "9.9"


def test_no_disease_at_baseline_is_an_answer_of_its_own(quick_room: ReadingRoom) -> None:
    subject = quick_room.someone()
    answers = quick_room.course(
        "reader1", [quick_room.image(subject, 0), quick_room.image(subject, 1)], [{}, {}]
    )
    assert answers[1]["timepoint"]["overall_response"] == "NED"


def test_an_answer_knows_the_readers_earlier_reads_and_no_other_readers(
    quick_room: ReadingRoom,
) -> None:
    subject = quick_room.someone()
    images = [quick_room.image(subject, number) for number in range(2)]
    theirs = quick_room.course(
        "reader2", images, [{"T01": measured(images[0], 20.0, "lung")}, {"T01": measured(images[1], 40.0)}]
    )
    own = quick_room.course(
        "reader1", images, [{"T01": measured(images[0], 50.0, "liver")}, {"T01": measured(images[1], 50.0)}]
    )
    assert (theirs[1]["timepoint"]["overall_response"], own[1]["timepoint"]["overall_response"]) == (
        "PD",
        "SD",
    )


def test_a_timepoint_that_was_not_done_counts_as_not_evaluable(quick_room: ReadingRoom) -> None:
    subject = quick_room.someone()
    baseline = quick_room.image(subject, 0)
    quick_room.read("reader1", baseline, {"T01": measured(baseline, 50.0, "liver")})
    for number, is_done in ((1, True), (2, False), (3, True)):
        if not is_done:
            quick_room.expect(subject, number, not_done="The scanner was out of order.")
            continue
        imaged = quick_room.image(subject, number)
        answer = quick_room.read("reader1", imaged, {"T01": measured(imaged, 30.0)})
    # the protocol allows no NE between a response and its confirmation
    assert answer["best_overall"]["response"] == "PR"
    assert answer["confirmed_best_overall"]["response"] == "SD"


def test_images_that_came_late_change_the_later_answer_in_a_new_edition(room: ReadingRoom) -> None:
    subject = room.someone()
    baseline, second = room.image(subject, 0), room.image(subject, 2)
    room.read("reader1", baseline, {"T01": measured(baseline, 50.0, "liver")})
    before = room.read("reader1", second, {"T01": measured(second, 42.0)})
    assert before["timepoint"]["overall_response"] == "SD"
    first = room.image(subject, 1)
    room.read("reader1", first, {"T01": measured(first, 30.0)})
    after = room.service.get(f"/reads/{before['read_id']}/assessment", "reader1").json()
    assert (after["edition"], after["timepoint"]["overall_response"]) == (2, "PD")  # 30 to 42 mm
    assert after["timepoint"]["nadir_mm"] == "30.0"


def test_a_read_without_its_answer_is_not_signed(
    quick_room: ReadingRoom, baseline: Imaged, read_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    quick_room.enter("reader1", read_id, "T01", measured(baseline, 50.0, "liver"))

    def fail(*_arguments: object) -> None:
        message = "the disk is gone"
        raise OSError(message)

    with monkeypatch.context() as patch:
        patch.setattr(repository, "add", fail)
        assert quick_room.sign("reader1", read_id).status_code == 500
    assert quick_room.service.get(f"/reads/{read_id}", "reader1").json()["status"] == "draft"
    assert quick_room.sign("reader1", read_id).status_code == 201


def test_stored_inputs_come_back_as_they_were(quick_room: ReadingRoom) -> None:
    courses(quick_room, "reader1", [50.0, 40.0])
    with quick_room.service.database.read() as session:
        found = repository.newest(session, SYSTEM, TRIAL)
    assert found
    for each in found:
        assert stored(restored(each.inputs)) == each.inputs
        assert digest(each.inputs) == each.inputs_sha256
