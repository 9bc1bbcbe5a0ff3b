"""Outcomes worked out by hand, told by the routes."""

import csv
import io
from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest

from tests.builders.reading import FIRST_DOSE, TRIAL, ReadingRoom, measured, reading_room, state
from tests.builders.service import running_service


def read_lengths(room: ReadingRoom, subject: str, lengths: list[float], accounts: str = "12") -> None:
    """Let readers measure one target of these lengths at baseline and the timepoints that follow."""
    images = [room.image(subject, number) for number in range(len(lengths))]
    for account in accounts:
        lesions = [
            {"T01": measured(imaged, mm, "liver" if number == 0 else None)}
            for number, (imaged, mm) in enumerate(zip(images, lengths, strict=True))
        ]
        room.course(f"reader{account}", images, lesions)


def outcomes(room: ReadingRoom, subject: str, slot: int = 1, **query: str) -> dict[str, Any]:
    path = f"/trials/{TRIAL}/subjects/{subject}/outcomes"
    answer = room.service.get(path, "coordinator", params=query)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = next(each for each in answer.json()["readers"] if each["slot"] == slot)
    return found


def pfs(found: dict[str, Any]) -> tuple[Any, ...]:
    (time,) = [each for each in found["times"] if each["endpoint"] == "PFS"]
    return time["is_event"], time["ends_on"], time["days"], time["ending"]


def test_a_progression_is_an_event_dated_by_its_scan(room: ReadingRoom) -> None:
    subject = room.someone()
    read_lengths(room, subject, [50.0, 30.0, 30.0, 40.0], accounts="1")
    found = outcomes(room, subject)
    assert [each["overall_response"] for each in found["timepoints"]] == ["PR", "PR", "PD"]
    assert found["best_overall"]["response"] == found["confirmed_best_overall"]["response"] == "PR"
    # 2024-01-15 + 126 days = 2024-05-20, and the first day counts
    assert pfs(found) == (True, "2024-05-20", 127, "Documented progression")
    assert (found["is_responder"], found["has_clinical_benefit"]) == (True, True)


def test_without_an_event_the_last_adequate_assessment_censors(quick_room: ReadingRoom) -> None:
    subject = quick_room.someone()
    read_lengths(quick_room, subject, [50.0, 45.0, 44.0], accounts="1")
    found = outcomes(quick_room, subject)
    assert found["best_overall"]["response"] == "SD"
    assert pfs(found) == (False, "2024-04-08", 85, "No event by the last adequate assessment")
    assert found["has_clinical_benefit"] is False


def test_a_death_is_an_event(quick_room: ReadingRoom) -> None:
    subject = quick_room.someone()
    read_lengths(quick_room, subject, [50.0, 45.0], accounts="1")
    quick_room.correct(subject, death_on=date(2024, 3, 20))
    assert pfs(outcomes(quick_room, subject)) == (True, "2024-03-20", 66, "Death")


def test_a_corrected_start_moves_the_days_and_not_the_signed_answers(quick_room: ReadingRoom) -> None:
    subject = quick_room.someone()
    read_lengths(quick_room, subject, [50.0, 45.0], accounts="1")
    before = outcomes(quick_room, subject)
    quick_room.correct(subject, first_dose_on=FIRST_DOSE.replace(day=17))
    after = outcomes(quick_room, subject)
    assert (pfs(before)[2], pfs(after)[2]) == (43, 41)
    assert before["timepoints"] == after["timepoints"]


def test_nothing_after_the_data_cut_counts(quick_room: ReadingRoom) -> None:
    subject = quick_room.someone()
    read_lengths(quick_room, subject, [50.0, 30.0, 48.0], accounts="1")
    assert pfs(outcomes(quick_room, subject))[0] is True
    found = outcomes(quick_room, subject, as_of="2024-03-31")
    assert [each["overall_response"] for each in found["timepoints"]] == ["PR"]
    assert pfs(found) == (False, "2024-02-26", 43, "No event by the last adequate assessment")
    assert found["confirmed_best_overall"]["response"] == "SD"


def test_an_unread_subject_is_censored_at_the_start(quick_room: ReadingRoom) -> None:
    found = outcomes(quick_room, quick_room.someone())
    assert pfs(found) == (False, "2024-01-15", 1, "No baseline assessment")
    assert found["best_overall"]["response"] == "NE"
    assert found["timepoints"] == []


def test_each_reader_has_outcomes_of_its_own(quick_room: ReadingRoom) -> None:
    subject = quick_room.someone()
    images = [quick_room.image(subject, number) for number in range(2)]
    for account, mm in (("reader1", 30.0), ("reader2", 45.0)):
        quick_room.course(
            account, images, [{"T01": measured(images[0], 50.0, "liver")}, {"T01": measured(images[1], mm)}]
        )
    assert outcomes(quick_room, subject, 1)["best_overall"]["response"] == "PR"
    assert outcomes(quick_room, subject, 2)["best_overall"]["response"] == "SD"


def test_the_subjects_table_as_csv(quick_room: ReadingRoom) -> None:
    subject = quick_room.someone()
    read_lengths(quick_room, subject, [50.0, 30.0], accounts="1")
    answer = quick_room.service.get(
        f"/trials/{TRIAL}/subjects/{subject}/outcomes", "sponsor", headers={"Accept": "text/csv"}
    )
    (row,) = csv.DictReader(io.StringIO(answer.text))
    assert row["subject_id"] == subject
    assert (row["sum_mm"], row["change_from_baseline_percent"], row["overall_response"]) == (
        "30.0",
        "-40",
        "PR",
    )


@pytest.fixture(scope="module")
def cohort(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ReadingRoom]:
    """Five subjects: confirmed PR, SD, PD, an unconfirmed PR, and one that nobody has read."""
    with running_service(f"sqlite:///{tmp_path_factory.mktemp('cohort')}/room.sqlite") as running:
        room = reading_room(running)
        courses = {"C-PR": [50, 30, 30], "C-SD": [50, 45], "C-PD": [50, 70], "C-UN": [50, 30]}
        for subject, lengths in courses.items():
            room.enrol(subject)
            read_lengths(room, subject, [float(mm) for mm in lengths], accounts="1")
        room.enrol("C-NO", "S02")
        yield room


def test_everybody_is_in_the_denominator_of_the_cohort(cohort: ReadingRoom) -> None:
    answer = cohort.service.get(f"/trials/{TRIAL}/outcomes", "sponsor")
    assert answer.status_code == 200, answer.text
    first = answer.json()["readers"][0]
    assert first["subjects"] == 5
    rate = first["objective_response_rate"]
    assert (rate["count"], rate["of"], rate["estimate"]) == (1, 5, 0.2)
    # Clopper and Pearson: P(X >= 1) at the lower limit and P(X <= 1) at the upper one are 2.5 %
    lower, upper = rate["lower"], rate["upper"]
    assert 1 - (1 - lower) ** 5 == pytest.approx(0.025)
    assert (1 - upper) ** 5 + 5 * upper * (1 - upper) ** 4 == pytest.approx(0.025)
    listing = {row["subject_id"]: row for row in first["listing"]}
    assert {name: row["confirmed_best_response"] for name, row in listing.items()} == {
        "C-PR": "PR",
        "C-SD": "SD",
        "C-PD": "PD",
        "C-UN": "SD",
        "C-NO": "NE",
    }
    assert (listing["C-PD"]["pfs_is_event"], listing["C-PD"]["pfs_days"]) == (True, 43)
    assert listing["C-NO"]["site_id"] == "S02"
    (curve,) = [each for each in first["curves"] if each["endpoint"] == "PFS"]
    assert (curve["subjects"], curve["events"]) == (5, 1)


def test_the_listing_as_csv(cohort: ReadingRoom) -> None:
    answer = cohort.service.get(f"/trials/{TRIAL}/outcomes?format=csv", "coordinator")
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert len(rows) == 10  # five subjects by two readers
    assert {row["best_response"] for row in rows if row["slot"] == "2"} == {"NE"}


def test_a_trial_out_of_scope_is_as_good_as_missing(cohort: ReadingRoom) -> None:
    for path in ("/trials/OTHER/outcomes", f"/trials/{TRIAL}/subjects/OTHER/outcomes"):
        assert cohort.service.get(path, "coordinator").status_code == 404


def test_a_lost_state_counts_as_not_evaluable_and_is_not_adequate(quick_room: ReadingRoom) -> None:
    subject = quick_room.someone()
    images = [quick_room.image(subject, number) for number in range(3)]
    lesions = [
        {"T01": measured(images[0], 50.0, "liver")},
        {"T01": measured(images[1], 45.0)},
        {"T01": state("not_evaluable", reason="The sequence was cut short.")},
    ]
    quick_room.course("reader1", images, lesions)
    found = outcomes(quick_room, subject)
    assert [each["overall_response"] for each in found["timepoints"]] == ["SD", "NE"]
    assert pfs(found) == (False, "2024-02-26", 43, "No event by the last adequate assessment")
