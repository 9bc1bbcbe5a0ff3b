"""Payloads and answers about quality control."""

from datetime import date

from pydantic import BaseModel, Field

from imaging_service.http.models import Instant, Reason, StrictModel
from imaging_service.quality.records import Control, Step
from imaging_service.quality.transitions import Cause
from imaging_service.timepoints.control import ControlState
from measurement.protocol.acquisition import Severity


class FindingAnswer(BaseModel):
    """One thing that is not as the protocol asks."""

    code: str = Field(examples=["slices_too_thick"])
    rule: str
    sentence: str
    found: str
    wanted: str
    severity: Severity
    series_instance_uids: list[str]
    sop_instance_uids: list[str]


class ControlAnswer(BaseModel):
    """Where a timepoint's images are between arrival and reading."""

    timepoint_id: str
    trial_id: str
    site_id: str
    subject_id: str
    number: int | None
    imaged_on: date | None
    state: ControlState | None = Field(description="Null without images.")
    late_instances: int
    blocking: int = Field(description="How many findings block.")
    findings: list[FindingAnswer]
    protocol_version: str | None = Field(description="Whose rules the findings follow from.")
    controlled_at: Instant | None
    version: int = Field(description="Counts the changes of state.")


class StepAnswer(BaseModel):
    """One change of state."""

    version: int
    before: ControlState | None
    after: ControlState | None
    cause: Cause
    reason: str | None
    findings: list[FindingAnswer]
    protocol_version: str | None
    changed_by: str
    changed_at: Instant


class AcceptancePayload(StrictModel):
    """That a timepoint's images may be read."""

    reason: Reason | None = Field(
        None, examples=["Read as far as it goes"], description="Wanted where a finding blocks."
    )
    version: int | None = Field(
        None, ge=0, le=1_000_000, description="The change of state that was seen; another one is refused."
    )


class DecisionPayload(StrictModel):
    """Why a timepoint's images may not be read, or are controlled again."""

    reason: Reason = Field(examples=["Motion in every sequence; the site repeats the examination"])
    version: int | None = Field(
        None, ge=0, le=1_000_000, description="The change of state that was seen; another one is refused."
    )


def control_answer(control: Control) -> ControlAnswer:
    """Return what is known about a timepoint's images as it is answered."""
    return ControlAnswer.model_validate({name: getattr(control, name) for name in control.__slots__})


def step_answer(step: Step) -> StepAnswer:
    """Return a change of state as it is answered."""
    return StepAnswer.model_validate({name: getattr(step, name) for name in step.__slots__})
