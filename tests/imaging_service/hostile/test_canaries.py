"""A canary in every field that a reader may not see: none is in any answer that the reader can get.

The table beside this file decides about every text of every table: `canary` is planted (in the rows that
are named there, or in all), `key` joins rows and gets a canary where a key may not be seen, `code` is one
of a few words of ours, and `shown` may reach the reader. A new column without a decision fails.
"""

import csv
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import JSON, Column, Connection, text

from imaging_service.audit import service as audit
from imaging_service.audit.actor import OPERATOR
from imaging_service.database import DecimalText, UtcDateTime
from imaging_service.reads import assignment_repository
from imaging_service.reads.assignment import Assignment
from imaging_service.tables import all_tables
from imaging_service.trials import repository as trial_repository
from imaging_service.trials.records import ReaderPlan
from measurement.protocol.trial import ReaderAssignment
from tests.builders.arrivals import TRIAL, TrialHouse, mr_instance, trial_house
from tests.builders.service import PASSWORD
from tests.builders.world import Operation, operations

DECISIONS = Path(__file__).with_name("canaries.csv")
WORDS = frozenset({"canary", "key", "code", "shown"})
CANARY = "CANARY"
SITE, SUBJECT, PATIENT = f"{CANARY}-SITE", f"{CANARY}-SUBJ", f"{CANARY}-PID"
LATER = "1.2.826.7777777"
"""Study of the timepoint that is still closed to the reader."""

TAGS: dict[str, Any] = {
    "PatientName": f"{CANARY}^NAME",
    "PatientBirthDate": "19640203",
    "OtherPatientIDs": f"{CANARY}-OTHER",
    "InstitutionName": f"{CANARY} HOSPITAL",
    "InstitutionAddress": f"{CANARY} STREET",
    "ReferringPhysicianName": f"{CANARY}^REFERRER",
    "OperatorsName": f"{CANARY}^OPERATOR",
    "StudyDescription": f"{CANARY} STUDY",
    "SeriesDescription": f"{CANARY} SERIES",
    "ProtocolName": f"{CANARY} PROTOCOL",
    "AccessionNumber": f"{CANARY}-7",
    "StationName": f"{CANARY}-MR1",
    "DeviceSerialNumber": f"{CANARY}-17",
    "ImageComments": f"{CANARY} COMMENT",
    "PatientComments": f"{CANARY} PATIENT",
    "ClinicalTrialSubjectID": SUBJECT,
    "ClinicalTrialSiteID": SITE,
    "ClinicalTrialSiteName": f"{CANARY} SITE NAME",
}


def texts() -> dict[tuple[str, str], "Column[Any]"]:
    """Return every column that can hold a text."""
    return {
        (table.name, column.name): column
        for table in all_tables().tables.values()
        for column in table.columns
        if isinstance(column.type, JSON)
        or (
            not isinstance(column.type, UtcDateTime | DecimalText)
            and getattr(column.type, "length", 0) != 0
            and column.type.python_type is str
        )
        or type(column.type).__name__ in {"String", "Text"}
    }


def decisions() -> Mapping[tuple[str, str], tuple[str, str]]:
    with DECISIONS.open(newline="") as file:
        return {(row["table"], row["column"]): (row["decision"], row["rows"]) for row in csv.DictReader(file)}


def test_every_text_of_every_table_is_decided_about() -> None:
    decided = decisions()
    assert {decision for decision, _ in decided.values()} <= WORDS
    assert {"undecided": sorted(texts().keys() - decided.keys())} == {"undecided": []}
    assert {"gone": sorted(decided.keys() - texts().keys())} == {"gone": []}
    assert sum(decision == "canary" for decision, _ in decided.values()) > 80


@dataclass(kw_only=True)
class Cage:
    """A trial in which reader 1 reads, and what reader 1 may not see."""

    house: TrialHouse
    own: dict[str, str]
    others: dict[str, str] = field(default_factory=dict)
    """Of reader 2, and of the timepoint that is closed to reader 1."""
    secret: set[str] = field(default_factory=set)

    def reveals(self, told: bytes) -> list[str]:
        """Return what is in an answer and should not be."""
        return [each for each in sorted(self.secret) if each.encode() in told]


LONG = (
    pytest.mark.campaign,
    pytest.mark.skipif("CAMPAIGN" not in os.environ, reason="the long form runs by 'make campaign'"),
)


# what each database is asked for is asked of both by the chapters' own tests; all of it again in the campaign
@pytest.fixture(scope="module", params=["sqlite", pytest.param("postgresql", marks=LONG)])
def cage(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cage]:
    folder = tmp_path_factory.mktemp("cage")
    if request.param == "sqlite":
        with trial_house(f"sqlite:///{folder}/cage.sqlite", folder) as house:
            yield _filled(house)
        return
    with request.getfixturevalue("postgres").database() as url, trial_house(url, folder) as house:
        yield _filled(house)


def _filled(house: TrialHouse) -> Cage:
    service = house.service
    body = {"site_id": SITE, "name": f"{CANARY} HOSPITAL"}
    assert service.post(house.path("/sites"), "administrator", json=body).status_code == 201
    for slot in (1, 2):
        service.grant(f"reader{slot}", TRIAL, reader_slot=slot)
    house.enrol(SUBJECT, site_id=SITE, patient_ids=[PATIENT])
    days = {"1.2.3.4": "20241220", "1.2.3.5": "20250212", LATER: "20250326"}
    for study, day in days.items():
        dataset = mr_instance(day, study=study, patient_id=PATIENT, **TAGS)
        block = dataset.private_block(0x0029, CANARY, create=True)
        block.add_new(1, "LO", f"{CANARY} PRIVATE")
        house.receive(dataset, site_id=SITE)
    places = {study: house.study(study)["timepoint_id"] for study in days}
    for place in places.values():
        _accept(house, place)
    read_1 = _read(house, "reader1", places["1.2.3.4"], signs=True)
    _read(house, "reader1", places["1.2.3.5"], signs=False)
    theirs = [_read(house, "reader2", place, signs=True) for place in places.values()]
    _evaluate(house, places["1.2.3.5"])
    _assign(house)
    unseen = {service.account_id(each) for each in ("coordinator", "sponsor", "administrator")}
    for account in ("reader1", "coordinator"):
        service.token(account)  # nobody can sign in once names are canaries
    _plant(house)
    with service.database.read() as session:
        drafts = session.execute(text("SELECT read_id FROM reads WHERE signed_at IS NULL")).scalars().all()
        reading_id = session.scalar(text("SELECT reading_id FROM subjects"))
        ids = session.execute(text("SELECT assessment_id FROM assessments WHERE slot = 2")).scalars().all()
    return Cage(
        house=house,
        own=_values(places["1.2.3.5"], str(drafts[0]), "1.2.3.5", str(reading_id), read_1),
        others=_values(places[LATER], theirs[-1], LATER, str(reading_id), read_1),
        secret={
            *(CANARY, CANARY.lower(), LATER, places[LATER], "19640203", PASSWORD),
            *theirs,
            *ids,
            *unseen,
        },
    )


def _values(timepoint_id: str, read_id: str, study: str, reading_id: str, _signed: str) -> dict[str, str]:
    return {
        "trial_id": TRIAL,
        "timepoint_id": timepoint_id,
        "read_id": read_id,
        "study": study,
        "study_instance_uid": study,
        "series": f"{study}.1",
        "instance": f"{study}.1.1",
        "sop_instance_uid": f"{study}.1.1",
        "frame": "1",
        "frames": "1",
        "tag": "7FE00010",
        "reading_id": reading_id,
        "subject_id": reading_id,
        "lesion_id": "NT01",
        "slot": "2",
    }


def _accept(house: TrialHouse, timepoint_id: str) -> None:
    """Let quality control accept the images, where it has not by itself."""
    path = house.path(f"/timepoints/{timepoint_id}/quality/acceptance")
    answer = house.service.post(path, "coordinator", json={"reason": f"{CANARY} accepted"})
    assert answer.status_code < 500, answer.text


def _read(house: TrialHouse, account: str, timepoint_id: str, *, signs: bool) -> str:
    service = house.service
    opened = service.post(f"/timepoints/{timepoint_id}/reads", account)
    assert opened.status_code == 201, opened.text
    read_id = str(opened.json()["read_id"])
    entry: dict[str, Any] = {"state": "present"}
    if not opened.json()["followed"]:
        entry |= {"location": "bone" if account == "reader1" else f"bone {CANARY}"}
    entered = service.put(f"/reads/{read_id}/lesions/NT01", account, json=entry)
    assert entered.status_code == 201, entered.text
    if signs:
        body = {"password": PASSWORD, "meaning": "I confirm." if account == "reader1" else f"{CANARY} yes."}
        signed = service.post(f"/reads/{read_id}/signature", account, json=body)
        assert signed.status_code == 201, signed.text
    return read_id


def _evaluate(house: TrialHouse, timepoint_id: str) -> None:
    body = {"overall_response": "SD", "has_progressed": False, "reason": f"{CANARY} site reading"}
    path = house.path(f"/timepoints/{timepoint_id}/evaluation")
    assert house.service.put(path, "coordinator", json=body).status_code == 201


def _assign(house: TrialHouse) -> None:
    """Keep that readers were drawn, as a trial with a pool does."""
    now = house.service.clock.now()
    plan = ReaderPlan(trial_id=TRIAL, assignment=ReaderAssignment.RANDOM, seed="", drawn_at=now)
    with house.service.database.write() as session:
        trial_repository.add_reader_plan(session, plan)
        for slot in (1, 2):
            assignment = Assignment(
                trial_id=TRIAL,
                subject_id=SUBJECT,
                slot=slot,
                edition=1,
                account_id=house.service.account_id(f"reader{slot}"),
                candidates=(),
                reason="",
                assigned_by="",
                assigned_at=now,
            )
            assignment_repository.add(session, assignment)
        audit.record(session, OPERATOR, action="assign reader", entity="trial", entity_id=TRIAL, at=now)


def _plant(house: TrialHouse) -> None:
    """Write a canary into every text that is decided to have one, behind the guards of the database."""
    known = texts()
    with house.service.database.writer.begin() as connection:
        _lift_guards(connection)
        for (table, name), (decision, rows) in decisions().items():
            if decision == "canary":
                _plant_in(connection, known[table, name], table, rows)


def _lift_guards(connection: Connection) -> None:
    if connection.dialect.name == "postgresql":
        connection.execute(text("SET LOCAL session_replication_role = replica"))
        return
    found = connection.execute(text("SELECT name FROM sqlite_master WHERE type = 'trigger'")).scalars()
    for name in found.all():
        connection.execute(text(f'DROP TRIGGER "{name}"'))


def _plant_in(connection: Connection, column: "Column[Any]", table: str, rows: str) -> None:
    where = f" WHERE {rows}" if rows else ""
    canary = f"{CANARY}-{table}-{column.name}"
    length = getattr(column.type, "length", None)
    value = f'["{canary}"]' if isinstance(column.type, JSON) else canary[: length or 300]
    sets = f"{column.name} = '{value}'"
    if column.unique or any(column.name in each.columns for each in column.table.indexes if each.unique):
        sets = f"{column.name} = '{value[:20]}' || {next(iter(column.table.primary_key.columns)).name}"
    connection.execute(text(f"UPDATE {table} SET {sets}{where}"))  # noqa: S608  our own names


QUERIES = ("", "?format=csv", "?limit=1", "?limit=bad", "?cursor=WyJ4Il0", "?PatientName=*&includefield=all")
ACCEPTS = ("*/*", "application/json", "text/csv", "application/dicom+json", "image/png")
DICOM = 'multipart/related; type="application/dicom"'


def paths(cage: Cage, operation: Operation) -> Iterator[str]:
    """Yield a path of an operation for the reader's own things and for those that are not."""
    for values in (cage.own, cage.others):
        path = operation.path
        for name, value in values.items():
            path = path.replace(f"{{{name}}}", value)
        while "{" in path:
            before, _, rest = path.partition("{")
            path = f"{before}{values['read_id']}{rest.partition('}')[2]}"
        yield path


def without_echo(told: bytes, path: str) -> bytes:
    """Return an answer without what the caller itself has said in the path."""
    for part in path.partition("?")[0].split("/"):
        if len(part) > 8:
            told = told.replace(part.encode(), b"")
    return told


def test_no_canary_is_in_any_answer_to_a_reader(cage: Cage) -> None:
    service = cage.house.service
    headers = service.headers("reader1")
    found: list[str] = []
    answered = 0
    for operation in operations(service):
        if operation.method != "GET":
            continue
        for path, query in product(paths(cage, operation), QUERIES):
            for accept in ACCEPTS if query == "" else ACCEPTS[:1]:
                answer = service.client.get(path + query, headers={**headers, "Accept": accept})
                assert answer.status_code < 500, f"{path}{query}: {answer.text[:300]}"
                answered += answer.status_code == 200
                told = answer.content + repr(dict(answer.headers)).encode()
                found += [
                    f"{each} in {answer.status_code} of {operation.path}{query} as {accept}"
                    for each in cage.reveals(without_echo(told, path))
                ]
        if "dicomweb" in operation.path:
            for path in paths(cage, operation):
                answer = service.client.get(path, headers={**headers, "Accept": DICOM})
                found += [
                    f"{each} in {answer.status_code} of {operation.path}"
                    for each in cage.reveals(without_echo(answer.content, path))
                ]
    assert found == []
    assert answered > 100


def test_no_canary_is_in_any_refusal_to_a_reader(cage: Cage) -> None:
    service = cage.house.service
    headers = service.headers("reader1")
    found = []
    for operation in operations(service):
        if operation.method == "GET" or operation.path.endswith(("/sessions/current", "/signature")):
            continue
        for path in paths(cage, operation):
            for body in ({}, {"reason": "x", "password": "wrong", "state": "present"}):
                answer = service.client.request(operation.method, path, headers=headers, json=body)
                assert answer.status_code < 500, f"{operation.name}: {answer.text[:300]}"
                told = answer.content + repr(dict(answer.headers)).encode()
                found += [f"{each} in {operation.name}" for each in cage.reveals(without_echo(told, path))]
    assert found == []


def test_whoever_is_not_blinded_does_see_canaries(cage: Cage) -> None:
    """The crawl would find them: a coordinator's list is full of them."""
    answer = cage.house.service.get(cage.house.path("/subjects"), "coordinator")
    assert cage.reveals(answer.content)
