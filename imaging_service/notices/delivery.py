"""The job that sends a webhook its notices: at least once, in order for each subject.

A delivery that fails is tried again after a pause that grows, with its subject's later ones behind it,
until it is taken in or dead. A dead one, and what waits behind it, waits for a person.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from time import monotonic
from typing import Any

from sqlalchemy.orm import Session

from imaging_service.jobs.policy import RetryPolicy
from imaging_service.jobs.port import Handler, Job, WorkerContext, WorkerServices
from imaging_service.notices import repository
from imaging_service.notices.addresses import Addresses
from imaging_service.notices.message import body_of, headers_of
from imaging_service.notices.posting import Failure, post
from imaging_service.notices.records import Delivery, Webhook
from imaging_service.notices.service import DELIVER, delivery_job

ATTEMPTS = RetryPolicy(attempts=48, first_pause=timedelta(seconds=5), longest_pause=timedelta(hours=1))
"""About two days of trying before a delivery is dead."""
_LAID_OUT_AT_ONCE = 500
_SENT_AT_ONCE = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """How one attempt went."""

    delivery: Delivery
    failure: Failure | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Carrier:
    """Sends webhooks their notices."""

    allowed: Addresses  # where receivers may be
    deadline_seconds: float  # how long one may take to answer
    policy: RetryPolicy = ATTEMPTS  # how often and how soon a failed delivery is tried again

    @property
    def handlers(self) -> Mapping[str, Handler]:
        """The jobs of this chapter."""
        return {DELIVER: self.deliver}

    def deliver(self, context: WorkerContext, payload: Mapping[str, Any]) -> None:
        """Send one webhook what is due, and put in the job that goes on."""
        webhook_id = str(payload["webhook_id"])
        services = context.services
        with services.database.write() as session:
            webhook = repository.webhook(session, webhook_id, lock=True)
            laid_out = 0
            if webhook is not None:
                laid_out = repository.lay_out(session, webhook, services.clock.now(), _LAID_OUT_AT_ONCE)
        if webhook is None or not webhook.is_enabled:
            return
        attempts = self._send(services, webhook)
        with context.completion() as session:
            now = services.clock.now()
            for each in attempts:
                self._note(session, each, now)
            again_at = repository.next_attempt_at(session, webhook_id)
            if laid_out == _LAID_OUT_AT_ONCE:
                again_at = now
            if again_at is not None:
                job = replace(delivery_job(webhook_id), run_at=again_at)
                services.queue.enqueue(session, job)

    def _send(self, services: WorkerServices, webhook: Webhook) -> Sequence[Attempt]:
        """Send what is due, each subject's in order; where one fails, the subject's later ones wait."""
        now = services.clock.now()
        with services.database.read() as session:
            due = repository.due(session, webhook.webhook_id, now, _SENT_AT_ONCE)
            secret = repository.secret_of(session, webhook.webhook_id)
        attempts: list[Attempt] = []
        held: set[str | None] = set()
        away: Failure | None = None  # nobody answers: what is due for other subjects fails alike
        until = monotonic() + self.deadline_seconds  # a slow receiver gets the rest in the next job
        for each in due:
            if each.notice.reading_id in held:
                continue
            if monotonic() > until:
                break
            failure = away or self._post(webhook.url, each, secret, services.clock.now())
            attempts.append(Attempt(delivery=each, failure=failure))
            if failure is not None:
                held.add(each.notice.reading_id)
                away = failure if failure.is_of_receiver else None
        return attempts

    def _post(self, url: str, delivery: Delivery, secret: str, at: datetime) -> Failure | None:
        body = body_of(delivery)
        headers = headers_of(delivery, body, secret, at)
        return post(url, body, headers, allowed=self.allowed, deadline_seconds=self.deadline_seconds)

    def _note(self, session: Session, attempt: Attempt, now: datetime) -> None:
        if attempt.failure is None:
            repository.delivered(session, attempt.delivery, now)
            return
        tried = attempt.delivery.attempts + 1
        next_at = now + self.policy.pause_after(tried) if tried < self.policy.attempts else None
        repository.failed(session, attempt.delivery, attempt.failure.sentence, next_at)


def missing_jobs(session: Session) -> Iterable[Job]:
    """Name the jobs of every webhook that has something to be told, for the reconciler."""
    last = repository.last_sequence(session)
    for webhook in repository.webhooks(session):
        if not webhook.is_enabled:
            continue
        again_at = repository.next_attempt_at(session, webhook.webhook_id)
        if again_at is not None or repository.position(session, webhook.webhook_id) < last:
            yield replace(delivery_job(webhook.webhook_id), run_at=again_at)
