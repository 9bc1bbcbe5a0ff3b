"""What commands on the machine's own console need: the migrated database, and who acts."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

from imaging_service.accounts.passwords import Passwords
from imaging_service.audit.actor import OPERATOR, Actor
from imaging_service.clock import SystemClock
from imaging_service.database import Database
from imaging_service.jobs.adapters import create_queue
from imaging_service.jobs.port import JobQueue
from imaging_service.processes.operation import open_migrated, read_settings
from imaging_service.settings import ServiceSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class Console:
    """One command of the operator."""

    settings: ServiceSettings
    database: Database
    queue: JobQueue
    now: datetime
    operator: Actor = OPERATOR

    @property
    def passwords(self) -> Passwords:
        """Return what hashes passwords at the cost that is set."""
        return Passwords(memory_kib=self.settings.password_memory_kib, passes=self.settings.password_passes)


@contextmanager
def console() -> Iterator[Console]:
    """Open the database for one command.

    Raises
    ------
    SettingsError
        If it is not migrated or cannot be used.
    """
    settings = read_settings()
    clock = SystemClock()
    with open_migrated(settings) as database:
        queue = create_queue(settings.jobs, database, clock)
        yield Console(settings=settings, database=database, queue=queue, now=clock.now())
