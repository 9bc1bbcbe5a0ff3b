"""The door to background work: what a job is, who takes it in, who runs it.

A job is put into a queue in the transaction of the change that calls for it, so neither exists without
the other. Its handler may run more than once, on more than one machine; its effects are committed once,
together with the job's completion.
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime
from threading import Event
from typing import TYPE_CHECKING, Any, Protocol

from sqlalchemy.orm import Session

if TYPE_CHECKING:
    from dicom_listener.archive.archive import Archive
    from imaging_service.clock import Clock
    from imaging_service.database import Database


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One piece of work to do later."""

    name: str  # of its handler
    payload: Mapping[str, Any] = field(default_factory=dict)  # JSON; identifiers only, never a person's data
    key: str | None = None  # of several waiting jobs with one key there is only one, and they never overlap
    run_at: datetime | None = None  # not before; at once when empty


@dataclass(frozen=True, slots=True, kw_only=True)
class ParkedJob:
    """A job that failed in every attempt and waits for a person."""

    job_id: str
    name: str
    key: str | None
    attempts: int
    error: str | None  # of the last attempt
    failed_at: datetime | None


class JobQueue(Protocol):
    """Where jobs are put in and looked after; every call happens in the caller's transaction."""

    def enqueue(self, session: Session, job: Job) -> bool:
        """Put ``job`` in; False if a waiting one with its key stands for both.

        The waiting one then runs no later than ``job`` would have, and not before the caller's
        transaction has ended: it sees what the caller wrote.
        """

    def pending(self, session: Session) -> int:
        """Return how many jobs wait or run."""

    def parked(self, session: Session) -> Sequence[ParkedJob]:
        """Return the jobs that nobody will try again by themselves, oldest first."""

    def release(self, session: Session, job_id: str) -> None:
        """Let a parked job be tried afresh.

        Raises
        ------
        NoSuchJobError
            If no parked job has this number.
        """


class JobRunner(Protocol):
    """Runs the jobs of a queue, one after another."""

    def run(self, stop: Event) -> None:
        """Run jobs until ``stop`` is set, then finish the one at hand and return."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerServices:
    """What handlers need of the house."""

    database: "Database"
    archive: "Archive"
    clock: "Clock"
    queue: JobQueue


class WorkerContext(Protocol):
    """What a handler holds while it runs."""

    @property
    def services(self) -> WorkerServices:
        """The house's services."""

    @property
    def attempt(self) -> int:
        """1 for the first attempt."""

    def completion(self) -> AbstractContextManager[Session]:
        """Open the one transaction in which the handler writes; its commit completes the job.

        A handler reads and computes as long as it likes outside of it. Entering it proves that the job is
        still this worker's, and from then on nobody can take it; an error inside leaves nothing behind.

        Raises
        ------
        LeaseLostError
            If the job was given to another worker meanwhile.
        CompletedTwiceError
            If the handler opened it before.
        """


Handler = Callable[[WorkerContext, Mapping[str, Any]], None]
Handlers = Mapping[str, Handler]
