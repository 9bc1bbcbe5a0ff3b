"""Sessions, grants and keys end when they must, and whoever may end them can."""

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import select

from imaging_service.accounts import back_off, sign_in
from imaging_service.accounts.sign_in import Attempt
from imaging_service.accounts.tables import CredentialUse
from imaging_service.audit.tables import AuditEntry
from imaging_service.errors import TooManyRequestsError, UnauthenticatedError
from imaging_service.http.transaction import Turns
from tests.builders.service import PASSWORD, TestService

if TYPE_CHECKING:
    from imaging_service.accounts.passwords import Passwords

HALF_HOUR = timedelta(minutes=30)
MINUTE = timedelta(minutes=1)
MISSING = "00000000-0000-4000-8000-000000000000"


@pytest.fixture
def patient(service: TestService) -> TestService:
    """Give a service whose sessions end after half an hour without use."""
    service.app.state.settings = service.settings.model_copy(update={"session_idle_seconds": 1800})
    return service


def status(service: TestService, headers: dict[str, str]) -> int:
    return int(service.get("/accounts/me", headers=headers).status_code)


def test_a_session_that_is_used_goes_on_and_one_that_is_not_ends(patient: TestService):
    headers = patient.headers("reader1")
    for _ in range(4):
        patient.clock.advance(HALF_HOUR)
        assert status(patient, headers) == 200
    patient.clock.advance(HALF_HOUR + MINUTE)
    answer = patient.get("/accounts/me", headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (401, "session_idle")


def test_a_session_ends_with_its_time_however_much_it_is_used(patient: TestService):
    headers = patient.headers("reader1")
    for _ in range(25):
        patient.clock.advance(HALF_HOUR)
        answer = patient.get("/accounts/me", headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (401, "token_invalid")


def test_reading_seldom_writes(patient: TestService):
    headers = patient.headers("reader1")

    def noted() -> list[Any]:
        with patient.database.read() as session:
            return list(session.scalars(select(CredentialUse.used_at)))

    status(patient, headers)
    assert noted() == []
    patient.clock.advance(MINUTE)
    first = patient.clock.now()
    status(patient, headers)
    patient.clock.advance(MINUTE / 2)
    status(patient, headers)
    assert noted() == [first]


def test_a_use_is_let_be_while_somebody_writes(patient: TestService, monkeypatch: pytest.MonkeyPatch):
    headers = patient.headers("reader1")
    patient.clock.advance(MINUTE)
    monkeypatch.setattr(Turns, "take_now", lambda *_: None)  # every turn at writing is taken
    assert status(patient, headers) == 200
    with patient.database.read() as session:
        assert list(session.scalars(select(CredentialUse.used_at))) == []


def test_who_is_signed_in_sees_the_own_sessions_and_ends_one(service: TestService):
    here, there = service.headers("reader1"), None
    service.forget_tokens()
    service.clock.advance(MINUTE)
    there = service.headers("reader1")
    listed = service.get("/sessions", headers=here).json()
    assert [each["is_current"] for each in listed] == [False, True]
    assert {each["method"] for each in listed} == {"password"}
    assert not {"token", "token_sha256"} & listed[0].keys()
    other = next(each["session_id"] for each in listed if not each["is_current"])
    assert service.delete(f"/sessions/{other}", headers=here).status_code == 204
    assert (status(service, here), status(service, there)) == (200, 401)


def test_nobody_ends_or_sees_anothers_session(service: TestService):
    service.token("reader1")
    (mine,) = service.get("/sessions", "reader1").json()
    assert service.delete(f"/sessions/{mine['session_id']}", "reader2").status_code == 404
    assert service.delete(f"/sessions/{MISSING}", "reader2").status_code == 404
    assert mine["session_id"] not in str(service.get("/sessions", "reader2").json())


def test_an_administrator_ends_all_sessions_of_an_account(service: TestService):
    headers = service.headers("reader1")
    path = f"/accounts/{service.account_id('reader1')}/sessions"
    assert len(service.get(path, "administrator").json()) == 1
    ended = service.post(f"{path}/ending", "administrator", json={"reason": "Lost the laptop."})
    assert (ended.status_code, ended.json()) == (200, {"ended": 1})
    assert status(service, headers) == 401
    with service.database.read() as session:
        entry = session.scalars(select(AuditEntry).where(AuditEntry.action == "end sessions")).one()
    assert (entry.reason, entry.actor) == ("Lost the laptop.", "Administrator")


def test_a_grant_that_is_ended_ends_at_once_and_frees_the_slot(service: TestService):
    service.grant("reader1", "HER2", reader_slot=1)
    account = f"/accounts/{service.account_id('reader1')}"
    (grant,) = service.get(account, "administrator").json()["grants"]
    path = f"{account}/grants/{grant['grant_id']}/ending"
    reason = {"reason": "Works for the sponsor now."}
    assert [service.post(path, "administrator", json=reason).status_code for _ in range(2)] == [204, 404]
    assert service.get("/accounts/me", "reader1").json()["grants"] == []
    service.grant("reader2", "HER2", reader_slot=1)
    with service.database.read() as session:
        entry = session.scalars(select(AuditEntry).where(AuditEntry.action == "end grant")).one()
    assert entry.before == '{"reader_slot":1,"site_id":null,"trial_id":"HER2"}'


def test_a_grant_is_ended_at_its_own_account_only(service: TestService):
    service.grant("reader1", "HER2", reader_slot=1)
    (grant,) = service.get(f"/accounts/{service.account_id('reader1')}", "administrator").json()["grants"]
    other = f"/accounts/{service.account_id('reader2')}/grants/{grant['grant_id']}/ending"
    assert service.post(other, "administrator", json={"reason": "A slip."}).status_code == 404
    assert len(service.get("/accounts/me", "reader1").json()["grants"]) == 1


def key_of(service: TestService, **payload: Any) -> dict[str, Any]:
    path = f"/accounts/{service.account_id('service')}/api-keys"
    answer = service.post(path, "administrator", json={"title": "EDC", **payload})
    assert answer.status_code == 201, answer.text
    created: dict[str, Any] = answer.json()
    return created


def bearer(key: dict[str, Any]) -> dict[str, str]:
    return {"Authorization": f"Bearer {key['key']}"}


def test_a_rotated_key_goes_on_for_its_overlap_and_the_new_one_has_its_scope(service: TestService):
    service.grant("service", "HER2")
    old = key_of(service, limits=[{"trial_id": "HER2", "site_id": "S01"}])
    rotation = {"valid_days": 30, "overlap_hours": 2}
    answer = service.post(f"/api-keys/{old['key_id']}/rotation", "administrator", json=rotation)
    assert answer.status_code == 201, answer.text
    new = answer.json()
    assert (new["replaces"], new["limits"]) == (old["key_id"], old["limits"])
    assert [status(service, bearer(key)) for key in (old, new)] == [200, 200]
    service.clock.advance(timedelta(hours=2))
    assert [status(service, bearer(key)) for key in (old, new)] == [401, 200]
    ended = service.post(f"/api-keys/{old['key_id']}/rotation", "administrator", json={})
    assert (ended.status_code, ended.json()["code"]) == (409, "key_ended")
    assert service.post(f"/api-keys/{MISSING}/rotation", "administrator", json={}).status_code == 404


def test_a_key_is_limited_to_a_site_and_never_beyond_its_account(service: TestService):
    service.grant("service", "HER2", site_id="S01")
    key = key_of(service, limits=[{"trial_id": "HER2"}, {"trial_id": "LUNG"}])
    grants = service.get("/accounts/me", headers=bearer(key)).json()["grants"]
    assert grants == [{"trial_id": "HER2", "site_id": "S01", "reader_slot": None}]


def test_the_last_use_of_a_key_is_shown(service: TestService):
    key = key_of(service)
    path = f"/accounts/{service.account_id('service')}/api-keys"
    assert [each["used_at"] for each in service.get(path, "administrator").json()] == [None]
    service.clock.advance(MINUTE)
    assert status(service, bearer(key)) == 200
    (listed,) = service.get(path, "administrator").json()
    assert listed["used_at"] == service.clock.now().isoformat().replace("+00:00", "Z")
    assert "key" not in listed


def test_a_signature_takes_an_earlier_entry_of_the_own_password_only(service: TestService):
    def enter(account: str) -> sign_in.Authentication:
        attempt = Attempt(account=account, password=PASSWORD, address="10.0.0.1", at=service.clock.now())
        passwords: Passwords = service.app.state.passwords
        principal = sign_in.sign_in(service.database, passwords, attempt, timedelta(hours=1)).principal
        return sign_in.confirm_password(service.database, passwords, principal, attempt)

    mine, others = enter("reader1"), enter("reader2")
    token = service.token("reader1")
    idle = timedelta(hours=1)
    principal = sign_in.authenticate(service.database, token, service.clock.now(), idle).principal
    assert sign_in.find_authentication(service.database, principal, mine.authentication_id) == mine
    with pytest.raises(UnauthenticatedError):
        sign_in.find_authentication(service.database, principal, others.authentication_id)


def wrong(service: TestService, account: str, address: str) -> None:
    attempt = Attempt(account=account, password="wrong", address=address, at=service.clock.now())  # noqa: S106
    with pytest.raises(UnauthenticatedError):
        sign_in.sign_in(service.database, service.app.state.passwords, attempt, HALF_HOUR)


def right(service: TestService, account: str, address: str) -> None:
    attempt = Attempt(account=account, password=PASSWORD, address=address, at=service.clock.now())
    sign_in.sign_in(service.database, service.app.state.passwords, attempt, HALF_HOUR)


def test_an_address_that_tries_many_accounts_waits_and_the_known_behind_it_do_not(service: TestService):
    right(service, "reader1", "10.0.0.1")
    for number in range(back_off.ADDRESS.free):
        wrong(service, f"guess{number}", "10.0.0.1")
    with pytest.raises(TooManyRequestsError, match="from this address"):
        right(service, "reader2", "10.0.0.1")
    right(service, "reader1", "10.0.0.1")
    right(service, "reader2", "10.0.0.2")


def test_an_account_that_is_tried_from_everywhere_waits_briefly_and_its_owner_does_not(service: TestService):
    right(service, "reader1", "10.0.0.1")
    for number in range(back_off.ACCOUNT.free):
        wrong(service, "reader1", f"192.0.2.{number}")
    with pytest.raises(TooManyRequestsError, match="for this account"):
        right(service, "reader1", "203.0.113.1")
    right(service, "reader1", "10.0.0.1")
    service.clock.advance(back_off.ACCOUNT.longest)
    right(service, "reader1", "203.0.113.1")


def test_the_count_is_shared_by_all_processes(service: TestService):
    for _ in range(back_off.PAIR.free):
        wrong(service, "reader1", "10.0.0.1")
    with (
        service.database.read() as session,
        pytest.raises(TooManyRequestsError),
    ):  # as another process sees it
        back_off.refuse_while_waiting(session, "reader1", "10.0.0.1", service.clock.now())
