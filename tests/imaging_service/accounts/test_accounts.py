"""Accounts, their grants, and the keys of machines."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import literal, select

from imaging_service.accounts.scope import Grant, Scope
from tests.builders.service import ACCOUNTS, PASSWORD, TestService


def create(service: TestService, **changes: Any) -> Any:
    payload = {"account": "ada", "name": "Dr Ada Lind", "roles": ["reader"], "password": PASSWORD, **changes}
    return service.post("/accounts", "administrator", json=payload)


def test_a_created_account_signs_in_and_knows_its_grants(service: TestService):
    grants = [{"trial_id": "HER2", "reader_slot": 1}, {"trial_id": "LUNG", "site_id": "S01"}]
    created = create(service, grants=grants)
    assert created.status_code == 201, created.text
    assert service.get(created.headers["location"].removeprefix("/api/v1"), "administrator").json() == (
        created.json()
    )
    me = service.get("/accounts/me", "ada").json()
    assert me["name"] == "Dr Ada Lind"
    assert me["grants"] == [
        {"trial_id": "HER2", "site_id": None, "reader_slot": 1},
        {"trial_id": "LUNG", "site_id": "S01", "reader_slot": None},
    ]
    assert not me["everywhere"]


def test_no_answer_holds_a_password_or_its_hash(service: TestService):
    create(service)
    listed = service.get("/accounts", "administrator").text + service.get("/audit", "administrator").text
    assert "argon2" not in listed
    assert PASSWORD not in listed


REFUSED: dict[str, tuple[dict[str, Any], int, str]] = {
    "a taken name": ({"account": "reader1"}, 409, "account_exists"),
    "no role": ({"roles": []}, 422, "invalid_request"),
    "an unknown role": ({"roles": ["king"]}, 422, "invalid_request"),
    "a short password": ({"password": "short"}, 422, "password_length"),
    "a name with a line break": ({"name": "Ada\nLind"}, 422, "invalid_request"),
    "a name that reads backwards": ({"name": "Ada \u202edniL"}, 422, "invalid_request"),
    "a slot below one": ({"grants": [{"trial_id": "T", "reader_slot": 0}]}, 422, "invalid_request"),
    "an account name with a slash": ({"account": "../ada"}, 422, "invalid_request"),
}


@pytest.mark.parametrize(("changes", "status", "code"), REFUSED.values(), ids=REFUSED.keys())
def test_what_is_no_account(sqlite_service: TestService, changes: dict[str, Any], status: int, code: str):
    answer = create(sqlite_service, **changes)
    assert (answer.status_code, answer.json()["code"]) == (status, code), answer.text


def test_a_reader_slot_has_one_reader_and_a_reader_one_slot(service: TestService):
    service.grant("reader1", "HER2", reader_slot=1)
    second = f"/accounts/{service.account_id('reader2')}/grants"
    taken = service.post(second, "administrator", json={"trial_id": "HER2", "reader_slot": 1})
    assert (taken.status_code, taken.json()["code"]) == (409, "reader_slot_taken")
    first = f"/accounts/{service.account_id('reader1')}/grants"
    both = service.post(first, "administrator", json={"trial_id": "HER2", "reader_slot": 2})
    assert (both.status_code, both.json()["code"]) == (409, "reader_not_independent")
    free = service.post(second, "administrator", json={"trial_id": "HER2", "reader_slot": 2})
    assert [grant["reader_slot"] for grant in free.json()["grants"]] == [2]


def test_a_reader_slot_is_for_a_reader(service: TestService):
    path = f"/accounts/{service.account_id('sponsor')}/grants"
    answer = service.post(path, "administrator", json={"trial_id": "HER2", "reader_slot": 1})
    assert (answer.status_code, answer.json()["code"]) == (422, "not_a_reader")


def test_the_same_grant_twice_is_one(service: TestService):
    path = f"/accounts/{service.account_id('coordinator')}/grants"
    answers = [service.post(path, "administrator", json={"trial_id": "HER2"}).json() for _ in range(2)]
    assert answers[0] == answers[1]
    assert len(answers[1]["grants"]) == 1


def test_accounts_are_listed_page_by_page(service: TestService):
    names: list[str] = []
    cursor = ""
    while cursor is not None:
        page = service.get(f"/accounts?limit=3{cursor and f'&cursor={cursor}'}", "administrator").json()
        names += [item["account"] for item in page["items"]]
        cursor = page["next_cursor"]
    assert names == sorted(names)
    assert len(names) == len(ACCOUNTS)


def key_of(service: TestService, **payload: Any) -> Any:
    path = f"/accounts/{service.account_id('service')}/api-keys"
    return service.post(path, "administrator", json={"title": "EDC import", **payload})


def test_a_key_acts_for_its_machine_until_it_ends(service: TestService):
    service.grant("service", "HER2")
    service.grant("service", "LUNG")
    created = key_of(service, limits=[{"trial_id": "HER2"}], valid_days=2).json()
    bearer = {"Authorization": f"Bearer {created['key']}"}
    me = service.get("/accounts/me", headers=bearer).json()
    assert (me["account"], [grant["trial_id"] for grant in me["grants"]]) == ("service", ["HER2"])
    no_session = service.delete("/sessions/current", headers=bearer)
    assert (no_session.status_code, no_session.json()["code"]) == (409, "no_session")
    service.clock.advance(timedelta(days=2))
    assert service.get("/accounts/me", headers=bearer).status_code == 401


def test_a_revoked_key_is_worth_nothing(service: TestService):
    created = key_of(service).json()
    bearer = {"Authorization": f"Bearer {created['key']}"}
    assert service.get("/metrics".removeprefix("/api/v1"), headers=bearer).status_code == 404
    revoked = [service.delete(f"/api-keys/{created['key_id']}", "administrator") for _ in range(2)]
    assert [answer.status_code for answer in revoked] == [204, 204]
    assert service.get("/accounts/me", headers=bearer).status_code == 401


def test_keys_are_for_machines(service: TestService):
    path = f"/accounts/{service.account_id('reader1')}/api-keys"
    answer = service.post(path, "administrator", json={"title": "mine"})
    assert (answer.status_code, answer.json()["code"]) == (422, "not_a_service")


MISSING = "00000000-0000-4000-8000-000000000000"


@pytest.mark.parametrize(
    ("method", "path", "payload"),
    [
        ("GET", f"/accounts/{MISSING}", None),
        ("POST", f"/accounts/{MISSING}/grants", {"trial_id": "T"}),
        ("POST", f"/accounts/{MISSING}/closure", {"reason": "Left."}),
        ("POST", f"/accounts/{MISSING}/api-keys", {"title": "x"}),
        ("GET", f"/accounts/{MISSING}/api-keys", None),
        ("DELETE", f"/api-keys/{MISSING}", None),
    ],
)
def test_what_does_not_exist_is_not_found(
    sqlite_service: TestService, method: str, path: str, payload: dict[str, Any] | None
):
    assert sqlite_service.request(method, path, "administrator", json=payload).status_code == 404


SCOPES = [
    (Scope.all(), "T1", "S1", True),
    (Scope.of([]), "T1", "S1", False),
    (Scope.of([Grant(trial_id="T1")]), "T1", "S2", True),
    (Scope.of([Grant(trial_id="T1", site_id="S1")]), "T1", "S1", True),
    (Scope.of([Grant(trial_id="T1", site_id="S1")]), "T1", "S2", False),
    (Scope.of([Grant(trial_id="T1", site_id="S1")]), "T2", "S1", False),
    (Scope.of([Grant(trial_id="T1", site_id="S1"), Grant(trial_id="T1")]), "T1", "S2", True),
]


@pytest.mark.parametrize(("scope", "trial_id", "site_id", "seen"), SCOPES)
def test_a_scope_says_the_same_in_python_and_in_sql(
    sqlite_service: TestService, scope: Scope, trial_id: str, site_id: str, seen: object
):
    row = select(literal(trial_id).label("trial_id"), literal(site_id).label("site_id")).subquery()
    rows = select(row)
    condition = scope.sites(row.c.trial_id, row.c.site_id)
    with sqlite_service.database.read() as session:
        assert bool(session.execute(rows.where(condition)).all()) is seen
        in_trial = session.execute(rows.where(scope.trials(row.c.trial_id))).all()
    assert scope.sees_site(trial_id, site_id) is seen
    assert bool(in_trial) is scope.sees_trial(trial_id)
