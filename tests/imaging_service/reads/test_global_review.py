"""After the last timepoint a reader may change earlier ones, each with a reason; what was signed stays."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.builders.adjudicating import amend, case, decide, read_by_both, review, waiting
from tests.builders.reading import PROTOCOL, Imaged, ReadingRoom, measured, reading_room
from tests.builders.service import running_service


@pytest.fixture(scope="module")
def review_room(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ReadingRoom]:
    """Give a trial whose protocol has the global review on."""
    protocol = PROTOCOL.read_bytes().replace(b"global_review = false", b"global_review = true")
    with running_service(f"sqlite:///{tmp_path_factory.mktemp('review')}/room.sqlite") as running:
        running.grant("adjudicator", "HER2-MBC-INETETAMAB")
        yield reading_room(running, protocol)


def begin(room: ReadingRoom, account: str, imaged: Imaged, reason: str = "Seen better afterwards.") -> Any:
    """Let a reader begin the review of an own signed read."""
    read_id = room.open(account, imaged)
    return room.service.post(f"/reads/{read_id}/review", account, json={"reason": reason})


def change(room: ReadingRoom, account: str, imaged: Imaged, mm: float) -> dict[str, Any]:
    """Review a read: draw the target anew and sign."""
    revision = begin(room, account, imaged).json()
    headers = {"If-Match": f'"{revision["lesions"][0]["version"]}"'}
    entered = room.enter(account, revision["read_id"], "T01", measured(imaged, mm), headers=headers)
    assert entered.status_code == 200, entered.text
    signed = room.sign(account, revision["read_id"])
    assert signed.status_code == 201, signed.text
    return dict(signed.json()["assessment"])


def answer_of(room: ReadingRoom, account: str, imaged: Imaged) -> dict[str, Any]:
    return dict(room.service.get(f"/reads/{room.open(account, imaged)}/assessment", account).json())


def test_an_earlier_timepoint_is_changed_and_what_follows_is_derived_anew(review_room: ReadingRoom) -> None:
    """40, 50: +25 % over the nadir of 40. With 46 in place of 40 the nadir is 46, and 50 is +9 %."""
    room = review_room
    _, images = read_by_both(room, [40.0, 50.0], [46.0, 50.0])
    assert answer_of(room, "reader1", images[2])["timepoint"]["overall_response"] == "PD"
    before = room.open("reader1", images[1])
    changed = change(room, "reader1", images[1], 46.0)
    assert changed["timepoint"]["overall_response"] == "SD"
    later = answer_of(room, "reader1", images[2])
    assert (later["timepoint"]["overall_response"], later["edition"]) == ("SD", 2)
    now = room.service.get(f"/reads/{room.open('reader1', images[1])}", "reader1").json()
    assert (now["revision"], now["lesions"][0]["diameter_mm"]) == (2, "46.0")
    stayed = room.service.get(f"/reads/{before}", "reader1").json()
    assert (stayed["revision"], stayed["lesions"][0]["diameter_mm"]) == (1, "40.0")
    entries = room.service.get("/audit?entity=read&limit=500", "administrator").json()["items"]
    assert "Seen better afterwards." in [
        each["reason"] for each in entries if each["action"] == "review read"
    ]


def test_adjudication_comes_after_the_review(review_room: ReadingRoom) -> None:
    room = review_room
    subject, images = read_by_both(room, [40.0, 50.0], [46.0, 50.0])
    assert review(room, subject)["standing"] == "to_adjudicate"
    decided = decide(room, subject, 1)
    assert decided.status_code == 201, decided.text
    revision = begin(room, "reader1", images[1]).json()
    assert review(room, subject)["standing"] == "reading"
    assert case(room, subject).status_code == 404
    headers = {"If-Match": f'"{revision["lesions"][0]["version"]}"'}
    room.enter("reader1", revision["read_id"], "T01", measured(images[1], 46.0), headers=headers)
    assert room.sign("reader1", revision["read_id"]).status_code == 201
    assert review(room, subject)["standing"] == "agreed"  # the decision was about other reads
    assert room.reading_id(subject) not in waiting(room)


def test_a_review_waits_for_the_last_timepoint(review_room: ReadingRoom) -> None:
    room = review_room
    subject, images = read_by_both(room, [40.0], [40.0])
    room.image(subject, 2)
    early = begin(room, "reader1", images[1])
    assert (early.status_code, early.json()["code"]) == (409, "review_too_early")
    assert "the one imaged on 2024-04-08 is not signed yet" in early.json()["detail"]


def test_a_review_waits_for_what_can_still_be_imaged(review_room: ReadingRoom) -> None:
    room = review_room
    subject, images = read_by_both(room, [40.0], [40.0])
    room.expect(subject, 40)  # in 2028
    early = begin(room, "reader1", images[1])
    assert early.status_code == 409
    assert "timepoint 40 can still be imaged" in early.json()["detail"]


def test_nobody_reviews_anothers_read(review_room: ReadingRoom) -> None:
    _, images = read_by_both(review_room, [40.0], [40.0])
    read_id = review_room.open("reader1", images[1])
    for account, status in (("reader2", 404), ("coordinator", 403), ("adjudicator", 403)):
        answer = review_room.service.post(f"/reads/{read_id}/review", account, json={"reason": "Mine."})
        assert answer.status_code == status, account


def test_a_review_needs_its_reason_and_a_signed_read(review_room: ReadingRoom) -> None:
    _, images = read_by_both(review_room, [40.0], [40.0])
    assert begin(review_room, "reader1", images[1], " ").status_code == 422
    assert begin(review_room, "reader1", images[1]).status_code == 201
    again = begin(review_room, "reader1", images[1])  # the draft is what the timepoint opens now
    assert (again.status_code, again.json()["code"]) == (409, "not_signed")


def test_without_the_protocols_word_there_is_no_review(quick_room: ReadingRoom) -> None:
    _, images = read_by_both(quick_room, [40.0], [40.0])
    refused = begin(quick_room, "reader1", images[1])
    assert (refused.status_code, refused.json()["code"]) == (409, "review_off")
    amend(quick_room, "reader1", images[1], 41.0)  # a coordinator still unlocks
