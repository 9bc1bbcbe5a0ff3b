"""A write sent twice with one key happens once; other keys, bodies and callers are kept apart."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy import func, select

from imaging_service.accounts.principal import Role
from imaging_service.accounts.tables import Account
from imaging_service.audit.tables import AuditEntry
from tests.builders.service import PASSWORD, TestService, on_loopback

KEY = {"Idempotency-Key": "order-66"}


def new_account(name: str) -> dict[str, Any]:
    return {"account": name, "name": name.capitalize(), "roles": ["reader"], "password": PASSWORD}


def accounts_named(service: TestService, name: str) -> int:
    with service.database.read() as session:
        return session.scalar(select(func.count()).select_from(Account).where(Account.account == name)) or 0


def creations(service: TestService) -> int:
    with service.database.read() as session:
        statement = select(func.count()).select_from(AuditEntry).where(AuditEntry.action == "create account")
        return session.scalar(statement) or 0


def test_the_same_request_again_is_answered_the_same_and_done_once(service: TestService):
    before = creations(service)
    first = service.post("/accounts", "administrator", json=new_account("ada"), headers=KEY)
    again = service.post("/accounts", "administrator", json=new_account("ada"), headers=KEY)
    assert (first.status_code, again.status_code) == (201, 201)
    assert again.json() == first.json()
    assert again.headers["location"] == first.headers["location"]
    assert (first.headers.get("idempotency-replayed"), again.headers["idempotency-replayed"]) == (
        None,
        "true",
    )
    assert creations(service) == before + 1


def test_without_a_key_the_same_request_again_is_judged_anew(service: TestService):
    service.post("/accounts", "administrator", json=new_account("ada"))
    again = service.post("/accounts", "administrator", json=new_account("ada"))
    assert (again.status_code, again.json()["code"]) == (409, "account_exists")


def test_a_key_used_for_another_request_is_refused(service: TestService):
    service.post("/accounts", "administrator", json=new_account("ada"), headers=KEY)
    other = service.post("/accounts", "administrator", json=new_account("bob"), headers=KEY)
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_key_reused")
    assert accounts_named(service, "bob") == 0


def test_two_callers_may_choose_the_same_key(service: TestService):
    service.add_account("second", Role.ADMINISTRATOR)
    first = service.post("/accounts", "administrator", json=new_account("ada"), headers=KEY)
    other = service.post("/accounts", "second", json=new_account("bob"), headers=KEY)
    assert (first.status_code, other.status_code) == (201, 201)


def test_a_refused_request_does_not_use_up_its_key(service: TestService):
    taken = service.post("/accounts", "administrator", json=new_account("reader1"), headers=KEY)
    right = service.post("/accounts", "administrator", json=new_account("ada"), headers=KEY)
    assert (taken.status_code, right.status_code) == (409, 201)


def test_a_key_is_forgotten_after_its_time(service: TestService):
    service.post("/accounts", "administrator", json=new_account("ada"), headers=KEY)
    service.clock.advance(timedelta(days=1, seconds=1))
    later = service.post("/accounts", "administrator", json=new_account("bob"), headers=KEY)
    assert later.status_code == 201


def test_an_answer_that_holds_a_secret_is_not_kept(service: TestService):
    path = f"/accounts/{service.account_id('service')}/api-keys"
    first = service.post(path, "administrator", json={"title": "import"}, headers=KEY)
    again = service.post(path, "administrator", json={"title": "import"}, headers=KEY)
    assert first.status_code == 201
    assert (again.status_code, again.json()["code"]) == (409, "idempotency_answer_secret")
    assert len(service.get(path, "administrator").json()) == 1


@pytest.mark.parametrize("key", ["", "with space", "ä", "x" * 129], ids=["empty", "space", "umlaut", "long"])
def test_a_key_of_the_wrong_shape_is_refused(sqlite_service: TestService, key: str):
    answer = sqlite_service.post(
        "/accounts",
        "administrator",
        json=new_account("ada"),
        headers={"Idempotency-Key": key.encode("latin-1")},
    )
    assert answer.status_code == 422
    assert accounts_named(sqlite_service, "ada") == 0


def test_the_same_key_from_many_callers_at_once_has_one_effect(service: TestService):
    headers = {**service.headers("administrator"), **KEY}
    with on_loopback(service) as address, httpx.Client(base_url=address, timeout=60) as client:

        def send(_: int) -> httpx.Response:
            return client.post("/api/v1/accounts", json=new_account("ada"), headers=headers)

        with ThreadPoolExecutor(16) as pool:
            answers = list(pool.map(send, range(32)))
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.content for answer in answers}) == 1
    assert accounts_named(service, "ada") == 1


def test_many_writers_at_once_all_succeed_and_chain_the_audit(service: TestService):
    headers = service.headers("administrator")
    names = [f"reader-{number}" for number in range(48)]
    with on_loopback(service) as address, httpx.Client(base_url=address, timeout=60) as client:

        def send(name: str) -> tuple[int, int]:
            created = client.post("/api/v1/accounts", json=new_account(name), headers=headers)
            listed = client.get("/api/v1/accounts", headers=headers)
            return created.status_code, listed.status_code

        with ThreadPoolExecutor(24) as pool:
            assert set(pool.map(send, names)) == {(201, 200)}
    verification = service.get("/audit/verification", "administrator").json()
    assert verification["findings"] == []
    assert verification["is_whole"]
