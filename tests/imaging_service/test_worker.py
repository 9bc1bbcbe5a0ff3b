"""The worker's parts go on by themselves, whatever happens to one of them."""

from threading import Event, Thread
from typing import Any, cast

import pytest
from sqlalchemy import text
from structlog.testing import capture_logs

from dicom_listener.errors import ArchiveNotReadyError, OutOfResourcesError
from imaging_service import worker as module
from imaging_service.clock import SystemClock
from imaging_service.database import Database
from imaging_service.jobs.embedded import EmbeddedQueue
from imaging_service.jobs.port import Job, WorkerServices
from imaging_service.migrations.migrate import migrate
from imaging_service.settings import Jobs, ServiceSettings
from imaging_service.subjects.service import RENEW_CALENDAR
from imaging_service.worker import Worker, create_worker, repeat
from tests.imaging_service.jobs.conftest import wait_until


@pytest.fixture
def services(sqlite_url):
    database = Database(sqlite_url)
    migrate(database)
    yield WorkerServices(
        database=database,
        archive=cast("Any", None),
        clock=SystemClock(),
        queue=EmbeddedQueue(SystemClock()),
    )
    database.close()


@pytest.fixture(autouse=True)
def _short_rests(monkeypatch):
    monkeypatch.setattr(module, "_FIRST_REST_SECONDS", 0.01)


class Steps:
    """A step that goes through what it is told to do, then stops."""

    def __init__(self, *outcomes: str | Exception) -> None:
        self.outcomes = list(outcomes)
        self.stop = Event()

    def __call__(self) -> bool:
        outcome = self.outcomes.pop(0)
        if not self.outcomes:
            self.stop.set()
        if isinstance(outcome, Exception):
            raise outcome
        return outcome == "more"


@pytest.mark.parametrize(
    ("trouble", "logged"),
    [
        (ArchiveNotReadyError("sqlite:///index.sqlite"), []),
        (OutOfResourcesError(what="The database", reason="disk I/O error"), ["OutOfResourcesError"]),
        (OSError(28, "No space left on device"), ["OSError"]),
    ],
    ids=["listener not started", "archive away", "disk full"],
)
def test_a_step_in_trouble_is_tried_again(trouble, logged):
    steps = Steps("more", trouble, trouble, "done")
    with capture_logs() as entries:
        repeat("feed", steps, 0.001, steps.stop)
    assert steps.outcomes == []
    assert [entry["error"] for entry in entries] == logged * 2


def test_a_fault_of_the_program_is_logged_and_tried_again():
    steps = Steps(ValueError("never in a log as text"), "done")
    with capture_logs() as entries:
        repeat("feed", steps, 0.001, steps.stop)
    assert steps.outcomes == []
    assert [(entry["event"], entry["log_level"]) for entry in entries] == [("worker_step_failed", "error")]


def test_feed_jobs_and_reconciler_run_side_by_side_until_the_end(services):
    """The feed fails always; a derived job is found and run nevertheless."""
    written: list[str] = []
    stop = Event()

    def write(context, payload):
        with context.completion() as session:
            session.execute(text("INSERT INTO feed_cursors VALUES ('test', 1)"))
        written.append(payload["name"])

    def missing(session):
        is_written = session.scalar(text("SELECT count(*) FROM feed_cursors"))
        return [] if is_written else [Job(name="write", payload={"name": "derived"}, key="write")]

    def fail():
        message = "the archive is away"
        raise OSError(message)

    worker = Worker(Jobs.EMBEDDED, services, handlers={"write": write}, follow=fail, derivations=(missing,))
    thread = Thread(target=worker.run, args=(stop,))
    thread.start()
    try:
        wait_until(lambda: written, "The derived job")
    finally:
        stop.set()
        thread.join()
    assert written == ["derived"]


def test_the_jobs_of_the_chapters_have_handlers(services):
    worker = create_worker(ServiceSettings.model_validate({}), services)
    assert RENEW_CALENDAR in worker.handlers
