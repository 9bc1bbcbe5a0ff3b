"""Tell what the calendar alone brings about: nobody writes anything on the day on which a window closes."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from sqlalchemy.orm import Session

from imaging_service.accounts.act import Act
from imaging_service.clock import Clock
from imaging_service.jobs.port import Handler, Job, WorkerContext
from imaging_service.notices.service import publish
from imaging_service.timepoints.telling_repository import untold

TELL_OF_LAPSED = "tell of lapsed timepoints"
"""Job: tell that timepoints are overdue or missed, each once."""
_AT_ONCE = 500


def tell_of_lapsed(context: WorkerContext, _payload: Mapping[str, Any]) -> None:
    """Tell of the timepoints whose window has closed without images."""
    services = context.services
    with context.completion() as session:
        act = Act.of_worker(session, services.queue, services.clock.now())
        found = untold(session, act.today, _AT_ONCE)
        for each in found:
            publish(
                act,
                each.kind,
                each.trial_id,
                subject_id=each.subject_id,
                timepoint_id=each.timepoint_id,
                is_told_once=True,
            )
        if len(found) == _AT_ONCE:
            services.queue.enqueue(session, Job(name=TELL_OF_LAPSED, key=TELL_OF_LAPSED))


def missing_jobs(clock: Clock) -> Callable[[Session], Iterable[Job]]:
    """Return what names the job when there is anything to tell, for the reconciler."""

    def derive(session: Session) -> Iterable[Job]:
        if untold(session, clock.now().date(), 1):
            yield Job(name=TELL_OF_LAPSED, key=TELL_OF_LAPSED)

    return derive


HANDLERS: Mapping[str, Handler] = {TELL_OF_LAPSED: tell_of_lapsed}
"""The jobs of this part."""
