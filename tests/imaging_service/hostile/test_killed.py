"""kill -9 between any two statements of a write: what it wrote is there whole, or not at all."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import pytest
from sqlalchemy import text

from imaging_service.tables import all_tables
from tests.builders.reading import TRIAL, ReadingRoom
from tests.builders.world import world
from tests.builders.write import Write
from tests.builders.writes import RECIPES

ROOT = Path(__file__).parents[3]
BESIDE = frozenset({"audit_entries", "authentication_events", "account_sessions", "sign_in_failures"})
"""Tables to which signing in, or entering the password again, adds in a transaction of its own."""

SHORT = (
    ("PUT", "/api/v1/reads/{read_id}/lesions/{lesion_id}"),
    ("POST", "/api/v1/reads/{read_id}/signature"),
    ("PATCH", "/api/v1/trials/{trial_id}/subjects/{subject_id}"),
)
"""What the ordinary suite kills, at a few places each; the campaign kills every write at every place."""


@dataclass(kw_only=True)
class Mortal:
    """A room, and the process that answers for it and dies."""

    room: ReadingRoom
    process: "subprocess.Popen[str]"

    def send(self, method: str, write: Write, dies_at: int) -> dict[str, Any]:
        """Let a service answer a request, and die before a statement."""
        body = write.bodies[0]
        is_text = isinstance(body, str)
        headers = {"Content-Type": "application/json", **write.headers}
        if write.account is not None:
            headers |= self.room.service.headers(write.account)
        wanted = {
            "method": method,
            "path": f"/api/v1{write.path}",
            "headers": headers,
            "body": body if is_text else "" if body is None else json.dumps(body),
            "dies_at": dies_at,
        }
        stdin: IO[str] | None = self.process.stdin
        stdout: IO[str] | None = self.process.stdout
        assert stdin is not None
        assert stdout is not None
        stdin.write(json.dumps(wanted) + "\n")
        stdin.flush()
        told: dict[str, Any] = json.loads(stdout.readline())
        return told

    def rows(self) -> dict[str, list[str]]:
        """Return every row of every table of the trial."""
        found = {}
        with self.room.service.database.read() as session:
            for name in all_tables().tables:
                statement = text(f"SELECT * FROM {name}")  # noqa: S608  our own names
                found[name] = sorted(repr(tuple(row)) for row in session.execute(statement))
        return found


@contextmanager
def _mortal(url: str) -> Iterator[Mortal]:
    with world(url) as small:
        command = [sys.executable, "-m", "tests.builders.killed", url, small.service.clock.now().isoformat()]
        with subprocess.Popen(
            command,
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        ) as process:
            yield Mortal(room=small.room, process=process)
            assert process.stdin is not None
            process.stdin.close()


LONG = (
    pytest.mark.campaign,
    pytest.mark.skipif("CAMPAIGN" not in os.environ, reason="the long form runs by 'make campaign'"),
)


@pytest.fixture(scope="module", params=["sqlite", pytest.param("postgresql", marks=LONG)])
def mortal(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mortal]:
    with ExitStack() as stack:
        if request.param == "sqlite":
            url = f"sqlite:///{tmp_path_factory.mktemp('killed')}/world.sqlite"
        else:
            url = stack.enter_context(request.getfixturevalue("postgres").database())
        yield stack.enter_context(_mortal(url))


def assert_whole(mortal: Mortal, before: dict[str, list[str]], grown: dict[str, int], why: str) -> bool:
    """Compare what is there after a death with what was there before; return whether the write is there."""
    after = mortal.rows()
    changed = {name for name, rows in after.items() if rows != before[name]} - BESIDE
    service = mortal.room.service
    assert service.get("/audit/verification", "administrator").json()["findings"] == [], why
    if not changed:
        return False
    growth = {name: len(rows) - len(before[name]) for name, rows in after.items() if name not in BESIDE}
    assert growth == grown, f"{why}: half of the write is there: {sorted(changed)}"
    return True


def kill_at(mortal: Mortal, route: tuple[str, str], places: Any) -> int:
    """Kill a write at each of some places, counted by how many statements it has; return the deaths."""
    method, _ = route
    recipe = RECIPES[route]
    write = recipe(mortal.room)
    before = mortal.rows()
    whole = mortal.send(method, write, 0)
    assert whole["status"] < 300, whole
    after = mortal.rows()
    grown = {name: len(rows) - len(before[name]) for name, rows in after.items() if name not in BESIDE}
    write, deaths = recipe(mortal.room), 0
    before = mortal.rows()
    for place in places(int(whole["statements"])):
        told = mortal.send(method, write, place)
        deaths += told["died"]
        why = f"{' '.join(route)} died before statement {place} of {whole['statements']}"
        if assert_whole(mortal, before, grown, why):
            write = recipe(mortal.room)
        before = mortal.rows()
    finished = mortal.send(method, write, 0)
    assert finished["status"] < 300, f"{' '.join(route)} cannot be carried out after a death: {finished}"
    return deaths


def some(statements: int) -> list[int]:
    return sorted({statements // 2, statements - 3, statements - 1, statements})


def every(statements: int) -> range:
    return range(1, statements + 1)


@pytest.mark.parametrize("route", SHORT, ids=[" ".join(each) for each in SHORT])
def test_a_write_that_dies_is_there_whole_or_not_at_all(mortal: Mortal, route: tuple[str, str]) -> None:
    assert kill_at(mortal, route, some) >= 3


@pytest.mark.campaign
@pytest.mark.skipif("CAMPAIGN" not in os.environ, reason="the long form runs by 'make campaign'")
@pytest.mark.timeout(7200)
@pytest.mark.parametrize("route", sorted(RECIPES), ids=[" ".join(each) for each in sorted(RECIPES)])
def test_every_write_at_every_statement(mortal: Mortal, route: tuple[str, str]) -> None:
    assert kill_at(mortal, route, every) > 2


def test_what_is_left_follows_from_what_is_stored(mortal: Mortal) -> None:
    path = f"/trials/{TRIAL}/assessments/recomputation"
    assert mortal.room.service.get(path, "coordinator").json()["differences"] == []
