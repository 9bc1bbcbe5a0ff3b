"""Sign in, be known, sign out; wrong passwords wait, and shut out nobody else."""

from collections.abc import Iterator
from datetime import timedelta

import httpx
import pytest
from sqlalchemy import select

from imaging_service.accounts import back_off, sign_in
from imaging_service.accounts.passwords import Passwords
from imaging_service.accounts.sign_in import Attempt, Authentication
from imaging_service.accounts.tables import AccountSession
from imaging_service.audit import service as audit
from imaging_service.audit.tables import AuditEntry
from imaging_service.errors import (
    BusyError,
    RefusedError,
    TooManyRequestsError,
    UnauthenticatedError,
)
from tests.builders.service import PASSWORD, TestService, on_loopback, running_service

TWELVE_HOURS = timedelta(hours=12)


def enter(service: TestService, password: str, account: str = "reader1", address: str = "10.0.0.1"):
    attempt = Attempt(account=account, password=password, address=address, at=service.clock.now())
    return sign_in.sign_in(service.database, service.app.state.passwords, attempt, TWELVE_HOURS)


def test_a_signed_in_account_is_known(service: TestService):
    me = service.get("/accounts/me", "reader1")
    assert me.status_code == 200, me.text
    assert (me.json()["account"], me.json()["roles"]) == ("reader1", ["reader"])


def test_a_token_ends_with_its_time(service: TestService):
    headers = service.headers("reader1")
    service.clock.advance(TWELVE_HOURS)
    answer = service.get("/accounts/me", headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (401, "token_invalid")


def test_a_token_ends_with_the_sign_out(service: TestService):
    headers = service.headers("reader1")
    assert service.delete("/sessions/current", headers=headers).status_code == 204
    assert service.get("/accounts/me", headers=headers).status_code == 401


def test_a_token_ends_with_its_account(service: TestService):
    headers = service.headers("reader1")
    path = f"/accounts/{service.account_id('reader1')}/closure"
    closed = service.post(path, "administrator", json={"reason": "Left the reading centre."})
    assert closed.status_code == 204
    assert service.get("/accounts/me", headers=headers).status_code == 401
    answer = service.post("/sessions", json={"account": "reader1", "password": PASSWORD})
    assert answer.status_code == 401


def test_only_the_hash_of_a_token_is_stored(service: TestService):
    token = service.token("reader1")
    with service.database.read() as session:
        stored = session.scalars(select(AccountSession.token_sha256)).all()
    assert stored == [back_off.sha256(token)]


def test_an_unknown_account_and_a_wrong_password_are_answered_the_same(service: TestService):
    answers = [
        service.post("/sessions", json={"account": account, "password": "wrong password"})
        for account in ("reader1", "nobody")
    ]
    assert [answer.status_code for answer in answers] == [401, 401]
    assert answers[0].json() == answers[1].json()


def test_an_account_without_a_password_cannot_sign_in(service: TestService):
    service.post("/accounts", "administrator", json={"account": "edc", "name": "EDC", "roles": ["service"]})
    answer = service.post("/sessions", json={"account": "edc", "password": PASSWORD})
    assert answer.status_code == 401


def test_wrong_passwords_make_the_next_attempt_wait_longer_each_time(service: TestService):
    for _ in range(back_off.PAIR.free):
        with pytest.raises(UnauthenticatedError):
            enter(service, "wrong password")
    for seconds in (1, 2, 4, 8, 16, 32, 60, 60):
        service.clock.advance(timedelta(seconds=seconds - 0.5))
        with pytest.raises(TooManyRequestsError) as refusal:
            enter(service, PASSWORD)  # even the right one waits
        assert refusal.value.headers == {"Retry-After": "1"}
        service.clock.advance(timedelta(seconds=1))
        with pytest.raises(UnauthenticatedError):
            enter(service, "wrong password")


def test_the_wait_is_the_attackers_and_nobody_elses(service: TestService):
    for _ in range(back_off.PAIR.free):
        with pytest.raises(UnauthenticatedError):
            enter(service, "wrong password")
    with pytest.raises(TooManyRequestsError):
        enter(service, PASSWORD)
    assert enter(service, PASSWORD, address="10.0.0.2").principal.account == "reader1"
    assert enter(service, PASSWORD, account="reader2").principal.account == "reader2"


def test_the_right_password_ends_the_count(service: TestService):
    for _ in range(3):
        for _ in range(back_off.PAIR.free - 1):
            with pytest.raises(UnauthenticatedError):
                enter(service, "wrong password")
        enter(service, PASSWORD)


def test_a_failed_sign_in_is_on_the_record_without_the_password(service: TestService):
    with pytest.raises(UnauthenticatedError):
        enter(service, "wrong password")
    with service.database.read() as session:
        entry = session.scalars(select(AuditEntry).where(AuditEntry.action == "refuse sign in")).one()
    assert entry.entity_id == service.account_id("reader1")
    assert entry.after == '{"address":"10.0.0.1"}'


def confirmed(service: TestService) -> Authentication:
    principal = enter(service, PASSWORD).principal
    attempt = Attempt(account="reader1", password=PASSWORD, address="10.0.0.1", at=service.clock.now())
    return sign_in.confirm_password(service.database, service.app.state.passwords, principal, attempt)


def spend(service: TestService, authentication: Authentication, account: str = "reader1") -> None:
    principal = enter(service, PASSWORD, account=account).principal
    with service.database.write() as session:
        now = service.clock.now()
        sign_in.use_authentication(session, principal, authentication, now=now)
        audit.record(session, principal, action="sign read", entity="read", entity_id="1", at=now)


def test_a_password_entered_again_carries_one_signature(service: TestService):
    authentication = confirmed(service)
    spend(service, authentication)
    with pytest.raises(UnauthenticatedError) as refusal:
        spend(service, authentication)
    assert refusal.value.code == "authentication_spent"


def test_a_password_entered_again_is_worth_nothing_after_five_minutes(service: TestService):
    authentication = confirmed(service)
    service.clock.advance(timedelta(minutes=5, seconds=1))
    with pytest.raises(UnauthenticatedError):
        spend(service, authentication)


def test_a_password_entered_again_is_worth_nothing_to_another(service: TestService):
    with pytest.raises(UnauthenticatedError):
        spend(service, confirmed(service), account="reader2")


@pytest.mark.parametrize("password", ["short", "x" * 257], ids=["short", "long"])
def test_a_password_has_a_length(password: str):
    with pytest.raises(RefusedError, match=f"{len(password)} characters"):
        Passwords(memory_kib=8, passes=1).hash(password)


def test_a_password_check_waits_for_its_turn_and_not_for_ever():
    passwords = Passwords(memory_kib=8, passes=1, at_once=1, wait_seconds=0.01)
    with passwords.turn(), pytest.raises(BusyError):
        passwords.verify(None, PASSWORD)
    assert passwords.verify(passwords.hash(PASSWORD), PASSWORD)


@pytest.fixture
def crowded(sqlite_url: str) -> Iterator[TestService]:
    with running_service(
        sqlite_url, chapters=("accounts", "operations"), passwords_at_once=1, passwords_waiting=1
    ) as service:
        yield service


def test_a_crowd_that_signs_in_does_not_keep_others_from_working(crowded: TestService):
    headers = crowded.headers("reader1")
    passwords: Passwords = crowded.app.state.passwords
    with on_loopback(crowded) as address, passwords.turn():  # the one check that may run is running
        with httpx.Client(base_url=address, timeout=0.3) as impatient:
            payload = {"account": "reader2", "password": PASSWORD}
            for _ in range(2):  # one has the turn at the limiter, one waits
                with pytest.raises(httpx.TimeoutException):
                    impatient.post("/api/v1/sessions", json=payload)
            crowd = httpx.post(f"{address}/api/v1/sessions", json=payload, timeout=30)
        assert (crowd.status_code, crowd.headers["retry-after"]) == (503, "5")
        assert httpx.get(f"{address}/api/v1/accounts/me", headers=headers, timeout=30).status_code == 200
