"""File protocols, amend them, open sites, seat readers."""

import hashlib
import tomllib
from typing import Any

import pytest

from imaging_service.accounts.principal import Role
from tests.builders.arrivals import PROTOCOL, TRIAL
from tests.builders.service import TestService

TOML = {"Content-Type": "application/toml"}
TRIAL_PATH = f"/trials/{TRIAL}"
SMALL = {"trial_id": "T-1", "version": "1", "title": "A small trial"}


def file(service: TestService, account: str = "administrator") -> Any:
    return service.post("/trials", account, content=PROTOCOL.read_bytes(), headers=TOML)


def test_a_protocol_in_toml_begins_the_trial_and_is_kept_as_it_is(service: TestService) -> None:
    answer = file(service)
    assert answer.status_code == 201, answer.text
    assert (answer.json()["trial_id"], answer.json()["version"], answer.json()["revision"]) == (
        TRIAL,
        "1.0",
        1,
    )
    found = service.get(f"{TRIAL_PATH}/protocol", "administrator").json()
    assert found["text"] == PROTOCOL.read_text()
    assert found["sha256"] == hashlib.sha256(PROTOCOL.read_bytes()).hexdigest()
    assert found["protocol"]["schedule"]["window_before_days"] == 7
    assert service.get("/trials", "administrator").json()["items"][0]["trial_id"] == TRIAL


def test_a_protocol_in_json_means_the_same(service: TestService) -> None:
    mapping = tomllib.loads(PROTOCOL.read_text(), parse_float=str)
    assert service.post("/trials", "administrator", json=mapping).status_code == 201
    as_json = service.get(f"{TRIAL_PATH}/protocol", "administrator").json()
    assert as_json["media_type"] == "application/json"
    assert as_json["protocol"]["planned_subjects"] == 63


def test_the_same_text_filed_again_changes_nothing(service: TestService) -> None:
    first = file(service).json()
    again = file(service)
    assert (again.status_code, again.json()) == (200, first)


def test_a_version_is_never_written_over(service: TestService) -> None:
    file(service)
    changed = PROTOCOL.read_text().replace("planned_subjects = 63", "planned_subjects = 64")
    answer = service.post("/trials", "administrator", content=changed, headers=TOML)
    assert (answer.status_code, answer.json()["code"]) == (409, "protocol_version_exists")
    assert "an amendment needs a new version" in answer.json()["detail"]


@pytest.mark.parametrize(
    ("body", "status", "words"),
    [
        ("trial_id = ", 422, "cannot be read as TOML"),
        ("", 422, "needs the parameter 'trial_id'"),
        ('trial_id = "T"\nversion = "1"\ntitle = "x"\nwindow = 3', 422, "no parameter 'window'"),
        (
            'trial_id = "T"\nversion = "1"\ntitle = "x"\n[schedule]\ncycle_days = 0',
            422,
            "cycle_days",
        ),
        ('trial_id = "T/1"\nversion = "1"\ntitle = "x"', 422, "The protocol's trial_id is 'T/1'"),
        ("a = " + "[" * 5000, 422, "cannot be read as TOML"),
        (b"title = '\xff'", 422, "not UTF-8"),
    ],
    ids=["broken", "empty", "unknown parameter", "impossible number", "bad key", "deep", "not text"],
)
def test_a_wrong_protocol_is_refused_with_a_sentence(
    sqlite_service: TestService, body: Any, status: int, words: str
) -> None:
    answer = sqlite_service.post("/trials", "administrator", content=body, headers=TOML)
    assert answer.status_code == status, answer.text
    assert words in answer.json()["detail"]
    assert sqlite_service.get("/trials", "administrator").json()["items"] == []


def test_a_protocol_of_another_media_type_is_not_read(sqlite_service: TestService) -> None:
    answer = sqlite_service.post(
        "/trials", "administrator", content="a,b", headers={"Content-Type": "text/csv"}
    )
    assert answer.status_code == 415


def test_an_amendment_holds_from_its_day_on(service: TestService) -> None:
    assert service.post("/trials", "administrator", json=SMALL).status_code == 201
    undated = service.post("/trials", "administrator", json=SMALL | {"version": "2"})
    assert (undated.status_code, undated.json()["code"]) == (422, "amendment_without_date")
    amendment = SMALL | {"version": "2", "effective_on": "2026-02-01", "title": "A small trial, amended"}
    assert service.post("/trials", "administrator", json=amendment).status_code == 201
    early = SMALL | {"version": "3", "effective_on": "2026-02-01"}
    refused = service.post("/trials", "administrator", json=early)
    assert (refused.status_code, refused.json()["code"]) == (422, "amendment_out_of_order")
    assert service.get("/trials/T-1/protocol", "administrator").json()["version"] == "1"
    service.clock.set(service.clock.now().replace(month=2, day=1))
    assert service.get("/trials/T-1/protocol", "administrator").json()["version"] == "2"
    first = service.get("/trials/T-1/protocol", "administrator", params={"version": "1"}).json()
    assert first["protocol"]["title"] == "A small trial"
    versions = service.get("/trials/T-1/protocol/versions", "administrator").json()
    assert [(each["version"], each["revision"]) for each in versions] == [("1", 1), ("2", 2)]
    missing = service.get("/trials/T-1/protocol", "administrator", params={"version": "9"})
    assert missing.json()["detail"] == "Trial 'T-1' has no protocol version '9'."


def test_a_coordinator_amends_but_does_not_begin_a_trial(sqlite_service: TestService) -> None:
    service = sqlite_service
    assert service.post("/trials", "coordinator", json=SMALL).status_code == 403
    service.post("/trials", "administrator", json=SMALL)
    service.grant("coordinator", "T-1")
    amendment = SMALL | {"version": "2", "effective_on": "2026-02-01"}
    assert service.post("/trials", "coordinator", json=amendment).status_code == 201


def test_a_trial_out_of_scope_is_as_a_missing_one(sqlite_service: TestService) -> None:
    service = sqlite_service
    service.post("/trials", "administrator", json=SMALL)
    hidden = service.get("/trials/T-1", "sponsor")
    missing = service.get("/trials/T-9", "sponsor")
    assert hidden.status_code == missing.status_code == 404
    assert hidden.json()["detail"] == "There is no trial 'T-1'."
    assert service.get("/trials", "sponsor").json()["items"] == []
    for path in ("protocol", "protocol/versions", "sites"):
        assert service.get(f"/trials/T-1/{path}", "sponsor").status_code == 404


def test_a_site_is_opened_once_under_one_name(service: TestService) -> None:
    service.post("/trials", "administrator", json=SMALL)
    site = {"site_id": "01", "name": "Hospital North"}
    assert service.post("/trials/T-1/sites", "administrator", json=site).status_code == 201
    assert service.post("/trials/T-1/sites", "administrator", json=site).status_code == 200
    other = service.post("/trials/T-1/sites", "administrator", json=site | {"name": "Hospital South"})
    assert (other.status_code, other.json()["code"]) == (409, "site_exists")
    listed = service.get("/trials/T-1/sites", "administrator", params={"format": "csv"})
    assert listed.text.splitlines() == ["trial_id,site_id,name", "T-1,01,Hospital North"]


def seat(service: TestService, slot: str, account: str) -> Any:
    return service.put(f"{TRIAL_PATH}/readers/{slot}", "administrator", json={"account": account})


def test_two_independent_readers_and_an_adjudicator_are_seated(service: TestService) -> None:
    file(service)
    assert seat(service, "1", "reader1").status_code == 200
    assert seat(service, "1", "reader1").status_code == 200
    assert seat(service, "2", "reader2").status_code == 200
    assert seat(service, "adjudicator", "adjudicator").status_code == 200
    assert service.get(TRIAL_PATH, "reader1").status_code == 200


def test_nobody_sits_in_two_places(sqlite_service: TestService) -> None:
    service = sqlite_service
    file(service)
    service.add_account("both", Role.READER, Role.ADJUDICATOR)
    service.add_account("staff", Role.READER, Role.COORDINATOR)
    service.grant("staff", TRIAL)
    seat(service, "1", "reader1")
    refusals = [
        seat(service, "2", "reader1"),
        seat(service, "1", "reader2"),
        seat(service, "2", "coordinator"),
        seat(service, "2", "staff"),
        seat(service, "adjudicator", "reader2"),
        seat(service, "2", "nobody"),
        seat(service, "3", "reader2"),
    ]
    assert [(each.status_code, each.json()["code"]) for each in refusals] == [
        (409, "reader_not_independent"),
        (409, "reader_slot_taken"),
        (422, "not_a_reader"),
        (409, "reader_not_blinded"),
        (422, "not_an_adjudicator"),
        (404, "not_found"),
        (422, "invalid_request"),
    ]
    assert seat(service, "2", "both").status_code == 200
    own = seat(service, "adjudicator", "both")
    assert (own.status_code, own.json()["code"]) == (409, "adjudicator_not_independent")


def test_a_trial_with_one_reader_has_one_slot(sqlite_service: TestService) -> None:
    service = sqlite_service
    service.post("/trials", "administrator", json=SMALL | {"readers": {"count": 1}})
    answer = service.put("/trials/T-1/readers/2", "administrator", json={"account": "reader2"})
    assert (answer.status_code, answer.json()["code"]) == (422, "no_such_slot")
