"""What a route declares: who may call it, who calls it, and its transaction."""

import hashlib
from collections.abc import AsyncIterator, Callable
from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

from anyio import CancelScope, CapacityLimiter
from anyio.lowlevel import RunVar
from anyio.to_thread import run_sync
from fastapi import Depends, Header, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from sqlalchemy.orm import Session

from imaging_service.accounts import cookie, sign_in
from imaging_service.accounts.passwords import GREATEST_LENGTH, Passwords
from imaging_service.accounts.principal import Principal, Role
from imaging_service.accounts.sign_in import Attempt, Authentication, Known
from imaging_service.database import Database
from imaging_service.errors import BusyError, ForbiddenError, UnauthenticatedError
from imaging_service.http.context import (
    CurrentClock,
    CurrentDatabase,
    CurrentTransaction,
    CurrentTurns,
    settings_of,
)
from imaging_service.http.idempotency import Claim
from imaging_service.http.transaction import Turns

_Outcome = TypeVar("_Outcome")
_password_turns: RunVar[CapacityLimiter] = RunVar("password_turns")

if TYPE_CHECKING:
    from imaging_service.accounts.wrong_tokens import WrongTokens

bearer = HTTPBearer(
    auto_error=False,
    description="The token of POST /sessions, or an API key. A page may leave it out and rely on the "
    "cookie that signing in set; a change then needs the header X-Requested-With and an Origin of "
    "the service itself.",
)


async def current_principal(
    request: Request,
    database: CurrentDatabase,
    turns: CurrentTurns,
    clock: CurrentClock,
    credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(bearer)],
) -> Principal:
    """Return who the bearer token belongs to, or without one the session cookie.

    Raises
    ------
    UnauthenticatedError
        There is no token, or it is unknown, expired or revoked.
    ForbiddenError
        A page of another site may have made the browser send the cookie.
    """
    token = credentials.credentials if credentials is not None else cookie.token_of(request)
    certificate = getattr(request.state, "client_certificate", None)
    now = clock.now()
    if token is not None:
        idle = timedelta(seconds=(await settings_of(request)).session_idle_seconds)
        known = await _known(request, turns, partial(sign_in.authenticate, database, token, now, idle))
    elif certificate is not None:
        check = partial(sign_in.authenticate_certificate, database, certificate, now)
        known = await _known(request, turns, check)
    else:
        message = "This route needs a bearer token; POST /api/v1/sessions gives one."
        raise UnauthenticatedError(message)
    await _note_use(database, turns, known, now)
    request.state.account_id = known.principal.account_id
    return known.principal


async def _known(request: Request, turns: Turns, check: Callable[[], Known]) -> Known:
    """Run `check`; after too many wrong tokens an address waits, unless what it shows was good lately."""
    wrong: WrongTokens = request.app.state.wrong_tokens
    address, shown = (
        address_of(request),
        request.headers.get("authorization", "") + request.headers.get("cookie", ""),
    )
    wrong.refuse_while_waiting(address, shown)
    holder = object()
    limiter = await turns.take("read", holder)
    try:
        known = await run_sync(check)
    except UnauthenticatedError:
        wrong.count(address, shown)
        raise
    finally:
        limiter.release_on_behalf_of(holder)
    wrong.remember_good(shown)
    return known


async def _note_use(database: Database, turns: Turns, known: Known, now: datetime) -> None:
    """Keep that a credential was used, about once a minute, and only when nobody has to wait for it."""
    if not known.is_due(now):
        return
    holder = object()
    limiter = turns.take_now("write", holder)
    if limiter is None:
        return
    try:
        await run_sync(sign_in.note_use, database, known, now)
    finally:
        limiter.release_on_behalf_of(holder)


CurrentPrincipal = Annotated[Principal, Depends(current_principal)]


class RoleGuard:
    """Lets the owners of a route in."""

    def __init__(self, roles: frozenset[Role]) -> None:
        """Know the owners."""
        self.roles = roles

    async def __call__(self, principal: CurrentPrincipal) -> None:
        """Refuse a principal that has none of the roles."""
        if not principal.has(*self.roles):
            found = ", ".join(sorted(principal.roles)) or "no role"
            wanted = " or ".join(sorted(self.roles))
            message = f"This needs the role {wanted}; the account has {found}."
            raise ForbiddenError(message)


def requires(*roles: Role) -> Any:  # noqa: ANN401  as FastAPI's Depends returns
    """Declare a route's owners, in ``dependencies=[requires(Role.READER)]``; none named means any role."""
    return Depends(RoleGuard(frozenset(roles or Role)))


async def anyone() -> None:
    """Let everybody in, signed in or not."""


def public() -> Any:  # noqa: ANN401  as FastAPI's Depends returns
    """Declare that a route has no owner; a test lists the few that may."""
    return Depends(anyone)


async def read_session(
    _principal: CurrentPrincipal, database: CurrentDatabase, turns: CurrentTurns
) -> AsyncIterator[Session]:
    """Give a session to read from, until the answer is made."""
    holder = object()
    limiter = await turns.take("read", holder)
    session = database.reading_session()
    try:
        yield session
    finally:
        with CancelScope(shield=True):
            await run_sync(session.close)
        limiter.release_on_behalf_of(holder)


async def write_session(
    request: Request,
    principal: CurrentPrincipal,
    transaction: CurrentTransaction,
    idempotency_key: Annotated[
        str | None,
        Header(
            alias="Idempotency-Key",
            pattern=r"^[\x21-\x7e]{1,128}$",
            description="Sent again with the same key, a write happens once and is answered the same.",
        ),
    ] = None,
) -> Session:
    """Give the request's one write transaction; it is committed when the answer is made."""
    if idempotency_key is None:
        return await transaction.begin(None)
    digest = hashlib.sha256()
    for part in (
        request.method.encode(),
        request.scope["path"].encode(),
        request.scope["query_string"],
        await request.body(),
    ):
        digest.update(hashlib.sha256(part).digest())
    claim = Claim(account_id=principal.account_id, key=idempotency_key, request_sha256=digest.hexdigest())
    return await transaction.begin(claim)


async def check_passwords(request: Request, check: Callable[[Passwords], _Outcome]) -> _Outcome:
    """Run `check` where it can wait for its turn without taking a thread from other requests.

    Raises
    ------
    BusyError
        Too many checks wait already.
    """
    settings = await settings_of(request)
    passwords: Passwords = request.app.state.passwords
    limiter = _password_turns.get(None)
    if limiter is None:
        limiter = CapacityLimiter(passwords.at_once)
        _password_turns.set(limiter)
    if limiter.statistics().tasks_waiting >= settings.passwords_waiting:
        message = f"{settings.passwords_waiting} password checks wait already; please try again."
        raise BusyError(message, retry_after_seconds=5)
    return await run_sync(check, passwords, limiter=limiter)


def address_of(request: Request) -> str:
    """Return the caller's network address, for the back-off of wrong passwords."""
    return request.client.host[:64] if request.client else "unknown"


async def confirmed_password(
    request: Request, principal: CurrentPrincipal, database: CurrentDatabase, clock: CurrentClock
) -> Authentication:
    """Check the ``password`` in the JSON body again; declare it before the `WriteSession`.

    Whoever signs in at the identity provider enters it there and sends the ``authentication_id`` of that.

    Raises
    ------
    UnauthenticatedError
        It is not the caller's password, or not the caller's entry.
    """
    password = await _text_in_body(request, "password")
    authentication_id = await _text_in_body(request, "authentication_id")
    if password is None and authentication_id is not None:
        return await run_sync(sign_in.find_authentication, database, principal, authentication_id)
    if password is None:
        message = (
            "A signature needs the password entered again: here, in the body's field 'password', or at the "
            "identity provider, in 'authentication_id'."
        )
        raise UnauthenticatedError(message, code="password_missing")
    attempt = Attempt(
        account=principal.account, password=password, address=address_of(request), at=clock.now()
    )
    return await check_passwords(
        request, lambda passwords: sign_in.confirm_password(database, passwords, principal, attempt)
    )


async def new_password_hash(request: Request, _principal: CurrentPrincipal) -> str | None:
    """Hash the ``password`` in the JSON body, before the write transaction begins."""
    password = await _text_in_body(request, "password")
    if password is None:
        return None
    return await check_passwords(request, lambda passwords: passwords.hash(password))


async def _text_in_body(request: Request, name: str) -> str | None:
    try:
        body = await request.json()
    except ValueError:
        return None
    text = body.get(name) if isinstance(body, dict) else None
    return text if isinstance(text, str) and 0 < len(text) <= GREATEST_LENGTH else None


ConfirmedPassword = Annotated[Authentication, Depends(confirmed_password)]
NewPasswordHash = Annotated[str | None, Depends(new_password_hash)]
ReadSession = Annotated[Session, Depends(read_session, scope="function")]
WriteSession = Annotated[Session, Depends(write_session)]
