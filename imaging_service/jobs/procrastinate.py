"""The queue on PostgreSQL through Procrastinate: for many workers on many machines.

Procrastinate's tables, SQL functions, notifications and worker do the work. What this module adds is the
fence: how an attempt ended is put down by the transaction that holds its effects, and only while the job
is still that worker's, so Procrastinate's own acknowledgement has nothing left to do.
"""

import asyncio
import json
import logging
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from threading import Event
from typing import Any

import structlog
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError, SQLAlchemyError
from sqlalchemy.orm import Session

from imaging_service.database import SCHEMA, Database
from imaging_service.errors import SettingsError
from imaging_service.jobs.errors import AbandonedJobError, LeaseLostError, NoSuchJobError, UnknownJobError
from imaging_service.jobs.execution import execute, put_down_failure
from imaging_service.jobs.failures import parked_job
from imaging_service.jobs.policy import DEFAULT_LEASES, DEFAULT_RETRIES, LeasePolicy, RetryPolicy
from imaging_service.jobs.port import Handlers, Job, ParkedJob, WorkerServices

try:
    from procrastinate import App, PsycopgConnector, exceptions
    from procrastinate.connector import BaseConnector
    from procrastinate.job_context import JobContext
    from procrastinate.jobs import Job as ProcrastinateJob
    from procrastinate.jobs import Status
    from procrastinate.manager import JobManager
    from procrastinate.worker import Worker
except ImportError as error:
    message = (
        "The jobs are set to 'procrastinate', which is not installed; "
        "install the extra: pip install 'imaging-service[postgres]', or set them to 'embedded'."
    )
    raise SettingsError(message) from error

QUEUE = "imaging_service"
_REST_SECONDS = 1.0  # after the database refused
_STOP_SECONDS = 0.1

_ENQUEUE = text("""
    SELECT procrastinate_defer_jobs_v1(ARRAY[ROW(
        CAST(:queue AS varchar), CAST(:name AS varchar), 0, CAST(:key AS text), CAST(:key AS text),
        CAST(:args AS jsonb), CAST(:run_at AS timestamptz)
    )::procrastinate_job_to_defer_v1])
""")
_HASTEN = text("""
    UPDATE procrastinate_jobs SET scheduled_at = CASE
        WHEN CAST(:run_at AS timestamptz) IS NULL OR scheduled_at IS NULL THEN NULL
        ELSE LEAST(scheduled_at, CAST(:run_at AS timestamptz)) END
    WHERE queueing_lock = :key AND status = 'todo'
""")
_PENDING = text(
    "SELECT count(*) FROM procrastinate_jobs WHERE queue_name = :queue AND status IN ('todo', 'doing')"
)
_PARKED = text("""
    SELECT id, task_name, queueing_lock, attempts FROM procrastinate_jobs
    WHERE queue_name = :queue AND status = 'failed' ORDER BY id
""")
_HOLD_PARKED = text("""
    SELECT queueing_lock FROM procrastinate_jobs
    WHERE id = :job_id AND queue_name = :queue AND status = 'failed' FOR UPDATE
""")
_RELEASE = text("""
    UPDATE procrastinate_jobs SET status = 'todo', attempts = 0, scheduled_at = NULL WHERE id = :job_id
""")
_DELETE = text("DELETE FROM procrastinate_jobs WHERE id = :job_id")
_HOLD_MINE = text("""
    SELECT id FROM procrastinate_jobs
    WHERE id = :job_id AND status = 'doing' AND attempts = :attempts
        AND worker_id IS NOT DISTINCT FROM CAST(:worker_id AS bigint) FOR UPDATE
""")
_FINISH = text(
    "SELECT procrastinate_finish_job_v1(:job_id, CAST(:status AS procrastinate_job_status), :gone)"
)
_RETRY = text("SELECT procrastinate_retry_job_v2(:job_id, CAST(:run_at AS timestamptz), NULL, NULL, NULL)")
_STALLED = text("""
    SELECT job.id, job.task_name, job.attempts, job.worker_id
    FROM procrastinate_jobs AS job LEFT JOIN procrastinate_workers AS worker ON worker.id = job.worker_id
    WHERE job.status = 'doing' AND job.queue_name = :queue
        AND (worker.id IS NULL OR worker.last_heartbeat < now() - make_interval(secs => :seconds))
""")
_IS_ALIVE = text("""
    SELECT last_heartbeat >= now() - make_interval(secs => :seconds)
    FROM procrastinate_workers WHERE id = :worker_id
""")

_log = structlog.get_logger(__name__)
logging.getLogger("procrastinate").setLevel(logging.WARNING)  # below that it writes payloads


class ProcrastinateQueue:
    """Jobs as Procrastinate's rows, put in on the caller's own connection."""

    def enqueue(self, session: Session, job: Job) -> bool:
        """Put ``job`` in; False if a waiting one with its key stands for both."""
        values = {"queue": QUEUE, "name": job.name, "key": job.key, "run_at": job.run_at}
        args = json.dumps({"payload": dict(job.payload)}, allow_nan=False)
        while not _joins_waiting(session, job.key, job.run_at):
            try:
                with session.begin_nested():
                    session.execute(_ENQUEUE, {**values, "args": args})
            except IntegrityError:  # another transaction put one with this key in first: join that
                continue
            return True
        return False

    def pending(self, session: Session) -> int:
        """Return how many jobs wait or run."""
        return int(session.scalar(_PENDING, {"queue": QUEUE}) or 0)

    def parked(self, session: Session) -> Sequence[ParkedJob]:
        """Return the jobs that nobody will try again by themselves, oldest first."""
        return [parked_job(session, *row) for row in session.execute(_PARKED, {"queue": QUEUE})]

    def release(self, session: Session, job_id: str) -> None:
        """Let a parked job be tried afresh, or drop it where a waiting one with its key stands for it."""
        number = {"job_id": int(job_id) if job_id.isdecimal() else -1}
        row = session.execute(_HOLD_PARKED, {**number, "queue": QUEUE}).one_or_none()
        if row is None:
            raise NoSuchJobError(job_id)
        session.execute(_DELETE if _joins_waiting(session, row.queueing_lock, None) else _RELEASE, number)


def _joins_waiting(session: Session, key: str | None, run_at: datetime | None) -> bool:
    """Hasten the waiting job with this key; False if there is none.

    Updating its row also holds it until the caller's transaction ends, so that it cannot begin before it
    can see what the caller wrote.
    """
    if key is None:
        return False
    hastened = session.connection().execute(_HASTEN, {"key": key, "run_at": run_at})
    return hastened.rowcount == 1


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcrastinateLease:
    """The right to run one of Procrastinate's jobs: good while worker and attempts are these."""

    job_id: str
    name: str
    payload: Mapping[str, Any]
    attempt: int
    worker_id: int | None

    def complete(self, session: Session) -> None:
        """Delete the job when ``session`` commits."""
        self._hold(session)
        session.execute(_FINISH, {"job_id": int(self.job_id), "status": "succeeded", "gone": True})

    def retry(self, session: Session, run_at: datetime) -> None:
        """Let the job wait until ``run_at``, or drop it where a waiting one with its key stands for it."""
        self._hold(session)
        try:
            with session.begin_nested():
                session.execute(_RETRY, {"job_id": int(self.job_id), "run_at": run_at})
        except IntegrityError:
            session.execute(_DELETE, {"job_id": int(self.job_id)})

    def park(self, session: Session) -> None:
        """Put the job aside for a person."""
        self._hold(session)
        session.execute(_FINISH, {"job_id": int(self.job_id), "status": "failed", "gone": False})

    def _hold(self, session: Session) -> None:
        mine = {"job_id": int(self.job_id), "attempts": self.attempt - 1, "worker_id": self.worker_id}
        if session.execute(_HOLD_MINE, mine).one_or_none() is None:
            raise LeaseLostError(self.name, self.job_id)


class ProcrastinateRunner:
    """Runs Procrastinate's worker, one job after another, and sweeps the jobs of dead ones."""

    def __init__(
        self,
        services: WorkerServices,
        handlers: Handlers,
        *,
        retries: RetryPolicy = DEFAULT_RETRIES,
        leases: LeasePolicy = DEFAULT_LEASES,
    ) -> None:
        self._services = services
        self._handlers = handlers
        self._retries = retries
        self._leases = leases
        self._stop = Event()

    def run(self, stop: Event) -> None:
        """Run jobs until ``stop`` is set, then finish the one at hand and return."""
        self._stop = stop
        while not stop.is_set():
            try:
                asyncio.run(self._work(stop))
            except (exceptions.ProcrastinateException, SQLAlchemyError) as error:
                _log.warning("job_worker_restarts", error=type(error).__name__)
                stop.wait(_REST_SECONDS)

    async def _work(self, stop: Event) -> None:
        app = self._app()
        async with app.open_async():
            worker = Worker(
                app,
                queues=[QUEUE],
                fetch_job_polling_interval=1.0,
                install_signal_handlers=False,
                update_heartbeat_interval=self._leases.heartbeat.total_seconds(),
                stalled_worker_timeout=self._leases.length.total_seconds(),
            )
            ended = Event()
            watch = asyncio.create_task(asyncio.to_thread(self._watch, worker, stop, ended))
            try:
                await worker.run()  # type: ignore[no-untyped-call]
            finally:
                ended.set()
                await watch

    def _app(self) -> App:
        connector = PsycopgConnector(**_connection(self._services.database))
        app = App(connector=connector)
        app.job_manager = _Outcomes(connector, self._put_down_unknown)
        for name in self._handlers:
            app.task(name=name, queue=QUEUE, pass_context=True)(self._attempt)
        return app

    def _attempt(self, context: JobContext, payload: dict[str, Any]) -> None:
        lease = _lease(context.job, payload)
        while not self._stop.is_set():
            try:
                execute(lease, self._services, self._handlers, self._retries)
            except SQLAlchemyError as error:  # how it ended could not be put down: the job is still ours
                _log.warning("job_database_refused", job_id=lease.job_id, error=type(error).__name__)
                self._stop.wait(_REST_SECONDS)
            else:
                return

    def _put_down_unknown(self, job: ProcrastinateJob) -> None:
        unknown = UnknownJobError(job.task_name, tuple(sorted(self._handlers)))
        put_down_failure(_lease(job, {}), self._services, self._retries, unknown)

    def _watch(self, worker: Worker, stop: Event, ended: Event) -> None:
        """Sweep every second; stop a worker that is asked to, or whose heart has stopped.

        Procrastinate ends its own watch over its heartbeat when it has no periodic task to do.
        """
        while not ended.is_set() and not stop.wait(self._leases.heartbeat.total_seconds()):
            try:
                sweep(self._services, self._retries, self._leases)
                if not self._is_alive(worker.worker_id):
                    break
            except SQLAlchemyError as error:
                _log.warning("job_sweep_refused", error=type(error).__name__)
        while not ended.wait(_STOP_SECONDS):  # a worker that is just starting forgets an earlier request
            worker.stop()  # type: ignore[no-untyped-call]

    def _is_alive(self, worker_id: int | None) -> bool:
        if worker_id is None:
            return True
        values = {"worker_id": worker_id, "seconds": self._leases.length.total_seconds()}
        with self._services.database.read() as session:
            return bool(session.scalar(_IS_ALIVE, values))


class _Outcomes(JobManager):
    """Leaves the outcome to the attempt, which puts it down together with its effects."""

    def __init__(
        self, connector: BaseConnector, put_down_unknown: Callable[[ProcrastinateJob], None]
    ) -> None:
        super().__init__(connector)
        self._put_down_unknown = put_down_unknown

    async def finish_job(self, job: ProcrastinateJob, status: Status, delete_job: bool) -> None:  # noqa: ARG002, FBT001
        """Do nothing for an attempt; what never became one, for want of a handler, has failed."""
        if status is not Status.SUCCEEDED:
            await asyncio.to_thread(self._put_down_unknown, job)


def sweep(services: WorkerServices, retries: RetryPolicy, leases: LeasePolicy) -> None:
    """Give the jobs of workers that have fallen silent to the next worker, or park them."""
    values = {"queue": QUEUE, "seconds": leases.length.total_seconds()}
    with services.database.read() as session:
        stalled = [_stalled_lease(*row) for row in session.execute(_STALLED, values)]
    for lease in stalled:
        if lease.attempt >= retries.attempts:
            put_down_failure(lease, services, retries, AbandonedJobError(lease.name, lease.attempt))
            continue
        with suppress(LeaseLostError), services.database.write() as session:
            lease.retry(session, services.clock.now())
            _log.warning("job_taken_from_silent_worker", job=lease.name, job_id=lease.job_id)


def _stalled_lease(number: int, name: str, attempts: int, worker_id: int | None) -> ProcrastinateLease:
    return ProcrastinateLease(
        job_id=str(number), name=name, payload={}, attempt=attempts + 1, worker_id=worker_id
    )


def _lease(job: ProcrastinateJob, payload: Mapping[str, Any]) -> ProcrastinateLease:
    return ProcrastinateLease(
        job_id=str(job.id),
        name=job.task_name,
        payload=payload,
        attempt=job.attempts + 1,
        worker_id=job.worker_id,
    )


def _connection(database: Database) -> dict[str, Any]:
    """Return the arguments of Procrastinate's own small pool."""
    return {
        "conninfo": database.url.set(drivername="postgresql").render_as_string(hide_password=False),
        "kwargs": {"options": f"-c search_path={SCHEMA} -c lock_timeout=10000 -c timezone=UTC"},
        "min_size": 1,
        "max_size": 4,
    }
