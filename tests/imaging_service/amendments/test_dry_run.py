"""An amendment is tried first: every stored answer that it would change is named, with the reason."""

import csv
import io
from collections.abc import Sequence
from datetime import date

import pytest
from sqlalchemy.orm import Session

from imaging_service.amendments.change import Amendment
from imaging_service.amendments.responses import amended, amended_inputs, courses_of
from imaging_service.assessments import repository as assessments
from imaging_service.assessments.derivation import derive
from imaging_service.http.pages import PageRequest
from imaging_service.reads.repository import SYSTEM
from imaging_service.subjects import service as subjects
from imaging_service.subjects.records import Subject
from imaging_service.trials import service as trials
from imaging_service.trials.protocols import MediaType, ProtocolText
from tests.builders.adjudicating import read_by_both
from tests.builders.reading import TRIAL, ReadingRoom, reading_room
from tests.builders.service import running_service
from tests.imaging_service.amendments.conftest import amendment, send

DRY_RUN = f"/trials/{TRIAL}/protocols/dry-run"
LESS_STRICT = ("progression_increase = 0.20", "progression_increase = 0.30")


def changes(room: ReadingRoom, text: str) -> dict[tuple[str, int | None, str | None], tuple[str, str]]:
    answer = send(room, DRY_RUN, text)
    assert answer.status_code == 200, answer.text
    return {
        (each["kind"], each["slot"], each["timepoint"]): (each["before"], each["after"])
        for each in answer.json()["changes"]
    }


def test_another_limit_of_progression_changes_what_follows_from_it(amended_room_on_both: ReadingRoom) -> None:
    """40 to 50 mm is +25 %: progression at 20 %, stable disease at 30 %."""
    room = amended_room_on_both
    subject, _ = read_by_both(room, [40.0, 50.0], [40.0, 40.0])
    found = changes(room, amendment(LESS_STRICT))
    assert found == {
        ("response", 1, "2"): ("PD", "SD"),
        ("progression", 1, None): ("2024-04-08", "none"),
        ("progression_free_survival", 1, None): (
            "event on 2024-04-08 after 85 days (Documented progression)",
            "censored on 2024-04-08 after 85 days (No event by the last adequate assessment)",
        ),
        ("adjudication", None, None): (
            "progression Y and N; progression_date 2024-04-08 and None",
            "the readers agree",
        ),
    }
    answer = send(room, DRY_RUN, amendment(LESS_STRICT)).json()
    first = answer["changes"][0]
    assert first["subject_id"] == subject
    assert first["why"].endswith("criteria.sums.progression_increase: 0.2 becomes 0.3.")
    assert answer["counts"]["response"] == 1
    assert [each["name"] for each in answer["parameters"]] == ["criteria.sums.progression_increase"]


def test_a_version_applies_from_the_day_of_imaging_on(amended_room: ReadingRoom) -> None:
    """Progression at the first timepoint, imaged before the amendment's day, stays as it is."""
    read_by_both(amended_room, [62.0], [62.0])
    assert changes(amended_room, amendment(LESS_STRICT)) == {}
    assert changes(amended_room, amendment(LESS_STRICT, effective_on="2024-02-26")) != {}


def test_wider_windows_move_every_window_and_some_days_of_imaging(amended_room: ReadingRoom) -> None:
    subject = amended_room.someone()
    amended_room.image(subject, 0)
    amended_room.image(subject, 1)
    found = changes(amended_room, amendment(("window_after_days = 7", "window_after_days = 10")))
    assert found["window", None, "1"] == (
        "2024-02-19 to 2024-03-04, nominal 2024-02-26",
        "2024-02-19 to 2024-03-07, nominal 2024-02-26",
    )


def test_a_day_that_falls_elsewhere_is_named(amended_room: ReadingRoom) -> None:
    subject = amended_room.someone()
    amended_room.image(subject, 0)
    amended_room.image(subject, 1, date(2024, 3, 6))  # day 51: two days after the window
    found = changes(amended_room, amendment(("window_after_days = 7", "window_after_days = 10")))
    assert found["match", None, "1"] == ("late of 1", "in_window of 1")


def test_other_limits_of_measurability_find_other_lesions(amended_room: ReadingRoom) -> None:
    read_by_both(amended_room, [40.0], [40.0])
    text = amendment(("longest_diameter_mm = 10", "longest_diameter_mm = 60"), effective_on="2024-01-01")
    before, after = changes(amended_room, text)["eligibility", 1, "0"]
    assert before == "no finding"
    assert "50" in after
    assert "60" in after


def test_another_variable_of_adjudication_makes_readers_differ(amended_room: ReadingRoom) -> None:
    """Both see progression at the second timepoint, and reader 2 saw a response before."""
    read_by_both(amended_room, [40.0, 70.0], [30.0, 70.0])
    text = amendment(('    "best_overall_response",\n', ""), ('    "first_response_date",\n', ""))
    before, after = changes(amended_room, text)["adjudication", None, None]
    assert before == ("best_overall_response SD and PR; first_response_date None and 2024-02-26")
    assert after == "the readers agree"


def test_all_of_it_can_be_had_as_a_file(amended_room: ReadingRoom) -> None:
    read_by_both(amended_room, [40.0, 50.0], [40.0, 50.0])
    answer = send(amended_room, DRY_RUN, amendment(LESS_STRICT), params={"format": "csv"})
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert [row["kind"] for row in rows].count("response") == 2
    assert {row["slot"] for row in rows if row["kind"] == "response"} == {"1", "2"}


def test_a_dry_run_stores_nothing(amended_room: ReadingRoom) -> None:
    read_by_both(amended_room, [40.0, 50.0], [40.0, 50.0])
    amended_room.service.token("coordinator")  # signing in is on the record
    before = amended_room.service.get("/audit/head", "administrator").json()
    send(amended_room, DRY_RUN, amendment(LESS_STRICT))
    assert amended_room.service.get("/audit/head", "administrator").json() == before


def test_an_amendment_is_filed_with_the_digest_of_its_dry_run(amended_room: ReadingRoom) -> None:
    room = amended_room
    _, images = read_by_both(room, [40.0, 50.0], [40.0, 50.0])
    text = amendment(LESS_STRICT)
    untried = send(room, "/trials", text)
    assert (untried.status_code, untried.json()["code"]) == (409, "dry_run_wanted")
    digest = send(room, DRY_RUN, text).json()["digest"]
    read_by_both(room, [40.0], [40.0])
    outdated = send(room, f"/trials/{TRIAL}/protocols", text, params={"digest": digest})
    assert (outdated.status_code, outdated.json()["code"]) == (409, "dry_run_outdated")
    digest = send(room, DRY_RUN, text).json()["digest"]
    filed = send(room, f"/trials/{TRIAL}/protocols", text, params={"digest": digest})
    assert (filed.status_code, filed.json()["revision"]) == (201, 2)
    again = send(room, f"/trials/{TRIAL}/protocols", text, params={"digest": digest})
    assert (again.status_code, again.json()["code"]) == (409, "protocol_version_exists")
    read_id = room.open("reader1", images[2])
    stored = room.service.get(f"/reads/{read_id}/assessment", "reader1").json()
    assert stored["protocol_version"] == "1.0"
    assert stored["timepoint"]["overall_response"] == "PD"


def file(room: ReadingRoom, text: str) -> None:
    digest = send(room, DRY_RUN, text).json()["digest"]
    filed = send(room, f"/trials/{TRIAL}/protocols", text, params={"digest": digest})
    assert filed.status_code == 201, filed.text


def test_signed_answers_are_derived_anew_only_on_the_record(amended_room_on_both: ReadingRoom) -> None:
    room = amended_room_on_both
    subject, images = read_by_both(room, [40.0, 50.0], [40.0, 50.0])
    file(room, amendment(LESS_STRICT))
    path = f"/trials/{TRIAL}/subjects/{subject}/rederivation"
    body = {"version": "2.0", "reason": "The steering committee applies it to signed reads."}
    assert room.service.post(path, "coordinator", json=body).json()["answers"] == 2
    assert room.service.post(path, "coordinator", json=body).json()["answers"] == 0
    stored = room.service.get(f"/reads/{room.open('reader1', images[2])}/assessment", "reader1").json()
    assert (stored["protocol_version"], stored["edition"]) == ("2.0", 2)
    assert stored["timepoint"]["overall_response"] == "SD"
    first = room.service.get(f"/reads/{room.open('reader1', images[1])}/assessment", "reader1").json()
    assert (first["protocol_version"], first["edition"]) == ("1.0", 1)
    entry = room.service.get("/audit?entity=read&limit=500", "administrator").json()["items"]
    reasons = [each["reason"] for each in entry if each["action"] == "rederive assessment"]
    assert reasons == [body["reason"]] * 2
    proof = room.service.get(f"/trials/{TRIAL}/assessments/recomputation", "coordinator").json()
    assert proof["differences"] == []


def test_a_read_is_judged_by_the_version_of_its_day(amended_room: ReadingRoom) -> None:
    """The first timepoint is read after the amendment was filed, and was imaged before its day."""
    room = amended_room
    file(room, amendment(LESS_STRICT))
    _, images = read_by_both(room, [40.0, 50.0], [40.0, 50.0])
    versions = [
        room.service.get(f"/reads/{room.open('reader1', each)}", "reader1").json()["protocol_version"]
        for each in images
    ]
    assert versions == ["1.0", "1.0", "2.0"]


CONTRADICTIONS = {
    "no day": (amendment(effective_on=None), "needs the date effective_on"),
    "confirmation beyond the horizon": (
        amendment(("\ninterval_days = 28", "\ninterval_days = 800")),
        "criteria.confirmation.interval_days is 800 and schedule.horizon_days is 731",
    ),
    "a review of what is seen at once": (
        amendment(
            ('order = "sequential"', 'order = "all_at_once"'),
            ("global_review = false", "global_review = true"),
        ),
        "readers.global_review is on and readers.order is 'all_at_once'",
    ),
    "a reader less than have signed": (
        amendment(("[readers]\ncount = 2", "[readers]\ncount = 1")),
        "readers.count is 1 and reader 2 has signed reads",
    ),
    "a calendar shorter than it was": (
        amendment(("last_timepoint = 17", "last_timepoint = 1")),
        "schedule.last_timepoint is 1 and timepoint 2 has images",
    ),
    "windows that overlap": (
        amendment(("window_after_days = 7", "window_after_days = 40")),
        "less than the 42 days between two timepoints",
    ),
    "another trial": (
        amendment(('trial_id = "HER2-MBC-INETETAMAB"', 'trial_id = "OTHER"')),
        "The protocol is of trial 'OTHER'",
    ),
    "an unknown parameter": (amendment(("cycle_days = 21", "cycle_dais = 21")), "cycle_dais"),
}


@pytest.fixture(scope="module")
def read_room(tmp_path_factory: pytest.TempPathFactory):
    with running_service(f"sqlite:///{tmp_path_factory.mktemp('read')}/room.sqlite") as running:
        room = reading_room(running)
        read_by_both(room, [40.0, 50.0], [40.0, 50.0])
        yield room


@pytest.mark.parametrize("contradiction", CONTRADICTIONS)
def test_an_amendment_that_contradicts_is_refused_with_the_contradiction(
    read_room: ReadingRoom, contradiction: str
) -> None:
    text, sentence = CONTRADICTIONS[contradiction]
    answer = send(read_room, DRY_RUN, text)
    assert answer.status_code == 422, answer.text
    assert sentence in answer.json()["detail"]
    assert len(read_room.service.get(f"/trials/{TRIAL}/protocol/versions", "coordinator").json()) == 1


def test_readers_and_adjudicators_try_nothing(read_room: ReadingRoom) -> None:
    for account in ("reader1", "adjudicator"):
        assert send(read_room, DRY_RUN, amendment(LESS_STRICT), account).status_code == 403


def test_one_derivation_of_a_course_says_what_each_answer_alone_would(read_room: ReadingRoom) -> None:
    read_by_both(read_room, [34.0, 30.0, 45.0, 30.0, 60.0], [50.0, 60.0, 40.0, 40.0, 46.0])
    after = ProtocolText(media_type=MediaType.TOML, text=amendment(LESS_STRICT, effective_on="2024-01-01"))
    with read_room.service.database.read() as session:
        known = {each.subject_id: each for each in subjects_of(session)}
        before = trials.protocol_version(session, SYSTEM.scope, TRIAL, "1.0")
        changed = Amendment.of(before, after.protocol())
        answers = assessments.newest_of_some(session, SYSTEM, TRIAL, list(known))
        courses = [
            course
            for subject in known.values()
            for course in courses_of(
                subject, [each for each in answers if each.subject_id == subject.subject_id]
            )
        ]
    assert len(courses) == 4
    for course in courses:
        for each in amended(changed, course):
            inputs = amended_inputs(changed, course.subject, each.answer)
            assert inputs is not None
            alone = derive(inputs)["timepoint"] or {}
            together = each.after["timepoint"] or {}
            assert together.get("overall_response") == alone.get("overall_response")


def subjects_of(session: Session) -> Sequence[Subject]:
    return subjects.subjects(session, SYSTEM.scope, TRIAL, PageRequest(100, None)).items
