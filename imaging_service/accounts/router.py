"""Routes of accounts, sessions and API keys."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Annotated

from fastapi import APIRouter, Path, Request, Response
from sqlalchemy.orm import Session

from imaging_service.accounts import (
    cookie,
    credential_repository,
    identities,
    identity_repository,
    machines,
    repository,
    service,
    sessions,
    sign_in,
)
from imaging_service.accounts.act import CurrentAct
from imaging_service.accounts.credential_repository import ApiKey, ClientCertificate
from imaging_service.accounts.dependencies import (
    CurrentPrincipal,
    NewPasswordHash,
    ReadSession,
    address_of,
    check_passwords,
    public,
    requires,
)
from imaging_service.accounts.identity_repository import Identity
from imaging_service.accounts.openid.router import router as openid
from imaging_service.accounts.principal import Role
from imaging_service.accounts.repository import Account, AccountGrant
from imaging_service.accounts.schemas import (
    AccountAnswer,
    ApiKeyAnswer,
    CertificateAnswer,
    Closing,
    Ended,
    Ending,
    GrantAnswer,
    GrantShape,
    HeldGrant,
    IdentityAnswer,
    LimitShape,
    Me,
    NewAccount,
    NewApiKey,
    NewApiKeyAnswer,
    NewCertificate,
    NewIdentity,
    Rotation,
    SessionAnswer,
    SignedIn,
    SignIn,
    SignInMethods,
)
from imaging_service.accounts.scope import Grant
from imaging_service.accounts.sign_in import Attempt
from imaging_service.errors import NotFoundError
from imaging_service.http.context import CurrentClock, CurrentDatabase, CurrentSettings, CurrentTransaction
from imaging_service.http.models import RowId
from imaging_service.http.pages import Page, WantedPage

router = APIRouter(tags=["accounts"])
router.include_router(openid)

AccountId = Annotated[RowId, Path(description="Key of the account.")]
KeyId = Annotated[RowId, Path(description="Key of the API key.")]


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


@router.get("/sessions/methods", dependencies=[public()])
async def sign_in_methods(settings: CurrentSettings) -> SignInMethods:
    """Return how somebody may sign in."""
    return SignInMethods(password=True, openid=settings.oidc_issuer is not None)


@router.get("/sessions", dependencies=[requires()])
def list_own_sessions(
    principal: CurrentPrincipal, session: ReadSession, clock: CurrentClock
) -> list[SessionAnswer]:
    """List the caller's own sessions, newest first."""
    return _sessions(session, principal.account_id, clock.now(), principal.session_id)


@router.delete("/sessions/{session_id}", status_code=204, dependencies=[requires()])
def end_own_session(
    session_id: Annotated[RowId, Path(description="Key of the session.")],
    principal: CurrentPrincipal,
    act: CurrentAct,
) -> None:
    """End one of the caller's own sessions."""
    sessions.end_one(act.session, act.actor, principal.account_id, session_id, act.now)


@router.get("/accounts/{account_id}/sessions", dependencies=[requires(Role.ADMINISTRATOR)])
def list_sessions(account_id: AccountId, session: ReadSession, clock: CurrentClock) -> list[SessionAnswer]:
    """List an account's sessions, newest first."""
    _existing(repository.account_by_id(session, account_id), account_id)
    return _sessions(session, account_id, clock.now(), None)


@router.post("/accounts/{account_id}/sessions/ending", dependencies=[requires(Role.ADMINISTRATOR)])
def end_sessions(account_id: AccountId, body: Ending, act: CurrentAct) -> Ended:
    """End every session of an account, now; its keys and certificates go on."""
    ended = sessions.end_all(act.session, act.actor, account_id, reason=body.reason, now=act.now)
    return Ended(ended=ended)


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


@router.post(
    "/accounts/{account_id}/grants/{grant_id}/ending",
    status_code=204,
    dependencies=[requires(Role.ADMINISTRATOR)],
)
def end_grant(
    account_id: AccountId,
    grant_id: Annotated[RowId, Path(description="Key of the permission.")],
    body: Ending,
    act: CurrentAct,
) -> None:
    """Take a permission from the account from now on: a trial, a site of it, or a reader slot of it."""
    service.end_grant(act.session, act.actor, account_id, grant_id, reason=body.reason, now=act.now)


@router.post(
    "/accounts/{account_id}/identities", status_code=201, dependencies=[requires(Role.ADMINISTRATOR)]
)
def link_identity(account_id: AccountId, body: NewIdentity, act: CurrentAct) -> IdentityAnswer:
    """Let whom an identity provider knows sign in as the account."""
    row = identities.link(
        act.session, act.actor, account_id, issuer=body.issuer, subject=body.subject, now=act.now
    )
    return _identity(row)


@router.get("/accounts/{account_id}/identities", dependencies=[requires(Role.ADMINISTRATOR)])
def list_identities(account_id: AccountId, session: ReadSession) -> list[IdentityAnswer]:
    """List who the account is at identity providers."""
    _existing(repository.account_by_id(session, account_id), account_id)
    return [_identity(row) for row in identity_repository.identities_of(session, account_id)]


@router.delete(
    "/accounts/{account_id}/identities/{identity_id}",
    status_code=204,
    dependencies=[requires(Role.ADMINISTRATOR)],
)
def unlink_identity(
    account_id: AccountId,
    identity_id: Annotated[RowId, Path(description="Key of the link.")],
    act: CurrentAct,
) -> None:
    """Let that identity sign in as the account no more."""
    identities.unlink(act.session, act.actor, account_id, identity_id, now=act.now)


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
    limits = None if body.limits is None else [_limit(limit) for limit in body.limits]
    row, key = machines.create_api_key(
        act.session,
        act.actor,
        account_id,
        title=body.title,
        limits=limits,
        expires_at=act.now + timedelta(days=body.valid_days),
        now=act.now,
    )
    return NewApiKeyAnswer(key=key, **_key(row, None).model_dump())


@router.post("/api-keys/{key_id}/rotation", status_code=201, dependencies=[requires(Role.ADMINISTRATOR)])
def rotate_api_key(
    key_id: KeyId, body: Rotation, transaction: CurrentTransaction, act: CurrentAct
) -> NewApiKeyAnswer:
    """Replace a key by a new one of the same scope; the old one goes on for a while."""
    transaction.holds_secret = True
    row, key = machines.rotate_api_key(
        act.session,
        act.actor,
        key_id,
        valid_for=timedelta(days=body.valid_days),
        overlap=timedelta(hours=body.overlap_hours),
        now=act.now,
    )
    return NewApiKeyAnswer(key=key, **_key(row, None).model_dump())


@router.get("/accounts/{account_id}/api-keys", dependencies=[requires(Role.ADMINISTRATOR)])
def list_api_keys(account_id: AccountId, session: ReadSession) -> list[ApiKeyAnswer]:
    """List the account's keys, without their secrets."""
    _existing(repository.account_by_id(session, account_id), account_id)
    return [_key(row, used_at) for row, used_at in credential_repository.keys_of(session, account_id)]


@router.delete("/api-keys/{key_id}", status_code=204, dependencies=[requires(Role.ADMINISTRATOR)])
def revoke_api_key(key_id: KeyId, act: CurrentAct) -> None:
    """End an API key now."""
    machines.revoke_api_key(act.session, act.actor, key_id, now=act.now)


@router.post(
    "/accounts/{account_id}/certificates", status_code=201, dependencies=[requires(Role.ADMINISTRATOR)]
)
def register_certificate(account_id: AccountId, body: NewCertificate, act: CurrentAct) -> CertificateAnswer:
    """Let whoever proves over TLS to have a certificate's key act as the service account."""
    row = machines.register_certificate(
        act.session,
        act.actor,
        account_id,
        title=body.title,
        fingerprint=body.fingerprint,
        expires_at=act.now + timedelta(days=body.valid_days),
        now=act.now,
    )
    return _certificate(row, None)


@router.get("/accounts/{account_id}/certificates", dependencies=[requires(Role.ADMINISTRATOR)])
def list_certificates(account_id: AccountId, session: ReadSession) -> list[CertificateAnswer]:
    """List the account's certificates."""
    _existing(repository.account_by_id(session, account_id), account_id)
    return [
        _certificate(row, used) for row, used in credential_repository.certificates_of(session, account_id)
    ]


@router.delete("/certificates/{certificate_id}", status_code=204, dependencies=[requires(Role.ADMINISTRATOR)])
def revoke_certificate(
    certificate_id: Annotated[RowId, Path(description="Key of the certificate.")], act: CurrentAct
) -> None:
    """End a certificate now."""
    machines.revoke_certificate(act.session, act.actor, certificate_id, now=act.now)


def _existing(row: Account | None, account_id: str) -> Account:
    if row is None:
        message = f"There is no account with the key {account_id!r}."
        raise NotFoundError(message)
    return row


def _permission(shape: GrantShape) -> Grant:
    return Grant(trial_id=shape.trial_id, site_id=shape.site_id, reader_slot=shape.reader_slot)


def _grants(grants: Iterable[Grant]) -> list[GrantAnswer]:
    answers = [
        GrantAnswer(trial_id=grant.trial_id, site_id=grant.site_id, reader_slot=grant.reader_slot)
        for grant in grants
    ]
    return sorted(answers, key=_place)


def _held_grants(grants: Iterable[AccountGrant]) -> list[HeldGrant]:
    answers = [
        HeldGrant(
            grant_id=grant.grant_id,
            trial_id=grant.trial_id,
            site_id=grant.site_id,
            reader_slot=grant.reader_slot,
        )
        for grant in grants
    ]
    return sorted(answers, key=_place)


def _place(grant: GrantAnswer) -> tuple[str, str, int]:
    return grant.trial_id, grant.site_id or "", grant.reader_slot or 0


def _account(row: Account) -> AccountAnswer:
    return AccountAnswer(
        account_id=row.account_id,
        account=row.account,
        name=row.name,
        roles=[Role(role) for role in row.roles],
        grants=_held_grants(row.grants),
        created_at=row.created_at,
        closed_at=row.closed_at,
    )


def _limit(shape: LimitShape) -> Grant:
    return Grant(trial_id=shape.trial_id, site_id=shape.site_id)


def _sessions(session: Session, account_id: str, now: datetime, current: str | None) -> list[SessionAnswer]:
    return [
        SessionAnswer(
            session_id=each.session_id,
            is_current=each.session_id == current,
            method=each.method,
            address=each.address,
            created_at=each.created_at,
            expires_at=each.expires_at,
            used_at=each.used_at,
        )
        for each in sessions.live_sessions(session, account_id, now)
    ]


def _identity(row: Identity) -> IdentityAnswer:
    return IdentityAnswer(
        identity_id=row.identity_id, issuer=row.issuer, subject=row.subject, created_at=row.created_at
    )


def _certificate(row: ClientCertificate, used_at: datetime | None) -> CertificateAnswer:
    return CertificateAnswer(
        certificate_id=row.certificate_id,
        title=row.title,
        fingerprint=row.fingerprint,
        created_at=row.created_at,
        expires_at=row.expires_at,
        revoked_at=row.revoked_at,
        used_at=used_at,
    )


def _key(row: ApiKey, used_at: datetime | None) -> ApiKeyAnswer:
    return ApiKeyAnswer(
        key_id=row.key_id,
        title=row.title,
        limits=None if row.limits is None else [LimitShape(**limit) for limit in row.limits],
        replaces=row.replaces,
        created_at=row.created_at,
        expires_at=row.expires_at,
        revoked_at=row.revoked_at,
        used_at=used_at,
    )
