"""The audit leaves the house: as a file, page by page, with the head as its witness."""

import csv
import io
import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from imaging_service.accounts.principal import Role
from imaging_service.audit import service as audit
from imaging_service.audit import witness
from imaging_service.audit.actor import WORKER
from imaging_service.audit.chain import Link, verify
from imaging_service.errors import SettingsError
from imaging_service.operations import witnessing
from tests.builders.service import MONDAY, TestService

HOUR = timedelta(hours=1)


def enter(
    service: TestService, *entity_ids: str, entity: str = "subject", action: str = "enrol subject"
) -> None:
    with service.database.write() as session:
        for entity_id in entity_ids:
            audit.record(
                session,
                WORKER,
                action=action,
                entity=entity,
                entity_id=entity_id,
                after={"dose": "12.50"},
                reason='with "quotes", and\nlines',
                at=service.clock.now(),
            )


def lines(service: TestService, query: str = "") -> list[dict[str, Any]]:
    answer = service.get(f"/audit/export?{query}", "administrator")
    assert answer.status_code == 200, answer.text
    return [json.loads(line) for line in answer.text.splitlines()]


def test_the_exported_lines_are_the_chain_and_verify_elsewhere(service: TestService):
    enter(service, *(f"T1 {number}" for number in range(30)))
    exported = lines(service)
    links = [
        Link(
            sequence=row["sequence"],
            content={name: value for name, value in row.items() if name not in {"previous_hash", "hash"}},
            previous_hash=row["previous_hash"],
            hash=row["hash"],
        )
        for row in exported
    ]
    assert verify(links) == []
    assert len(links) > 30
    exported[5]["reason"] = "another"
    assert verify(
        [*links[:5], Link(sequence=6, content=exported[5] | {"hash": None}, previous_hash="", hash="")]
    )


def test_the_export_has_every_entry_however_many_and_as_csv_too(sqlite_service: TestService):
    enter(sqlite_service, *(f"T1 {number}" for number in range(5_100)))
    answer = sqlite_service.get("/audit/export?format=csv&entity=subject", "administrator")
    assert answer.headers["content-disposition"] == 'attachment; filename="audit.csv"'
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert [row["entity_id"] for row in rows] == [f"T1 {number}" for number in range(5_100)]
    assert rows[0]["reason"] == 'with "quotes", and\nlines'


def test_entries_are_found_by_time_actor_entity_and_action(service: TestService):
    enter(service, "T1 A")
    service.clock.advance(HOUR)
    enter(service, "T1 B", action="withdraw subject")
    at = service.clock.now().isoformat().replace("+00:00", "Z")
    assert [row["entity_id"] for row in lines(service, f"entity=subject&since={at}")] == ["T1 B"]
    assert [row["entity_id"] for row in lines(service, f"entity=subject&before={at}")] == ["T1 A"]
    assert [row["entity_id"] for row in lines(service, "action=withdraw%20subject")] == ["T1 B"]
    assert {row["actor"] for row in lines(service, "actor=system:worker")} == {"system:worker"}
    assert [row["entity_id"] for row in lines(service, "entity_id=T1%20A")] == ["T1 A"]
    listed = service.get(f"/audit?entity=subject&since={at}", "administrator").json()["items"]
    assert [row["entity_id"] for row in listed] == ["T1 B"]


def test_a_coordinator_sees_the_audit_of_the_own_trials_and_of_no_other(service: TestService):
    service.grant("coordinator", "T1")
    service.add_account("local", Role.COORDINATOR)
    service.grant("local", "T1", site_id="S01")
    enter(service, "T1", entity="trial")
    enter(service, "T1 A", "T10 A", "T1_ A")
    enter(service, "T1 S01", entity="site")
    found = service.get("/trials/T1/audit", "coordinator")
    assert [row["entity_id"] for row in found.json()["items"]] == ["T1", "T1 A", "T1 S01"]
    assert service.get("/trials/T10/audit", "coordinator").status_code == 404
    assert service.get("/trials/T1/audit", "local").status_code == 404


def test_the_worker_keeps_the_head_when_the_last_one_is_an_hour_old(service: TestService):
    settings, path = service.settings, service.settings.audit_witness

    def step() -> int:
        witnessing.keep_when_due(settings, service.database, service.clock)
        return len(witness.read(path))

    assert [step(), step()] == [1, 1]
    enter(service, "T1 A")
    service.clock.advance(HOUR - timedelta(seconds=1))
    assert step() == 1
    service.clock.advance(timedelta(seconds=1))
    assert step() == 2
    assert witness.read(path)[-1].sequence == audit_head(service)


def audit_head(service: TestService) -> int:
    with service.database.read() as session:
        return audit.head(session).sequence


@pytest.fixture
def keys(tmp_path: Path) -> tuple[Path, Path]:
    key = Ed25519PrivateKey.generate()
    private, public = tmp_path / "private.pem", tmp_path / "public.pem"
    private.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    public.write_bytes(key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    return private, public


def test_a_signed_witness_cannot_be_written_without_the_key(
    sqlite_service: TestService, tmp_path: Path, keys: tuple[Path, Path]
):
    private, public = keys
    path = tmp_path / "heads.jsonl"
    for number in range(2):
        enter(sqlite_service, f"T1 {number}")
        with sqlite_service.database.read() as session:
            witness.keep(path, audit.head(session), MONDAY, private)
    assert len(witness.read(path, public)) == 2
    honest = path.read_text()
    for forged in (
        honest.replace('"sequence": ', '"sequence": 1', 1),
        honest.replace("2026-01-05T08", "2026-01-05T09", 1),
        "\n".join(json.dumps({**json.loads(line), "signature": ""}) for line in honest.splitlines()),
    ):
        path.write_text(forged)
        with pytest.raises(SettingsError, match="does not bear the signature"):
            witness.read(path, public)


@pytest.mark.parametrize("content", [None, "no key"], ids=["missing", "no PEM"])
def test_a_key_that_is_none_is_told(sqlite_service: TestService, tmp_path: Path, content: str | None):
    if content is not None:
        (tmp_path / "key.pem").write_text(content)
    with sqlite_service.database.read() as session:
        head = audit.head(session)
    with pytest.raises(SettingsError, match=r"private key .* cannot be read"):
        witness.keep(tmp_path / "heads.jsonl", head, MONDAY, tmp_path / "key.pem")
