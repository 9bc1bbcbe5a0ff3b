"""What is kept of each subject answers as if everything were derived anew, whatever has changed."""

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import text

from imaging_service.derived import service as derived
from imaging_service.derived.work import RENEW_DERIVED, missing_jobs
from tests.builders.adjudicating import PD, PR, SD, amend, decide, read_by_both, read_lengths, unlock
from tests.builders.reading import FIRST_DOSE, TRIAL, ReadingRoom

ANSWERS = (
    "/outcomes?limit=500",
    "/outcomes?limit=500&view=accepted",
    "/outcomes?format=csv",
    "/readers/statistics",
    "/readers/statistics?site=S02",
    "/readers/statistics?by=timepoint&by=organ&by=slice_thickness&by=quarter",
    "/readers/statistics?site=S02&by=organ",
    "/evaluations/comparison?limit=500",
    "/reads/discordant?limit=500",
    "/reviews?limit=500",
)


def told(room: ReadingRoom) -> dict[str, Any]:
    """Return every answer about the whole trial."""
    found = {}
    for path in ANSWERS:
        answer = room.service.get(f"/trials/{TRIAL}{path}", "sponsor")
        assert answer.status_code == 200, answer.text
        found[path] = answer.text
    cases = room.service.get("/adjudications?limit=500", "adjudicator")
    assert cases.status_code == 200, cases.text
    return {**found, "cases": cases.text}


def execute(room: ReadingRoom, statement: str) -> None:
    with room.service.database.writer.begin() as connection:
        connection.execute(text(statement))


def out_of_date(room: ReadingRoom) -> int:
    with room.service.database.read() as session:
        return int(session.scalar(text("SELECT count(*) FROM derived_subjects WHERE basis = ''")) or 0)


def assert_true(room: ReadingRoom) -> None:
    """Compare what is kept with what is derived anew, and keep it again."""
    assert out_of_date(room) == 0
    kept = told(room)
    execute(room, "UPDATE derived_subjects SET basis = ''")
    assert told(room) == kept
    kept_tables = ("kept_reviews", "kept_diameters", "kept_courses", "kept_comparisons", "kept_discordances")
    for table in kept_tables:
        execute(room, f"DELETE FROM {table}")  # noqa: S608  one of these names
    assert told(room) == kept
    renew(room)
    assert out_of_date(room) == 0
    assert told(room) == kept


def renew(room: ReadingRoom) -> None:
    """Let the worker's part renew what is out of date."""
    on = room.service.clock.now().date()
    while True:
        with room.service.database.write() as session:
            if not derived.renew_some(session, on):
                return


def evaluate(room: ReadingRoom, timepoint_id: str, response: str) -> None:
    body = {
        "overall_response": response,
        "has_progressed": response == "PD",
        "reason": "As the site read it.",
    }
    path = f"/trials/{TRIAL}/timepoints/{timepoint_id}/evaluation"
    answer = room.service.put(path, "coordinator", json=body)
    assert answer.status_code == 201, answer.text


def test_every_change_renews_what_it_touches(room: ReadingRoom) -> None:
    room.service.grant("adjudicator", TRIAL)
    agreed, images = read_by_both(room, [PR, PR], [PR, PR])
    open_case, _ = read_by_both(room, [PD], [SD], site_id="S02")
    decided, late = read_by_both(room, [SD, PD], [SD, SD])
    assert_true(room)

    for imaged, response in zip(images[1:], ("PR", "PD"), strict=True):
        evaluate(room, imaged.timepoint_id, response)
    assert decide(room, decided, 2).status_code == 201
    assert_true(room)

    room.correct(agreed, first_dose_on=FIRST_DOSE + timedelta(days=2), death_on=date(2025, 3, 1))
    room.expect(open_case, 2)
    room.expect(agreed, 1 + len(images), not_done="The scanner was out of order.")
    room.image(open_case, 3)
    assert_true(room)

    unlock(room, "reader2", late[1])
    room.open("reader1", room.image(decided, 3))
    assert_true(room)
    amend(room, "reader1", images[2], SD)
    assert_true(room)


def test_a_subject_is_finished_from_the_day_on_which_a_timepoint_is_missed(quick_room: ReadingRoom) -> None:
    subject = quick_room.someone()
    images = [quick_room.image(subject, number) for number in (0, 1, 3)]
    for account in ("reader1", "reader2"):
        read_lengths(quick_room, account, images, [50.0, SD, SD])
    missed = FIRST_DOSE + timedelta(days=42 * 2 + 7)
    quick_room.expect(subject, 2)
    now = quick_room.service.clock.now()
    path = f"/trials/{TRIAL}/outcomes?view=accepted&limit=500"

    def standing(day: date) -> str:
        quick_room.service.clock.set(now.replace(year=day.year, month=day.month, day=day.day))
        answer = quick_room.service.get(path, "sponsor")
        assert answer.status_code == 200, answer.text
        (line,) = [each for each in answer.json()["readers"][0]["listing"] if each["subject_id"] == subject]
        return str(line["standing"])

    try:
        assert standing(missed) == "reading"
        assert standing(missed + timedelta(days=1)) == "agreed"
    finally:
        quick_room.service.clock.set(now)


def test_another_version_of_the_rules_lets_everything_be_derived_anew(
    quick_room: ReadingRoom, monkeypatch: pytest.MonkeyPatch
) -> None:
    read_by_both(quick_room, [PR], [SD])
    before = told_without_cases(quick_room)
    jobs = missing_jobs(quick_room.service.clock)
    with quick_room.service.database.read() as session:
        assert list(jobs(session)) == []
    monkeypatch.setattr(derived, "_FORM", "another")
    execute(quick_room, "UPDATE kept_courses SET is_responder = NOT is_responder")
    assert told_without_cases(quick_room) == before
    with quick_room.service.database.read() as session:
        assert [each.name for each in jobs(session)] == [RENEW_DERIVED]
    renew(quick_room)
    with quick_room.service.database.read() as session:
        assert list(jobs(session)) == []
    assert told_without_cases(quick_room) == before
    monkeypatch.undo()
    renew(quick_room)


def told_without_cases(room: ReadingRoom) -> list[str]:
    return [room.service.get(f"/trials/{TRIAL}{path}", "sponsor").text for path in ANSWERS]


TAMPERINGS: list[Callable[[str], str]] = [
    lambda subject: f"UPDATE kept_courses SET best_response = 'CR' WHERE subject_id = '{subject}'",  # noqa: S608
    lambda subject: f"UPDATE kept_reviews SET standing = 'single_reader' WHERE subject_id = '{subject}'",  # noqa: S608
    lambda subject: f"DELETE FROM kept_discordances WHERE subject_id = '{subject}'",  # noqa: S608
]


@pytest.mark.parametrize("tampering", TAMPERINGS, ids=["a best response", "a standing", "a discordance"])
def test_recomputation_names_what_is_kept_and_does_not_follow(
    quick_room: ReadingRoom, tampering: Callable[[str], str]
) -> None:
    subject, _ = read_by_both(quick_room, [PR], [SD])
    path = f"/trials/{TRIAL}/assessments/recomputation?subject={subject}"
    assert quick_room.service.get(path, "coordinator").json()["differences"] == []
    execute(quick_room, tampering(subject))
    (found,) = quick_room.service.get(path, "coordinator").json()["differences"]
    assert found["code"] == "kept_differs"
    assert subject in found["sentence"]
    execute(quick_room, "UPDATE derived_subjects SET basis = ''")


def test_a_scope_of_one_site_adds_up_its_own_subjects_only(quick_room: ReadingRoom) -> None:
    service = quick_room.service
    ours = {read_by_both(quick_room, [PR], [SD], site_id="S02")[0]}
    service.add_account("local", "coordinator")  # type: ignore[arg-type]
    service.grant("local", TRIAL, site_id="S02")
    for is_kept in (True, False):
        if not is_kept:
            execute(quick_room, "UPDATE derived_subjects SET basis = ''")
        answer = service.get(f"/trials/{TRIAL}/outcomes?view=accepted", "local").json()
        listed = {each["subject_id"] for each in answer["readers"][0]["listing"]}
        assert listed == ours
        assert answer["readers"][0]["subjects"] == len(ours)
        told = service.get(f"/trials/{TRIAL}/reads/discordant", "local").json()["items"]
        assert {each["subject_id"] for each in told} == ours
