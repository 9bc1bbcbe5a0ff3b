"""Payloads and answers about trials."""

from datetime import date
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from imaging_service.http.models import Identifier, Instant, StrictModel, Text
from imaging_service.trials.records import Slot


class Answer(BaseModel):
    """Parent of answers that are made of records."""

    model_config = ConfigDict(from_attributes=True)


class TrialAnswer(Answer):
    """A clinical study."""

    trial_id: str = Field(examples=["HER2-MBC-01"])
    title: str
    created_at: Instant


class ProtocolAnswer(Answer):
    """One version of a trial's protocol."""

    trial_id: str = Field(examples=["HER2-MBC-01"])
    version: str = Field(examples=["1"])
    revision: int = Field(description="1 for the first version, 2 for the first amendment, …")
    effective_on: date | None = Field(description="First day on which it holds; null: from the start.")
    sha256: str = Field(description="Digest of the text as filed.")
    filed_at: Instant


class ProtocolTextAnswer(ProtocolAnswer):
    """One version with its text and its value."""

    media_type: str = Field(examples=["application/toml"])
    text: str = Field(description="Exactly as filed.")
    protocol: dict[str, Any] = Field(description="The value of every parameter, defaults included.")


class SitePayload(StrictModel):
    """A hospital that takes part."""

    site_id: Identifier = Field(examples=["01"])
    name: Text = Field(examples=["University Hospital North"])


class SiteAnswer(Answer):
    """A hospital that takes part in a trial."""

    trial_id: str = Field(examples=["HER2-MBC-01"])
    site_id: str = Field(examples=["01"])
    name: str = Field(examples=["University Hospital North"])


class SeatPayload(StrictModel):
    """Who reads."""

    account: Identifier = Field(examples=["reader-1"])


class SeatAnswer(BaseModel):
    """Who reads in which slot, or in the pool."""

    trial_id: str = Field(examples=["HER2-MBC-01"])
    slot: Slot
    account: str = Field(examples=["reader-1"])
