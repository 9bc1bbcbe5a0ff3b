"""Tell that an adjudicator has to choose: when a read is signed, and when a calendar ends without one."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from sqlalchemy.orm import Session

from imaging_service.accounts.act import Act
from imaging_service.adjudication import service
from imaging_service.adjudication.repository import Wanted
from imaging_service.adjudication.review import Standing
from imaging_service.adjudication.telling_repository import untold
from imaging_service.clock import Clock
from imaging_service.jobs.port import Handler, Job, WorkerContext
from imaging_service.notices.kinds import Kind
from imaging_service.notices.service import publish
from imaging_service.reads import repository as reads
from imaging_service.reads.act import ReadAct
from imaging_service.reads.read import Read
from imaging_service.trials import service as trials

TELL_OF_CASES = "tell of cases"
"""Job: tell of subjects that wait for an adjudicator since their calendar has ended."""
_AT_ONCE = 100


def tell_if_needed(act: ReadAct, read: Read) -> None:
    """Tell it of the subject of a read that is signed."""
    _tell(act.act, read.trial_id, read.subject_id)


def _tell(act: Act, trial_id: str, subject_id: str) -> None:
    """Tell once of each pair of courses that an adjudicator has to choose between."""
    protocol = trials.protocol_in_force(act.session, reads.SYSTEM.scope, trial_id, on=act.today)
    wanted = Wanted(trial_id=trial_id, subject_id=subject_id)
    for review in service.reviews(act.session, reads.SYSTEM, protocol, wanted, act.today):
        if review.standing is Standing.TO_ADJUDICATE:
            publish(
                act,
                Kind.ADJUDICATION_NEEDED,
                trial_id,
                subject_id=subject_id,
                reference=review.evidence_sha256,
                is_told_once=True,
            )


def tell_of_cases(context: WorkerContext, _payload: Mapping[str, Any]) -> None:
    """Tell of the subjects that wait and of whom it was never told."""
    services = context.services
    with context.completion() as session:
        act = Act.of_worker(session, services.queue, services.clock.now())
        for trial_id, subject_id in untold(session, act.today, _AT_ONCE):
            _tell(act, trial_id, subject_id)


def missing_jobs(clock: Clock) -> Callable[[Session], Iterable[Job]]:
    """Return what names the job when there is anything to tell, for the reconciler."""

    def derive(session: Session) -> Iterable[Job]:
        if untold(session, clock.now().date(), 1):
            yield Job(name=TELL_OF_CASES, key=TELL_OF_CASES)

    return derive


HANDLERS: Mapping[str, Handler] = {TELL_OF_CASES: tell_of_cases}
"""The jobs of this part."""
