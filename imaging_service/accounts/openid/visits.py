"""A browser's visit to the identity provider: sent with a question, believed once when it comes back.

What is needed to believe the answer stays here; the browser carries the state, and a secret in a cookie that
ties the state to it, so that nobody can be signed in with another's answer.
"""

import base64
import hashlib
import secrets
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from imaging_service.accounts import credential_repository as credentials
from imaging_service.accounts import identity_repository, sign_in
from imaging_service.accounts.back_off import sha256
from imaging_service.accounts.identity_repository import ProviderVisit
from imaging_service.accounts.openid.provider import Provider, Question
from imaging_service.accounts.openid.tokens import Expected, Person
from imaging_service.accounts.principal import Principal
from imaging_service.accounts.repository import Account
from imaging_service.accounts.sign_in import NOBODY, Authentication, Token
from imaging_service.audit import service as audit
from imaging_service.database import Database
from imaging_service.errors import UnauthenticatedError

LONGEST_VISIT = timedelta(minutes=10)


@dataclass(frozen=True, slots=True, kw_only=True)
class Departure:
    """Where the browser goes, and the secret that it brings back in its cookie."""

    address: str
    browser_secret: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Return:
    """What the browser came back with."""

    code: str = field(repr=False)
    state: str = field(repr=False)
    browser_secret: str = field(repr=False)
    issuer: str | None
    redirect_uri: str
    address: str
    """Network address of the browser."""
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """What came of a visit: a token, or a password entered again; and the page to go on with."""

    return_to: str
    token: Token | None = None
    authentication: Authentication | None = None


def begin(  # noqa: PLR0913  a visit has this many facts
    database: Database,
    provider: Provider,
    *,
    redirect_uri: str,
    return_to: str,
    now: datetime,
    signer: Principal | None = None,
) -> Departure:
    """Send a browser to the provider: to sign in, or for `signer` to enter the password again.

    Raises
    ------
    BusyError
        The provider does not answer.
    """
    state, browser_secret, nonce, code_verifier = (secrets.token_urlsafe(32) for _ in range(4))
    challenge = base64.urlsafe_b64encode(hashlib.sha256(code_verifier.encode()).digest()).rstrip(b"=")
    question = Question(
        redirect_uri=redirect_uri,
        state=state,
        nonce=nonce,
        code_challenge=challenge.decode(),
        enters_password_again=signer is not None,
    )
    address = provider.address_for(question)
    with database.write() as session:
        identity_repository.forget_visits(session, now - LONGEST_VISIT)
        session.add(
            ProviderVisit(
                state_sha256=sha256(state),
                browser_sha256=sha256(browser_secret),
                nonce=nonce,
                code_verifier=code_verifier,
                return_to=return_to,
                account_id=None if signer is None else signer.account_id,
                session_id=None if signer is None else signer.session_id,
                begun_at=now,
            )
        )
    return Departure(address=address, browser_secret=browser_secret)


def finish(  # noqa: PLR0913  and its end, too
    database: Database,
    provider: Provider,
    returned: Return,
    *,
    client_id: str,
    skew: timedelta,
    lifetime: timedelta,
) -> Arrival:
    """Believe what a browser came back with, once.

    Raises
    ------
    UnauthenticatedError
        The state is not this browser's, was used or is too old; the provider does not vouch for the
        person; or no open account is linked with it.
    BusyError
        The provider does not answer.
    """
    with database.write() as session:  # committed at once: whatever follows, the state is spent
        visit = identity_repository.take_visit(
            session, sha256(returned.state), sha256(returned.browser_secret), returned.at - LONGEST_VISIT
        )
    if visit is None or not provider.is_from_here(returned.issuer):
        message = "This answer of the identity provider is not for this browser, or was used; sign in again."
        raise UnauthenticatedError(message, code="visit_unknown")
    expected = Expected(
        issuer=provider.issuer,
        client_id=client_id,
        nonce=visit.nonce,
        now=returned.at,
        skew=skew,
        authenticated_since=None if visit.account_id is None else visit.begun_at,
    )
    person = provider.redeem(
        returned.code,
        code_verifier=visit.code_verifier,
        redirect_uri=returned.redirect_uri,
        expected=expected,
    )
    account = _linked_account(database, provider.issuer, person, returned)
    if visit.account_id is None:
        with database.write() as session:
            token = sign_in.open_session(
                session,
                account,
                method="openid",
                address=returned.address,
                now=returned.at,
                lifetime=lifetime,
            )
        return Arrival(return_to=visit.return_to, token=token)
    return Arrival(
        return_to=visit.return_to, authentication=_entered_again(database, visit, account, person, returned)
    )


def _linked_account(database: Database, issuer: str, person: Person, returned: Return) -> Account:
    with database.read() as session:
        account = identity_repository.account_of(session, issuer, person.subject)
    if account is not None and account.closed_at is None:
        return account
    with database.write() as session:
        audit.record(
            session,
            NOBODY,
            action="refuse sign in",
            entity="identity",
            entity_id=person.subject,
            after={"issuer": issuer, "address": returned.address},
            at=returned.at,
        )
    message = (
        f"The identity provider knows you as {person.subject!r}, and no open account is linked with that; "
        "an administrator can link yours."
    )
    raise UnauthenticatedError(message, code="identity_unknown")


def _entered_again(
    database: Database, visit: ProviderVisit, account: Account, person: Person, returned: Return
) -> Authentication:
    with database.write() as session:
        mine = credentials.session_of(session, account.account_id, visit.session_id or "")
        is_live = mine is not None and mine.revoked_at is None and mine.expires_at > returned.at
        if visit.account_id == account.account_id and is_live and person.authenticated_at is not None:
            signer = sign_in.principal_of(account, mine)
            return sign_in.enter_authentication(
                session, signer, at=person.authenticated_at, method="openid", now=returned.at
            )
    message = "The password was entered by another person than the one who is signed in; sign in again."
    raise UnauthenticatedError(message, code="another_person")
