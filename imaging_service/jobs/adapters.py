"""The queue and its runner, as the settings choose them."""

from imaging_service.clock import Clock
from imaging_service.database import Database
from imaging_service.errors import SettingsError
from imaging_service.jobs.embedded import EmbeddedQueue, EmbeddedRunner
from imaging_service.jobs.port import Handlers, JobQueue, JobRunner, WorkerServices
from imaging_service.settings import Jobs


def create_queue(kind: Jobs, database: Database, clock: Clock) -> JobQueue:
    """Return the queue that ``kind`` names.

    Raises
    ------
    SettingsError
        If Procrastinate is chosen without PostgreSQL, or is not installed.
    """
    if kind is Jobs.EMBEDDED:
        return EmbeddedQueue(clock)
    _require_postgresql(database)
    from imaging_service.jobs.procrastinate import ProcrastinateQueue  # noqa: PLC0415  of an extra

    return ProcrastinateQueue()


def create_runner(kind: Jobs, services: WorkerServices, handlers: Handlers) -> JobRunner:
    """Return what runs the jobs of the queue that ``kind`` names; raises as `create_queue` does."""
    if kind is Jobs.EMBEDDED:
        return EmbeddedRunner(services, handlers)
    _require_postgresql(services.database)
    from imaging_service.jobs.procrastinate import ProcrastinateRunner  # noqa: PLC0415  of an extra

    return ProcrastinateRunner(services, handlers)


def _require_postgresql(database: Database) -> None:
    if database.is_sqlite:
        message = "The jobs are set to 'procrastinate', which needs PostgreSQL; the database is SQLite."
        raise SettingsError(message)
