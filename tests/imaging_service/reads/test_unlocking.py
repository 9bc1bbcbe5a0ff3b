"""A coordinator unlocks a signed read with a reason; the old one stays, the new one supersedes it."""

from typing import Any

import pytest

from tests.builders.reading import Imaged, ReadingRoom, measured


@pytest.fixture
def signed(quick_room: ReadingRoom, baseline: Imaged) -> str:
    quick_room.read("reader1", baseline, {"T01": measured(baseline, 40.0, "liver")})
    return quick_room.open("reader1", baseline)


def unlock(room: ReadingRoom, account: str, read_id: str) -> Any:
    reason = {"reason": "A slip of the mouse on T01."}
    return room.service.post(f"/reads/{read_id}/unlocking", account, json=reason)


def test_a_new_revision_begins_as_a_copy_and_the_signed_one_stays(
    quick_room: ReadingRoom, baseline: Imaged, signed: str
) -> None:
    before = quick_room.service.get(f"/reads/{signed}", "reader1").json()
    answer = unlock(quick_room, "coordinator", signed)
    assert answer.status_code == 201, answer.text
    revision = answer.json()
    assert (revision["revision"], revision["status"]) == (2, "draft")
    assert [lesion["lesion_id"] for lesion in revision["lesions"]] == ["T01"]
    assert quick_room.service.get(f"/reads/{signed}", "reader1").json() == before
    assert quick_room.open("reader1", baseline) == revision["read_id"]


def test_the_amended_read_supersedes_the_first_answer_and_those_that_followed(
    quick_room: ReadingRoom, subject: str, baseline: Imaged, signed: str
) -> None:
    first = quick_room.image(subject, 1)
    later = quick_room.read("reader1", first, {"T01": measured(first, 30.0)})
    assert later["timepoint"]["overall_response"] == "SD"  # -25 %

    revision = unlock(quick_room, "coordinator", signed).json()
    replaced = quick_room.enter(
        "reader1",
        revision["read_id"],
        "T01",
        measured(baseline, 50.0, "liver"),
        headers={"If-Match": f'"{revision["lesions"][0]["version"]}"'},
    )
    assert replaced.status_code == 200, replaced.text
    assert quick_room.sign("reader1", revision["read_id"]).status_code == 201

    anew = quick_room.service.get(f"/reads/{later['read_id']}/assessment", "reader1").json()
    assert anew["timepoint"]["overall_response"] == "PR"  # 50 to 30 mm: -40 %
    assert anew["edition"] == 2
    old = quick_room.service.get(f"/reads/{signed}/assessment", "coordinator").json()
    assert old["baseline"]["sum_of_diameters"]["mm"] == "40.0"


def test_a_reader_does_not_unlock(quick_room: ReadingRoom, signed: str) -> None:
    assert unlock(quick_room, "reader1", signed).status_code == 403


def test_a_draft_and_an_unlocked_read_are_not_unlocked(quick_room: ReadingRoom, signed: str) -> None:
    first = unlock(quick_room, "coordinator", signed).json()
    again = unlock(quick_room, "coordinator", signed)
    assert (again.status_code, again.json()["code"]) == (409, "unlocked_already")
    draft = unlock(quick_room, "coordinator", first["read_id"])
    assert (draft.status_code, draft.json()["code"]) == (409, "not_signed")


def test_unlocking_needs_a_reason(quick_room: ReadingRoom, signed: str) -> None:
    answer = quick_room.service.post(f"/reads/{signed}/unlocking", "coordinator", json={})
    assert answer.status_code == 422
