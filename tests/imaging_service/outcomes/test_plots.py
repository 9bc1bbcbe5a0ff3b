"""What plots are drawn from: each subject on its own days, and survival step by step."""

from typing import Any

import pytest

from tests.builders.reading import TRIAL, ReadingRoom, measured
from tests.imaging_service.outcomes.test_outcomes import read_lengths


def plots(room: ReadingRoom, account: str = "sponsor", **query: Any) -> dict[str, Any]:
    answer = room.service.get(f"/trials/{TRIAL}/outcomes/plots", account, params=query)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def course(found: dict[str, Any], subject: str, slot: int = 1) -> dict[str, Any]:
    shown: dict[str, Any] = next(
        each for each in found["courses"] if (each["subject_id"], each["slot"]) == (subject, slot)
    )
    return shown


def test_a_course_is_told_on_the_subjects_own_days(room: ReadingRoom) -> None:
    """First dose on day 0, imaging on day 42 k; 50, 30, 25, 40 mm; progression on day 126."""
    subject = room.someone()
    read_lengths(room, subject, [50.0, 30.0, 25.0, 40.0], accounts="1")
    shown = course(plots(room), subject)
    assert [
        (each["days"], float(each["change_percent"]), each["overall_response"]) for each in shown["points"]
    ] == [(42, -40, "PR"), (84, -50, "PR"), (126, -20, "PD")]
    assert (shown["days"], shown["is_event"], shown["ending"]) == (127, True, "Documented progression")
    assert (shown["best_response"], float(shown["best_change_percent"])) == ("PR", -50)


def test_what_follows_progression_is_no_best_change(quick_room: ReadingRoom) -> None:
    subject = quick_room.someone()
    read_lengths(quick_room, subject, [50.0, 62.0, 20.0], accounts="1")
    shown = course(plots(quick_room), subject)
    assert shown["points"][0]["overall_response"] == "PD"
    assert float(shown["best_change_percent"]) == 24


def test_a_new_lesion_is_marked(quick_room: ReadingRoom) -> None:
    subject = quick_room.someone()
    images = [quick_room.image(subject, number) for number in range(2)]
    new = {"state": "unequivocal", "location": "bone"}
    quick_room.course(
        "reader1",
        images,
        [
            {"T01": measured(images[0], 50.0, "liver")},
            {"T01": measured(images[1], 48.0), "NEW01": new},
        ],
    )
    assert [each["has_new_lesion"] for each in course(plots(quick_room), subject)["points"]] == [True]


def test_an_unread_subject_has_no_points_and_stays_in_the_cohort(quick_room: ReadingRoom) -> None:
    subject = quick_room.someone()
    found = plots(quick_room)
    shown = course(found, subject)
    assert (shown["points"], shown["best_change_percent"]) == ([], None)
    curve = next(each for each in found["survival"] if (each["slot"], each["endpoint"]) == (1, "PFS"))
    assert curve["subjects"] == len([each for each in found["courses"] if each["slot"] == 1])


def test_the_steps_add_up(quick_room: ReadingRoom) -> None:
    read_lengths(quick_room, quick_room.someone(), [50.0, 62.0], accounts="1")
    for curve in plots(quick_room)["survival"]:
        steps = curve["steps"]
        assert steps[0]["at_risk"] == curve["subjects"]
        assert sum(each["events"] for each in steps) == curve["events"]
        assert sum(each["events"] + each["censored"] for each in steps) == curve["subjects"]
        survival = [each["survival"] for each in steps]
        assert survival == sorted(survival, reverse=True)


def test_nothing_after_the_data_cut_is_drawn(quick_room: ReadingRoom) -> None:
    subject = quick_room.someone()
    read_lengths(quick_room, subject, [50.0, 30.0, 48.0], accounts="1")
    shown = course(plots(quick_room, as_of="2024-03-31"), subject)
    assert [each["days"] for each in shown["points"]] == [42]
    assert shown["is_event"] is False


def test_a_page_of_subjects_comes_with_the_survival_of_all(quick_room: ReadingRoom) -> None:
    for _ in range(3):
        quick_room.someone()
    page = plots(quick_room, limit=2)
    assert len({each["subject_id"] for each in page["courses"]}) == 2
    assert page["next_cursor"]
    assert page["survival"] == plots(quick_room)["survival"]


@pytest.mark.parametrize("view", ["readers", "accepted"])
def test_each_subject_is_drawn_once_of_record(quick_room: ReadingRoom, view: str) -> None:
    subject = quick_room.someone()
    read_lengths(quick_room, subject, [50.0, 30.0])
    found = [each for each in plots(quick_room, view=view)["courses"] if each["subject_id"] == subject]
    assert len(found) == (1 if view == "accepted" else 2)


def test_a_reader_sees_no_plots(quick_room: ReadingRoom) -> None:
    answer = quick_room.service.get(f"/trials/{TRIAL}/outcomes/plots", "reader1")
    assert answer.status_code == 403
