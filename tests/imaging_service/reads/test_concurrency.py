"""Two writers at once: one of them is told, nothing is overwritten, nothing is there twice."""

from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from tests.builders.reading import ReadingRoom, measured


def at_once(*requests: Callable[[], Any]) -> list[Any]:
    with ThreadPoolExecutor(len(requests)) as pool:
        return [future.result() for future in [pool.submit(request) for request in requests]]


def test_the_second_writer_of_a_lesion_gets_a_clear_conflict(room: ReadingRoom) -> None:
    baseline = room.image(room.someone(), 0)
    read_id = room.open("reader1", baseline)
    first = room.enter("reader1", read_id, "T01", measured(baseline, 40.0, "liver"))
    seen = {"If-Match": first.headers["ETag"]}
    kept = room.enter("reader1", read_id, "T01", measured(baseline, 41.0, "liver"), headers=seen)
    assert kept.status_code == 200
    late = room.enter("reader1", read_id, "T01", measured(baseline, 42.0, "liver"), headers=seen)
    assert late.status_code == 409
    assert late.json()["code"] == "changed_meanwhile"
    assert "Nothing was overwritten" in late.json()["detail"]
    blind = room.enter("reader1", read_id, "T01", measured(baseline, 43.0, "liver"))
    assert (blind.status_code, blind.json()["code"]) == (409, "version_wanted")
    (lesion,) = room.service.get(f"/reads/{read_id}", "reader1").json()["lesions"]
    assert lesion["diameter_mm"] == "41.0"


def test_entering_the_same_again_changes_nothing(room: ReadingRoom) -> None:
    baseline = room.image(room.someone(), 0)
    read_id = room.open("reader1", baseline)
    first = room.enter("reader1", read_id, "T01", measured(baseline, 40.0, "liver"))
    again = room.enter("reader1", read_id, "T01", measured(baseline, 40.0, "liver"))
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json() == again.json()


def test_writers_at_once_lose_no_update(room: ReadingRoom) -> None:
    baseline = room.image(room.someone(), 0)
    read_id = room.open("reader1", baseline)
    room.service.token("reader1")
    lengths = [20.0, 30.0, 40.0, 50.0]
    answers = at_once(
        *(
            lambda mm=mm: room.enter("reader1", read_id, "T01", measured(baseline, mm, "liver"))
            for mm in lengths
        )
    )
    assert Counter(answer.status_code for answer in answers) == {201: 1, 409: 3}
    (kept,) = [answer.json() for answer in answers if answer.status_code == 201]
    stored = room.service.get(f"/reads/{read_id}", "reader1").json()
    assert stored["lesions"] == [kept]
    assert stored["version"] == 1


def test_a_read_opened_at_once_is_one_read(room: ReadingRoom) -> None:
    baseline = room.image(room.someone(), 0)
    room.service.token("reader1")
    path = f"/timepoints/{baseline.timepoint_id}/reads"
    answers = at_once(*[lambda: room.service.post(path, "reader1")] * 4)
    assert Counter(answer.status_code for answer in answers) == {201: 1, 200: 3}
    assert len({answer.json()["read_id"] for answer in answers}) == 1


def test_a_read_signed_at_once_has_one_signature_and_one_answer(room: ReadingRoom) -> None:
    subject = room.someone()
    baseline = room.image(subject, 0)
    read_id = room.open("reader1", baseline)
    room.enter("reader1", read_id, "T01", measured(baseline, 40.0, "liver"))
    answers = at_once(*[lambda: room.sign("reader1", read_id)] * 3)
    assert Counter(answer.status_code for answer in answers) == {201: 1, 409: 2}
    found = room.service.get(f"/reads/{read_id}/assessment", "reader1").json()
    assert found["edition"] == 1
