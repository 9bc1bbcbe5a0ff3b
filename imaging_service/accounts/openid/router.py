"""Routes of signing in at an identity provider; a browser follows them, page after page."""

from collections.abc import Callable
from datetime import timedelta
from html import escape
from http import HTTPStatus
from typing import Annotated, Any, TypeVar

from anyio import CapacityLimiter
from anyio.lowlevel import RunVar
from anyio.to_thread import run_sync
from fastapi import APIRouter, Query, Request
from starlette.responses import HTMLResponse, RedirectResponse

from imaging_service.accounts import cookie
from imaging_service.accounts.dependencies import CurrentPrincipal, address_of, public, requires
from imaging_service.accounts.openid import visits
from imaging_service.accounts.openid.provider import Provider
from imaging_service.accounts.openid.visits import Arrival, Departure, Return
from imaging_service.accounts.principal import Principal
from imaging_service.errors import ConflictError, NotFoundError, ServiceError, UnauthenticatedError
from imaging_service.http.context import CurrentClock, CurrentDatabase, CurrentSettings

router = APIRouter(prefix="/openid", tags=["accounts"])

ReturnTo = Annotated[
    str,
    Query(
        pattern=r"^/([A-Za-z0-9_~.?-][A-Za-z0-9_~!$&'()*+,;=:@%/?.-]*)?$",  # of this host: no second slash
        max_length=500,
        description="Path of the page to go on with.",
    ),
]
_Answer = Annotated[str | None, Query(max_length=4000)]
_Outcome = TypeVar("_Outcome")
_AT_ONCE = 8
_turns: RunVar[CapacityLimiter] = RunVar("provider_turns")
_REDIRECT: dict[int | str, dict[str, Any]] = {302: {"description": "To the identity provider."}}
_PAGE: dict[int | str, dict[str, Any]] = {
    200: {"content": {"text/html": {}}, "description": "A page that leads on."}
}


@router.get(
    "/sign-in", status_code=302, response_class=RedirectResponse, responses=_REDIRECT, dependencies=[public()]
)
async def sign_in(
    request: Request, database: CurrentDatabase, clock: CurrentClock, return_to: ReturnTo = "/"
) -> RedirectResponse:
    """Send the browser to the identity provider, to sign in there."""
    return await _depart(request, database, clock, return_to, None)


@router.get(
    "/reauthentication",
    status_code=302,
    response_class=RedirectResponse,
    responses=_REDIRECT,
    dependencies=[requires()],
)
async def enter_password_again(
    request: Request,
    principal: CurrentPrincipal,
    database: CurrentDatabase,
    clock: CurrentClock,
    return_to: ReturnTo = "/",
) -> RedirectResponse:
    """Send the browser to the identity provider, to enter the password there again for a signature.

    It comes back to `return_to` with ``#authentication_id=…``, which one signature may use within minutes.
    """
    if principal.session_id is None:
        message = "Signatures are made in a session; an API key or a certificate has none."
        raise ConflictError(message, code="no_session")
    return await _depart(request, database, clock, return_to, principal)


@router.get("/callback", response_class=HTMLResponse, responses=_PAGE, dependencies=[public()])
async def come_back(  # noqa: PLR0913, PLR0917  a route names each of its doors
    request: Request,
    database: CurrentDatabase,
    clock: CurrentClock,
    settings: CurrentSettings,
    state: _Answer = None,
    code: _Answer = None,
    iss: _Answer = None,
) -> HTMLResponse:
    """Take the browser back from the identity provider and lead it on to its page."""
    provider = _provider(request)
    try:
        if not code or not state:
            message = "The identity provider let nobody in; sign in again."
            raise UnauthenticatedError(message, code="identity_refused")
        returned = Return(
            code=code,
            state=state,
            browser_secret=cookie.visit_of(request),
            issuer=iss,
            redirect_uri=_redirect_uri(request),
            address=address_of(request),
            at=clock.now(),
        )
        arrival = await _in_turn(
            lambda: visits.finish(
                database,
                provider,
                returned,
                client_id=settings.oidc_client_id,
                skew=timedelta(seconds=settings.oidc_clock_skew_seconds),
                lifetime=timedelta(seconds=settings.session_seconds),
            )
        )
    except ServiceError as refusal:
        return _page("/", refusal.detail, refusal.status)
    return _led_on(request, arrival)


async def _depart(
    request: Request, database: CurrentDatabase, clock: CurrentClock, return_to: str, signer: Principal | None
) -> RedirectResponse:
    provider = _provider(request)
    departure: Departure = await _in_turn(
        lambda: visits.begin(
            database,
            provider,
            redirect_uri=_redirect_uri(request),
            return_to=return_to,
            now=clock.now(),
            signer=signer,
        )
    )
    response = RedirectResponse(departure.address, HTTPStatus.FOUND)
    cookie.give_visit(request, response, departure.browser_secret)
    return response


def _led_on(request: Request, arrival: Arrival) -> HTMLResponse:
    """Return a page and not a redirection: our own page asks next, and the strict cookie goes along."""
    target = arrival.return_to
    if arrival.authentication is not None:
        target = f"{target}#authentication_id={arrival.authentication.authentication_id}"
    response = _page(target, "You are signed in.", HTTPStatus.OK, leads_on=True)
    cookie.take_back_visit(request, response)
    if arrival.token is not None:
        cookie.give(request, response, arrival.token.token)
    return response


def _page(target: str, sentence: str, status: HTTPStatus, *, leads_on: bool = False) -> HTMLResponse:
    refresh = f'<meta http-equiv="refresh" content="0;url={escape(target)}">' if leads_on else ""
    return HTMLResponse(
        f'<!doctype html><html lang="en"><meta charset="utf-8">{refresh}<title>Imaging service</title>'
        f'<p>{escape(sentence)}</p><p><a href="{escape(target)}">Go on</a></p>',
        status,
    )


def _provider(request: Request) -> Provider:
    provider: Provider | None = request.app.state.identity_provider
    if provider is None:
        message = "No identity provider is set up; sign in with a password."
        raise NotFoundError(message, code="no_identity_provider")
    return provider


def _redirect_uri(request: Request) -> str:
    return f"{cookie.own_origin(request)}/api/v1/openid/callback"


async def _in_turn(work: Callable[[], _Outcome]) -> _Outcome:
    """Run `work` in a thread of the few that may wait for the provider, so that others keep theirs."""
    limiter = _turns.get(None)
    if limiter is None:
        limiter = CapacityLimiter(_AT_ONCE)
        _turns.set(limiter)
    return await run_sync(work, limiter=limiter)
