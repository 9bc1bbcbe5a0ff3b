"""The worker: follows the archive's change feed, runs jobs, and finds jobs that are missing.

Each of the three goes on by itself and survives the others' trouble. What they do is committed step by
step together with how far they came, so a worker may be killed at any point and started again.
"""

from collections.abc import Callable
from functools import partial
from threading import Event, Thread

import structlog
from sqlalchemy.exc import SQLAlchemyError

from dicom_listener.errors import ArchiveError, ArchiveNotReadyError
from imaging_service.adjudication import telling as cases
from imaging_service.assistance import carrying
from imaging_service.audit import receipts
from imaging_service.audit.reporting.service import reporter
from imaging_service.calendars import service as calendars
from imaging_service.derived import work as renewals
from imaging_service.errors import ServiceError
from imaging_service.jobs.adapters import create_runner
from imaging_service.jobs.port import Handlers, WorkerServices
from imaging_service.jobs.reconciler import Derivation, reconcile
from imaging_service.notices import delivery
from imaging_service.notices.addresses import Addresses
from imaging_service.notices.delivery import Carrier
from imaging_service.operations import witnessing
from imaging_service.quality import service as quality
from imaging_service.reads import assignments
from imaging_service.renewing import keep_derived_rows
from imaging_service.settings import Jobs, ServiceSettings
from imaging_service.timepoints import feed, telling
from imaging_service.timepoints.responses import CENTRAL

FEED_PAUSE_SECONDS = 0.5
RECONCILE_PAUSE_SECONDS = 60.0
RECEIPTS_PAUSE_SECONDS = 5.0
WITNESS_PAUSE_SECONDS = 30.0
COLLECTOR_PAUSE_SECONDS = 2.0
_FIRST_REST_SECONDS = 1.0
_LONGEST_REST_SECONDS = 30.0

Step = Callable[[], bool]
_log = structlog.get_logger(__name__)


def create_worker(settings: ServiceSettings, services: WorkerServices) -> "Worker":
    """Return a worker with every chapter's handlers and derivations."""
    keep_derived_rows()
    CENTRAL.answer_with(calendars.central_progression_on)
    carrier = Carrier(
        allowed=Addresses(settings.webhook_addresses), deadline_seconds=settings.webhook_seconds
    )
    database, archive, clock, queue = services.database, services.archive, services.clock, services.queue
    teller = reporter(settings, database, archive, clock)
    collector = () if teller is None else (("collector", teller.tell, COLLECTOR_PAUSE_SECONDS),)
    return Worker(
        settings.jobs,
        services,
        handlers={
            **feed.HANDLERS,
            **quality.HANDLERS,
            **assignments.HANDLERS,
            **renewals.HANDLERS,
            **carrying.HANDLERS,
            **telling.HANDLERS,
            **cases.HANDLERS,
            **carrier.handlers,
        },
        follow=partial(feed.follow_feed, database, archive, clock, queue),
        derivations=(
            feed.missing_jobs(clock),
            quality.missing_jobs(),
            assignments.missing_jobs(clock),
            renewals.missing_jobs(clock),
            telling.missing_jobs(clock),
            cases.missing_jobs(clock),
            delivery.missing_jobs,
        ),
        others=(
            ("receipts", partial(receipts.enter, database, archive, clock), RECEIPTS_PAUSE_SECONDS),
            ("witness", partial(witnessing.keep_when_due, settings, database, clock), WITNESS_PAUSE_SECONDS),
            *collector,
        ),
    )


class Worker:
    """Everything that happens without a request."""

    def __init__(  # noqa: PLR0913  the worker does this many things
        self,
        kind: Jobs,
        services: WorkerServices,
        *,
        handlers: Handlers,
        follow: Step,
        derivations: tuple[Derivation, ...] = (),
        others: tuple[tuple[str, Step, float], ...] = (),
    ) -> None:
        self._services = services
        self._follow = follow
        self._derivations = derivations
        self._others = others
        self.handlers = handlers
        self._runner = create_runner(kind, services, handlers)

    def run(self, stop: Event) -> None:
        """Work until ``stop`` is set, then finish what is at hand and return."""
        threads = [
            Thread(target=repeat, args=("feed", self._follow, FEED_PAUSE_SECONDS, stop), name="feed"),
            Thread(
                target=repeat,
                args=("reconciler", self._reconcile, RECONCILE_PAUSE_SECONDS, stop),
                name="reconciler",
            ),
        ]
        threads += [
            Thread(target=repeat, args=(name, step, pause, stop), name=name)
            for name, step, pause in self._others
        ]
        for thread in threads:
            thread.start()
        self._runner.run(stop)
        for thread in threads:
            thread.join()

    def _reconcile(self) -> bool:
        added = reconcile(self._services.database, self._services.queue, self._derivations)
        if added:
            _log.warning("jobs_were_missing", count=added)
        return False


def repeat(name: str, step: Step, pause_seconds: float, stop: Event) -> None:
    """Do ``step`` again and again: at once after one that found something to do, else after the pause.

    A step that fails rests longer each time, and is tried again for ever: nothing is skipped.
    """
    rest = _FIRST_REST_SECONDS
    while not stop.is_set():
        try:
            has_more = step()
        except ArchiveNotReadyError:
            stop.wait(pause_seconds)  # the listener has not started yet
        except (ArchiveError, ServiceError, SQLAlchemyError, OSError) as error:
            _log.warning("worker_step_failed", step=name, error=type(error).__name__)
            stop.wait(rest)
            rest = min(rest * 2, _LONGEST_REST_SECONDS)
        except Exception:  # noqa: BLE001  a fault in one step must not end the others
            _log.exception("worker_step_failed", step=name)
            stop.wait(rest)
            rest = min(rest * 2, _LONGEST_REST_SECONDS)
        else:
            rest = _FIRST_REST_SECONDS
            if not has_more:
                stop.wait(pause_seconds)
