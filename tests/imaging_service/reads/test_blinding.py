"""What a reader sees of others: nothing, in no answer, by no way."""

import re
from itertools import product

import pytest

from imaging_service.accounts.principal import Role
from tests.builders.reading import TRIAL, ReadingRoom, measured

READER_ROUTES = (
    "/reads/{read_id}",
    "/reads/{read_id}/assessment",
    "/reads/{read_id}/assessment/preview",
)


@pytest.mark.parametrize("path", READER_ROUTES)
def test_another_readers_read_is_as_good_as_missing(room: ReadingRoom, path: str) -> None:
    baseline = room.image(room.someone(), 0)
    room.read("reader1", baseline, {"T01": measured(baseline, 40.0, "liver")})
    read_id = room.open("reader1", baseline)
    missing = "00000000-0000-4000-8000-000000000000"
    theirs = room.service.get(path.format(read_id=read_id), "reader2")
    none = room.service.get(path.format(read_id=missing), "reader2")
    assert theirs.status_code == none.status_code == 404
    assert theirs.json()["detail"].replace(read_id, missing) == none.json()["detail"]


def test_nobody_writes_in_another_readers_read(quick_room: ReadingRoom, read_id: str) -> None:
    body = {"state": "present", "location": "bone"}
    entered = quick_room.enter("reader2", read_id, "NT01", body)
    assert entered.status_code == 404
    assert quick_room.service.delete(f"/reads/{read_id}/lesions/NT01", "reader2").status_code == 404
    assert quick_room.sign("reader2", read_id).status_code == 404
    for account in ("coordinator", "sponsor", "administrator", "adjudicator", "service"):
        assert quick_room.enter(account, read_id, "NT01", body).status_code == 403


def test_no_answer_to_a_reader_names_the_subject_or_the_site(quick_room: ReadingRoom) -> None:
    quick_room.enrol("CANARY-SUBJECT", "S02")
    baseline = quick_room.image("CANARY-SUBJECT", 0)
    first = quick_room.image("CANARY-SUBJECT", 1)
    service = quick_room.service
    texts = [service.get("/worklist?limit=500", "reader1").text]
    assert quick_room.reading_id("CANARY-SUBJECT") in texts[0]
    for imaged, lesion in ((baseline, measured(baseline, 40.0, "liver")), (first, measured(first, 20.0))):
        opened = service.post(f"/timepoints/{imaged.timepoint_id}/reads", "reader1")
        read_id = opened.json()["read_id"]
        texts += [opened.text, quick_room.enter("reader1", read_id, "T01", lesion).text]
        texts += [quick_room.sign("reader1", read_id).text]
        texts += [service.get(path.format(read_id=read_id), "reader1").text for path in READER_ROUTES]
    for text, canary in product(texts, ("CANARY-SUBJECT", "S02", "N-4711")):
        assert not re.search(rf"\b{canary}\b", text)


@pytest.mark.parametrize(
    "path",
    [
        f"/trials/{TRIAL}/assessments",
        f"/trials/{TRIAL}/reads/discordant",
        f"/trials/{TRIAL}/outcomes",
        f"/trials/{TRIAL}/subjects/S01-0001/history",
        f"/trials/{TRIAL}/subjects/S01-0001/outcomes",
        f"/trials/{TRIAL}/assessments/recomputation",
    ],
)
def test_what_compares_readers_or_names_subjects_is_closed_to_readers(
    quick_room: ReadingRoom, path: str
) -> None:
    for account in ("reader1", "reader2", "adjudicator", "service"):
        assert quick_room.service.get(path, account).status_code == 403


def test_who_reads_in_a_trial_is_blinded_there_whatever_other_roles_there_are(
    room: ReadingRoom,
) -> None:
    """An administrator sees everything, but not the other reader's reads of a trial it reads in itself."""
    service = room.service
    service.add_account("doubled", Role.READER, Role.ADMINISTRATOR)
    subject = room.someone()
    baseline = room.image(subject, 0)
    room.read("reader1", baseline, {"T01": measured(baseline, 40.0, "liver")})
    read_id = room.open("reader1", baseline)
    assert service.get(f"/reads/{read_id}", "doubled").status_code == 200
    service.grant("doubled", TRIAL, reader_slot=3)
    assert service.get(f"/reads/{read_id}", "doubled").status_code == 404
    listed = service.get(f"/trials/{TRIAL}/assessments?subject={subject}", "doubled")
    assert listed.json()["items"] == []


def test_a_coordinator_of_one_site_sees_the_reads_of_that_site_only(room: ReadingRoom) -> None:
    service = room.service
    service.add_account("local", Role.COORDINATOR)
    service.grant("local", TRIAL, site_id="S02")
    for site in ("S01", "S02"):
        baseline = room.image(room.someone(site), 0)
        room.read("reader1", baseline, {"T01": measured(baseline, 40.0, "liver")})
    path = f"/trials/{TRIAL}/assessments?limit=500"
    assert {item["site_id"] for item in service.get(path, "local").json()["items"]} == {"S02"}
    assert {item["site_id"] for item in service.get(path, "coordinator").json()["items"]} == {"S01", "S02"}


def test_nobody_without_a_part_in_the_trial_sees_a_read(room: ReadingRoom) -> None:
    baseline = room.image(room.someone(), 0)
    read_id = room.open("reader1", baseline)
    for account, *roles in (("strange-reader", Role.READER), ("strange-coordinator", Role.COORDINATOR)):
        room.service.add_account(account, *roles)
        assert room.service.get(f"/reads/{read_id}", account).status_code == 404
