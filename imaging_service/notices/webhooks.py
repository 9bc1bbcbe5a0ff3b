"""Register, disable, enable and end webhooks, and decide about deliveries that have failed for good."""

import secrets
from collections.abc import Sequence
from dataclasses import replace
from enum import StrEnum

from sqlalchemy.orm import Session

from imaging_service.accounts.act import Act
from imaging_service.accounts.principal import Principal
from imaging_service.accounts.scope import Scope
from imaging_service.database import new_id
from imaging_service.errors import ConflictError, ForbiddenError, NotFoundError, RefusedError
from imaging_service.http.pages import Page, PageRequest
from imaging_service.notices import repository
from imaging_service.notices.addresses import ReceiverAddressError, receiver_of
from imaging_service.notices.kinds import Kind
from imaging_service.notices.records import Delivery, DeliveryState, Webhook
from imaging_service.notices.service import delivery_job
from imaging_service.trials import service as trials

MOST_WEBHOOKS = 20
"""Of one trial: every notice is laid out for each."""


class Decision(StrEnum):
    """What a person decides about a dead delivery."""

    RELEASE = "release"
    DISCARD = "discard"


def register(act: Act, trial_id: str, url: str, kinds: Sequence[Kind]) -> tuple[Webhook, str]:
    """Let an address be told what happens in a trial from now on; return it with the key of its signatures.

    Raises
    ------
    NotFoundError
        There is no such trial in the scope.
    ForbiddenError
        The caller sees only a part of the trial.
    RefusedError
        The address cannot be one of a receiver.
    ConflictError
        The trial has the address already, or as many webhooks as a trial may have.
    """
    _check_whole(act.session, act.scope, trial_id)
    try:
        receiver_of(url)
    except ReceiverAddressError as error:
        raise RefusedError(str(error), code="receiver_address") from None
    repository.lock_registrations(act.session, trial_id)
    known = repository.webhooks(act.session, trial_id)
    if any(each.url == url for each in known):
        message = f"Trial {trial_id!r} has a webhook with this address already."
        raise ConflictError(message, code="webhook_exists")
    if len(known) >= MOST_WEBHOOKS:
        message = f"Trial {trial_id!r} has {len(known)} webhooks; {MOST_WEBHOOKS} is the most."
        raise ConflictError(message, code="too_many_webhooks")
    webhook = Webhook(
        webhook_id=new_id(),
        trial_id=trial_id,
        url=url,
        kinds=tuple(dict.fromkeys(kinds)),
        is_enabled=True,
        registered_by=act.by,
        registered_at=act.now,
        ended_at=None,
    )
    secret = secrets.token_urlsafe(32)
    repository.add_webhook(act.session, webhook, secret, repository.last_sequence(act.session))
    after = {"trial_id": trial_id, "url": url, "kinds": list(webhook.kinds)}
    act.record("register webhook", "webhook", webhook.webhook_id, after=after)
    return webhook, secret


def webhooks(session: Session, principal: Principal, trial_id: str) -> Sequence[Webhook]:
    """Return the webhooks of a trial.

    Raises
    ------
    NotFoundError
        There is no such trial in the scope.
    ForbiddenError
        The caller sees only a part of the trial.
    """
    _check_whole(session, principal.scope, trial_id)
    return repository.webhooks(session, trial_id)


def switch(act: Act, trial_id: str, webhook_id: str, reason: str, *, is_enabled: bool) -> Webhook:
    """Disable a webhook, whose notices then wait, or enable it, so that they go; nothing is lost between.

    Raises
    ------
    NotFoundError
        There is no such webhook in the scope.
    """
    webhook = find_webhook(act.session, act.scope, trial_id, webhook_id, lock=True)
    if webhook.is_enabled == is_enabled:
        return webhook
    repository.set_enabled(act.session, webhook_id, is_enabled=is_enabled)
    action = "enable webhook" if is_enabled else "disable webhook"
    act.record(action, "webhook", webhook_id, reason=reason)
    if is_enabled:
        act.queue.enqueue(act.session, delivery_job(webhook_id))
    return replace(webhook, is_enabled=is_enabled)


def end(act: Act, trial_id: str, webhook_id: str) -> None:
    """Tell an address nothing more; what it was told stays on the record.

    Raises
    ------
    NotFoundError
        There is no such webhook in the scope.
    """
    webhook = find_webhook(act.session, act.scope, trial_id, webhook_id, lock=True)
    repository.end(act.session, webhook_id, act.now)
    act.record("end webhook", "webhook", webhook_id, before={"url": webhook.url})


def find_webhook(
    session: Session, scope: Scope, trial_id: str, webhook_id: str, *, lock: bool = False
) -> Webhook:
    """Return a webhook of a trial.

    Raises
    ------
    NotFoundError
        There is none in the scope, or it has ended.
    ForbiddenError
        The caller sees only a part of the trial.
    """
    _check_whole(session, scope, trial_id)
    found = repository.webhook(session, webhook_id, lock=lock)
    if found is None or found.trial_id != trial_id:
        message = f"Trial {trial_id!r} has no webhook {webhook_id!r}."
        raise NotFoundError(message)
    return found


def deliveries(  # noqa: PLR0913, PLR0917  what a list is asked by
    session: Session,
    principal: Principal,
    trial_id: str,
    webhook_id: str,
    state: DeliveryState | None,
    page: PageRequest,
) -> Page[Delivery]:
    """Return the deliveries of a webhook, or those in one state, in order.

    Raises
    ------
    NotFoundError
        There is no such webhook in the scope.
    """
    find_webhook(session, principal.scope, trial_id, webhook_id)
    return repository.deliveries(session, webhook_id, state, page)


def decide(  # noqa: PLR0913, PLR0917  a decision says all of it
    act: Act, trial_id: str, webhook_id: str, delivery_id: str, decision: Decision, reason: str
) -> Delivery:
    """Let a dead delivery be tried afresh, or give it up; the subject's later ones then go.

    Raises
    ------
    NotFoundError
        There is no such delivery in the scope.
    ConflictError
        It is not dead.
    """
    find_webhook(act.session, act.scope, trial_id, webhook_id, lock=True)
    found = repository.delivery(act.session, webhook_id, delivery_id, lock=True)
    if found is None:
        message = f"Webhook {webhook_id!r} has no delivery {delivery_id!r}."
        raise NotFoundError(message)
    if found.state is not DeliveryState.DEAD:
        message = f"The delivery is {found.state.value}; only a dead one waits for a decision."
        raise ConflictError(message, code="delivery_not_dead")
    if decision is Decision.RELEASE:
        repository.release(act.session, delivery_id, act.now)
    else:
        repository.discard(act.session, delivery_id)
    act.record(f"{decision.value} delivery", "delivery", delivery_id, reason=reason)
    act.queue.enqueue(act.session, delivery_job(webhook_id))
    decided = repository.delivery(act.session, webhook_id, delivery_id)
    assert decided is not None  # noqa: S101  it was found above
    return decided


def _check_whole(session: Session, scope: Scope, trial_id: str) -> None:
    """Let only those register a receiver who may see all that it is told."""
    trials.find_trial(session, scope, trial_id)
    is_whole = scope.everywhere or any(
        each.trial_id == trial_id and each.site_id is None and each.reader_slot is None
        for each in scope.grants
    )
    if not is_whole:
        message = f"A webhook is told of every site of trial {trial_id!r}; the account sees a part of it."
        raise ForbiddenError(message, code="whole_trial_wanted")
