"""A process that forks, for every request it is given, a service that may kill itself half-way.

``python -m tests.builders.killed DATABASE_URL INSTANT`` reads one request a line from standard input, as
JSON with the number of the statement before which the service dies by SIGKILL (0 for none), and answers
with a line that says whether it died, its status, and how many statements there were.
"""

import json
import os
import signal
import sys
import warnings
from datetime import datetime
from typing import Any

from sqlalchemy import Engine, event

from imaging_service.app import create_app
from imaging_service.clock import FixedClock
from imaging_service.database import Database
from imaging_service.jobs.embedded import EmbeddedQueue
from imaging_service.settings import ServiceSettings
from imaging_service.tables import all_tables
from tests.builders.service import QUICK

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # the test client's maker recommends another HTTP library
    from fastapi.testclient import TestClient


class _Fuse:
    """Counts what is sent to the database, commits included, and burns through before the wanted one."""

    def __init__(self, at: int) -> None:
        self.at = at
        self.count = 0
        event.listen(Engine, "before_cursor_execute", self._step)
        event.listen(Engine, "commit", self._step)

    def _step(self, *_: Any) -> None:
        self.count += 1
        if self.count == self.at:
            os.kill(os.getpid(), signal.SIGKILL)


def serve_once(url: str, now: datetime, wanted: dict[str, Any], told: int) -> None:
    """Answer one request, if it lives long enough, and write how it went."""
    settings = ServiceSettings(database_url=url, **QUICK)
    clock = FixedClock(now)
    database = Database(url)
    app = create_app(settings, database, clock=clock, jobs=EmbeddedQueue(clock))
    with TestClient(app, raise_server_exceptions=False) as client:
        fuse = _Fuse(wanted["dies_at"])
        answer = client.request(
            wanted["method"], wanted["path"], headers=wanted["headers"], content=wanted["body"].encode()
        )
    os.write(told, json.dumps({"status": answer.status_code, "statements": fuse.count}).encode())


def main() -> None:
    """Fork for every line."""
    url, now = sys.argv[1], datetime.fromisoformat(sys.argv[2])
    all_tables()
    lines = os.fdopen(os.dup(1), "w")
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # the log goes nowhere, and not between the answers
    for line in sys.stdin:
        reading, writing = os.pipe()
        child = os.fork()
        if child == 0:
            serve_once(url, now, json.loads(line), writing)
            os._exit(0)
        os.close(writing)
        with os.fdopen(reading, "rb") as pipe:
            told = pipe.read()
        _, status = os.waitpid(child, 0)
        died = os.WIFSIGNALED(status)
        print(json.dumps({"died": died, **(json.loads(told) if told else {})}), file=lines, flush=True)


if __name__ == "__main__":
    main()
