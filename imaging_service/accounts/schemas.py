"""Payloads of the accounts' routes."""

from typing import Annotated

from pydantic import BaseModel, Field, StringConstraints

from imaging_service.accounts.passwords import GREATEST_LENGTH
from imaging_service.accounts.principal import Role
from imaging_service.http.models import Identifier, Instant, Reason, RowId, StrictModel, Text

Secret = Annotated[str, StringConstraints(min_length=1, max_length=GREATEST_LENGTH)]


class SignIn(StrictModel):
    """An account's name and password."""

    account: Identifier = Field(examples=["reader1"])
    password: Secret = Field(examples=["correct horse battery"])


class SignedIn(BaseModel):
    """A bearer token; it is told once."""

    token: str = Field(examples=["pM4kQ2T0dXkq2Yb4pGr2o0m9vVw3u8r1sT5yZ7aBcDe"])
    expires_at: Instant
    account_id: RowId
    name: str = Field(examples=["Dr Ada Lind"])
    roles: list[Role]


class GrantShape(StrictModel):
    """A trial, one site of it, or one reader slot of it."""

    trial_id: Identifier = Field(examples=["HER2-MBC"])
    site_id: Identifier | None = Field(None, examples=["S01"])
    reader_slot: Annotated[int, Field(ge=1, le=9)] | None = Field(None, examples=[1])


class NewAccount(StrictModel):
    """An account to create; one without a password acts by API keys."""

    account: Identifier = Field(examples=["reader1"])
    name: Text = Field(examples=["Dr Ada Lind"])
    roles: Annotated[list[Role], Field(min_length=1, max_length=len(Role))] = Field(examples=[["reader"]])
    password: Secret | None = Field(None, examples=["correct horse battery"])
    grants: Annotated[list[GrantShape], Field(max_length=100)] = Field(
        default_factory=list, examples=[[{"trial_id": "HER2-MBC", "reader_slot": 1}]]
    )


class GrantAnswer(BaseModel):
    """A permission of an account."""

    trial_id: str
    site_id: str | None
    reader_slot: int | None = Field(description="0: in the trial's pool of readers.")


class HeldGrant(GrantAnswer):
    """A permission with its key, by which it is ended."""

    grant_id: RowId


class AccountAnswer(BaseModel):
    """An account, without its secrets."""

    account_id: RowId
    account: str
    name: str
    roles: list[Role]
    grants: list[HeldGrant]
    created_at: Instant
    closed_at: Instant | None


class Me(BaseModel):
    """The caller."""

    account_id: RowId
    account: str
    name: str
    roles: list[Role]
    everywhere: bool = Field(description="Whether the caller's scope has no limits.")
    grants: list[GrantAnswer]


class Closing(StrictModel):
    """Why an account is closed."""

    reason: Reason = Field(examples=["Left the reading centre."])


class Ending(StrictModel):
    """Why something is ended."""

    reason: Reason = Field(examples=["The reader works for the sponsor now."])


class SessionAnswer(BaseModel):
    """A session, without its token."""

    session_id: RowId
    is_current: bool = Field(description="Whether this request is made in it.")
    method: str = Field(examples=["password"])
    address: str = Field(description="Network address that it was begun from.")
    created_at: Instant
    expires_at: Instant
    used_at: Instant = Field(description="Last use, to about a minute.")


class Ended(BaseModel):
    """What was ended."""

    ended: int


class SignInMethods(BaseModel):
    """How somebody may sign in."""

    password: bool
    openid: bool = Field(description="At an identity provider: GET /openid/sign-in.")


class NewIdentity(StrictModel):
    """Who the account is at an identity provider."""

    issuer: Annotated[str, StringConstraints(pattern=r"^https?://[^\s]+$", max_length=300)] = Field(
        examples=["https://login.example.org"]
    )
    subject: Annotated[str, StringConstraints(min_length=1, max_length=255, pattern=r"^[\x21-\x7e]+$")] = (
        Field(description="The `sub` of the provider's tokens.", examples=["248289761001"])
    )


class IdentityAnswer(BaseModel):
    """Who an account is at an identity provider."""

    identity_id: RowId
    issuer: str
    subject: str
    created_at: Instant


class LimitShape(StrictModel):
    """A trial, or one site of it."""

    trial_id: Identifier = Field(examples=["HER2-MBC"])
    site_id: Identifier | None = Field(None, examples=["S01"])


Days = Annotated[int, Field(ge=1, le=366)]


class NewApiKey(StrictModel):
    """A key for a service account."""

    title: Text = Field(examples=["EDC import"])
    limits: Annotated[list[LimitShape], Field(min_length=1, max_length=100)] | None = Field(
        None,
        description="Only these of the account's trials and sites; null for all.",
        examples=[[{"trial_id": "HER2-MBC", "site_id": "S01"}]],
    )
    valid_days: Days = Field(90, examples=[90])


class Rotation(StrictModel):
    """How a key is replaced."""

    valid_days: Days = Field(90, examples=[90])
    overlap_hours: Annotated[int, Field(ge=0, le=168)] = Field(
        24, description="For which the old key goes on, so that the machine can be set anew."
    )


class NewCertificate(StrictModel):
    """A machine's certificate."""

    title: Text = Field(examples=["EDC of site S01"])
    fingerprint: Annotated[str, StringConstraints(pattern=r"^[0-9A-Fa-f]{2}(:?[0-9A-Fa-f]{2}){31}$")] = Field(
        description="SHA-256 of the DER form, as `openssl x509 -noout -fingerprint -sha256` prints it."
    )
    valid_days: Days = Field(366, examples=[366])


class CertificateAnswer(BaseModel):
    """A machine's certificate."""

    certificate_id: RowId
    title: str
    fingerprint: str
    created_at: Instant
    expires_at: Instant
    revoked_at: Instant | None
    used_at: Instant | None


class ApiKeyAnswer(BaseModel):
    """An API key, without its secret."""

    key_id: RowId
    title: str
    limits: list[LimitShape] | None
    replaces: RowId | None
    created_at: Instant
    expires_at: Instant
    revoked_at: Instant | None
    used_at: Instant | None


class NewApiKeyAnswer(ApiKeyAnswer):
    """An API key with its secret, told once."""

    key: str = Field(examples=["h3Vb0mX1Pq7tK4sW9yZ2cD5eF8gJ1kL4mN7pQ0rS3uV"])
