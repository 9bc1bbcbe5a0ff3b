"""The service as a process: its settings read, its doors opened, its work done, and all closed again."""

import signal
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from os import getpid
from socket import gethostname
from threading import Event
from typing import Any

from sqlalchemy.exc import SQLAlchemyError

from dicom_listener.archive.archive import Archive
from imaging_service.audit import service as audit
from imaging_service.audit.actor import WORKER, Actor, SystemActor
from imaging_service.clock import Clock, SystemClock
from imaging_service.database import Database
from imaging_service.jobs.adapters import create_queue
from imaging_service.jobs.port import JobQueue, WorkerServices
from imaging_service.logs import configure_logs
from imaging_service.migrations.migrate import require_migrated
from imaging_service.settings import ServiceSettings

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class House:
    """The service's doors, open."""

    settings: ServiceSettings
    database: Database
    archive: Archive
    clock: Clock
    queue: JobQueue

    def serve(self, say: Say) -> None:
        """Answer requests until SIGTERM or SIGINT."""
        from imaging_service.app import create_app  # noqa: PLC0415  the worker needs no web framework
        from imaging_service.http.server import serve  # noqa: PLC0415

        app = create_app(
            self.settings, self.database, clock=self.clock, archive=self.archive, jobs=self.queue
        )

        def ready(address: str) -> None:
            say(f"The service answers at {address}.")
            app.state.openapi.build_aside()

        with self._on_record(SystemActor(name="system:service")):
            serve(app, self.settings, ready)

    def work(self, say: Say) -> None:
        """Run the worker until SIGTERM or SIGINT."""
        from imaging_service.worker import create_worker  # noqa: PLC0415

        services = WorkerServices(
            database=self.database, archive=self.archive, clock=self.clock, queue=self.queue
        )
        worker = create_worker(self.settings, services)
        stop = Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: stop.set())
        with self._on_record(WORKER):
            say("The worker is ready.")
            worker.run(stop)

    @contextmanager
    def _on_record(self, program: Actor) -> Iterator[None]:
        """Enter that a program of the service starts, and that it stops; one that is killed only started."""
        self._enter(program, "start program")
        yield
        with suppress(SQLAlchemyError):  # it stops all the same
            self._enter(program, "stop program")

    def _enter(self, program: Actor, action: str) -> None:
        with self.database.write() as session:
            audit.record(
                session,
                program,
                action=action,
                entity="program",
                entity_id=f"{gethostname()} {getpid()}",
                at=self.clock.now(),
            )


def read_settings(**given: Any) -> ServiceSettings:  # noqa: ANN401  options of every type
    """Return the settings of the environment, with the given ones in their place where they are not None."""
    settings = ServiceSettings(**{name: value for name, value in given.items() if value is not None})
    configure_logs(settings.log_level)
    return settings


@contextmanager
def open_database(settings: ServiceSettings) -> Iterator[Database]:
    """Open the database as it is, for migrating it."""
    database = Database(
        settings.database_url,
        connections=settings.database_connections,
        wait_seconds=settings.database_wait_seconds,
    )
    try:
        yield database
    finally:
        database.close()


@contextmanager
def open_migrated(settings: ServiceSettings) -> Iterator[Database]:
    """Open the database, which must be at this version's revision."""
    with open_database(settings) as database:
        require_migrated(database)
        yield database


@contextmanager
def open_house(**given: Any) -> Iterator[House]:  # noqa: ANN401  options of every type
    """Open everything that serving and working need; close it at the end.

    Raises
    ------
    SettingsError
        If the database is not migrated or cannot be used, or the jobs need what is not there.
    ConfigurationError
        If the archive's addresses cannot be used.
    """
    settings = read_settings(**given)
    clock = SystemClock()
    with ExitStack() as stack:
        database = stack.enter_context(open_migrated(settings))
        archive = Archive.open(settings.archive_database_url, settings.archive_objects)
        stack.callback(archive.close)
        queue = create_queue(settings.jobs, database, clock)
        yield House(settings=settings, database=database, archive=archive, clock=clock, queue=queue)
