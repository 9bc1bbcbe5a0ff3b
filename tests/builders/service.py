"""A service for tests: its application over a database, accounts of every role, signed-in callers."""

import threading
import warnings
from collections.abc import Iterator, MutableMapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from http.cookiejar import DefaultCookiePolicy
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from fastapi import FastAPI
from structlog.testing import capture_logs

from imaging_service.accounts import service as accounts
from imaging_service.accounts.passwords import Passwords
from imaging_service.accounts.principal import Role
from imaging_service.accounts.scope import Grant
from imaging_service.app import CHAPTERS, create_app
from imaging_service.audit.actor import OPERATOR
from imaging_service.clock import FixedClock
from imaging_service.database import Database
from imaging_service.http.server import address_of, bind, make_server
from imaging_service.jobs.embedded import EmbeddedQueue
from imaging_service.settings import ServiceSettings
from imaging_service.tables import all_tables

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # the test client's maker recommends another HTTP library
    from fastapi.testclient import TestClient

PASSWORD = "correct horse battery"  # noqa: S105  of accounts that live as long as a test
MONDAY = datetime(2026, 1, 5, 8, 0, tzinfo=UTC)

ACCOUNTS: dict[str, tuple[Role, ...]] = {
    "administrator": (Role.ADMINISTRATOR,),
    "coordinator": (Role.COORDINATOR,),
    "reader1": (Role.READER,),
    "reader2": (Role.READER,),
    "adjudicator": (Role.ADJUDICATOR,),
    "sponsor": (Role.SPONSOR,),
    "service": (Role.SERVICE,),
    "site": (Role.SITE,),
}
"""Accounts that every test service has; their password is `PASSWORD`."""

NO_COOKIES = DefaultCookiePolicy(allowed_domains=[])
"""A request is by whom its headers say, not by who signed in last."""

QUICK: dict[str, Any] = {
    "password_memory_kib": 8,
    "password_passes": 1,
    "session_idle_seconds": 43_200,
    "anonymous_requests_per_minute": 1_000_000,
    "wrong_tokens_per_minute": 1_000_000,
}
"""Settings that make passwords cheap, and let a test ask as often and as seldom as it likes."""


@dataclass(kw_only=True)
class TestService:
    """A service with its database, its clock, and a client that is signed in as whom the test says."""

    __test__ = False  # not a class of tests

    app: FastAPI
    client: TestClient
    database: Database
    clock: FixedClock
    settings: ServiceSettings
    logs: list[MutableMapping[str, Any]]
    """What was logged, entry by entry."""
    _tokens: dict[str, tuple[str, datetime]] = field(default_factory=dict)

    def account_id(self, account: str) -> str:
        """Return an account's key."""
        with self.database.read() as session:
            return accounts.find_account(session, account).account_id

    def add_account(self, account: str, *roles: Role, name: str | None = None) -> None:
        """Create one more account with `PASSWORD`."""
        with self.database.write() as session:
            accounts.create_account(
                session,
                OPERATOR,
                account=account,
                name=name or account.capitalize(),
                roles=roles,
                password_hash=_password_hash(),
                now=self.clock.now(),
            )

    def grant(
        self, account: str, trial_id: str, *, site_id: str | None = None, reader_slot: int | None = None
    ) -> None:
        """Let an account act on a trial, a site of it, or in a reader slot of it."""
        permission = Grant(trial_id=trial_id, site_id=site_id, reader_slot=reader_slot)
        with self.database.write() as session:
            accounts.grant_to(session, OPERATOR, account, permission, now=self.clock.now())

    def token(self, account: str) -> str:
        """Return a token of the account; one token serves until the clock passes its end."""
        token, expires_at = self._tokens.get(account, ("", self.clock.now()))
        if self.clock.now() >= expires_at:
            payload = {"account": account, "password": PASSWORD}
            answer = self.client.post("/api/v1/sessions", json=payload)
            assert answer.status_code == 201, answer.text
            token = answer.json()["token"]
            self._tokens[account] = (token, datetime.fromisoformat(answer.json()["expires_at"]))
        return token

    def forget_tokens(self) -> None:
        """Sign in anew from now on: after an account has signed out, or was closed."""
        self._tokens.clear()

    def headers(self, account: str) -> dict[str, str]:
        """Return the headers of a request by the account."""
        return {"Authorization": f"Bearer {self.token(account)}"}

    def request(self, method: str, path: str, account: str | None = None, **arguments: Any) -> Any:
        """Send a request to a path below /api/v1, as the account or as nobody, and return the answer."""
        headers = {**(self.headers(account) if account else {}), **arguments.pop("headers", {})}
        return self.client.request(method, f"/api/v1{path}", headers=headers, **arguments)

    def get(self, path: str, account: str | None = None, **arguments: Any) -> Any:
        return self.request("GET", path, account, **arguments)

    def post(self, path: str, account: str | None = None, **arguments: Any) -> Any:
        return self.request("POST", path, account, **arguments)

    def put(self, path: str, account: str | None = None, **arguments: Any) -> Any:
        return self.request("PUT", path, account, **arguments)

    def patch(self, path: str, account: str | None = None, **arguments: Any) -> Any:
        return self.request("PATCH", path, account, **arguments)

    def delete(self, path: str, account: str | None = None, **arguments: Any) -> Any:
        return self.request("DELETE", path, account, **arguments)


@contextmanager
def running_service(
    database_url: str,
    *,
    archive: Any = None,
    jobs: Any = None,
    now: datetime = MONDAY,
    chapters: Sequence[str] = CHAPTERS,
    is_new: bool = True,
    **settings: Any,
) -> Iterator[TestService]:
    """Give a service over an empty database, with every account of `ACCOUNTS`; or over one that has them."""
    with TemporaryDirectory() as folder:
        settings.setdefault("audit_witness", Path(folder) / "audit-heads.jsonl")
        wanted = ServiceSettings(database_url=database_url, **{**QUICK, **settings})
        database = Database(database_url, connections=wanted.database_connections, wait_seconds=10)
        all_tables()  # of every chapter, mounted or not
        database.create_all()
        clock = FixedClock(now)
        jobs = EmbeddedQueue(clock) if jobs is None else jobs
        app = create_app(wanted, database, clock=clock, archive=archive, jobs=jobs, chapters=chapters)
        try:
            with capture_logs() as logs, TestClient(app, raise_server_exceptions=False) as client:
                client.cookies.jar.set_policy(NO_COOKIES)
                service = TestService(
                    app=app, client=client, database=database, clock=clock, settings=wanted, logs=logs
                )
                if is_new:
                    _create_accounts(service)
                yield service
        finally:
            database.close()


def _create_accounts(service: TestService) -> None:
    with service.database.write() as session:
        for account, roles in ACCOUNTS.items():
            accounts.create_account(
                session,
                OPERATOR,
                account=account,
                name=account.capitalize(),
                roles=roles,
                password_hash=_password_hash(),
                now=service.clock.now(),
            )


@cache
def _password_hash() -> str:
    return Passwords(memory_kib=8, passes=1).hash(PASSWORD)


@contextmanager
def on_loopback(service: TestService, **settings: Any) -> Iterator[str]:
    """Serve the application on a free port of this machine, with its own server, and give the web address."""
    wanted = service.settings.model_copy(update=settings)
    listening = bind("127.0.0.1", 0)
    ready = threading.Event()
    server = make_server(service.app, wanted, ready.set)
    thread = threading.Thread(target=server.run, args=([listening],), daemon=True)
    thread.start()
    try:
        assert ready.wait(30), "the server did not start"
        yield address_of(listening, is_tls=wanted.tls_certificate is not None)
    finally:
        server.should_exit = True
        thread.join(30)
