"""The queue in the service's own tables: for one machine, on SQLite or PostgreSQL, with no other server.

A worker takes a job on a lease that its heartbeat renews. A worker that is killed lets the lease run out,
and the next one takes the job. The fence, a number that grows with every lease, decides whose effects
count: completing a job needs the newest one.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from threading import Event, Thread
from typing import Any

import structlog
from sqlalchemy import (
    ColumnElement,
    Select,
    UpdateBase,
    and_,
    case,
    delete,
    exists,
    func,
    or_,
    select,
    update,
)
from sqlalchemy.exc import IntegrityError, SQLAlchemyError
from sqlalchemy.orm import Session, aliased

from imaging_service.clock import Clock
from imaging_service.jobs.errors import AbandonedJobError, LeaseLostError, NoSuchJobError
from imaging_service.jobs.execution import execute, put_down_failure
from imaging_service.jobs.failures import parked_job
from imaging_service.jobs.policy import DEFAULT_LEASES, DEFAULT_RETRIES, LeasePolicy, RetryPolicy
from imaging_service.jobs.port import Handlers, Job, ParkedJob, WorkerServices
from imaging_service.jobs.tables import PARKED, RUNNING, WAITING, JobRow

_POLL_SECONDS = 0.2
_REST_SECONDS = 1.0  # after the database refused
_log = structlog.get_logger(__name__)


class EmbeddedQueue:
    """Jobs as rows beside the data that calls for them."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    def enqueue(self, session: Session, job: Job) -> bool:
        """Put ``job`` in; False if a waiting one with its key stands for both."""
        run_at = job.run_at or self._clock.now()
        while not self._joins_waiting(session, job.key, run_at):
            try:
                with session.begin_nested():
                    session.add(_row(job, run_at))
            except IntegrityError:  # another transaction put one with this key in first: join that
                continue
            return True
        return False

    def pending(self, session: Session) -> int:
        """Return how many jobs wait or run."""
        return session.scalar(select(func.count()).where(JobRow.state != PARKED)) or 0

    def parked(self, session: Session) -> Sequence[ParkedJob]:
        """Return the jobs that nobody will try again by themselves, oldest first."""
        rows = session.scalars(select(JobRow).where(JobRow.state == PARKED).order_by(JobRow.job_id))
        return [parked_job(session, row.job_id, row.name, row.key, row.attempts) for row in rows]

    def release(self, session: Session, job_id: str) -> None:
        """Let a parked job be tried afresh, or drop it where a waiting one with its key stands for it."""
        number = int(job_id) if job_id.isdecimal() else -1
        row = session.scalar(
            select(JobRow).where(JobRow.job_id == number, JobRow.state == PARKED).with_for_update()
        )
        if row is None:
            raise NoSuchJobError(job_id)
        now = self._clock.now()
        if self._joins_waiting(session, row.key, now):
            session.delete(row)
        else:
            row.state, row.run_at, row.attempts = WAITING, now, 0

    @staticmethod
    def _joins_waiting(session: Session, key: str | None, run_at: datetime) -> bool:
        """Hasten the waiting job with this key to ``run_at``; False if there is none.

        Updating its row also holds it until the caller's transaction ends, so that it cannot begin
        before it can see what the caller wrote.
        """
        if key is None:
            return False
        earlier = case((JobRow.run_at > run_at, run_at), else_=JobRow.run_at)
        waiting = update(JobRow).where(JobRow.key == key, JobRow.state == WAITING).values(run_at=earlier)
        return _affected(session, waiting) == 1


@dataclass(frozen=True, slots=True, kw_only=True)
class EmbeddedLease:
    """The right to run one row, good while the row's fence is this one's."""

    job_id: str
    name: str
    payload: Mapping[str, Any]
    attempt: int
    fence: int

    def complete(self, session: Session) -> None:
        """Delete the row when ``session`` commits."""
        self._affect_mine(session, delete(JobRow).where(*self.is_mine))

    def retry(self, session: Session, run_at: datetime) -> None:
        """Let the job wait until ``run_at``, or drop it where a waiting one with its key stands for it."""
        waiting = {"state": WAITING, "run_at": run_at, "leased_until": None}
        try:
            with session.begin_nested():
                self._affect_mine(session, update(JobRow).where(*self.is_mine).values(**waiting))
        except IntegrityError:
            self.complete(session)

    def park(self, session: Session) -> None:
        """Put the job aside for a person."""
        parked = {"state": PARKED, "leased_until": None}
        self._affect_mine(session, update(JobRow).where(*self.is_mine).values(**parked))

    @property
    def is_mine(self) -> tuple[ColumnElement[bool], ...]:
        """The condition under which the row is still this lease's."""
        return (JobRow.job_id == int(self.job_id), JobRow.state == RUNNING, JobRow.fence == self.fence)

    def _affect_mine(self, session: Session, statement: UpdateBase) -> None:
        if _affected(session, statement) != 1:
            raise LeaseLostError(self.name, self.job_id)


class EmbeddedRunner:
    """Runs the jobs of the embedded queue, one after another."""

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

    def run(self, stop: Event) -> None:
        """Run jobs until ``stop`` is set, then finish the one at hand and return."""
        while not stop.is_set():
            try:
                is_idle = not self.run_next()
            except SQLAlchemyError as error:  # the lease runs out and the job is taken again
                _log.warning("job_database_refused", error=type(error).__name__)
                stop.wait(_REST_SECONDS)
            else:
                if is_idle:
                    stop.wait(_POLL_SECONDS)

    def run_next(self) -> bool:
        """Run the job that is due first; False if none is."""
        if not self._has_due():
            return False
        lease = self._take()
        if lease is None:
            return False
        if lease.attempt > self._retries.attempts:
            error = AbandonedJobError(lease.name, self._retries.attempts)
            put_down_failure(lease, self._services, self._retries, error)
            return True
        with self._heartbeat(lease):
            execute(lease, self._services, self._handlers, self._retries)
        return True

    def _has_due(self) -> bool:
        with self._services.database.read() as session:  # looking never waits for a writer
            return session.scalar(_due(self._services.clock.now())) is not None

    def _take(self) -> EmbeddedLease | None:
        with self._services.database.write() as session:
            now = self._services.clock.now()
            row = session.scalar(_due(now).with_for_update(skip_locked=True, of=JobRow))
            if row is None:
                return None
            row.state, row.leased_until = RUNNING, now + self._leases.length
            row.attempts, row.fence = row.attempts + 1, row.fence + 1
            return EmbeddedLease(
                job_id=str(row.job_id),
                name=row.name,
                payload=row.payload,
                attempt=row.attempts,
                fence=row.fence,
            )

    @contextmanager
    def _heartbeat(self, lease: EmbeddedLease) -> Iterator[None]:
        done = Event()
        thread = Thread(target=self._renew, args=(lease, done), name=f"heartbeat-{lease.job_id}", daemon=True)
        thread.start()
        try:
            yield
        finally:
            done.set()
            thread.join()

    def _renew(self, lease: EmbeddedLease, done: Event) -> None:
        while not done.wait(self._leases.heartbeat.total_seconds()):
            until = self._services.clock.now() + self._leases.length
            renewal = update(JobRow).where(*lease.is_mine).values(leased_until=until)
            try:
                with self._services.database.write() as session:
                    if _affected(session, renewal) == 0:
                        return
            except SQLAlchemyError as error:  # the next beat tries again; the fence judges in the end
                _log.warning("job_heartbeat_missed", job_id=lease.job_id, error=type(error).__name__)


def _row(job: Job, run_at: datetime) -> JobRow:
    return JobRow(
        name=job.name,
        payload=dict(job.payload),
        key=job.key,
        state=WAITING,
        run_at=run_at,
        attempts=0,
        fence=0,
        leased_until=None,
    )


def _due(now: datetime) -> Select[JobRow]:
    """Select the first job to run: waiting and due, or leased to a worker that has fallen silent."""
    twin = aliased(JobRow)
    is_waiting = and_(JobRow.state == WAITING, JobRow.run_at <= now)
    is_abandoned = and_(JobRow.state == RUNNING, JobRow.leased_until <= now)
    has_running_twin = exists().where(
        twin.key == JobRow.key, twin.state == RUNNING, twin.job_id != JobRow.job_id
    )
    return (
        select(JobRow)
        .where(or_(is_waiting, is_abandoned), ~has_running_twin)
        .order_by(JobRow.run_at, JobRow.job_id)
        .limit(1)
    )


def _affected(session: Session, statement: UpdateBase) -> int:
    """Execute a Core update or delete and return how many rows it met."""
    return int(session.connection().execute(statement).rowcount)
