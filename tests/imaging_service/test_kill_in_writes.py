"""Kill -9 in the middle of sign-ins and new accounts: each is there whole, or not at all."""

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import text

from imaging_service.accounts import service as accounts
from imaging_service.accounts.back_off import sha256
from imaging_service.accounts.passwords import Passwords
from imaging_service.accounts.principal import Role
from imaging_service.audit import service as audit
from imaging_service.audit.actor import OPERATOR
from imaging_service.clock import SystemClock
from imaging_service.database import Database
from imaging_service.migrations.migrate import migrate
from tests.builders.peers import free_port
from tests.builders.service import PASSWORD

WRITERS = 6
ENOUGH = 40


LONG = (
    pytest.mark.campaign,
    pytest.mark.skipif("CAMPAIGN" not in os.environ, reason="the long form runs by 'make campaign'"),
)


# a killed service leaves a transaction open in either database; what PostgreSQL makes of it is its own
@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=LONG)])
def database_url(request: pytest.FixtureRequest) -> str:
    return str(request.getfixturevalue(f"{request.param}_url"))


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    with closing(Database(database_url)) as database:
        migrate(database)
        with database.write() as session:
            accounts.create_account(
                session,
                OPERATOR,
                account="admin",
                name="Admin",
                roles=[Role.ADMINISTRATOR],
                password_hash=Passwords(memory_kib=8, passes=1).hash(PASSWORD),
                now=SystemClock().now(),
            )
        yield database


@contextmanager
def served(database_url: str, folder: Path) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    port = free_port()
    environment = {
        **os.environ,
        "IMAGING_SERVICE_DATABASE_URL": database_url,
        "IMAGING_SERVICE_ARCHIVE_DATABASE_URL": f"sqlite:///{folder}/index.sqlite",
        "IMAGING_SERVICE_ARCHIVE_OBJECTS": str(folder / "objects"),
        "IMAGING_SERVICE_AUDIT_WITNESS": str(folder / "heads.jsonl"),
        "IMAGING_SERVICE_PASSWORD_MEMORY_KIB": "8",
        "IMAGING_SERVICE_PASSWORD_PASSES": "1",
        "IMAGING_SERVICE_ANONYMOUS_REQUESTS_PER_MINUTE": "1000000",
        "IMAGING_SERVICE_PORT": str(port),
    }
    process = subprocess.Popen(
        [sys.executable, "-m", "imaging_service.cli", "serve"],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    try:
        assert process.stdout is not None
        assert b"answers at" in process.stdout.readline()
        yield f"http://127.0.0.1:{port}/api/v1", process
    finally:
        process.kill()
        process.communicate()


class Writer(threading.Thread):
    """Signs in and creates accounts until nobody answers; keeps what was acknowledged."""

    def __init__(self, address: str, number: int) -> None:
        super().__init__(daemon=True)
        self.tokens: list[str] = []
        self.accounts: list[str] = []
        self._address = address
        self._number = number

    def run(self) -> None:
        try:
            with httpx.Client(base_url=self._address, timeout=30) as client:
                while True:
                    self._write(client)
        except (httpx.HTTPError, OSError):
            return

    def _write(self, client: httpx.Client) -> None:
        payload = {"account": "admin", "password": PASSWORD}
        answer = client.post("/sessions", json=payload)
        assert answer.status_code == 201, answer.text
        token = answer.json()["token"]
        self.tokens.append(token)
        name = f"w{self._number}-{len(self.accounts)}"
        new = {"account": name, "name": name, "roles": ["reader"], "grants": [{"trial_id": name}]}
        answer = client.post("/accounts", json=new, headers={"Authorization": f"Bearer {token}"})
        assert answer.status_code == 201, answer.text
        self.accounts.append(answer.json()["account_id"])


def rows(database: Database, statement: str) -> list[Any]:
    with database.read() as session:
        return [tuple(row) for row in session.execute(text(statement))]


def test_what_was_acknowledged_is_there_and_nothing_is_half_there(
    database: Database, database_url: str, tmp_path: Path
):
    with served(database_url, tmp_path) as (address, process):
        writers = [Writer(address, number) for number in range(WRITERS)]
        for writer in writers:
            writer.start()
        while sum(len(writer.accounts) for writer in writers) < ENOUGH:
            assert any(writer.is_alive() for writer in writers)
            threading.Event().wait(0.01)
        os.kill(process.pid, signal.SIGKILL)
        for writer in writers:
            writer.join(60)

    stored = {row[0] for row in rows(database, "SELECT token_sha256 FROM account_sessions")}
    assert {sha256(token) for writer in writers for token in writer.tokens} <= stored
    existing = {row[0]: row[1] for row in rows(database, "SELECT account_id, account FROM accounts")}
    assert {account for writer in writers for account in writer.accounts} <= existing.keys()
    granted = {row[0]: row[1] for row in rows(database, "SELECT account_id, trial_id FROM account_grants")}
    assert granted == {key: name for key, name in existing.items() if name != "admin"}

    with database.read() as session:
        assert audit.verify(session) == []
    entered = rows(database, "SELECT action, entity_id, after FROM audit_entries")
    assert {entity for action, entity, _ in entered if action == "create account"} == existing.keys()
    assert {entity for action, entity, _ in entered if action == "grant"} == granted.keys()
    sessions = {row[0] for row in rows(database, "SELECT session_id FROM account_sessions")}
    assert {entity for action, entity, _ in entered if action == "sign in"} == sessions
    assert all(json.loads(after) for _, _, after in entered if after is not None)
