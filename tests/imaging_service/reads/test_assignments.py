"""Readers out of a pool: drawn once a subject can be read, kept, replaced on the record, and blinded."""

import os
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DatabaseError

from imaging_service import cli
from imaging_service.accounts.principal import Role
from imaging_service.audit import service as audit
from imaging_service.audit.actor import OPERATOR
from imaging_service.jobs.embedded import EmbeddedRunner
from imaging_service.jobs.port import WorkerServices
from imaging_service.processes import operation
from imaging_service.reads import assignments
from imaging_service.reads.repository import SYSTEM
from imaging_service.trials import seating
from tests.builders.reading import PROTOCOL, TRIAL, Imaged, ReadingRoom, measured, pool_room, reading_room
from tests.builders.service import TestService, running_service

POOL = ("reader1", "reader2", "reader3", "reader4")
ASSIGNMENTS = f"/trials/{TRIAL}/reader-assignments"


LONG = (
    pytest.mark.campaign,
    pytest.mark.skipif("CAMPAIGN" not in os.environ, reason="the long form runs by 'make campaign'"),
)


# tests over a service of their own are on SQLite
@pytest.fixture(scope="module", params=[pytest.param("sqlite", marks=LONG), "postgresql"])
def room(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ReadingRoom]:
    """Give a trial with four readers in its pool, balanced; each test enrols its own subjects."""
    if request.param == "sqlite":
        with running_service(f"sqlite:///{tmp_path_factory.mktemp('pool')}/room.sqlite") as running:
            yield with_pool(running)
        return
    with request.getfixturevalue("postgres").database() as url, running_service(url) as running:
        yield with_pool(running)


@pytest.fixture
def service(sqlite_url: str) -> Iterator[TestService]:
    with running_service(sqlite_url) as running:
        yield running


def with_pool(service: TestService, assignment: str = "balanced") -> ReadingRoom:
    for account in POOL[2:]:
        service.add_account(account, Role.READER)
    return pool_room(service, assignment, POOL)


def readable(room: ReadingRoom) -> tuple[str, Imaged, dict[int, str]]:
    """Give a subject a baseline, and its readers."""
    subject = room.someone()
    imaged = room.image(subject, 0)
    room.assign()
    return subject, imaged, room.readers_of(subject)


def replace(room: ReadingRoom, subject: str, slot: int, account: str, edition: int = 1, **more: Any) -> Any:
    body = {"account": account, "reason": "The reader is on leave.", "edition": edition}
    return room.service.put(f"{ASSIGNMENTS}/{subject}/{slot}", more.get("by", "coordinator"), json=body)


def worklist(room: ReadingRoom, account: str) -> set[tuple[str, int]]:
    found = room.service.get("/worklist?limit=500", account).json()["items"]
    return {(each["reading_id"], each["slot"]) for each in found}


def test_a_subject_has_readers_once_it_can_be_read_and_they_alone_see_it(room: ReadingRoom) -> None:
    subject, imaged, readers = readable(room)
    name = room.reading_id(subject)
    assert set(readers) == {1, 2}
    assert len(set(readers.values())) == 2
    paths = (f"/timepoints/{imaged.timepoint_id}/series", f"/instances/{imaged.instance}/frames/1.png")
    for account in POOL:
        slot = next((slot for slot, each in readers.items() if each == account), None)
        assert ((name, slot) in worklist(room, account)) == (slot is not None)
        opened = room.service.post(f"/timepoints/{imaged.timepoint_id}/reads", account)
        assert opened.status_code == (404 if slot is None else 201)
        seen = {room.service.get(path, account).status_code for path in paths}
        assert (seen == {404}) == (slot is None)


def test_a_reader_sees_no_read_of_the_other_slot_nor_of_a_subject_of_others(room: ReadingRoom) -> None:
    _, imaged, readers = readable(room)
    room.read(readers[1], imaged, {"T01": measured(imaged, 40.0, "liver")})
    read_id = room.open(readers[1], imaged)
    for path in (f"/reads/{read_id}", f"/reads/{read_id}/assessment", f"/reads/{read_id}/earlier"):
        statuses = {account: room.service.get(path, account).status_code for account in POOL}
        assert statuses == {account: 200 if account == readers[1] else 404 for account in POOL}
    for account in set(POOL) - {readers[1]}:
        assert room.enter(account, read_id, "T02", measured(imaged, 20.0, "lung")).status_code == 404


def test_a_subject_keeps_its_readers_for_every_timepoint(room: ReadingRoom) -> None:
    subject, baseline, readers = readable(room)
    first = room.image(subject, 1)
    for account in readers.values():
        room.read(account, baseline, {"T01": measured(baseline, 40.0, "liver")})
    room.assign()
    assert room.readers_of(subject) == readers
    for account in readers.values():
        assert (
            room.read(account, first, {"T01": measured(first, 20.0)})["timepoint"]["overall_response"] == "PR"
        )


def test_nobody_is_drawn_before_the_baseline_can_be_read(room: ReadingRoom) -> None:
    subject = room.someone()
    room.image(subject, 1)
    room.assign()
    assert room.readers_of(subject) == {}
    assert subject not in plan(room)["waiting"]


def plan(room: ReadingRoom, account: str = "coordinator") -> Any:
    return room.service.get(f"/trials/{TRIAL}/reader-plan", account).json()


def test_balanced_readers_have_as_many_subjects_as_each_other(service: TestService) -> None:
    room = with_pool(service)
    for _ in range(6):
        room.image(room.someone(), 0)
    room.assign()
    found = plan(room)
    assert (found["assignment"], len(found["seed"]), found["waiting"]) == ("balanced", 32, [])
    assert {each["subjects"] for each in found["pool"]} == {3}


@pytest.mark.parametrize("assignment", ["balanced", "random"])
def test_every_draw_follows_from_what_is_stored(service: TestService, assignment: str) -> None:
    room = with_pool(service, assignment)
    for _ in range(5):
        room.image(room.someone(), 0)
    room.assign()
    found = plan(room)
    assert (len(room.readers_of("S01-0001")), found["differing"]) == (2, [])
    with service.database.write() as session:
        for (trigger,) in session.execute(text(TRIGGERS)).all():
            session.execute(text(f"DROP TRIGGER {trigger}"))
        other = f"account_id = '{service.account_id('administrator')}'"
        session.execute(text(f"UPDATE reader_assignments SET {other} WHERE slot = 2 AND {FIRST}"))  # noqa: S608
        audit.record(
            session, OPERATOR, action="tamper", entity="trial", entity_id=TRIAL, at=service.clock.now()
        )
    assert plan(room)["differing"] == ["S01-0001 slot 2"]


TRIGGERS = "SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name = 'reader_assignments'"
FIRST = "subject_id = 'S01-0001'"


def test_another_reader_takes_over_before_signing_and_the_draft_stays_on_record(room: ReadingRoom) -> None:
    subject, imaged, readers = readable(room)
    former, follower = readers[1], next(each for each in POOL if each not in readers.values())
    read_id = room.open(former, imaged)
    assert room.enter(former, read_id, "T01", measured(imaged, 40.0, "liver")).status_code == 201
    answer = replace(room, subject, 1, follower)
    assert (answer.status_code, answer.json()["edition"], answer.json()["is_drawn"]) == (200, 2, False)

    assert room.service.get(f"/reads/{read_id}", former).status_code == 404
    assert room.service.get(f"/reads/{read_id}", follower).status_code == 404
    assert room.enter(former, read_id, "T02", measured(imaged, 20.0, "lung")).status_code == 404
    assert room.sign(former, read_id).status_code == 404
    kept = room.service.get(f"/reads/{read_id}", "coordinator").json()
    assert (kept["status"], [each["lesion_id"] for each in kept["lesions"]]) == ("closed", ["T01"])
    history = room.service.get(f"/trials/{TRIAL}/subjects/{subject}/history", "coordinator").json()
    told = [each for point in history["timepoints"] for each in point["reads"] if each["read_id"] == read_id]
    assert [each["status"] for each in told] == ["closed"]

    assert (room.reading_id(subject), 1) not in worklist(room, former)
    assert (room.reading_id(subject), 1) in worklist(room, follower)
    own = room.service.post(f"/timepoints/{imaged.timepoint_id}/reads", follower).json()
    assert (own["revision"], own["lesions"], own["status"]) == (2, [], "draft")
    room.read(follower, imaged, {"T01": measured(imaged, 30.0, "liver")})
    listed = room.service.get(f"{ASSIGNMENTS}?limit=500", "coordinator").json()["items"]
    editions = [each for each in listed if each["subject_id"] == subject and each["slot"] == 1]
    assert [(each["edition"], each["account"], each["is_current"]) for each in editions] == [
        (1, former, False),
        (2, follower, True),
    ]
    with room.service.database.read() as session:
        assert audit.verify(session) == []


def test_the_database_lets_nobody_change_an_assignment_a_plan_or_a_closed_draft(room: ReadingRoom) -> None:
    subject, imaged, readers = readable(room)
    read_id = room.open(readers[1], imaged)
    assert room.enter(readers[1], read_id, "T01", measured(imaged, 40.0, "liver")).status_code == 201
    replace(room, subject, 1, next(each for each in POOL if each not in readers.values()))
    names = {"subject": subject, "read": read_id}
    for statement in (
        "UPDATE reader_assignments SET account_id = 'x' WHERE subject_id = :subject",
        "DELETE FROM reader_assignments WHERE subject_id = :subject",
        "UPDATE reader_plans SET seed = 'x'",
        "UPDATE reads SET closed_at = NULL WHERE read_id = :read",
        "DELETE FROM read_lesions WHERE read_id = :read",
    ):
        named = {key: each for key, each in names.items() if f":{key}" in statement}
        with pytest.raises(DatabaseError, match="never changes"), room.service.database.write() as session:
            session.execute(text(statement), named)


def test_who_has_read_one_slot_never_reads_the_other(room: ReadingRoom) -> None:
    subject, _, readers = readable(room)
    third, fourth = (each for each in POOL if each not in readers.values())
    assert replace(room, subject, 1, readers[2]).json()["code"] == "reader_not_independent"
    assert replace(room, subject, 1, third).status_code == 200
    assert replace(room, subject, 2, readers[1]).json()["code"] == "reader_not_independent"
    assert replace(room, subject, 1, fourth, 2).status_code == 200
    assert replace(room, subject, 1, readers[1], 3).status_code == 200


REFUSED = {
    "who is not in the pool": ({"account": "adjudicator"}, 422, "not_in_pool"),
    "nobody": ({"account": "no-one"}, 404, "not_found"),
    "an edition that is not there": ({"edition": 7}, 409, "changed_meanwhile"),
    "no reason": ({"reason": None}, 422, "invalid_request"),
}


@pytest.mark.parametrize(("change", "status", "code"), REFUSED.values(), ids=REFUSED)
def test_a_replacement_is_refused(room: ReadingRoom, change: dict[str, Any], status: int, code: str) -> None:
    subject, _, readers = readable(room)
    other = next(each for each in POOL if each not in readers.values())
    body = {"account": other, "reason": "On leave.", "edition": 1, **change}
    answer = room.service.put(f"{ASSIGNMENTS}/{subject}/1", "coordinator", json=body)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert room.readers_of(subject) == readers


def test_a_reader_who_has_signed_keeps_the_subject_until_the_account_is_closed(service: TestService) -> None:
    room = with_pool(service)
    subject, imaged, readers = readable(room)
    other = next(each for each in POOL if each not in readers.values())
    room.read(readers[1], imaged, {"T01": measured(imaged, 40.0, "liver")})
    first = room.image(subject, 1)
    draft = room.open(readers[1], first)
    assert replace(room, subject, 1, other).json()["code"] == "reader_has_signed"
    closed = service.post(
        f"/accounts/{service.account_id(readers[1])}/closure", "administrator", json={"reason": "Retired."}
    )
    assert closed.status_code == 204
    assert replace(room, subject, 1, other).status_code == 200
    assert service.get(f"/reads/{draft}", "coordinator").json()["status"] == "closed"
    assert room.read(other, first, {"T01": measured(first, 20.0)})["timepoint"]["overall_response"] == "PR"


def test_the_console_tells_who_reads_what_and_who_waits(
    service: TestService, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    room = with_pool(service)
    subject, _, readers = readable(room)
    other = next(each for each in POOL if each not in readers.values())
    replace(room, subject, 1, other)
    late = room.someone()
    room.image(late, 0)
    monkeypatch.setenv("IMAGING_SERVICE_DATABASE_URL", str(service.database.url))
    monkeypatch.setattr(operation, "configure_logs", lambda _: None)
    monkeypatch.setattr(operation, "require_migrated", lambda _: None)  # a test's database has no revision
    capsys.readouterr()
    assert cli.run(["trial", "readers", TRIAL]) == 0
    told = [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()]
    assert told[0].startswith(f"{subject} slot 1 {readers[1]} has read. ")
    assert told[1] == f"{subject} slot 1 {other} reads. The reader is on leave."
    assert told[2].startswith(f"{subject} slot 2 {readers[2]} reads. ")
    assert told[3:] == [f"{late} waits for readers."]


def test_subjects_wait_while_the_pool_is_too_small(service: TestService) -> None:
    room = pool_room(service, "balanced", ["reader1"])
    subject = room.someone()
    room.image(subject, 0)
    room.assign()
    assert plan(room)["waiting"] == [subject]
    joined = service.put(f"/trials/{TRIAL}/readers/pool", "coordinator", json={"account": "reader2"})
    assert joined.status_code == 200
    run_jobs(room)
    assert sorted(room.readers_of(subject).values()) == ["reader1", "reader2"]


def run_jobs(room: ReadingRoom) -> None:
    archive: Any = None
    services = WorkerServices(
        database=room.service.database,
        archive=archive,
        clock=room.service.clock,
        queue=room.service.app.state.jobs,
    )
    runner = EmbeddedRunner(services, assignments.HANDLERS)
    while runner.run_next():
        continue


def test_the_acceptance_of_images_asks_for_readers_and_a_lost_job_is_named(service: TestService) -> None:
    room = with_pool(service)
    subject = room.someone()
    imaged = room.image(subject, 0)
    with service.database.write() as session:
        session.execute(text("UPDATE timepoints SET control = 'in_control'"))
    room.assign()
    assert room.readers_of(subject) == {}
    path = f"/trials/{TRIAL}/timepoints/{imaged.timepoint_id}/quality/acceptance"
    accepted = service.post(path, "coordinator", json={"reason": "Looked at."})
    assert accepted.status_code == 200, accepted.text
    with service.database.read() as session:
        missing = [each.name for each in assignments.missing_jobs(service.clock)(session)]
    assert missing == [seating.ASSIGN_READERS]
    run_jobs(room)
    assert set(room.readers_of(subject)) == {1, 2}
    with service.database.read() as session:
        assert list(assignments.missing_jobs(service.clock)(session)) == []


def test_two_that_assign_at_once_assign_once(room: ReadingRoom) -> None:
    subjects = [room.someone() for _ in range(3)]
    for subject in subjects:
        room.image(subject, 0)
    threads = [threading.Thread(target=room.assign) for _ in range(2)]
    for each in threads:
        each.start()
    for each in threads:
        each.join(60)
    assert all(set(room.readers_of(subject)) == {1, 2} for subject in subjects)


def test_two_coordinators_at_once_replace_a_reader_once(room: ReadingRoom) -> None:
    subject, _, readers = readable(room)
    statuses: list[int] = []
    threads = [
        threading.Thread(
            target=lambda name=name: statuses.append(replace(room, subject, 1, name).status_code)
        )
        for name in POOL
        if name not in readers.values()
    ]
    for each in threads:
        each.start()
    for each in threads:
        each.join(60)
    assert sorted(statuses) == [200, 409]


def test_who_is_blinded_sees_no_assignment(room: ReadingRoom) -> None:
    subject, _, readers = readable(room)
    for account in ("reader1", "adjudicator", "sponsor", "service", "site"):
        assert room.service.get(ASSIGNMENTS, account).status_code == 403
        assert room.service.get(f"/trials/{TRIAL}/reader-plan", account).status_code == 403
        assert replace(room, subject, 1, readers[1], by=account).status_code == 403


def test_a_coordinator_who_reads_out_of_the_pool_is_blinded(service: TestService) -> None:
    room = with_pool(service)
    service.add_account("doubled", Role.READER, Role.COORDINATOR)
    joined = service.put(f"/trials/{TRIAL}/readers/pool", "administrator", json={"account": "doubled"})
    assert joined.status_code == 200, joined.text
    subject, imaged, readers = readable(room)
    reader = next(each for each in readers.values() if each != "doubled")
    read_id = room.open(reader, imaged)
    assert service.get(f"/reads/{read_id}", "doubled").status_code == 404
    assert service.get(ASSIGNMENTS, "doubled").json()["code"] == "blinded"
    assert replace(room, subject, 1, "reader1", by="doubled").json()["code"] == "blinded"


def test_an_adjudicator_is_not_let_into_the_pool_nor_a_reader_of_it_made_adjudicator(
    room: ReadingRoom,
) -> None:
    service = room.service
    service.add_account("both", Role.READER, Role.ADJUDICATOR)
    seat, pool = (f"/trials/{TRIAL}/readers/{slot}" for slot in ("adjudicator", "pool"))
    assert service.put(pool, "administrator", json={"account": "service"}).json()["code"] == "not_a_reader"
    assert service.put(seat, "administrator", json={"account": "both"}).status_code == 200
    refused = service.put(pool, "administrator", json={"account": "both"})
    assert (refused.status_code, refused.json()["code"]) == (409, "reader_not_blinded")


def test_a_pool_has_no_seats_and_seats_have_no_pool(room: ReadingRoom, service: TestService) -> None:
    room.service.add_account("late", Role.READER)
    seat = room.service.put(f"/trials/{TRIAL}/readers/1", "administrator", json={"account": "late"})
    grant = {"trial_id": TRIAL, "reader_slot": 2}
    granted = room.service.post(
        f"/accounts/{room.service.account_id('late')}/grants", "administrator", json=grant
    )
    assert seat.json()["code"] == granted.json()["code"] == "readers_from_pool"

    fixed = reading_room(service)
    service.add_account("reader3", Role.READER)
    pool = service.put(f"/trials/{TRIAL}/readers/pool", "administrator", json={"account": "reader3"})
    assert (pool.status_code, pool.json()["code"]) == (422, "no_reader_pool")
    assert plan(fixed) == {
        "assignment": "fixed",
        "seed": None,
        "pool": [],
        "waiting": [],
        "differing": [],
    }
    assert service.get(ASSIGNMENTS, "coordinator").json()["items"] == []
    assert replace(fixed, fixed.someone(), 1, "reader3").json()["code"] == "readers_fixed"


def test_a_trial_with_seats_cannot_begin_with_a_pool(service: TestService) -> None:
    service.grant("reader1", TRIAL, reader_slot=1)
    written = PROTOCOL.read_text().replace('assignment = "fixed"', 'assignment = "random"')
    headers = {"Content-Type": "application/toml"}
    filed = service.post("/trials", "administrator", content=written, headers=headers)
    assert (filed.status_code, filed.json()["code"]) == (409, "readers_from_pool")


def test_an_amendment_cannot_change_how_readers_are_assigned(room: ReadingRoom) -> None:
    written = PROTOCOL.read_text().replace('version = "1.0"', 'version = "2.0"\neffective_on = 2027-01-01')
    headers = {"Content-Type": "application/toml"}
    refused = room.service.post("/trials", "administrator", content=written, headers=headers)
    assert (refused.status_code, refused.json()["code"]) == (422, "assignment_changed")
    assert "assignment = 'balanced' was wanted" in refused.json()["detail"]


def test_the_list_is_a_file_too_and_the_system_sees_every_read(room: ReadingRoom) -> None:
    subject, _, readers = readable(room)
    answer = room.service.get(f"{ASSIGNMENTS}?format=csv&limit=500", "coordinator")
    lines = [line for line in answer.text.splitlines() if line.startswith(f"{subject},")]
    assert [line.split(",")[:4] for line in lines] == [
        [subject, str(slot), "1", account] for slot, account in sorted(readers.items())
    ]
    assert SYSTEM.scope.reader_slot(TRIAL) is None
