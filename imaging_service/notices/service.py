"""Tell what has happened, in the transaction in which it happens.

`publish` is for the chapters above: it keeps the notice in the caller's transaction, so that neither the
change nor the notice exists without the other, and puts in the jobs that deliver it.
"""

from collections.abc import Sequence

from sqlalchemy import event
from sqlalchemy.orm import Session

from imaging_service.accounts.act import Act
from imaging_service.accounts.blinding import refuse_blinded
from imaging_service.accounts.principal import Principal
from imaging_service.database import ServiceSession
from imaging_service.jobs.port import Job
from imaging_service.notices import repository
from imaging_service.notices.kinds import Kind
from imaging_service.notices.records import Notice
from imaging_service.notices.repository import News
from imaging_service.trials import service as trials

DELIVER = "deliver notices"
"""Job: send a webhook what it has not been sent yet."""
_UNNUMBERED = "unnumbered_notices"


def publish(  # noqa: PLR0913  what a notice may be about
    act: Act,
    kind: Kind,
    trial_id: str,
    *,
    subject_id: str | None = None,
    timepoint_id: str | None = None,
    reference: str | None = None,
    is_told_once: bool = False,
) -> None:
    """Tell that something has happened.

    Parameters
    ----------
    act
        The act in whose transaction it happens.
    kind
        What has happened.
    trial_id
        The trial.
    subject_id, timepoint_id
        Whom and which occasion it is about.
    reference
        Key of what it is about beside them: a read, a query, a decision. Never a received value, as
        it leaves the service.
    is_told_once
        Whether it is told only once of this subject, timepoint and reference, for what follows from the
        calendar and is found again every day.
    """
    once_key = f"{kind} {trial_id} {subject_id} {timepoint_id} {reference}" if is_told_once else None
    news = News(
        kind=kind,
        trial_id=trial_id,
        subject_id=subject_id,
        timepoint_id=timepoint_id,
        reference=reference,
        once_key=once_key,
        at=act.now,
    )
    notice_id = repository.add(act.session, news)
    if notice_id is None:
        return
    act.session.info.setdefault(_UNNUMBERED, []).append(notice_id)
    for webhook in repository.webhooks(act.session, trial_id):
        if webhook.is_enabled and (not webhook.kinds or kind in webhook.kinds):
            act.queue.enqueue(act.session, delivery_job(webhook.webhook_id))


def delivery_job(webhook_id: str) -> Job:
    """Return the job that sends a webhook what it has not been sent yet."""
    return Job(name=DELIVER, payload={"webhook_id": webhook_id}, key=f"{DELIVER} {webhook_id}")


@event.listens_for(ServiceSession, "before_commit")
def _number(session: Session) -> None:
    """Give numbers to what the transaction tells; the audit is chained before, so locks come in one order."""
    if session.in_nested_transaction():
        return
    told = session.info.pop(_UNNUMBERED, [])
    if told:
        repository.number(session, told)


@event.listens_for(ServiceSession, "after_rollback")
def _forget(session: Session) -> None:
    session.info.pop(_UNNUMBERED, None)


def feed(
    session: Session, principal: Principal, trial_id: str, *, after: int, limit: int
) -> Sequence[Notice]:
    """Return what has happened in a trial behind a number, the oldest first.

    Raises
    ------
    NotFoundError
        There is no such trial in the scope.
    ForbiddenError
        The caller reads or adjudicates in the trial.
    """
    trials.find_trial(session, principal.scope, trial_id)
    refuse_blinded(principal, trial_id)
    return repository.notices(session, principal.scope, trial_id, after, limit)
