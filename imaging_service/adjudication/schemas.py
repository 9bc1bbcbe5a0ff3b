"""Payloads of the adjudication's routes."""

from datetime import date
from typing import Annotated, Literal

from pydantic import BaseModel, Field, StringConstraints

from imaging_service.adjudication.figures import EstimateAnswer, ShareAnswer
from imaging_service.assessments.schemas import VerdictAnswer
from imaging_service.http.models import Instant, Millimetres, Reason, RowId, StrictModel, Text
from imaging_service.reads.schemas import LesionAnswer
from measurement.endpoints.paired_diameters import Grouping


class DecisionShape(StrictModel):
    """An adjudicator's choice; the password is entered again."""

    password: Annotated[str, StringConstraints(min_length=1, max_length=1024)] | None = Field(
        None, description="Entered again; or else `authentication_id`."
    )
    authentication_id: RowId | None = Field(
        None, description="The password as entered again at the identity provider."
    )
    meaning: Text = Field(examples=["I confirm this adjudication."])
    chosen_reader: Literal[1, 2] = Field(examples=[1])
    reason: Reason = Field(examples=["Reader 2 measured a cyst as T01."])
    evidence_sha256: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")] = Field(
        description="Of the case as it was looked at; another one is refused."
    )


class DifferenceAnswer(BaseModel):
    """One adjudication variable in which the readers differ."""

    variable: str = Field(examples=["progression_date"])
    reader_1: str | None
    reader_2: str | None


class CaseItemAnswer(BaseModel):
    """One case that waits for an adjudicator."""

    trial_id: str
    reading_id: str
    edition: int = Field(description="Above 1 when an earlier decision lost its reads.")
    differences: list[DifferenceAnswer]


class OwnDecisionAnswer(BaseModel):
    """A signed decision as an adjudicator sees it."""

    edition: int
    chosen_reader: int
    reason: str
    differences: list[DifferenceAnswer]
    evidence_sha256: str
    printed_name: str
    meaning: str
    signed_at: Instant
    record_hash: str


class CaseReadAnswer(BaseModel):
    """A signed read of a timepoint with its lesions and what followed."""

    read_id: str
    timepoint_id: str
    number: int | None
    imaged_on: date
    sum_mm: Millimetres | None
    target_response: str | None
    non_target_response: str | None
    new_lesion: str | None
    overall_response: str | None
    lesions: list[LesionAnswer]


class CaseReaderAnswer(BaseModel):
    """One reader, known by a number only."""

    reader: int
    verdict: VerdictAnswer = Field(description="On the last timepoint, and on the subject as of it.")
    reads: list[CaseReadAnswer]


class CaseAnswer(CaseItemAnswer):
    """Both readers' reads side by side, without site, subject or identities."""

    standing: str = Field(examples=["to_adjudicate"])
    evidence_sha256: str
    readers: list[CaseReaderAnswer]
    decisions: list[OwnDecisionAnswer]


class ReviewAnswer(BaseModel):
    """How far the review of a subject has come, and whose reads count."""

    trial_id: str
    subject_id: str
    site_id: str
    reading_id: str
    standing: str = Field(
        examples=["agreed"],
        description="reading, single_reader, agreed, to_adjudicate or adjudicated.",
    )
    is_accepted: bool = Field(description="Whether the reads of `reader` carry the accepted flag.")
    reader: int = Field(description="Whose reads count; provisional until they are accepted.")
    differences: list[DifferenceAnswer]
    decisions: list[OwnDecisionAnswer]


class VariableRateAnswer(BaseModel):
    """How often finished readers differ in one adjudication variable."""

    variable: str = Field(examples=["progression_date"])
    differing: ShareAnswer


class ReaderFiguresAnswer(BaseModel):
    """What adjudicators' choices say about one reader."""

    reader: int
    acceptance_rate: ShareAnswer = Field(description="Decided cases in which this reader was chosen.")
    disagreement_index: ShareAnswer = Field(
        description="Subjects in which the adjudicator disagreed with this reader, of all finished ones."
    )


class LengthAgreementAnswer(BaseModel):
    """Sums of diameters of the same timepoints by both readers; differences are reader 1 minus reader 2."""

    bias_mm: EstimateAnswer
    standard_deviation_mm: float | None
    lower_limit_mm: EstimateAnswer = Field(description="Bland and Altman's lower limit of agreement.")
    upper_limit_mm: EstimateAnswer
    intraclass_correlation: EstimateAnswer = Field(
        description="Absolute agreement of single readings: ICC(A,1), which others call ICC(2,1)."
    )


class DiametersAnswer(BaseModel):
    """Single diameters of the same lesions by both readers, in one group."""

    by: Grouping
    name: str = Field(examples=["liver", "up_to_3_mm", "2026-Q1"])
    agreement: LengthAgreementAnswer


class StatisticsAnswer(BaseModel):
    """How well the readers of a trial agree, as of now."""

    trial_id: str
    subjects: int
    finished: int = Field(description="Subjects that both readers have finished.")
    adjudication_rate: ShareAnswer
    variables: list[VariableRateAnswer]
    decided: ShareAnswer = Field(description="Cases that an adjudicator has decided.")
    readers: list[ReaderFiguresAnswer]
    response_agreement: ShareAnswer = Field(description="Of timepoints after baseline that both have read.")
    response_kappa: EstimateAnswer = Field(description="Cohen's, of overall responses.")
    baseline_sums: LengthAgreementAnswer
    later_sums: LengthAgreementAnswer = Field(
        description="Of every later timepoint; those of one subject are not independent of each other."
    )
    diameters: list[DiametersAnswer] = Field(
        description="Of lesions that both measured at timepoints that both have signed, as asked by `by`."
    )


class StatisticRow(BaseModel):
    """One figure as a line of a table."""

    statistic: str
    about: str | None = Field(description="The reader or the variable that the figure is about.")
    count: int | None
    of: int
    estimate: float | None
    lower: float | None
    upper: float | None
