"""The worker's part: whatever no commit has renewed, a few subjects in each transaction."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from sqlalchemy.orm import Session

from imaging_service.clock import Clock
from imaging_service.derived import service
from imaging_service.jobs.port import Handler, Job, WorkerContext

RENEW_DERIVED = "renew derived rows"


def renew_derived(context: WorkerContext, _payload: Mapping[str, Any]) -> None:
    """Renew until nothing is out of date; each transaction is short, as others wait to write."""
    services = context.services
    while True:
        with services.database.write() as session:
            if not service.renew_some(session, services.clock.now().date()):
                break
    with context.completion():
        pass


HANDLERS: Mapping[str, Handler] = {RENEW_DERIVED: renew_derived}


def missing_jobs(clock: Clock) -> Callable[[Session], Iterable[Job]]:
    """Return what names the job while rows are out of date."""

    def derive(session: Session) -> Iterable[Job]:
        is_behind = service.is_behind(session, clock.now().date())
        return [Job(name=RENEW_DERIVED, key=RENEW_DERIVED)] if is_behind else []

    return derive
