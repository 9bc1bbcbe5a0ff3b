"""Payloads and answers about amendments."""

from datetime import date
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from imaging_service.amendments.change import ChangeKind
from imaging_service.http.models import Identifier, Reason, StrictModel


class Answer(BaseModel):
    """Parent of answers that are made of records."""

    model_config = ConfigDict(from_attributes=True)


class ParameterAnswer(Answer):
    """A parameter that the amendment changes."""

    name: str = Field(examples=["criteria.sums.progression_increase"])
    before: Any
    after: Any


class ChangeAnswer(Answer):
    """One stored answer that would be another one."""

    kind: ChangeKind
    subject_id: str
    site_id: str
    slot: int | None
    timepoint: str | None = Field(description="Number, or the day of an unscheduled one.")
    imaged_on: str | None
    before: str
    after: str
    why: str


class DryRunAnswer(BaseModel):
    """What an amendment would change."""

    digest: str = Field(description="Give it to file the amendment as it was tried.")
    trial_id: str
    amends: str = Field(description="The version that is amended.")
    version: str
    effective_on: date | None
    parameters: list[ParameterAnswer]
    counts: dict[ChangeKind, int]
    changes: list[ChangeAnswer] = Field(description="The first ones, by subject; all of them as CSV.")


class RederivePayload(StrictModel):
    """Under which version a subject's answers are derived anew, and why."""

    version: Identifier = Field(examples=["2.0"])
    reason: Reason = Field(examples=["The steering committee applies version 2.0 to signed reads"])


class RederivedAnswer(BaseModel):
    """How many answers have a new edition."""

    trial_id: str
    subject_id: str
    version: str
    answers: int
