"""Answers of the audit's routes."""

from typing import Any

from pydantic import BaseModel, Field

from imaging_service.audit.chain import Damage
from imaging_service.http.models import Instant


class AuditAnswer(BaseModel):
    """One act."""

    sequence: int = Field(examples=[17])
    at: Instant
    account_id: str | None = Field(description="The account, or null for the system.")
    actor: str = Field(examples=["Dr Ada Lind"])
    action: str = Field(examples=["sign read"])
    entity: str = Field(examples=["read"])
    entity_id: str
    before: dict[str, Any] | None
    after: dict[str, Any] | None
    reason: str | None
    previous_hash: str
    hash: str = Field(description="SHA-256 over all other fields, the previous hash included.")


class HeadAnswer(BaseModel):
    """The last entry of the chain: keep it outside, and a cut tail is found."""

    sequence: int
    hash: str
    at: Instant = Field(description="When this was asked.")


class FindingAnswer(BaseModel):
    """One damaged place of the chain."""

    damage: Damage
    sequence: int
    sentence: str = Field(examples=["Entry 17 is not what it was when it was written."])


class VerificationAnswer(BaseModel):
    """Whether the chain is whole."""

    is_whole: bool
    head: HeadAnswer
    findings: list[FindingAnswer]
