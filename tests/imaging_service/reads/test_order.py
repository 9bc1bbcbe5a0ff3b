"""A reader meets the timepoints one after the other; what is closed is as if it did not exist."""

from dataclasses import replace
from typing import Any

import pytest

from imaging_service.reads.sequence import Occasion, in_reading_order, next_to_read, open_to_reader
from measurement.protocol.trial import ReadOrder
from tests.builders.reading import FIRST_DOSE, ReadingRoom, measured, state


def occasion(name: str, day: int, *, is_baseline: bool = False, is_signed: bool = False) -> Occasion:
    return Occasion(
        timepoint_id=name,
        imaged_on=FIRST_DOSE.replace(day=day),
        is_baseline=is_baseline,
        is_signed=is_signed,
    )


@pytest.mark.parametrize(
    ("signed", "is_open", "next_one"),
    [
        pytest.param("", "B", "B", id="nothing signed"),
        pytest.param("B", "B1", "1", id="baseline signed"),
        pytest.param("B1", "B12", "2", id="one follow-up signed"),
        pytest.param("B2", "B21", "1", id="images that came late close what is unread"),
        pytest.param("B123", "B123", None, id="all signed"),
    ],
)
def test_the_first_unsigned_timepoint_is_the_only_new_one(
    signed: str, is_open: str, next_one: str | None
) -> None:
    every = [
        occasion("3", 30, is_signed="3" in signed),
        occasion("1", 10, is_signed="1" in signed),
        occasion("B", 20, is_baseline=True, is_signed="B" in signed),
        occasion("2", 20, is_signed="2" in signed),
    ]
    assert {each.timepoint_id for each in open_to_reader(every)} == set(is_open)
    found = next_to_read(every)
    assert (None if found is None else found.timepoint_id) == next_one
    assert [each.timepoint_id for each in in_reading_order(every)] == ["B", "1", "2", "3"]


def test_a_later_timepoint_is_as_good_as_missing_until_the_earlier_one_is_signed(
    room: ReadingRoom,
) -> None:
    subject = room.someone()
    baseline, first = room.image(subject, 0), room.image(subject, 1)
    closed = room.service.post(f"/timepoints/{first.timepoint_id}/reads", "reader1")
    missing = room.service.post("/timepoints/00000000-0000-4000-8000-000000000000/reads", "reader1")
    assert closed.status_code == missing.status_code == 404
    assert closed.json()["detail"] == missing.json()["detail"].replace(
        "00000000-0000-4000-8000-000000000000", first.timepoint_id
    )
    room.read("reader1", baseline, {"T01": measured(baseline, 40.0, "liver")})
    assert room.service.post(f"/timepoints/{first.timepoint_id}/reads", "reader1").status_code == 201
    # the other reader has signed nothing: for that one it stays closed
    assert room.service.post(f"/timepoints/{first.timepoint_id}/reads", "reader2").status_code == 404


def test_opening_a_read_twice_gives_the_same_one(room: ReadingRoom) -> None:
    baseline = room.image(room.someone(), 0)
    path = f"/timepoints/{baseline.timepoint_id}/reads"
    first, again = room.service.post(path, "reader1"), room.service.post(path, "reader1")
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json()["read_id"] == again.json()["read_id"]
    other = room.service.post(path, "reader2")
    assert other.status_code == 201
    assert other.json()["read_id"] != first.json()["read_id"]


def waiting(room: ReadingRoom, account: str, subject: str) -> list[dict[str, Any]]:
    """Return the lines of a reader's worklist about one subject."""
    listed = room.service.get("/worklist?limit=500", account).json()["items"]
    return [item for item in listed if item["reading_id"] == room.reading_id(subject)]


def test_the_worklist_names_one_timepoint_of_each_subject(room: ReadingRoom) -> None:
    one, two = room.someone(), room.someone("S02")
    baseline, _ = room.image(one, 0), room.image(one, 1)
    other = room.image(two, 0)
    assert [item["timepoint_id"] for item in waiting(room, "reader1", one)] == [baseline.timepoint_id]
    assert [item["timepoint_id"] for item in waiting(room, "reader1", two)] == [other.timepoint_id]

    draft = room.open("reader1", baseline)
    assert [item["read_id"] for item in waiting(room, "reader1", one)] == [draft]
    assert [item["read_id"] for item in waiting(room, "reader2", one)] == [None]


def test_the_worklist_moves_on_with_each_signature_and_ends(room: ReadingRoom) -> None:
    subject = room.someone()
    baseline, first = room.image(subject, 0), room.image(subject, 1)
    room.read("reader1", baseline, {"NT01": state("present", "bone")})
    (item,) = waiting(room, "reader1", subject)
    assert (item["timepoint_id"], item["number"]) == (first.timepoint_id, 1)
    room.read("reader1", first, {"NT01": state("present")})
    assert waiting(room, "reader1", subject) == []


def test_the_worklist_comes_in_pages_and_as_csv(quick_room: ReadingRoom) -> None:
    expected = {quick_room.image(quick_room.someone(), 0).timepoint_id for _ in range(3)}
    found, cursor = set(), ""
    while cursor is not None:
        page = quick_room.service.get(f"/worklist?limit=2{cursor and f'&cursor={cursor}'}", "reader2").json()
        assert len(page["items"]) <= 2
        found |= {item["timepoint_id"] for item in page["items"]}
        cursor = page["next_cursor"]
    assert expected <= found
    table = quick_room.service.get("/worklist?format=csv", "reader2")
    assert table.headers["content-type"].startswith("text/csv")
    assert table.text.splitlines()[0].startswith("trial_id,reading_id,timepoint_id")


def test_a_timepoint_without_images_cannot_be_read(quick_room: ReadingRoom, subject: str) -> None:
    baseline = quick_room.image(subject, 0)
    quick_room.read("reader1", baseline, {"NT01": state("present", "bone")})
    expected = quick_room.expect(subject, 1)
    answer = quick_room.service.post(f"/timepoints/{expected}/reads", "reader1")
    assert answer.status_code == 409
    assert answer.json()["code"] == "timepoint_without_images"
    assert answer.json()["detail"] == (
        "The timepoint is expected and has 0 images; a read was wanted of a timepoint with images."
    )


def test_a_follow_up_without_a_baseline_cannot_be_read(quick_room: ReadingRoom, subject: str) -> None:
    first = quick_room.image(subject, 1)
    answer = quick_room.service.post(f"/timepoints/{first.timepoint_id}/reads", "reader1")
    assert answer.status_code == 409
    assert answer.json()["code"] == "baseline_missing"
    listed = quick_room.service.get("/worklist?limit=500", "reader1").json()["items"]
    assert first.timepoint_id not in {item["timepoint_id"] for item in listed}


def test_a_draft_waits_for_an_earlier_timepoint_whose_images_came_late(
    quick_room: ReadingRoom, subject: str
) -> None:
    baseline = quick_room.image(subject, 0)
    quick_room.read("reader1", baseline, {"NT01": state("present", "bone")})
    second = quick_room.image(subject, 2)
    draft = quick_room.open("reader1", second)
    quick_room.enter("reader1", draft, "NT01", state("present"))
    first = quick_room.image(subject, 1)
    refused = quick_room.sign("reader1", draft)
    assert refused.status_code == 409
    assert refused.json()["code"] == "earlier_timepoint_waits"
    assert "2024-02-26" in refused.json()["detail"]
    quick_room.read("reader1", first, {"NT01": state("absent")})
    assert quick_room.sign("reader1", draft).status_code == 201


def test_the_timepoint_is_read_when_both_readers_have_signed(room: ReadingRoom) -> None:
    subject = room.someone()
    baseline = room.image(subject, 0)
    path = f"/trials/HER2-MBC-INETETAMAB/timepoints/{baseline.timepoint_id}"
    for reader, status in (("reader1", "in_reading"), ("reader2", "read")):
        room.read(reader, baseline, {"NT01": state("present", "bone")})
        assert room.service.get(path, "coordinator").json()["status"] == status


def test_a_timepoint_that_is_not_ready_keeps_its_turn_and_without_a_baseline_nothing_opens() -> None:
    baseline = occasion("B", 1, is_baseline=True, is_signed=True)
    first, second = occasion("1", 10), occasion("2", 20)
    waiting = replace(first, is_ready=False)
    assert {each.timepoint_id for each in open_to_reader([baseline, waiting, second])} == {"B"}
    assert next_to_read([baseline, waiting, second]) == waiting
    assert open_to_reader([first, second]) == []


def test_all_at_once_opens_every_timepoint_that_is_ready() -> None:
    baseline = occasion("B", 1, is_baseline=True)
    first, second = occasion("1", 10), occasion("2", 20)
    waiting = replace(second, is_ready=False)
    assert open_to_reader([second, first, baseline], ReadOrder.ALL_AT_ONCE) == [baseline, first, second]
    assert open_to_reader([waiting, first, baseline], ReadOrder.ALL_AT_ONCE) == [baseline, first]
    assert open_to_reader([second, first], ReadOrder.ALL_AT_ONCE) == []
    assert next_to_read([second, first, baseline]) == baseline
