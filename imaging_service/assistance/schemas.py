"""Payloads of the assistance's routes."""

from typing import Annotated, Literal

from pydantic import BaseModel, Field

from imaging_service.assistance.proposal import FrameOf, Outcome, StoredProposal
from imaging_service.assistance.service import Question
from imaging_service.assistance.uptake import PhasesAsked, StoredUptake
from imaging_service.http.models import Instant, RowId, StrictModel, Uid
from imaging_service.reads.schemas import FrameNumber, LesionName, Point
from measurement.assist.confidence import Confidence


class FrameShape(StrictModel):
    """One frame of one instance."""

    sop_instance_uid: Uid = Field(examples=["2.25.17"])
    frame: FrameNumber = Field(1, description="From 1, as in DICOM.")

    def named(self) -> FrameOf:
        """Return it as a value."""
        return FrameOf(sop_instance_uid=self.sop_instance_uid, frame=self.frame)


class ProposalShape(FrameShape):
    """Where an outline is wanted: one point inside the lesion, or two corners of a rough box around it."""

    lesion_id: LesionName = Field(examples=["T01"])
    points: Annotated[list[Point], Field(min_length=1, max_length=2)] = Field(
        description="(column, row) in pixels; (0, 0) is the centre of the first pixel.",
        examples=[[[120.0, 96.5]]],
    )
    subtract: FrameShape | None = Field(
        None, description="The frame before contrast, for a dynamic series; it is subtracted first."
    )

    def question(self) -> Question:
        """Return it as a value."""
        return Question(
            lesion_id=self.lesion_id,
            on=self.named(),
            subtracted=None if self.subtract is None else self.subtract.named(),
            points=tuple((column, row) for column, row in self.points),
        )


class ProposalAnswer(BaseModel):
    """An outline that the reader may accept, edit or reject; it is no measurement."""

    proposal_id: RowId
    lesion_id: str
    sop_instance_uid: str
    frame: int
    outline: list[list[float]] = Field(description="Closed: the last point joins the first.")
    long_axis: list[list[float]]
    short_axis: list[list[float]]
    long_mm: float
    short_mm: float
    confidence: Confidence
    doubts: list[str]
    outcome: Outcome = Field(description="What the read made of it.")
    proposed_at: Instant


class PlaceAnswer(BaseModel):
    """Where to look for a lesion of an earlier read; without a frame, why there is no such place."""

    lesion_id: str
    series_instance_uid: str | None = None
    sop_instance_uid: str | None = None
    frame: int | None = None
    point: list[float] | None = Field(None, description="(column, row) in pixels.")
    likeness: float | None = Field(
        None, description="Correlation of both studies around the lesion, -1 to 1."
    )
    confidence: Confidence | None = None
    doubts: list[str]


class PlacesAnswer(BaseModel):
    """Where the lesions of earlier reads are expected."""

    state: Literal["computing", "computed"]
    places: list[PlaceAnswer]


class UptakeShape(StrictModel):
    """The phases of a dynamic series, each a series of its own, and where to look."""

    before: Uid = Field(description="Series before contrast.", examples=["2.25.1"])
    early: Uid = Field(description="Series of the early phase.", examples=["2.25.2"])
    late: Uid = Field(description="Series of the late phase.", examples=["2.25.3"])
    region: Annotated[list[Point], Field(min_length=2, max_length=2)] | None = Field(
        None, description="Opposite corners, (column, row), on every slice; everywhere when left out."
    )

    def asked(self) -> PhasesAsked:
        """Return it as a value."""
        region = None
        if self.region is not None:
            (left, top), (right, bottom) = self.region
            region = (left, top), (right, bottom)
        return PhasesAsked(before=self.before, early=self.early, late=self.late, region=region)


class UptakeAnswer(BaseModel):
    """Functional tumour volume; exploratory, no response follows from it."""

    uptake_id: RowId
    before: str
    early: str
    late: str
    region: list[list[float]] | None
    volume_ml: float
    median_signal_enhancement_ratio: float | None = Field(description="Null where nothing enhances.")
    thresholds: dict[str, str] = Field(description="Of the protocol, by its names.")
    computed_at: Instant


def uptake_answer(found: StoredUptake) -> UptakeAnswer:
    """Return what was computed as it is answered."""
    region = found.asked.region
    return UptakeAnswer(
        uptake_id=found.uptake_id,
        before=found.asked.before,
        early=found.asked.early,
        late=found.asked.late,
        region=None if region is None else [list(point) for point in region],
        volume_ml=found.volume_ml,
        median_signal_enhancement_ratio=found.median_signal_enhancement_ratio,
        thresholds=dict(found.thresholds),
        computed_at=found.computed_at,
    )


def proposal_answer(proposal: StoredProposal, outcome: Outcome) -> ProposalAnswer:
    """Return a proposal as it is answered."""
    return ProposalAnswer(
        proposal_id=proposal.proposal_id,
        lesion_id=proposal.lesion_id,
        sop_instance_uid=proposal.on.sop_instance_uid,
        frame=proposal.on.frame,
        outline=[list(point) for point in proposal.outline],
        long_axis=[list(point) for point in proposal.long_axis],
        short_axis=[list(point) for point in proposal.short_axis],
        long_mm=proposal.long_mm,
        short_mm=proposal.short_mm,
        confidence=proposal.confidence,
        doubts=list(proposal.doubts),
        outcome=outcome,
        proposed_at=proposal.proposed_at,
    )
