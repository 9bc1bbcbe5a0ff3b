"""Central review searches over REST, as JSON and as CSV."""

import csv
import io
from collections.abc import Iterator
from typing import Any

import pytest

from imaging_service.accounts.principal import Role
from tests.builders.adjudicating import PD, SD, decide, read_lengths
from tests.builders.reading import TRIAL, Imaged, ReadingRoom, long_axis, measured, reading_room, state
from tests.builders.service import running_service


@pytest.fixture(scope="module")
def read_room(
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[tuple[ReadingRoom, dict[str, list[Imaged]]]]:
    """Two subjects whose readers agree, and one whose readers do not."""
    with running_service(f"sqlite:///{tmp_path_factory.mktemp('read')}/room.sqlite") as running:
        room = reading_room(running)
        images = {}
        lengths = {"A-1": (30.0, 30.0), "A-2": (30.0, 45.0), "B-1": (45.0, 45.0)}
        for subject, (first, second) in lengths.items():
            room.enrol(subject, "S02" if subject.startswith("B") else "S01")
            images[subject] = [room.image(subject, 0), room.image(subject, 1)]
            for account, mm in (("reader1", first), ("reader2", second)):
                lesions = [
                    {"T01": measured(images[subject][0], 50.0, "liver"), "NT01": state("present", "bone")},
                    {"T01": measured(images[subject][1], mm), "NT01": state("present")},
                ]
                room.course(account, images[subject], lesions)
        yield room, images


@pytest.fixture(scope="module")
def adjudicated(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ReadingRoom]:
    """Give a subject whose readers agree on progression, and one for whom reader 2 was chosen."""
    with running_service(f"sqlite:///{tmp_path_factory.mktemp('judged')}/room.sqlite") as running:
        room = reading_room(running)
        running.grant("adjudicator", TRIAL)
        for name, second in (("AGREED", PD), ("CHOSEN", SD)):
            room.enrol(name, "S01")
            images = [room.image(name, 0), room.image(name, 1)]
            read_lengths(room, "reader1", images, [50.0, PD])
            read_lengths(room, "reader2", images, [50.0, second])
        assert decide(room, "CHOSEN", 2).status_code == 201
        yield room


def items(room: ReadingRoom, path: str, account: str = "coordinator") -> list[dict[str, Any]]:
    """Return every item of a list, page after page of two."""
    found: list[dict[str, Any]] = []
    cursor: str | None = ""
    while cursor is not None:
        mark = "&" if "?" in path else "?"
        answer = room.service.get(
            f"/trials/{TRIAL}{path}{mark}limit=2{cursor and f'&cursor={cursor}'}", account
        )
        assert answer.status_code == 200, answer.text
        page = answer.json()
        assert len(page["items"]) <= 2
        found += page["items"]
        cursor = page["next_cursor"]
    return found


def test_every_answer_is_listed_once(read_room: tuple[ReadingRoom, Any]) -> None:
    listed = items(read_room[0], "/assessments")
    assert len(listed) == 12  # three subjects, two readers, baseline and timepoint 1
    assert len({(each["timepoint_id"], each["slot"]) for each in listed}) == 12


def test_answers_that_readers_differ_in_are_not_accepted_yet(read_room: tuple[ReadingRoom, Any]) -> None:
    """A-2's readers differ, and nobody has decided yet; where they agree, reader 1's reads count."""
    listed = items(read_room[0], "/assessments")
    accepted = {(each["subject_id"], each["slot"]) for each in listed if each["is_accepted"]}
    assert accepted == {("A-1", 1), ("B-1", 1)}


def test_the_accepted_flag_is_on_the_reads_of_the_reader_that_counts(adjudicated: ReadingRoom) -> None:
    listed = items(adjudicated, "/assessments")
    flags = {(each["subject_id"], each["slot"], each["is_accepted"]) for each in listed}
    assert flags == {
        ("AGREED", 1, True),
        ("AGREED", 2, False),
        ("CHOSEN", 1, False),
        ("CHOSEN", 2, True),
    }
    text = adjudicated.service.get(f"/trials/{TRIAL}/assessments?format=csv", "sponsor").text
    rows = list(csv.DictReader(io.StringIO(text)))
    assert sum(row["is_accepted"] == "true" for row in rows) == 4  # a baseline and a timepoint of either
    history = adjudicated.service.get(f"/trials/{TRIAL}/subjects/CHOSEN/history", "sponsor").json()
    of_history = {(each["slot"], each["is_accepted"]) for at in history["timepoints"] for each in at["reads"]}
    assert of_history == {(1, False), (2, True)}


def test_who_reads_is_not_told_which_reads_are_accepted(adjudicated: ReadingRoom) -> None:
    service = adjudicated.service
    service.add_account("reading-sponsor", Role.READER, Role.SPONSOR)
    service.grant("reading-sponsor", TRIAL, reader_slot=3)
    service.add_account("judging-sponsor", Role.ADJUDICATOR, Role.SPONSOR)
    service.grant("judging-sponsor", TRIAL)
    for account in ("reading-sponsor", "judging-sponsor"):
        listed = items(adjudicated, "/assessments", account)
        assert {each["is_accepted"] for each in listed} <= {None}
        history = service.get(f"/trials/{TRIAL}/subjects/CHOSEN/history", account).json()
        flags = {each["is_accepted"] for at in history["timepoints"] for each in at["reads"]}
        assert flags <= {False}


@pytest.mark.parametrize(
    ("query", "subjects"),
    [
        ("?response=PR", ["A-1", "A-1", "A-2"]),
        ("?response=SD&slot=2", ["A-2", "B-1"]),
        ("?site=S02&response=SD", ["B-1", "B-1"]),
        ("?subject=A-1&slot=1", ["A-1", "A-1"]),
        ("?response=PD", []),
    ],
)
def test_answers_by_site_subject_reader_and_response(
    read_room: tuple[ReadingRoom, Any], query: str, subjects: list[str]
) -> None:
    assert [each["subject_id"] for each in items(read_room[0], f"/assessments{query}")] == subjects


def test_timepoints_by_response(read_room: tuple[ReadingRoom, Any]) -> None:
    room, images = read_room
    listed = items(room, "/timepoints?response=PR")
    assert {each["timepoint_id"] for each in listed} == {
        images["A-1"][1].timepoint_id,
        images["A-2"][1].timepoint_id,
    }


def test_an_unknown_response_is_refused(read_room: tuple[ReadingRoom, Any]) -> None:
    answer = read_room[0].service.get(f"/trials/{TRIAL}/assessments?response=BETTER", "coordinator")
    assert answer.status_code == 422


def test_discordant_readers_are_named_with_both_answers(read_room: tuple[ReadingRoom, Any]) -> None:
    found = items(read_room[0], "/reads/discordant")
    assert [(each["subject_id"], each["variable"], each["reader_1"], each["reader_2"]) for each in found] == [
        ("A-2", "overall_response", "PR", "SD"),
        ("A-2", "best_overall_response", "PR", "SD"),
    ]
    assert found[0]["number"] == 1
    assert len(set(found[0]["read_ids"])) == 2


def test_lists_as_csv(read_room: tuple[ReadingRoom, Any]) -> None:
    room = read_room[0]
    for path, count in (("/assessments", 12), ("/reads/discordant", 2)):
        answer = room.service.get(f"/trials/{TRIAL}{path}", "sponsor", headers={"Accept": "text/csv"})
        assert answer.headers["content-type"].startswith("text/csv")
        assert len(list(csv.DictReader(io.StringIO(answer.text)))) == count


def test_a_history_leads_from_the_response_down_to_the_bytes(read_room: tuple[ReadingRoom, Any]) -> None:
    room, images = read_room
    found = room.service.get(f"/trials/{TRIAL}/subjects/A-1/history", "sponsor").json()
    assert found["versions"][0]["dates"]["first_dose_on"] == "2024-01-15"
    first = next(each for each in found["timepoints"] if each["number"] == 1)
    assert first["progress"] == "read"
    assert first["studies"][0]["reason"] == "In the window."
    read = next(each for each in first["reads"] if each["slot"] == 1)
    verdict = read["assessment"]["timepoint"]
    assert (verdict["overall_response"], verdict["sum_of_diameters"]["mm"]) == ("PR", "30.0")
    (source,) = verdict["reasons"][0]["record_ids"]
    lesion = next(each for each in read["lesions"] if each["record_id"] == source)
    assert (lesion["lesion_id"], lesion["diameter_mm"]) == ("T01", "30.0")
    (axis,) = lesion["axes"]
    assert axis["sop_instance_uid"] == images["A-1"][1].instance
    assert axis["points"] == long_axis(images["A-1"][1], 30.0)["points"]
    (start, _), (end, _) = axis["points"]
    assert (end - start) * axis["column_spacing_mm"] == axis["length_mm"] == 30.0
    assert axis["object_sha256"] == "ab" * 32
    assert read["record_hash"]


def test_a_history_holds_every_revision(room: ReadingRoom) -> None:
    subject = room.someone()
    baseline = room.image(subject, 0)
    room.read("reader1", baseline, {"T01": measured(baseline, 50.0, "liver")})
    read_id = room.open("reader1", baseline)
    reason = {"reason": "The reader has mistaken a vessel for T01."}
    assert room.service.post(f"/reads/{read_id}/unlocking", "coordinator", json=reason).status_code == 201
    found = room.service.get(f"/trials/{TRIAL}/subjects/{subject}/history", "coordinator").json()
    (timepoint,) = found["timepoints"]
    assert [(each["revision"], each["status"]) for each in timepoint["reads"]] == [
        (1, "signed"),
        (2, "draft"),
    ]
    assert timepoint["reads"][1]["unlock_reason"] == reason["reason"]
    assert timepoint["progress"] == "in_reading"


def test_the_history_as_csv_is_safe_in_a_spreadsheet(room: ReadingRoom) -> None:
    subject = room.someone()
    baseline = room.image(subject, 0)
    room.read("reader1", baseline, {"NT01": state("present", "=HYPERLINK(1)")})
    answer = room.service.get(f"/trials/{TRIAL}/subjects/{subject}/history?format=csv", "coordinator")
    (row,) = csv.DictReader(io.StringIO(answer.text))
    assert row["location"] == "'=HYPERLINK(1)"
    assert (row["lesion_id"], row["axis"]) == ("NT01", "")


def test_what_is_out_of_scope_is_as_good_as_missing(read_room: tuple[ReadingRoom, Any]) -> None:
    service = read_room[0].service
    for path in ("/trials/OTHER/assessments", "/trials/OTHER/reads/discordant"):
        assert service.get(path, "coordinator").status_code == 404
    assert service.get(f"/trials/{TRIAL}/subjects/NOBODY/history", "coordinator").status_code == 404
