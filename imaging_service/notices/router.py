"""Routes about notices and webhooks."""

from collections.abc import Sequence
from typing import Annotated, Any

from anyio import sleep
from anyio.to_thread import run_sync
from fastapi import APIRouter, Query, Response, status

from imaging_service.accounts.accesses import ExportedFormat
from imaging_service.accounts.act import CurrentAct
from imaging_service.accounts.dependencies import CurrentPrincipal, ReadSession, requires
from imaging_service.accounts.principal import Principal, Role
from imaging_service.database import Database
from imaging_service.http.context import CurrentDatabase, CurrentTurns
from imaging_service.http.lists import answer_page
from imaging_service.http.models import Identifier, RowId
from imaging_service.http.pages import MAX_LIMIT, Page, WantedPage
from imaging_service.notices import service, webhooks
from imaging_service.notices.records import DeliveryState, Notice
from imaging_service.notices.schemas import (
    DecisionPayload,
    DeliveryAnswer,
    FeedAnswer,
    NewWebhookAnswer,
    NoticeAnswer,
    SwitchPayload,
    WebhookAnswer,
    WebhookPayload,
    delivery_answer,
)

router = APIRouter(prefix="/trials/{trial_id}", tags=["notices"])

LONGEST_WAIT_SECONDS = 20
_PAUSE_SECONDS = 0.25
_STAFF = requires(Role.ADMINISTRATOR, Role.COORDINATOR)
_UNBLINDED = requires(Role.ADMINISTRATOR, Role.COORDINATOR, Role.SPONSOR, Role.SERVICE)


@router.get("/notices", dependencies=[_UNBLINDED])
async def notices(  # noqa: PLR0913, PLR0917  a route takes what it is asked by
    trial_id: Identifier,
    principal: CurrentPrincipal,
    database: CurrentDatabase,
    turns: CurrentTurns,
    after: Annotated[int, Query(ge=0, lt=2**63, description="`next_after` of the answer before.")] = 0,
    limit: Annotated[int, Query(ge=1, le=MAX_LIMIT, description="Notices at once, at most.")] = 100,
    wait_seconds: Annotated[
        int, Query(ge=0, le=LONGEST_WAIT_SECONDS, description="How long to wait for news when there is none.")
    ] = 0,
) -> FeedAnswer:
    """Tell what has happened in the trial behind a number, at once or as soon as something does."""

    def look() -> Sequence[Notice]:
        return _look(database, principal, trial_id, after, limit)

    rest = float(wait_seconds)
    while True:
        holder = object()
        limiter = await turns.take("read", holder)
        try:
            found = await run_sync(look)
        finally:
            limiter.release_on_behalf_of(holder)
        if found or rest <= 0:
            break
        await sleep(_PAUSE_SECONDS)
        rest -= _PAUSE_SECONDS
    return FeedAnswer(
        items=[NoticeAnswer.model_validate(each) for each in found],
        next_after=found[-1].sequence if found else after,
    )


def _look(
    database: Database, principal: Principal, trial_id: str, after: int, limit: int
) -> Sequence[Notice]:
    with database.read() as session:
        return service.feed(session, principal, trial_id, after=after, limit=limit)


@router.post("/webhooks", status_code=status.HTTP_201_CREATED, dependencies=[_STAFF])
def register(trial_id: Identifier, payload: WebhookPayload, act: CurrentAct) -> NewWebhookAnswer:
    """Let an address be told from now on; the key of its signatures is in this answer and nowhere else."""
    webhook, secret = webhooks.register(act, trial_id, payload.url, payload.kinds)
    return NewWebhookAnswer(**WebhookAnswer.model_validate(webhook).model_dump(), secret=secret)


@router.get("/webhooks", dependencies=[_STAFF])
def registered(
    trial_id: Identifier, session: ReadSession, principal: CurrentPrincipal
) -> list[WebhookAnswer]:
    """List the receivers of a trial."""
    found = webhooks.webhooks(session, principal, trial_id)
    return [WebhookAnswer.model_validate(each) for each in found]


@router.patch("/webhooks/{webhook_id}", dependencies=[_STAFF])
def switch(trial_id: Identifier, webhook_id: RowId, payload: SwitchPayload, act: CurrentAct) -> WebhookAnswer:
    """Disable a webhook, whose notices then wait, or enable it again."""
    found = webhooks.switch(act, trial_id, webhook_id, payload.reason, is_enabled=payload.is_enabled)
    return WebhookAnswer.model_validate(found)


@router.delete("/webhooks/{webhook_id}", status_code=status.HTTP_204_NO_CONTENT, dependencies=[_STAFF])
def end(trial_id: Identifier, webhook_id: RowId, act: CurrentAct) -> Response:
    """Tell an address nothing more."""
    webhooks.end(act, trial_id, webhook_id)
    return Response(status_code=status.HTTP_204_NO_CONTENT)


@router.get(
    "/webhooks/{webhook_id}/deliveries",
    dependencies=[_STAFF],
    response_model=Page[DeliveryAnswer],
)
def deliveries(  # noqa: PLR0913, PLR0917  a route takes what it is asked by
    trial_id: Identifier,
    webhook_id: RowId,
    session: ReadSession,
    principal: CurrentPrincipal,
    page: WantedPage,
    wanted: ExportedFormat,
    state: Annotated[DeliveryState | None, Query(description="Only in this state.")] = None,
) -> Any:  # noqa: ANN401  a page or a file
    """List what a receiver was told, is being told, or could not be told."""
    found = webhooks.deliveries(session, principal, trial_id, webhook_id, state, page)
    answer = Page(items=[delivery_answer(each) for each in found.items], next_cursor=found.next_cursor)
    return answer_page(answer, wanted, DeliveryAnswer, "deliveries.csv")


@router.post("/webhooks/{webhook_id}/deliveries/{delivery_id}/decision", dependencies=[_STAFF])
def decide(
    trial_id: Identifier, webhook_id: RowId, delivery_id: RowId, payload: DecisionPayload, act: CurrentAct
) -> DeliveryAnswer:
    """Let a dead delivery be tried afresh, or give it up."""
    return delivery_answer(
        webhooks.decide(act, trial_id, webhook_id, delivery_id, payload.decision, payload.reason)
    )
