"""The judge of the demo: exact answers pass, and each kind of wrong answer is found and named."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from fixtures.demo.readers import readings_of
from fixtures.demo.story import Story, Subject, Timepoint, load_story
from imaging_service.demo.judging import differences, largest_error_pixels, stray_differences
from imaging_service.demo.results import (
    EndingResult,
    OccasionResult,
    StrayResult,
    SubjectResult,
    TimepointResult,
)
from imaging_service.demo.table import subject_table, timepoint_table

STORY = load_story()
FIRST = STORY.subjects[0].subject_id


def test_expected_answers_differ_in_nothing() -> None:
    assert list(differences(STORY, expected_results())) == []


def test_measuring_the_truth_has_no_error() -> None:
    assert largest_error_pixels(STORY, expected_results()) == pytest.approx(0, abs=0.1)


def test_a_diameter_off_by_two_pixels_is_seen_as_that() -> None:
    results = with_answer(1, lambda answer: {"diameters_mm": shifted(answer.diameters_mm, Decimal("2.6"))})
    assert 1.5 < largest_error_pixels(STORY, results) < 2.5


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"overall": "SD"}, "overall response is SD; PR was expected"),
        ({"target": "SD"}, "target response is SD; PR was expected"),
        ({"non_target": "CR"}, "non-target response is CR; NON-CR/NON-PD was expected"),
        ({"new": True}, "presence of a new lesion is True; False was expected"),
        ({"sum_mm": Decimal(45)}, "sum of diameters in mm is 45; 36.0 within 2.8 was expected"),
        ({"sum_mm": None}, "sum of diameters in mm is None; 36.0 was expected"),
        ({"from_baseline": Decimal(-20)}, "change from baseline in % is -20; -37.9"),
        ({"from_nadir": Decimal(-20)}, "change from nadir in % is -20; -37.9"),
    ],
)
def test_a_wrong_answer_at_a_timepoint_is_named(change: Mapping[str, Any], named: str) -> None:
    (found,) = differences(STORY, with_answer(1, lambda _: change))
    assert found.startswith(f"{FIRST} on 2024-02-26, reader 1: ")
    assert named in found


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"best_response": "PR"}, "best overall response is PR; CR was expected"),
        ({"is_event": True}, "progression (true) or censoring (false) is True; False was expected"),
    ],
)
def test_a_wrong_outcome_is_named(change: Mapping[str, Any], named: str) -> None:
    first, *others = expected_results()
    endings = {**first.endings, "2": replace(first.endings["2"], **change)}
    (found,) = differences(STORY, [replace(first, endings=endings), *others])
    assert found == f"{FIRST}, reader 2: the {named}."


def test_a_misplaced_study_is_named() -> None:
    first, *others = expected_results()
    occasions = [replace(first.occasions[0], placement="unscheduled"), *first.occasions[1:]]
    (found,) = differences(STORY, [replace(first, occasions=occasions), *others])
    assert found == f"{FIRST} on 2024-01-08: the placement is unscheduled; baseline was expected."


def test_a_missing_timepoint_a_missing_subject_and_a_stranger_are_named() -> None:
    first, second, *others = expected_results()
    stranger = replace(second, subject_id="HER2-99-001")
    found = list(differences(STORY, [replace(first, occasions=first.occasions[1:]), stranger, *others]))
    assert "the list of imaging days" in found[0]
    assert found[1:] == [
        f"{second.subject_id} has no answers.",
        "HER2-99-001 is answered about and not in the story.",
    ]


def test_a_stray_that_was_matched_is_named() -> None:
    refused = StrayResult(what="", reason="", code="")
    assert (
        list(
            stray_differences(
                STORY.strays, [StrayResult(what="", reason="", code="unknown_subject"), refused]
            )
        )
        == []
    )
    assert len(list(stray_differences(STORY.strays, [refused]))) == 1


def test_table_shows_both_readers_where_they_differ() -> None:
    lines = timepoint_table(expected_results()).splitlines()
    (discordant,) = [line for line in lines if "2024-04-08" in line and "SD | PD" in line]
    assert "no | yes" in discordant
    assert all(len(line) <= 160 for line in lines)


def test_table_of_subjects_names_every_subject_and_its_survival() -> None:
    table = subject_table(expected_results())
    assert all(subject.subject_id in table for subject in STORY.subjects)
    assert "event on 2024-05-13" in table


def expected_results() -> list[SubjectResult]:
    return [expected_result(STORY, subject) for subject in STORY.subjects]


def expected_result(story: Story, subject: Subject) -> SubjectResult:
    """Return what a service that makes no mistake and rounds nothing answers."""
    return SubjectResult(
        subject_id=subject.subject_id,
        site_id=subject.site_id,
        occasions=[
            OccasionResult(
                imaged_on=timepoint.imaged_on,
                placement=timepoint.placement,
                by_reader={
                    reader.slot: expected_answer(story, subject, timepoint, reader.slot)
                    for reader in story.readers
                },
            )
            for timepoint in subject.timepoints
        ],
        endings={
            reader.slot: EndingResult(
                best_response=subject.ending_of(reader.slot).best_response,
                is_event=subject.ending_of(reader.slot).progression_free.is_event,
                progression_free_on=subject.ending_of(reader.slot).progression_free.on,
                progression_free_days=None,
            )
            for reader in story.readers
        },
        is_discordant=subject.is_discordant,
    )


def expected_answer(story: Story, subject: Subject, timepoint: Timepoint, slot: str) -> TimepointResult:
    answer = timepoint.answer_of(slot)
    return TimepointResult(
        sum_mm=decimal(timepoint.sum),
        from_baseline=decimal(timepoint.from_baseline),
        from_nadir=decimal(timepoint.from_nadir),
        target=answer.target if answer else None,
        non_target=answer.non_target if answer else None,
        new=answer.new if answer else False,
        overall=answer.overall if answer else None,
        diameters_mm={
            (reading.lesion_id, number if reading.state == "split" else 0): Decimal(
                f"{drawing.reported.truth.length_mm:.1f}"
            )
            for reading in readings_of(story, subject, timepoint, slot)
            for number, drawing in enumerate(reading.drawings, start=1)
        },
    )


def decimal(value: float | None) -> Decimal | None:
    return None if value is None else Decimal(str(value))


def with_answer(number: int, change: Callable[[TimepointResult], Mapping[str, Any]]) -> list[SubjectResult]:
    """Return the expected results with reader 1's answer at one timepoint of the first subject changed."""
    first, *others = expected_results()
    occasions = list(first.occasions)
    answer = occasions[number].by_reader["1"]
    changed = replace(answer, **change(answer))
    occasions[number] = replace(occasions[number], by_reader={**occasions[number].by_reader, "1": changed})
    return [replace(first, occasions=occasions), *others]


def shifted(diameters: Mapping[tuple[str, int], Decimal], by: Decimal) -> Mapping[tuple[str, int], Decimal]:
    return {key: value + by for key, value in diameters.items()}
