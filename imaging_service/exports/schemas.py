"""Answers of the central review searches. None of them holds a PatientID or a reader's account."""

from datetime import date
from decimal import Decimal

from pydantic import BaseModel, Field

from imaging_service.assessments.schemas import AssessmentAnswer
from imaging_service.http.models import Instant, Millimetres
from imaging_service.reads.schemas import FindingAnswer


class ResponseAnswer(BaseModel):
    """One reader's answer about one timepoint that counts now."""

    trial_id: str
    site_id: str
    subject_id: str
    timepoint_id: str
    number: int | None
    imaged_on: date
    slot: int
    read_id: str
    revision: int
    is_accepted: bool | None = Field(
        description="Whether the read carries the accepted flag; null for who stays blinded to that."
    )
    sum_mm: Millimetres | None
    target_response: str | None = Field(description="Null at baseline, like every response.")
    non_target_response: str | None
    new_lesion: str | None
    overall_response: str | None
    best_response: str = Field(description="Of the subject, as of this read.")
    confirmed_best_response: str
    progression_on: date | None


class DiscordanceAnswer(BaseModel):
    """One variable in which two readers of the same images differ."""

    site_id: str
    subject_id: str
    variable: str = Field(examples=["overall_response"])
    timepoint_id: str
    number: int | None
    imaged_on: date
    reader_1: str | None
    reader_2: str | None
    read_ids: list[str]


class DatesVersionAnswer(BaseModel):
    """The subject's dates as they were believed from one moment on."""

    version: int
    dates: dict[str, str | None]
    reason: str
    recorded_at: Instant


class StudyHistoryAnswer(BaseModel):
    """A study and why it belongs to the timepoint."""

    study_instance_uid: str
    study_date: date | None
    code: str
    reason: str
    confidence: str | None
    received_at: Instant


class AxisHistoryAnswer(BaseModel):
    """Points on a frame, the length that follows, and the bytes that they were drawn on."""

    axis: str
    fragment: int
    study_instance_uid: str
    series_instance_uid: str
    sop_instance_uid: str
    frame: int
    points: list[list[float]]
    row_spacing_mm: float
    column_spacing_mm: float
    length_mm: float
    claimed_mm: float | None
    reported_mm: Millimetres | None
    object_sha256: str = Field(description="Digest of the instance, as in the archive's receipt.")


class LesionHistoryAnswer(BaseModel):
    """What a read says about a lesion."""

    record_id: str = Field(description="The name under which reasons cite it.")
    lesion_id: str
    role: str
    location: str
    organ: str
    is_nodal: bool
    state: str
    reason: str | None
    diameter_mm: Millimetres | None
    axes: list[AxisHistoryAnswer]
    findings: list[FindingAnswer]


class ReadHistoryAnswer(BaseModel):
    """One reader's evaluation of a timepoint, in one revision."""

    read_id: str
    slot: int
    revision: int
    is_accepted: bool = Field(description="Whether the read carries the accepted flag.")
    status: str
    supersedes: str | None
    unlock_reason: str | None
    opened_at: Instant
    signed_at: Instant | None
    meaning: str | None
    record_hash: str | None
    lesions: list[LesionHistoryAnswer]
    assessment: AssessmentAnswer | None


class TimepointHistoryAnswer(BaseModel):
    """A timepoint with its studies, reads and answers."""

    timepoint_id: str
    number: int | None
    name: str
    nominal_on: date | None
    imaged_on: date | None
    progress: str
    not_done_reason: str | None
    studies: list[StudyHistoryAnswer]
    reads: list[ReadHistoryAnswer]


class SubjectHistoryAnswer(BaseModel):
    """Everything about a subject, with reasons and sources."""

    trial_id: str
    subject_id: str
    site_id: str
    versions: list[DatesVersionAnswer]
    timepoints: list[TimepointHistoryAnswer]


class HistoryRow(BaseModel):
    """One line of the history as a table: from points on a frame to the response that followed."""

    subject_id: str
    site_id: str
    number: int | None
    imaged_on: date | None
    slot: int
    revision: int
    is_accepted: bool
    read_id: str
    signed_at: str | None
    record_id: str | None
    lesion_id: str | None
    role: str | None
    location: str | None
    state: str | None
    reason: str | None
    axis: str | None
    fragment: int | None
    sop_instance_uid: str | None
    frame: int | None
    points: list[list[float]] | None
    length_mm: float | None
    reported_mm: Decimal | None
    diameter_mm: Decimal | None
    object_sha256: str | None
    sum_mm: Decimal | None
    overall_response: str | None
    best_response: str | None
    confirmed_best_response: str | None
