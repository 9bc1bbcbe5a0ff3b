"""Outcomes of record follow from accepted reads: agreed, chosen by the adjudicator, or provisional."""

import csv
import io
from collections.abc import Iterator
from typing import Any

import pytest

from imaging_service.accounts.principal import Role
from tests.builders.adjudicating import PD, PR, SD, decide, read_by_both
from tests.builders.reading import TRIAL, ReadingRoom, reading_room
from tests.builders.service import running_service


@pytest.fixture(scope="module")
def cohort(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[ReadingRoom, dict[str, str]]]:
    """Four subjects: agreed on PR, reader 2 chosen, still open, and one of whom reader 2 has read nothing."""
    with running_service(f"sqlite:///{tmp_path_factory.mktemp('record')}/room.sqlite") as running:
        room = reading_room(running)
        running.grant("adjudicator", TRIAL)
        names = {
            "agreed": read_by_both(room, [PR, PR], [PR, PR])[0],
            "chosen": read_by_both(room, [PR, PR], [SD, PD])[0],
            "open": read_by_both(room, [SD, PD], [SD, SD])[0],
        }
        assert decide(room, names["chosen"], 2).status_code == 201
        room.enrol("UNREAD", "S02")
        yield room, {**names, "unread": "UNREAD"}


def of_cohort(room: ReadingRoom, **query: str) -> Any:
    return room.service.get(f"/trials/{TRIAL}/outcomes", "sponsor", params=query)


def test_each_subject_counts_once_by_the_reads_that_count(cohort: tuple[ReadingRoom, dict[str, str]]) -> None:
    room, names = cohort
    answer = of_cohort(room, view="accepted").json()
    (found,) = answer["readers"]
    assert (answer["view"], found["slot"], found["subjects"], found["accepted"]) == ("accepted", None, 4, 2)
    lines = {each["subject_id"]: each for each in found["listing"]}
    told = {
        name: tuple(
            lines[subject][key] for key in ("standing", "is_accepted", "slot", "confirmed_best_response")
        )
        for name, subject in names.items()
    }
    assert told == {
        "agreed": ("agreed", True, 1, "PR"),
        "chosen": ("adjudicated", True, 2, "SD"),
        "open": ("to_adjudicate", False, 1, "SD"),
        "unread": ("reading", False, 1, "NE"),
    }
    rate = found["objective_response_rate"]
    assert (rate["count"], rate["of"]) == (1, 4)
    # 2024-01-15 to the scan of 2024-04-08, both included, is 85 days: reader 2's progression counts
    assert (lines[names["chosen"]]["pfs_is_event"], lines[names["chosen"]]["pfs_days"]) == (True, 85)


def test_each_reader_keeps_a_view_of_its_own(cohort: tuple[ReadingRoom, dict[str, str]]) -> None:
    room, _ = cohort
    answer = of_cohort(room).json()
    assert answer["view"] == "readers"
    assert [(each["slot"], each["objective_response_rate"]["count"]) for each in answer["readers"]] == [
        (1, 2),
        (2, 1),
    ]
    assert {line["standing"] for each in answer["readers"] for line in each["listing"]} == {None}


def test_a_subject_of_record(cohort: tuple[ReadingRoom, dict[str, str]]) -> None:
    room, names = cohort
    path = f"/trials/{TRIAL}/subjects/{names['chosen']}/outcomes?view=accepted"
    (found,) = room.service.get(path, "coordinator").json()["readers"]
    assert (found["slot"], found["standing"], found["is_accepted"]) == (2, "adjudicated", True)
    assert [each["overall_response"] for each in found["timepoints"]] == ["SD", "PD"]
    table = room.service.get(path, "coordinator", headers={"Accept": "text/csv"})
    rows = list(csv.DictReader(io.StringIO(table.text)))
    assert [(row["slot"], row["is_accepted"], row["overall_response"]) for row in rows] == [
        ("2", "true", "SD"),
        ("2", "true", "PD"),
    ]


def test_the_listing_of_record_as_csv(cohort: tuple[ReadingRoom, dict[str, str]]) -> None:
    room, names = cohort
    rows = list(csv.DictReader(io.StringIO(of_cohort(room, view="accepted", format="csv").text)))
    assert sorted(row["subject_id"] for row in rows) == sorted(names.values())


def test_a_data_cut_leaves_acceptance_as_it_is_known(cohort: tuple[ReadingRoom, dict[str, str]]) -> None:
    room, names = cohort
    (found,) = of_cohort(room, view="accepted", as_of="2024-03-31").json()["readers"]
    (line,) = [each for each in found["listing"] if each["subject_id"] == names["chosen"]]
    assert (line["slot"], line["pfs_is_event"], line["best_response"]) == (2, False, "SD")


def test_who_reads_in_the_trial_sees_no_outcome_of_record(cohort: tuple[ReadingRoom, dict[str, str]]) -> None:
    room, _ = cohort
    room.service.add_account("reading-sponsor", Role.READER, Role.SPONSOR)
    room.service.grant("reading-sponsor", TRIAL, reader_slot=3)
    refused = room.service.get(f"/trials/{TRIAL}/outcomes?view=accepted", "reading-sponsor")
    assert (refused.status_code, refused.json()["code"]) == (403, "blinded")


def test_another_view_is_refused(cohort: tuple[ReadingRoom, dict[str, str]]) -> None:
    assert of_cohort(cohort[0], view="best").status_code == 422
