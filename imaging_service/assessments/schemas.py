"""Payloads of the assessments' routes."""

from datetime import date
from decimal import Decimal
from typing import Annotated

from pydantic import BaseModel, Field, PlainSerializer

from imaging_service.http.models import Instant, Millimetres, RowId
from imaging_service.reads.schemas import ReadAnswer

Percent = Annotated[Decimal, PlainSerializer(str, str, when_used="json")]
"""A percentage, unrounded, as text."""


class ReasonAnswer(BaseModel):
    """Why a rule answered as it did."""

    code: str = Field(examples=["sum_progressed"])
    sentence: str
    source: str = Field(description="Where the rule is published.", examples=["E09 4.3.1"])
    record_ids: list[str] = Field(description="Read and lesion that the verdict came from.")


class QueryAnswer(BaseModel):
    """A question about data that contradicts itself."""

    code: str
    sentence: str
    timepoint_id: str
    lesion_ids: list[str]


class SumAnswer(BaseModel):
    """A sum of diameters; an incomplete one has no ``mm``."""

    mm: Millimetres | None
    at_least_mm: Millimetres
    missing: list[str]


class BaselineAnswer(BaseModel):
    """What later timepoints are compared with."""

    timepoint_id: str
    assessed_on: date | None
    target_ids: list[str]
    non_target_ids: list[str]
    sum_of_diameters: SumAnswer | None
    queries: list[QueryAnswer]


class TimepointVerdictAnswer(BaseModel):
    """The verdict on one timepoint after baseline."""

    timepoint_id: str
    number: int | None
    assessed_on: date | None
    sum_of_diameters: SumAnswer | None
    baseline_mm: Millimetres | None
    nadir_mm: Millimetres | None
    change_from_baseline_percent: Percent | None
    change_from_nadir_percent: Percent | None
    change_from_nadir_mm: Millimetres | None
    target_response: str = Field(examples=["PR"])
    non_target_response: str = Field(examples=["NON-CR/NON-PD"])
    new_lesion: str = Field(examples=["N"])
    overall_response: str = Field(examples=["PR"])
    progression_on: date | None
    progression_seen_at: str | None
    reasons: list[ReasonAnswer]
    queries: list[QueryAnswer]


class BestResponseAnswer(BaseModel):
    """The best overall response of a subject."""

    response: str = Field(examples=["PR"])
    responded_on: date | None
    timepoint_id: str | None
    confirmed_by: str | None
    reasons: list[ReasonAnswer]
    queries: list[QueryAnswer]


class ProgressionAnswer(BaseModel):
    """The first progression of a subject."""

    progressed_on: date
    seen_at: str
    declared_at: str
    reasons: list[ReasonAnswer]


class VerdictAnswer(BaseModel):
    """What the rules answer about a timepoint, and about the subject as of it."""

    rules_version: str
    baseline: BaselineAnswer | None
    timepoint: TimepointVerdictAnswer | None = Field(description="Null for the baseline itself.")
    best_overall: BestResponseAnswer
    confirmed_best_overall: BestResponseAnswer
    progression: ProgressionAnswer | None
    queries: list[QueryAnswer]


class AssessmentAnswer(VerdictAnswer):
    """A stored verdict with what it follows from."""

    read_id: RowId
    edition: int = Field(description="Above 1 when an earlier timepoint was signed or amended later.")
    derived_at: Instant
    protocol_version: str
    inputs_sha256: str


class SignedReadAnswer(BaseModel):
    """A signed read and what follows from it."""

    read: ReadAnswer
    assessment: AssessmentAnswer


class DifferenceAnswer(BaseModel):
    """One way in which a stored answer does not follow from what is stored."""

    code: str = Field(examples=["answer_differs"])
    read_id: RowId | None = Field(description="Null of what is kept about a subject as a whole.")
    assessment_id: RowId | None
    sentence: str


class RecomputationAnswer(BaseModel):
    """What came out when stored answers were derived anew."""

    checked: int
    differences: list[DifferenceAnswer]
