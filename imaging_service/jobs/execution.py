"""One attempt at one job: the same for every queue."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from typing import Any, Protocol

import structlog
from sqlalchemy.orm import Session

from imaging_service.jobs.errors import CompletedTwiceError, LeaseLostError, UnknownJobError
from imaging_service.jobs.policy import RetryPolicy
from imaging_service.jobs.port import Handlers, WorkerServices
from imaging_service.jobs.tables import JobFailureRow

_LONGEST_ERROR = 1000
_log = structlog.get_logger(__name__)


class Lease(Protocol):
    """The right to run one job; every method raises LeaseLostError once another worker has it."""

    @property
    def job_id(self) -> str:
        """The queue's number of the job."""

    @property
    def name(self) -> str:
        """Name of the job's handler."""

    @property
    def payload(self) -> Mapping[str, Any]:
        """What the handler is given."""

    @property
    def attempt(self) -> int:
        """1 for the first attempt."""

    def complete(self, session: Session) -> None:
        """End the job well when ``session`` commits; nobody can take it before that."""

    def retry(self, session: Session, run_at: datetime) -> None:
        """Let the job wait until ``run_at``."""

    def park(self, session: Session) -> None:
        """Put the job aside for a person."""


class Execution:
    """The context of one attempt."""

    def __init__(self, lease: Lease, services: WorkerServices) -> None:
        self.services = services
        self.is_completed = False
        self._lease = lease

    @property
    def attempt(self) -> int:
        """1 for the first attempt."""
        return self._lease.attempt

    @contextmanager
    def completion(self) -> Iterator[Session]:
        """Open the transaction that holds the handler's effects and completes the job."""
        if self.is_completed:
            raise CompletedTwiceError(self._lease.name)
        with self.services.database.write() as session:
            self._lease.complete(session)
            yield session
        self.is_completed = True


def execute(lease: Lease, services: WorkerServices, handlers: Handlers, policy: RetryPolicy) -> None:
    """Run the leased job once and put down how it went.

    A failed attempt waits and is tried again until ``policy`` has no attempt left; then it is parked.
    """
    log = _log.bind(job=lease.name, job_id=lease.job_id, attempt=lease.attempt)
    try:
        _handle(lease, services, handlers)
    except LeaseLostError:
        log.warning("job_lease_lost")
    except Exception as error:  # noqa: BLE001  whatever a handler raises, the worker goes on
        log.warning("job_attempt_failed", error=type(error).__name__)  # its words may name a person
        put_down_failure(lease, services, policy, error)
    else:
        log.debug("job_completed")


def _handle(lease: Lease, services: WorkerServices, handlers: Handlers) -> None:
    if lease.name not in handlers:
        raise UnknownJobError(lease.name, tuple(sorted(handlers)))
    execution = Execution(lease, services)
    handlers[lease.name](execution, lease.payload)
    if not execution.is_completed:
        with execution.completion():
            pass


def put_down_failure(lease: Lease, services: WorkerServices, policy: RetryPolicy, error: Exception) -> None:
    """Keep the reason of a failed attempt, and retry or park the job, in one transaction."""
    now = services.clock.now()
    try:
        with services.database.write() as session:
            if lease.attempt < policy.attempts:
                lease.retry(session, now + policy.pause_after(lease.attempt))
            else:
                lease.park(session)
                _log.error("job_parked", job=lease.name, job_id=lease.job_id, attempts=lease.attempt)
            session.add(
                JobFailureRow(
                    job_id=lease.job_id,
                    name=lease.name,
                    attempt=lease.attempt,
                    error=f"{type(error).__name__}: {error}"[:_LONGEST_ERROR],
                    failed_at=now,
                )
            )
    except LeaseLostError:
        _log.warning("job_lease_lost", job=lease.name, job_id=lease.job_id, attempt=lease.attempt)
