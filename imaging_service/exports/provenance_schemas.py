"""Where an endpoint comes from, as the route answers it. No PatientID and no reader's account is in it."""

from datetime import date

from pydantic import BaseModel, Field

from imaging_service.assessments.schemas import BestResponseAnswer, SumAnswer, TimepointVerdictAnswer
from imaging_service.exports.provenance import Part, Traced
from imaging_service.http.models import Instant, Millimetres
from imaging_service.outcomes.schemas import TimeAnswer


class AuditLink(BaseModel):
    """An entry of the audit: `GET /audit?entity=&entity_id=&action=` answers it whole."""

    sequence: int
    at: Instant
    action: str = Field(examples=["sign read"])
    entity: str = Field(examples=["read"])
    entity_id: str
    hash: str = Field(description="SHA-256 of the entry, as the chain has it.")


class DatedAnswer(BaseModel):
    """What a time starts or ends with."""

    what: str = Field(
        examples=["timepoint", "first_dose_on"], description="`timepoint`, or a subject's date."
    )
    on: date
    timepoint_id: str | None
    subject_version: int | None = Field(description="Of the subject's dates: the first that held this day.")
    audit: AuditLink | None


class PlaneAnswer(BaseModel):
    """A frame's plane in the patient, as it was when the points were drawn."""

    position: list[float] = Field(description="Centre of the first pixel, (x, y, z), mm.")
    row_direction: list[float]
    column_direction: list[float]
    row_spacing: float = Field(description="From row to row, mm.")
    column_spacing: float = Field(description="From column to column, mm.")


class AxisProvenanceAnswer(BaseModel):
    """Points on a frame: `length_mm` is the distance of the two in the plane."""

    axis: str = Field(examples=["long"])
    fragment: int
    is_counted: bool = Field(description="Whether the lesion's diameter is this axis's length.")
    points: list[list[float]] = Field(description="Two (column, row) in pixels.")
    plane: PlaneAnswer
    length_mm: float
    reported_mm: Millimetres | None = Field(description="Rounded once, at signing.")
    study_instance_uid: str
    series_instance_uid: str
    sop_instance_uid: str = Field(description="Its receipts are under `instances`.")
    frame: int
    object_sha256: str


class LesionProvenanceAnswer(BaseModel):
    """What a read says about a lesion."""

    record_id: str = Field(description="The name under which reasons cite it.")
    lesion_id: str
    role: str
    location: str
    is_nodal: bool
    state: str
    diameter_mm: Millimetres | None
    counted_mm: Millimetres | None = Field(description="What a target adds to the sum of diameters.")
    axes: list[AxisProvenanceAnswer]


class ReadLink(BaseModel):
    """The signed read, and the stored answer about it."""

    read_id: str
    revision: int
    signed_at: Instant | None
    record_hash: str | None
    signed: AuditLink | None
    assessment_edition: int | None
    inputs_sha256: str | None
    derived: AuditLink | None = Field(description="The entry of the stored answer.")


class StudyLink(BaseModel):
    """A study of a timepoint and why it is there."""

    study_instance_uid: str
    code: str = Field(examples=["in_window"])
    audit: AuditLink | None


class StepAnswer(BaseModel):
    """A timepoint that the endpoint follows from."""

    timepoint_id: str
    number: int | None
    name: str
    imaged_on: date | None
    parts: list[Part] = Field(description="What it does in the endpoint.")
    sum_of_diameters: SumAnswer | None
    verdict: TimepointVerdictAnswer | None = Field(description="Null at baseline.")
    read: ReadLink | None = Field(description="Null where nothing was imaged.")
    lesions: list[LesionProvenanceAnswer]
    studies: list[StudyLink]


class DecisionLink(BaseModel):
    """The adjudicator's decision by which a reader's reads are accepted."""

    edition: int
    chosen_reader: int
    record_hash: str
    audit: AuditLink | None


class EndpointAnswer(BaseModel):
    """An endpoint with what it starts and ends with."""

    time: TimeAnswer | None = Field(description="Null where the endpoint does not apply, and for BOR.")
    best_response: BestResponseAnswer | None = Field(description="Of record; for BOR alone.")
    starts: DatedAnswer | None
    ends: DatedAnswer | None
    doubt: str | None = Field(description="Why nothing could be derived; null when it could.")


class ReaderProvenanceAnswer(EndpointAnswer):
    """An endpoint by one reader."""

    slot: int
    is_accepted: bool = Field(description="Whether these reads carry the accepted flag.")
    decision: DecisionLink | None
    judged_under: str | None = Field(
        description="The version of the protocol that the responses follow by; the endpoint's is above."
    )
    timepoints: list[StepAnswer]


class EvaluationLink(BaseModel):
    """What the site says about a timepoint."""

    evaluation_id: str
    edition: int
    timepoint_id: str
    number: int | None
    imaged_on: date | None
    overall_response: str
    has_progressed: bool
    parts: list[Part]
    audit: AuditLink | None


class SiteProvenanceAnswer(EndpointAnswer):
    """The endpoint by the site's own evaluations, by the same rules; the site tells no lesions."""

    evaluations: list[EvaluationLink]


class ReceiptAnswer(BaseModel):
    """What the listener has filed about an arrival."""

    sequence: int
    outcome: str = Field(examples=["stored"])
    received_at: Instant
    site_id: str
    calling_ae: str = Field(description="The sender.")
    digest: str
    fingerprint: str = Field(description="SHA-256 of the receipt itself.")
    audit: AuditLink | None = Field(description="The entry that covers it; null until it is entered.")


class InstanceProvenanceAnswer(BaseModel):
    """An instance that something was measured on."""

    sop_instance_uid: str
    receipts: list[ReceiptAnswer]


class ProvenanceAnswer(BaseModel):
    """Endpoint ← dates ← responses ← sums ← diameters ← points ← instances ← receipts."""

    trial_id: str
    subject_id: str
    site_id: str
    endpoint: Traced
    protocol_version: str
    rules_version: str
    as_of: date | None
    standing: str = Field(examples=["agreed"], description="How far the central review has come, as of now.")
    readers: list[ReaderProvenanceAnswer]
    site: SiteProvenanceAnswer
    instances: list[InstanceProvenanceAnswer]
