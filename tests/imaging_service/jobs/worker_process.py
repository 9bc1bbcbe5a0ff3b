"""A worker in a process of its own, which a test may stop, wake and kill.

Its handlers write one row of ``effects`` each; what they do around that is told by their names. They keep
a journal in the test's folder, one line for each thing they do, and wait while a file holds them.
"""

import os
import signal
import time
from collections.abc import Mapping
from datetime import timedelta
from functools import partial
from pathlib import Path
from threading import Event
from typing import Any, cast

from sqlalchemy import text

from imaging_service.clock import SystemClock
from imaging_service.database import Database
from imaging_service.jobs.embedded import EmbeddedQueue, EmbeddedRunner
from imaging_service.jobs.policy import LeasePolicy, RetryPolicy
from imaging_service.jobs.port import Handlers, JobRunner, WorkerContext, WorkerServices
from imaging_service.jobs.procrastinate import ProcrastinateQueue, ProcrastinateRunner

LONG_LEASES = LeasePolicy(length=timedelta(seconds=30), heartbeat=timedelta(seconds=0.5))
SHORT_LEASES = LeasePolicy(length=timedelta(seconds=1), heartbeat=timedelta(seconds=0.2))
RETRIES = RetryPolicy(attempts=3, first_pause=timedelta(seconds=0.05), longest_pause=timedelta(seconds=0.2))


def services(kind: str, database: Database) -> WorkerServices:
    clock = SystemClock()
    queue = EmbeddedQueue(clock) if kind == "embedded" else ProcrastinateQueue()
    return WorkerServices(database=database, archive=cast("Any", None), clock=clock, queue=queue)


def runner(kind: str, house: WorkerServices, handlers: Handlers, leases: LeasePolicy) -> JobRunner:
    create = EmbeddedRunner if kind == "embedded" else ProcrastinateRunner
    return create(house, handlers, retries=RETRIES, leases=leases)


def note(folder: Path, line: str) -> None:
    """Append a line to the journal, whole even when several processes write."""
    descriptor = os.open(folder / "journal", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.write(descriptor, f"{line} {os.getpid()}\n".encode())
    os.close(descriptor)


def _wait_while_held(folder: Path, name: str) -> None:
    note(folder, f"holding {name}")
    while (folder / f"hold-{name}").exists():
        time.sleep(0.01)


def write_effect(context: WorkerContext, payload: Mapping[str, Any]) -> None:
    with context.completion() as session:
        session.execute(text("INSERT INTO effects (name) VALUES (:name)"), {"name": payload["name"]})


def hold_before_writing(folder: Path, context: WorkerContext, payload: Mapping[str, Any]) -> None:
    note(folder, f"begin {payload['name']}")
    _wait_while_held(folder, payload["name"])
    note(folder, f"end {payload['name']}")
    write_effect(context, payload)


def hold_before_commit(folder: Path, context: WorkerContext, payload: Mapping[str, Any]) -> None:
    with context.completion() as session:
        session.execute(text("INSERT INTO effects (name) VALUES (:name)"), {"name": payload["name"]})
        _wait_while_held(folder, payload["name"])


def hold_after_commit(folder: Path, context: WorkerContext, payload: Mapping[str, Any]) -> None:
    write_effect(context, payload)
    _wait_while_held(folder, payload["name"])


def hold_each_attempt(folder: Path, context: WorkerContext, payload: Mapping[str, Any]) -> None:
    _wait_while_held(folder, f"{payload['name']}-{context.attempt}")
    if context.attempt in payload.get("failing", ()):
        message = "this attempt fails"
        raise OSError(message)
    write_effect(context, payload)


def end_the_process(folder: Path, _context: WorkerContext, payload: Mapping[str, Any]) -> None:
    note(folder, f"begin {payload['name']}")
    os.kill(os.getpid(), signal.SIGKILL)


def handlers(folder: Path) -> Handlers:
    return {
        "write_effect": write_effect,
        "hold_before_writing": partial(hold_before_writing, folder),
        "hold_before_commit": partial(hold_before_commit, folder),
        "hold_after_commit": partial(hold_after_commit, folder),
        "hold_each_attempt": partial(hold_each_attempt, folder),
        "end_the_process": partial(end_the_process, folder),
    }


def main(kind: str, database_url: str, folder: Path, leases: LeasePolicy) -> None:
    stop = Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    runner(kind, services(kind, Database(database_url)), handlers(folder), leases).run(stop)
