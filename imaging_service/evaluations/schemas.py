"""Payloads of the site evaluations' routes."""

from datetime import date
from typing import Annotated

from pydantic import BaseModel, Field

from imaging_service.adjudication.figures import EstimateAnswer, ShareAnswer
from imaging_service.http.models import Instant, Reason, StrictModel
from measurement.recist.responses import OverallResponse


class EvaluationShape(StrictModel):
    """What the site says about a timepoint."""

    overall_response: OverallResponse = Field(examples=["SD"])
    has_progressed: bool = Field(description="By imaging or clinically.", examples=[False])
    reason: Reason = Field(examples=["As entered in the case report form on 2026-03-01."])
    replaces: Annotated[int, Field(ge=1, le=1_000_000)] | None = Field(
        None, description="Edition that this corrects; left out for the first one."
    )


class EvaluationAnswer(BaseModel):
    """A site's evaluation of a timepoint, in one edition."""

    trial_id: str
    site_id: str
    subject_id: str
    timepoint_id: str
    number: int | None
    imaged_on: date | None
    edition: int
    is_current: bool
    overall_response: str
    has_progressed: bool
    reason: str
    entered_at: Instant


class PairAnswer(BaseModel):
    """One variable in which site and central review differ."""

    site_id: str
    subject_id: str
    variable: str = Field(examples=["overall_response"])
    timepoint_id: str | None
    number: int | None
    imaged_on: date | None
    site: str
    central: str
    reader: int = Field(description="Whose reads the central answer follows from.")
    is_accepted: bool = Field(description="False for provisional reads.")


class AgreementAnswer(BaseModel):
    """How often site and central review agree in a variable."""

    variable: str
    agreement: ShareAnswer


class ComparisonAnswer(BaseModel):
    """Site and central review side by side."""

    trial_id: str
    agreement: list[AgreementAnswer]
    response_kappa: EstimateAnswer = Field(description="Cohen's, of overall responses.")
    discordances: list[PairAnswer]
    next_cursor: str | None = Field(
        None, description="Give it as `cursor` for the next discordances; figures are of all of them."
    )
