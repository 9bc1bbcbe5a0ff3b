"""Routes about trials, protocols, sites and reader slots."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request, Response, status

from imaging_service.accounts.accesses import ExportedFormat
from imaging_service.accounts.act import CurrentAct
from imaging_service.accounts.dependencies import CurrentPrincipal, ReadSession, requires
from imaging_service.accounts.principal import Role
from imaging_service.errors import RefusedError, UnsupportedTypeError
from imaging_service.http.context import CurrentClock
from imaging_service.http.lists import answer_page
from imaging_service.http.models import Identifier
from imaging_service.http.pages import Page, WantedPage
from imaging_service.trials import service
from imaging_service.trials.protocols import MediaType, ProtocolText
from imaging_service.trials.records import FiledProtocol, Site, Slot
from imaging_service.trials.schemas import (
    ProtocolAnswer,
    ProtocolTextAnswer,
    SeatAnswer,
    SeatPayload,
    SiteAnswer,
    SitePayload,
    TrialAnswer,
)

router = APIRouter(prefix="/trials", tags=["trials"])

_STAFF = requires(Role.ADMINISTRATOR, Role.COORDINATOR)
_UNBLINDED = requires(Role.ADMINISTRATOR, Role.COORDINATOR, Role.SPONSOR, Role.SERVICE)
PROTOCOL_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            MediaType.JSON.value: {
                "schema": {"type": "object"},
                "example": {"trial_id": "HER2-MBC", "version": "1.0", "title": "MRI every six weeks"},
            },
            MediaType.TOML.value: {
                "schema": {"type": "string"},
                "example": 'trial_id = "HER2-MBC"\nversion = "1.0"\ntitle = "MRI every six weeks"\n',
            },
        },
    }
}


async def protocol_text(request: Request) -> ProtocolText:
    """Read the protocol in the body, as JSON or as TOML."""
    found = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if found not in {MediaType.JSON, MediaType.TOML}:
        message = f"A protocol is application/json or application/toml; the request is {found[:100]!r}."
        raise UnsupportedTypeError(message)
    try:
        text = (await request.body()).decode()
    except UnicodeDecodeError:
        message = "The protocol is not UTF-8 text."
        raise RefusedError(message, code="protocol_unreadable") from None
    writing = ProtocolText(media_type=MediaType(found), text=text)
    return ProtocolText.of_mapping(writing.mapping()) if found == MediaType.JSON else writing


@router.post(
    "",
    status_code=status.HTTP_201_CREATED,
    dependencies=[_STAFF],
    openapi_extra=PROTOCOL_BODY,
    responses={200: {"model": ProtocolAnswer, "description": "This text is filed already."}},
)
def file_protocol(
    writing: Annotated[ProtocolText, Depends(protocol_text)],
    response: Response,
    act: CurrentAct,
) -> ProtocolAnswer:
    """File a protocol: the first version begins the trial, a later one amends it."""
    filed, is_new = service.file_protocol(act, writing)
    if not is_new:
        response.status_code = status.HTTP_200_OK
    return ProtocolAnswer.model_validate(filed)


@router.get("", dependencies=[requires()], response_model=Page[TrialAnswer])
def trials(
    session: ReadSession, principal: CurrentPrincipal, page: WantedPage, wanted: ExportedFormat
) -> Any:  # noqa: ANN401  a page or a file
    """List the trials in the caller's scope."""
    found = service.trials(session, principal.scope, page)
    answer = Page(
        items=[TrialAnswer.model_validate(each) for each in found.items], next_cursor=found.next_cursor
    )
    return answer_page(answer, wanted, TrialAnswer, "trials.csv")


@router.get("/{trial_id}", dependencies=[requires()])
def trial(trial_id: Identifier, session: ReadSession, principal: CurrentPrincipal) -> TrialAnswer:
    """Return one trial."""
    return TrialAnswer.model_validate(service.find_trial(session, principal.scope, trial_id))


@router.get("/{trial_id}/protocol", dependencies=[requires()])
def protocol(
    trial_id: Identifier,
    session: ReadSession,
    principal: CurrentPrincipal,
    clock: CurrentClock,
    version: Annotated[str | None, Query(max_length=64, description="Else the one in force today.")] = None,
) -> ProtocolTextAnswer:
    """Return a version of the protocol: as filed, and as understood."""
    filed = service.filed_protocol(session, principal.scope, trial_id, version=version, on=clock.now().date())
    return _protocol_text_answer(filed)


@router.get("/{trial_id}/protocol/versions", dependencies=[requires()])
def protocol_versions(
    trial_id: Identifier, session: ReadSession, principal: CurrentPrincipal
) -> list[ProtocolAnswer]:
    """List every version of the protocol, in the order in which they were filed."""
    filed = service.filed_protocols(session, principal.scope, trial_id)
    return [ProtocolAnswer.model_validate(each) for each in filed]


@router.post(
    "/{trial_id}/sites",
    status_code=status.HTTP_201_CREATED,
    dependencies=[_STAFF],
    responses={200: {"model": SiteAnswer, "description": "It takes part already."}},
)
def open_site(
    trial_id: Identifier,
    payload: SitePayload,
    response: Response,
    act: CurrentAct,
) -> SiteAnswer:
    """Let a hospital take part; 200 when it does already."""
    site = Site(trial_id=trial_id, site_id=payload.site_id, name=payload.name)
    if not service.open_site(act, site):
        response.status_code = status.HTTP_200_OK
    return SiteAnswer.model_validate(site)


@router.get("/{trial_id}/sites", dependencies=[_UNBLINDED], response_model=Page[SiteAnswer])
def sites(
    trial_id: Identifier,
    session: ReadSession,
    principal: CurrentPrincipal,
    page: WantedPage,
    wanted: ExportedFormat,
) -> Any:  # noqa: ANN401  a page or a file
    """List the sites of a trial."""
    found = service.sites(session, principal.scope, trial_id, page)
    answer = Page(
        items=[SiteAnswer.model_validate(each) for each in found.items], next_cursor=found.next_cursor
    )
    return answer_page(answer, wanted, SiteAnswer, "sites.csv")


@router.put("/{trial_id}/readers/{slot}", dependencies=[_STAFF])
def seat_reader(
    trial_id: Identifier,
    slot: Slot,
    payload: SeatPayload,
    act: CurrentAct,
) -> SeatAnswer:
    """Seat an account as reader 1, reader 2 or adjudicator of a trial, or let it into the pool of readers."""
    service.seat_reader(act, trial_id, slot, payload.account)
    return SeatAnswer(trial_id=trial_id, slot=slot, account=payload.account)


def _protocol_text_answer(filed: FiledProtocol) -> ProtocolTextAnswer:
    return ProtocolTextAnswer(
        **ProtocolAnswer.model_validate(filed).model_dump(),
        media_type=filed.writing.media_type,
        text=filed.writing.text,
        protocol=dict(service.understood(filed)),
    )
