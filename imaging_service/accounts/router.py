"""Routes of accounts, sessions and API keys."""

from collections.abc import Iterable
from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, Path, Request, Response

from imaging_service.accounts import cookie, repository, service, sign_in
from imaging_service.accounts.act import CurrentAct
from imaging_service.accounts.dependencies import (
    CurrentPrincipal,
    NewPasswordHash,
    ReadSession,
    address_of,
    check_passwords,
    public,
    requires,
)
from imaging_service.accounts.principal import Role
from imaging_service.accounts.repository import Account, AccountGrant, ApiKey
from imaging_service.accounts.schemas import (
    AccountAnswer,
    ApiKeyAnswer,
    Closing,
    GrantAnswer,
    GrantShape,
    Me,
    NewAccount,
    NewApiKey,
    NewApiKeyAnswer,
    SignedIn,
    SignIn,
)
from imaging_service.accounts.scope import Grant
from imaging_service.accounts.sign_in import Attempt
from imaging_service.errors import NotFoundError
from imaging_service.http.context import CurrentClock, CurrentDatabase, CurrentSettings, CurrentTransaction
from imaging_service.http.models import RowId
from imaging_service.http.pages import Page, WantedPage

router = APIRouter(tags=["accounts"])

AccountId = Annotated[RowId, Path(description="Key of the account.")]


@router.post("/sessions", status_code=201, dependencies=[public()])
async def create_session(  # noqa: PLR0913, PLR0917  a route names each of its doors
    request: Request,
    response: Response,
    body: SignIn,
    database: CurrentDatabase,
    clock: CurrentClock,
    settings: CurrentSettings,
) -> SignedIn:
    """Sign in with an account's name and password: get a bearer token, and the same as a cookie for pages."""
    attempt = Attempt(
        account=body.account, password=body.password, address=address_of(request), at=clock.now()
    )
    lifetime = timedelta(seconds=settings.session_seconds)
    token = await check_passwords(
        request, lambda passwords: sign_in.sign_in(database, passwords, attempt, lifetime)
    )
    cookie.give(request, response, token.token)
    principal = token.principal
    return SignedIn(
        token=token.token,
        expires_at=token.expires_at,
        account_id=principal.account_id,
        name=principal.name,
        roles=sorted(principal.roles),
    )


@router.delete("/sessions/current", status_code=204, dependencies=[requires()])
def end_session(request: Request, response: Response, principal: CurrentPrincipal, act: CurrentAct) -> None:
    """Sign out: the token ends now, and the browser forgets its cookie."""
    cookie.take_back(request, response)
    sign_in.sign_out(act.session, principal, act.now)


@router.get("/accounts/me", dependencies=[requires()])
def who_am_i(principal: CurrentPrincipal) -> Me:
    """Return the caller's account, roles and scope."""
    return Me(
        account_id=principal.account_id,
        account=principal.account,
        name=principal.name,
        roles=sorted(principal.roles),
        everywhere=principal.scope.everywhere,
        grants=_grants(principal.scope.grants),
    )


@router.post("/accounts", status_code=201, dependencies=[requires(Role.ADMINISTRATOR)])
def create_account(
    response: Response, body: NewAccount, password_hash: NewPasswordHash, act: CurrentAct
) -> AccountAnswer:
    """Create an account."""
    row = service.create_account(
        act.session,
        act.actor,
        account=body.account,
        name=body.name,
        roles=set(body.roles),
        password_hash=password_hash,
        grants=[_permission(grant) for grant in body.grants],
        now=act.now,
    )
    response.headers["Location"] = f"/api/v1/accounts/{row.account_id}"
    return _account(row)


@router.get("/accounts", dependencies=[requires(Role.ADMINISTRATOR)])
def list_accounts(session: ReadSession, page: WantedPage) -> Page[AccountAnswer]:
    """List the accounts by name."""
    rows = session.scalars(page.apply(repository.accounts(), Account.account)).all()
    return page.page(rows, lambda row: (row.account,), _account)


@router.get("/accounts/{account_id}", dependencies=[requires(Role.ADMINISTRATOR)])
def read_account(account_id: AccountId, session: ReadSession) -> AccountAnswer:
    """Return one account."""
    return _account(_existing(repository.account_by_id(session, account_id), account_id))


@router.post("/accounts/{account_id}/grants", dependencies=[requires(Role.ADMINISTRATOR)])
def grant(account_id: AccountId, body: GrantShape, act: CurrentAct) -> AccountAnswer:
    """Let the account act on a trial, a site of it, or in a reader slot of it."""
    row = _existing(repository.account_by_id(act.session, account_id), account_id)
    service.grant_to(act.session, act.actor, row.account, _permission(body), now=act.now)
    return _account(row)


@router.post("/accounts/{account_id}/closure", status_code=204, dependencies=[requires(Role.ADMINISTRATOR)])
def close_account(account_id: AccountId, body: Closing, act: CurrentAct) -> None:
    """Close the account for good; its sessions and keys end now."""
    service.close_account(act.session, act.actor, account_id, reason=body.reason, now=act.now)


@router.post("/accounts/{account_id}/api-keys", status_code=201, dependencies=[requires(Role.ADMINISTRATOR)])
def create_api_key(
    account_id: AccountId, body: NewApiKey, transaction: CurrentTransaction, act: CurrentAct
) -> NewApiKeyAnswer:
    """Give a service account a key; the answer is the only time that it is told."""
    transaction.holds_secret = True
    row, key = service.create_api_key(
        act.session,
        act.actor,
        account_id,
        title=body.title,
        trial_ids=body.trial_ids,
        expires_at=act.now + timedelta(days=body.valid_days),
        now=act.now,
    )
    return NewApiKeyAnswer(key=key, **_key(row).model_dump())


@router.get("/accounts/{account_id}/api-keys", dependencies=[requires(Role.ADMINISTRATOR)])
def list_api_keys(account_id: AccountId, session: ReadSession) -> list[ApiKeyAnswer]:
    """List the account's keys, without their secrets."""
    _existing(repository.account_by_id(session, account_id), account_id)
    return [_key(row) for row in repository.keys_of(session, account_id)]


@router.delete("/api-keys/{key_id}", status_code=204, dependencies=[requires(Role.ADMINISTRATOR)])
def revoke_api_key(
    key_id: Annotated[RowId, Path(description="Key of the API key.")], act: CurrentAct
) -> None:
    """End an API key now."""
    service.revoke_api_key(act.session, act.actor, key_id, now=act.now)


def _existing(row: Account | None, account_id: str) -> Account:
    if row is None:
        message = f"There is no account with the key {account_id!r}."
        raise NotFoundError(message)
    return row


def _permission(shape: GrantShape) -> Grant:
    return Grant(trial_id=shape.trial_id, site_id=shape.site_id, reader_slot=shape.reader_slot)


def _grants(grants: Iterable[Grant | AccountGrant]) -> list[GrantAnswer]:
    answers = [
        GrantAnswer(trial_id=grant.trial_id, site_id=grant.site_id, reader_slot=grant.reader_slot)
        for grant in grants
    ]
    return sorted(answers, key=lambda g: (g.trial_id, g.site_id or "", g.reader_slot or 0))


def _account(row: Account) -> AccountAnswer:
    return AccountAnswer(
        account_id=row.account_id,
        account=row.account,
        name=row.name,
        roles=[Role(role) for role in row.roles],
        grants=_grants(row.grants),
        created_at=row.created_at,
        closed_at=row.closed_at,
    )


def _key(row: ApiKey) -> ApiKeyAnswer:
    return ApiKeyAnswer(
        key_id=row.key_id,
        title=row.title,
        trial_ids=row.trial_ids,
        created_at=row.created_at,
        expires_at=row.expires_at,
        revoked_at=row.revoked_at,
    )
