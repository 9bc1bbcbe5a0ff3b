"""Payloads of the reads' routes. No answer to a reader names the subject or the site."""

from datetime import date
from typing import Annotated, Literal

from pydantic import BaseModel, Field, StringConstraints

from imaging_service.http.models import (
    Identifier,
    Instant,
    Millimetres,
    Reason,
    RowId,
    StrictModel,
    Text,
    Uid,
)
from imaging_service.reads.read import Axis
from measurement.lesions.lesion import Nature, Role
from measurement.protocol.trial import ReaderAssignment

LesionName = Annotated[str, StringConstraints(min_length=1, max_length=16)]
Coordinate = Annotated[float, Field(ge=-1_000_000, le=1_000_000)]
Point = Annotated[list[Coordinate], Field(min_length=2, max_length=2)]
FrameNumber = Annotated[int, Field(ge=1, le=1_000_000)]


class AxisShape(StrictModel):
    """One axis: two points on one frame of one instance."""

    sop_instance_uid: Uid = Field(examples=["2.25.17"])
    frame: FrameNumber = Field(1, description="From 1, as in DICOM.", examples=[1])
    points: Annotated[list[Point], Field(min_length=2, max_length=2)] = Field(
        description="Two (column, row) in pixels; (0, 0) is the centre of the first pixel.",
        examples=[[[100.0, 120.5], [131.5, 120.5]]],
    )
    claimed_mm: Annotated[float, Field(ge=0, le=10_000)] | None = Field(
        None, description="What the client shows; compared with the length computed here.", examples=[24.6]
    )


class FragmentShape(StrictModel):
    """The axes of one fragment of a split target."""

    long_axis: AxisShape | None = None
    short_axis: AxisShape | None = None


class LesionShape(StrictModel):
    """What a reader enters about a lesion; facts that last are given once, where it is first entered."""

    role: Role | None = Field(None, description="Follows from the name; checked when given.")
    location: Text | None = Field(None, examples=["liver, segment VII"])
    organ: Identifier | None = Field(None, description="Follows from the location when left out.")
    is_nodal: bool | None = None
    nature: Nature | None = None
    is_irradiated: bool | None = None
    progressed_since_irradiation: bool | None = None
    state: Annotated[str, StringConstraints(min_length=1, max_length=32)] = Field(
        description="Target: measured, too_small, absent, not_evaluable, split, merged. "
        "Non-target: present, absent, progressed, not_evaluable. New: equivocal, unequivocal, refuted.",
        examples=["measured"],
    )
    reason: Reason | None = None
    merged_into: LesionName | None = Field(None, examples=["T01"])
    long_axis: AxisShape | None = None
    short_axis: AxisShape | None = None
    fragments: Annotated[list[FragmentShape], Field(max_length=20)] = Field(default_factory=list)


class SignatureShape(StrictModel):
    """A signature; the password is entered again."""

    password: Annotated[str, StringConstraints(min_length=1, max_length=1024)] | None = Field(
        None, description="Entered again; or else `authentication_id`."
    )
    authentication_id: RowId | None = Field(
        None, description="The password as entered again at the identity provider."
    )
    meaning: Text = Field(examples=["I confirm this read."])
    version: Annotated[int, Field(ge=0)] | None = Field(
        None, description="Version of the draft that was looked at; another one is refused."
    )
    confirms_no_disease: bool = Field(default=False, description="For a baseline without any lesion.")


class UnlockShape(StrictModel):
    """Why a signed read is opened again."""

    reason: Reason = Field(examples=["The reader reports a slip of the mouse on T02."])


class ReaderShape(StrictModel):
    """Another reader for a slot of a subject."""

    account: Identifier = Field(examples=["reader-3"])
    reason: Reason = Field(examples=["The reader is on leave."])
    edition: Annotated[int, Field(ge=1, le=1_000_000)] = Field(
        description="Of the assignment that the caller saw; another one is refused.", examples=[1]
    )


class AssignmentAnswer(BaseModel):
    """Who reads, or has read, a slot of a subject."""

    subject_id: str
    slot: int
    edition: int = Field(
        description="1 for who was drawn; a reader in the place of another has the next one."
    )
    account: str
    is_current: bool
    is_drawn: bool = Field(description="By the plan; else a coordinator chose.")
    reason: str
    assigned_at: Instant


class PooledReader(BaseModel):
    """An account in a trial's pool of readers."""

    account: str
    subjects: int = Field(description="How many subjects it reads now.")


class ReaderPlanAnswer(BaseModel):
    """How the subjects of a trial get their readers."""

    assignment: ReaderAssignment
    seed: str | None = Field(description="Of the lots; null where readers are fixed.")
    pool: list[PooledReader]
    waiting: list[str] = Field(description="Subjects that can be read and lack a reader.")
    differing: list[str] = Field(
        description="Draws that, made again from the seed and the pool as kept, give another reader."
    )


class FindingAnswer(BaseModel):
    """Something to look at again; it does not stop the read."""

    code: str = Field(examples=["claim_differs"])
    sentence: str


class AxisAnswer(BaseModel):
    """An axis with the length computed here."""

    axis: Axis
    fragment: int
    series_instance_uid: str
    sop_instance_uid: str
    frame: int
    points: list[list[float]]
    length_mm: float = Field(description="Computed from the frame's geometry, not rounded.")
    claimed_mm: float | None
    reported_mm: Millimetres | None = Field(description="Rounded once, at signing.")


class LesionAnswer(BaseModel):
    """What a read says about a lesion."""

    lesion_id: str
    role: Role
    location: str
    organ: str
    is_nodal: bool
    nature: Nature
    is_irradiated: bool
    progressed_since_irradiation: bool
    state: str
    reason: str | None
    merged_into: str | None
    diameter_mm: Millimetres | None = Field(
        description="Longest diameter, or short axis of a node, as it is or will be signed."
    )
    axes: list[AxisAnswer]
    findings: list[FindingAnswer]
    version: int


class PriorAnswer(BaseModel):
    """A lesion that this read must answer, as it was at baseline and when last seen."""

    lesion_id: str
    role: Role
    location: str
    organ: str
    is_nodal: bool
    baseline_mm: Millimetres | None
    last_mm: Millimetres | None
    last_state: str


class GapAnswer(BaseModel):
    """One reason why the read cannot be signed yet."""

    code: str = Field(examples=["not_assessed"])
    lesion_id: str
    sentence: str


class SignatureAnswer(BaseModel):
    """Who signed, when, and what it meant."""

    printed_name: str
    role: str
    meaning: str
    signed_at: Instant
    record_hash: str = Field(description="SHA-256 over the read as signed.")


class ReadAnswer(BaseModel):
    """One reader's evaluation of one timepoint."""

    read_id: RowId
    trial_id: str
    timepoint_id: RowId
    number: int | None
    imaged_on: date
    slot: int
    revision: int
    status: Literal["draft", "signed", "closed"] = Field(
        description="Closed: a draft that counts no more, as its slot got another reader."
    )
    version: int
    protocol_version: str
    opened_at: Instant
    lesions: list[LesionAnswer]
    followed: list[PriorAnswer]
    gaps: list[GapAnswer]
    findings: list[FindingAnswer] = Field(description="About the selection as a whole.")
    signature: SignatureAnswer | None


class EarlierReadAnswer(BaseModel):
    """What the same reader signed about an earlier timepoint."""

    read_id: RowId
    timepoint_id: RowId
    number: int | None
    imaged_on: date
    lesions: list[LesionAnswer]


class WorklistAnswer(BaseModel):
    """One timepoint that waits for the caller."""

    trial_id: str
    reading_id: str = Field(description="The subject's blinded name (0012,0042).")
    timepoint_id: RowId
    number: int | None
    imaged_on: date
    slot: int
    read_id: RowId | None = Field(description="The draft, when it is open.")
    revision: int
    opened_at: Instant | None
