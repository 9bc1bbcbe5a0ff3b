"""The audit told to a collector over TLS: every event, once, whoever dies or is away; nobody's identity."""

import base64
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from dicom_listener.archive import receipts as filed
from dicom_listener.archive.records import Outcome, Receipt
from imaging_service.audit import receipts
from imaging_service.audit import service as audit
from imaging_service.audit.actor import WORKER
from imaging_service.audit.reporting import acts, intake, repository
from imaging_service.audit.reporting.message import AuditMessage, Code, Deed, Participant, as_xml
from imaging_service.audit.reporting.service import AT_ONCE, Reporter, reporter
from imaging_service.audit.reporting.syslog import Collector, CollectorAwayError, Line
from imaging_service.clock import SystemClock
from imaging_service.database import Database
from imaging_service.errors import SettingsError
from imaging_service.migrations.migrate import migrate
from imaging_service.settings import ServiceSettings
from tests.builders.arrivals import STUDY, TrialHouse, mr_instance, trial_house
from tests.builders.certificates import Authority
from tests.builders.collector import FakeCollector, Received, faults_of
from tests.builders.service import MONDAY, PASSWORD

SOURCES = Path(__file__).parents[3] / "imaging_service"
SEVEN = {"110100", "110103", "110104", "110106", "110112", "110113", "110114"}
PATIENT = "CANARY-PID-77"


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture
def collector(authority: Authority) -> FakeCollector:
    return FakeCollector(certified=authority.certify("collector"))


@dataclass(kw_only=True)
class Told:
    """A trial in which every told event has happened, and what a collector got of it."""

    house: TrialHouse
    received: list[Received]


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory, authority: Authority) -> Iterator[Told]:
    folder = tmp_path_factory.mktemp("told")
    collector = FakeCollector(certified=authority.certify("the collector"))
    with ExitStack() as stack:
        house = stack.enter_context(trial_house(f"sqlite:///{folder}/told.sqlite", folder))
        stack.enter_context(collector.open())
        _live(house)
        assert receipts.enter(house.service.database, house.archive, house.service.clock) is False
        teller = _teller(house.service.database, house.archive, collector, authority)
        while teller.tell():
            continue
        yield Told(house=house, received=collector.received)


def _live(house: TrialHouse) -> None:
    """Let one of every told event happen."""
    service = house.service
    house.enrol(patient_ids=[PATIENT])
    house.receive(mr_instance(patient_id=PATIENT), mr_instance(patient_id=PATIENT, number=2))
    with house.archive.database.write() as connection:
        filed.append(connection, _turned_away())
    assert service.post("/sessions", json={"account": "reader1", "password": "wrong"}).status_code == 401
    assert service.get("/dicomweb/studies", "coordinator", params={"PatientID": PATIENT}).status_code == 200
    answer = service.get(f"/dicomweb/studies/{STUDY}", "coordinator", headers={"Accept": "multipart/related"})
    assert answer.status_code == 200, answer.text[:200]
    listed = service.get(f"/timepoints/{house.study()['timepoint_id']}/series", "coordinator")
    assert listed.status_code == 200
    assert service.get(house.path("/subjects"), "coordinator", params={"format": "csv"}).status_code == 200
    assert service.get("/audit/export", "administrator").status_code == 200
    account = {"account": "new", "name": 'Müller <&> "Ö"', "roles": ["reader"], "password": PASSWORD}
    made = service.post("/accounts", "administrator", json=account)
    assert made.status_code == 201, made.text
    grants = f"/accounts/{made.json()['account_id']}/grants"
    assert service.post(grants, "administrator", json={"trial_id": "T", "reader_slot": 2}).status_code == 200
    assert service.delete("/sessions/current", "new").status_code == 204
    with service.database.write() as session:
        for action in ("start program", "stop program"):
            audit.record(
                session,
                WORKER,
                action=action,
                entity="program",
                entity_id="machine 1",
                at=service.clock.now(),
            )


def _turned_away() -> Receipt:
    return Receipt(
        outcome=Outcome.REFUSED_CALLING_AE,
        reason="calling_ae",
        sop_instance_uid="",
        study_instance_uid="",
        digest="",
        size=0,
        calling_ae="STRANGER",
        called_ae="IMAGING",
        peer_address="10.0.0.9",
        site_id="",
        association_id="a1",
        received_at=MONDAY,
    )


def _teller(database: Database, archive: Any, collector: FakeCollector, authority: Authority) -> Reporter:
    wanted: dict[str, Any] = {
        "audit_collector": f"127.0.0.1:{collector.port}",
        "audit_collector_authorities": authority.file,
        "audit_collector_seconds": 20,
    }
    found = reporter(ServiceSettings(**wanted), database, archive, SystemClock())
    assert found is not None
    return found


def test_every_event_of_the_profile_is_told(told: Told) -> None:
    counted = Counter(each.event for each in told.received)
    assert counted.keys() == SEVEN
    assert counted["110100"] == 2


def test_every_message_has_what_the_standard_asks_for(told: Told) -> None:
    faults = {each.event: found for each in told.received if (found := faults_of(each.xml))}
    assert faults == {}
    for each in told.received:
        head = each.head
        assert head["kind"] == b"DICOM+RFC3881"
        assert head["program"] == b"imaging-service"
        assert (
            int(head["priority"]) == 84
            if each.xml.find("EventIdentification[@EventOutcomeIndicator!='0']") is not None
            else 85
        )
        assert len(each.raw) < 32_768


def test_nothing_of_a_patient_is_told(told: Told) -> None:
    for each in told.received:
        for secret in (PATIENT, "Canary^Name", PASSWORD, "P-1"):
            assert secret.encode() not in each.raw
            assert base64.b64encode(secret.encode()).rstrip(b"=")[:-1] not in each.raw


def test_instances_of_one_study_are_told_together_with_their_number_and_sender(told: Told) -> None:
    (transfer,) = [
        each.xml
        for each in told.received
        if each.event == "110104" and each.xml.find("EventIdentification[@EventActionCode='C']") is not None
    ]
    assert {each.attrib["UserID"] for each in transfer.iter("ActiveParticipant")} == {"PACS_01", "IMAGING"}
    (count,) = [each.attrib["NumberOfInstances"] for each in transfer.iter("SOPClass")]
    assert count == "2"


def test_a_sender_that_is_turned_away_is_an_alert(told: Told) -> None:
    (alert,) = [each.xml for each in told.received if b"STRANGER" in each.raw]
    assert alert.find("EventIdentification/EventTypeCode[@csd-code='110126']") is not None
    assert alert.find("ActiveParticipant[@NetworkAccessPointID='10.0.0.9']") is not None


def test_a_search_tells_what_was_asked_by_and_never_for_which_value(told: Told) -> None:
    (query,) = [
        base64.b64decode(found.text or "").decode()
        for each in told.received
        if (found := each.xml.find(".//ParticipantObjectQuery")) is not None
    ]
    assert query == "STUDY PatientID"


def test_each_message_witnesses_its_entry(told: Told) -> None:
    with told.house.service.database.read() as session:
        stored = {str(each.sequence): each.hash for each in repository.following(session, 0, 10_000)}
    for each in told.received:
        detail = each.xml.find(".//ParticipantObjectDetail[@type='hash']")
        assert detail is not None
        assert base64.b64decode(detail.attrib["value"]).decode() == stored[str(each.entry)]


def test_the_same_use_is_entered_once_in_a_while(told: Told) -> None:
    service = told.house.service

    def searched() -> int:
        entered = text("SELECT count(*) FROM audit_entries WHERE action = 'search instances'")
        with service.database.read() as session:
            return int(session.scalar(entered) or 0)

    before = searched()
    for _ in range(3):
        service.get("/dicomweb/studies?StudyDate=20250101", "coordinator")
    assert searched() == before + 1
    service.clock.advance(timedelta(seconds=service.settings.access_again_seconds))
    service.get("/dicomweb/studies?StudyDate=20250101", "coordinator")
    assert searched() == before + 2


@pytest.mark.parametrize("action", sorted(acts.EVENTS))
def test_every_told_act_is_one_that_the_service_enters(action: str) -> None:
    verb, _, rest = action.partition(" ")
    entered = {path for path in SOURCES.rglob("*.py") if path.name != "acts.py"}
    assert any(f'"{action}"' in path.read_text() for path in entered), (verb, rest)


def test_every_outcome_of_an_intake_is_told() -> None:
    assert intake.SUCCESS.keys() == set(Outcome)


def test_what_xml_cannot_hold_does_not_break_a_message() -> None:
    code = Code(value="110114", meaning="User Authentication")
    hostile = Participant(user_id="a\x00\x1b\ud800b", name='"><AuditMessage/>&')
    found = as_xml(AuditMessage(event=code, deed=Deed.EXECUTE, at=MONDAY, participants=[hostile]), "here")
    assert b'UserID="a???b"' in found
    assert found.count(b"<AuditMessage") == 1


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    database = Database(database_url)
    migrate(database)
    yield database
    database.close()


def enter(database: Database, count: int) -> None:
    with database.write() as session:
        for number in range(count):
            audit.record(
                session, WORKER, action="sign out", entity="session", entity_id=f"{number}", at=MONDAY
            )


def entries_of(received: list[Received]) -> list[int]:
    return [each.entry for each in received]


def test_while_the_collector_is_away_entries_wait_and_are_then_told_once(
    database: Database, collector: FakeCollector, authority: Authority
) -> None:
    enter(database, AT_ONCE + 20)
    with collector.open():
        teller = _teller(database, None, collector, authority)
        assert teller.tell() is True
    enter(database, 5)
    with pytest.raises(CollectorAwayError, match="did not take the audit in"):
        teller.tell()
    with pytest.raises(CollectorAwayError):
        teller.tell()
    with collector.open():
        assert teller.tell() is False
        assert teller.tell() is False
    assert entries_of(collector.received) == list(range(1, AT_ONCE + 26))


def test_a_batch_that_the_collector_breaks_off_is_told_again_word_for_word(
    database: Database, collector: FakeCollector, authority: Authority
) -> None:
    enter(database, 30)
    collector.breaks_after = 7
    with collector.open():
        teller = _teller(database, None, collector, authority)
        with pytest.raises(CollectorAwayError):
            teller.tell()
        collector.breaks_after = None
        teller.tell()
    assert entries_of(collector.received) == [*range(1, 8), *range(1, 31)]
    assert collector.received[:7] == collector.received[7:14]


def test_of_two_workers_one_tells(database: Database, collector: FakeCollector, authority: Authority) -> None:
    enter(database, 3)
    with collector.open():
        first = _teller(database, None, collector, authority)
        second = replace(first)

        class Slow:
            def send(self, lines: Any) -> None:
                assert second.tell() is False
                first.receiver.send(lines)

        replace(first, receiver=Slow()).tell()
    assert entries_of(collector.received) == [1, 2, 3]


def test_a_worker_that_died_before_it_kept_how_far_it_came_tells_the_batch_again(
    database: Database, collector: FakeCollector, authority: Authority
) -> None:
    class Dies:
        def send(self, lines: Any) -> None:
            teller.receiver.send(lines)
            with database.write() as session:  # nobody lets go of what a dead one holds
                repository.let_go(session, teller.address, "nobody")
            raise SystemExit

    enter(database, 3)
    with collector.open():
        teller = _teller(database, None, collector, authority)
        with pytest.raises(SystemExit):
            replace(teller, receiver=Dies()).tell()
        teller.tell()
    assert collector.received[:3] == collector.received[3:]


@pytest.mark.parametrize("who", ["a collector of another authority", "a service without its certificate"])
def test_who_is_not_known_is_told_nothing(who: str, tmp_path: Path, authority: Authority) -> None:
    other = Authority(tmp_path, "Other")
    is_ours = who.startswith("a service")
    collector = FakeCollector(
        certified=(authority if is_ours else other).certify(who), clients=authority.file if is_ours else None
    )
    with collector.open():
        address = Collector(host="127.0.0.1", port=collector.port, authorities=authority.file)
        with pytest.raises(CollectorAwayError):
            address.send([Line(at=MONDAY, xml=b"<AuditMessage/>")])
    assert collector.received == []


def test_a_collector_that_asks_who_we_are_is_shown(authority: Authority) -> None:
    ours = authority.certify("service")
    collector = FakeCollector(certified=authority.certify("asking"), clients=authority.file)
    with collector.open():
        Collector(
            host="127.0.0.1",
            port=collector.port,
            authorities=authority.file,
            certificate=ours.certificate,
            key=ours.key,
        ).send([Line(at=MONDAY, xml=b"<AuditMessage/>")])
    assert len(collector.received) == 1


def test_a_file_that_cannot_be_used_is_told(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="cannot be used"):
        Collector(host="127.0.0.1", port=9, authorities=tmp_path / "none.pem").send([])


def test_without_a_collector_nobody_is_told(database: Database) -> None:
    unset: dict[str, Any] = {"audit_collector": None}
    archive: Any = None
    assert reporter(ServiceSettings(**unset), database, archive, SystemClock()) is None


def test_a_worker_that_is_killed_again_and_again_loses_nothing(
    tmp_path: Path, collector: FakeCollector, authority: Authority
) -> None:
    url = f"sqlite:///{tmp_path}/service.sqlite"
    archive = f"sqlite:///{tmp_path}/index.sqlite"
    count = 4 * AT_ONCE
    database = Database(url)
    migrate(database)
    enter(database, count)
    with ExitStack() as stack:
        stack.callback(database.close)
        stack.enter_context(collector.open())
        environment = {
            **os.environ,
            "IMAGING_SERVICE_DATABASE_URL": url,
            "IMAGING_SERVICE_ARCHIVE_DATABASE_URL": archive,
            "IMAGING_SERVICE_ARCHIVE_OBJECTS": str(tmp_path / "objects"),
            "IMAGING_SERVICE_AUDIT_WITNESS": str(tmp_path / "heads.jsonl"),
            "IMAGING_SERVICE_AUDIT_COLLECTOR": f"127.0.0.1:{collector.port}",
            "IMAGING_SERVICE_AUDIT_COLLECTOR_AUTHORITIES": str(authority.file),
        }
        for enough in (AT_ONCE // 2, count + 2):  # and that two workers started
            _work_until(environment, collector, enough)
            with database.write() as session:  # its hold ends by itself in time; not in a test's
                session.execute(text("UPDATE audit_collectors SET held_until = NULL, held_by = NULL"))
    signed_out = [each for each in collector.received if each.event == "110114"]
    assert {each.entry for each in signed_out} == set(range(1, count + 1))
    first = {each.entry: each for each in reversed(signed_out)}
    assert all(each == first[each.entry] for each in signed_out)
    assert len(signed_out) - count <= AT_ONCE


def _work_until(environment: dict[str, str], collector: FakeCollector, enough: int) -> None:
    """Let a worker tell until the collector has so many different messages, and kill it."""
    command = [sys.executable, "-m", "imaging_service.cli", "worker"]
    with subprocess.Popen(
        command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as worker:
        until = time.monotonic() + 60
        while len({each.raw for each in collector.received}) < enough:
            assert worker.poll() is None, "the worker ended by itself"
            assert time.monotonic() < until, f"{len(collector.received)} of {enough} came"
            time.sleep(0.005)
        os.kill(worker.pid, signal.SIGKILL)
