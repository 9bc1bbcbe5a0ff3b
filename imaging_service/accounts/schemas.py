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
    reader_slot: int | None


class AccountAnswer(BaseModel):
    """An account, without its secrets."""

    account_id: RowId
    account: str
    name: str
    roles: list[Role]
    grants: list[GrantAnswer]
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


class NewApiKey(StrictModel):
    """A key for a service account."""

    title: Text = Field(examples=["EDC import"])
    trial_ids: Annotated[list[Identifier], Field(min_length=1, max_length=100)] | None = Field(
        None, description="Only these of the account's trials; null for all.", examples=[["HER2-MBC"]]
    )
    valid_days: Annotated[int, Field(ge=1, le=366)] = Field(90, examples=[90])


class ApiKeyAnswer(BaseModel):
    """An API key, without its secret."""

    key_id: RowId
    title: str
    trial_ids: list[str] | None
    created_at: Instant
    expires_at: Instant
    revoked_at: Instant | None


class NewApiKeyAnswer(ApiKeyAnswer):
    """An API key with its secret, told once."""

    key: str = Field(examples=["h3Vb0mX1Pq7tK4sW9yZ2cD5eF8gJ1kL4mN7pQ0rS3uV"])
