"""Both queues, each on every database that it runs on, and workers in processes of their own."""

import multiprocessing
import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from multiprocessing.process import BaseProcess
from pathlib import Path
from threading import Event, Thread

import pytest
from sqlalchemy import Table, text
from sqlalchemy.exc import OperationalError

from imaging_service.database import Base, Database, ensure_schema
from imaging_service.jobs import installation
from imaging_service.jobs.policy import LeasePolicy
from imaging_service.jobs.port import Handlers, Job, WorkerServices
from imaging_service.jobs.tables import JobFailureRow, JobRow
from tests.imaging_service.jobs import worker_process
from tests.imaging_service.jobs.worker_process import LONG_LEASES

KINDS = ("embedded-sqlite", "embedded-postgresql", "procrastinate-postgresql")
_PATIENCE_SECONDS = 60.0
_TOUCH = {
    "embedded": ["UPDATE jobs SET attempts = attempts"],
    "procrastinate": [
        "UPDATE procrastinate_jobs SET attempts = attempts",
        "UPDATE procrastinate_workers SET last_heartbeat = last_heartbeat",
    ],
}

_TABLES = [row.__table__ for row in (JobRow, JobFailureRow) if isinstance(row.__table__, Table)]
_PROCESSES = multiprocessing.get_context("forkserver")  # whose server imports once for all workers
_PROCESSES.set_forkserver_preload(["__main__", worker_process.__name__])


def wait_until(condition: Callable[[], object], what: str, seconds: float = _PATIENCE_SECONDS) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            pytest.fail(f"{what} did not happen within {seconds} s")
        time.sleep(0.02)


@dataclass(kw_only=True)
class Bench:
    """A queue on an empty database, with a table of effects."""

    kind: str
    url: str
    folder: Path
    services: WorkerServices
    workers: list[BaseProcess] = field(default_factory=list)

    def enqueue(self, *jobs: Job) -> list[bool]:
        with self.services.database.write() as session:
            return [self.services.queue.enqueue(session, job) for job in jobs]

    def pending(self) -> int:
        with self.services.database.read() as session:
            return self.services.queue.pending(session)

    def parked(self):
        with self.services.database.read() as session:
            return self.services.queue.parked(session)

    def effects(self) -> list[str]:
        with self.services.database.read() as session:
            return list(session.scalars(text("SELECT name FROM effects ORDER BY name")))

    def journal(self) -> list[list[str]]:
        path = self.folder / "journal"
        return [line.split() for line in path.read_text().splitlines()] if path.exists() else []

    @contextmanager
    def running(self, handlers: Handlers | None = None) -> Iterator[None]:
        """Run jobs in this process meanwhile."""
        stop = Event()
        runner = worker_process.runner(
            self.kind, self.services, handlers or worker_process.handlers(self.folder), LONG_LEASES
        )
        thread = Thread(target=runner.run, args=(stop,))
        thread.start()
        try:
            yield
        finally:
            stop.set()
            thread.join()

    def run_until_empty(self, handlers: Handlers | None = None) -> None:
        with self.running(handlers):
            wait_until(lambda: self.pending() == 0, "An empty queue")

    def start_worker(self, leases: LeasePolicy = LONG_LEASES) -> BaseProcess:
        worker = _PROCESSES.Process(
            target=worker_process.main, args=(self.kind, self.url, self.folder, leases), daemon=True
        )
        worker.start()
        self.workers.append(worker)
        return worker

    def freeze(self, worker: BaseProcess) -> None:
        """Stop the process where it stands, but not while it holds a lock of the database."""
        assert worker.pid
        while True:
            os.kill(worker.pid, signal.SIGSTOP)
            if self._is_unlocked():
                return
            os.kill(worker.pid, signal.SIGCONT)
            time.sleep(0.01)

    def _is_unlocked(self) -> bool:
        impatient = Database(self.url, wait_seconds=0.3)
        try:
            with impatient.write() as session:
                for statement in _TOUCH[self.kind]:
                    session.execute(text(statement))
        except OperationalError:
            return False
        finally:
            impatient.close()
        return True

    def hold(self, name: str) -> None:
        (self.folder / f"hold-{name}").touch()

    def let_go(self, name: str) -> None:
        (self.folder / f"hold-{name}").unlink()

    def wait_until_held(self, name: str) -> int:
        """Return the process that holds the job."""
        wait_until(lambda: self._holders(name), f"A worker at {name}")
        return self._holders(name)[-1]

    def _holders(self, name: str) -> list[int]:
        return [int(pid) for what, which, pid in self.journal() if (what, which) == ("holding", name)]


@pytest.fixture(params=KINDS)
def bench(request, tmp_path) -> Iterator[Bench]:
    kind, server = request.param.split("-")
    url = request.getfixturevalue(f"{server}_url")
    database = Database(url)
    with database.writer.begin() as connection:
        ensure_schema(connection)
        Base.metadata.create_all(connection, tables=_TABLES)
        connection.execute(text("CREATE TABLE effects (name text)"))
    if kind == "procrastinate":
        installation.install(database.writer)
    bench = Bench(kind=kind, url=url, folder=tmp_path, services=worker_process.services(kind, database))
    yield bench
    for worker in bench.workers:
        worker.kill()
        worker.join()
    database.close()
