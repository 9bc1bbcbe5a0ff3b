"""Payloads and answers about timepoints and studies."""

from collections.abc import Sequence
from datetime import date
from typing import Literal

from pydantic import BaseModel, Field

from imaging_service.http.models import Day, Identifier, Instant, Reason, StrictModel, Uid
from imaging_service.timepoints.control import ControlState
from imaging_service.timepoints.cycles import CycleDates
from imaging_service.timepoints.deciding import Assignment, Merging, Splitting
from imaging_service.timepoints.doubts import Confidence
from imaging_service.timepoints.placing import Placement
from imaging_service.timepoints.records import Cycles, Decision, Status, Study, StudyState, Timepoint


class TimepointAnswer(BaseModel):
    """One scheduled or unscheduled imaging occasion."""

    timepoint_id: str
    trial_id: str = Field(examples=["HER2-MBC-01"])
    site_id: str = Field(examples=["01"])
    subject_id: str = Field(examples=["HER2-01-001"])
    number: int | None = Field(description="0 is baseline; null for an unscheduled one.")
    name: str = Field(examples=["Timepoint 2"])
    status: Status
    nominal_on: date | None
    opens_on: date | None
    closes_on: date | None
    imaged_on: date | None
    placement: Placement | None = Field(description="Where the day of imaging fell in the calendar.")
    confidence: Confidence | None = Field(description="How far the match may be trusted.")
    reason: str | None = Field(description="Why the study belongs here.")
    days_overdue: int | None
    not_done_reason: str | None
    late_instances: int
    control: ControlState | None = Field(description="Quality control of its images; null without any.")
    study_instance_uids: list[str]


TIMEPOINT_COLUMNS = list(TimepointAnswer.model_fields)


class StudyAnswer(BaseModel):
    """A DICOM study as it was received, and where it belongs or why it belongs nowhere."""

    study_instance_uid: str
    state: StudyState
    code: str = Field(examples=["unknown_subject"])
    reason: str
    confidence: Confidence | None = Field(
        description="How far subject and timepoint may be trusted; low for a proposal, null without one."
    )
    trial_id: str | None
    site_id: str | None
    subject_id: str | None
    timepoint_id: str | None
    patient_ids: list[str]
    issuer: str
    study_date: date | None
    modalities: list[str]
    protocol_tag: str = Field(description="Clinical Trial Protocol ID (0012,0020).")
    subject_tag: str = Field(description="Clinical Trial Subject ID (0012,0040).")
    series: int
    instances: int
    conflicts: int = Field(description="Instances kept apart: a known UID with other content.")
    received_at: Instant
    settled_at: Instant | None = Field(description="Null while more instances are expected.")
    version: int = Field(description="Counts the decisions.")
    thumbnail: str | None = Field(
        description="Path of a picture of one of its instances (PS3.18 10.4.1.1.3)."
    )


class DecisionAnswer(BaseModel):
    """One decision about a study."""

    version: int
    state: StudyState
    code: str
    reason: str
    confidence: Confidence | None
    trial_id: str | None
    subject_id: str | None
    timepoint_id: str | None
    series: list[str] | None = Field(description="The series it is about; null for the whole study.")
    decided_by: str
    decided_at: Instant


class AssignmentPayload(StrictModel):
    """Where a study belongs, in a coordinator's judgement."""

    subject_id: Identifier = Field(examples=["HER2-01-001"])
    timepoint: int | Literal["unscheduled"] = Field(
        examples=[3], description="Its number, 0 for baseline, or `unscheduled`."
    )
    reason: Reason = Field(examples=["Site confirmed by telephone that the PatientID was mistyped"])
    imaged_on: Day | None = Field(None, description="For a study without a usable date.")
    joins_other_study: bool = Field(
        default=False,
        description="Whether it may stand beside a study that the timepoint has already.",
    )
    version: int | None = Field(
        None, ge=0, le=1_000_000, description="The decision that was seen; another one is refused."
    )

    def assignment(self) -> Assignment:
        """Return it as the service takes it."""
        return Assignment(
            subject_id=self.subject_id,
            number=None if self.timepoint == "unscheduled" else int(self.timepoint),
            reason=self.reason,
            imaged_on=self.imaged_on,
            joins_other_study=self.joins_other_study,
            seen_version=self.version,
        )


class RejectionPayload(StrictModel):
    """Why a study belongs to no timepoint."""

    reason: Reason = Field(examples=["Knee examination, sent by mistake"])
    version: int | None = Field(
        None, ge=0, le=1_000_000, description="The decision that was seen; another one is refused."
    )


class SplitPayload(StrictModel):
    """Which series of a study belong to another timepoint of its subject, in a coordinator's judgement."""

    series: list[Uid] = Field(min_length=1, max_length=500)
    timepoint: int | Literal["unscheduled"] = Field(
        examples=[3], description="Its number, or `unscheduled`; the study's own takes the series back."
    )
    reason: Reason = Field(examples=["The site filed two visits under one accession number"])
    imaged_on: Day | None = Field(None, description="Of these series, where it is not the study's date.")
    joins_other_study: bool = Field(
        default=False,
        description="Whether they may stand beside a study that the timepoint has already.",
    )
    version: int | None = Field(
        None, ge=0, le=1_000_000, description="The decision that was seen; another one is refused."
    )

    def splitting(self) -> Splitting:
        """Return it as the service takes it."""
        return Splitting(
            series=self.series,
            number=None if self.timepoint == "unscheduled" else int(self.timepoint),
            reason=self.reason,
            imaged_on=self.imaged_on,
            joins_other_study=self.joins_other_study,
            seen_version=self.version,
        )


class MergePayload(StrictModel):
    """With which study another one makes one timepoint."""

    with_study: Uid
    reason: Reason = Field(examples=["The liver was imaged in a second session on the next day"])
    version: int | None = Field(
        None, ge=0, le=1_000_000, description="The decision that was seen; another one is refused."
    )

    def merging(self) -> Merging:
        """Return it as the service takes it."""
        return Merging(with_study=self.with_study, reason=self.reason, seen_version=self.version)


class CyclesPayload(StrictModel):
    """When a subject's treatment cycles began."""

    started_on: list[Day] = Field(
        max_length=200, examples=[["2026-01-05", "2026-02-02"]], description="Of cycles 1, 2 and so on."
    )
    reason: Reason = Field(examples=["Cycle 2 was delayed for neutropenia"])
    version: int | None = Field(
        None, ge=0, le=1_000_000, description="The version that was seen, 0 before any; others are refused."
    )

    def dates(self) -> CycleDates:
        """Return it as the service takes it."""
        return CycleDates(started_on=self.started_on, reason=self.reason, seen_version=self.version)


class CyclesAnswer(BaseModel):
    """When a subject's treatment cycles began, as known at one time."""

    version: int
    started_on: list[date]
    reason: str
    recorded_by: str
    recorded_at: Instant


def cycles_answer(cycles: Cycles) -> CyclesAnswer:
    """Return what was known of a subject's cycles as it is answered."""
    return CyclesAnswer(
        version=cycles.version,
        started_on=list(cycles.started_on),
        reason=cycles.reason,
        recorded_by=cycles.recorded_by,
        recorded_at=cycles.recorded_at,
    )


class NotDonePayload(StrictModel):
    """Why a timepoint will have no images."""

    reason: Reason = Field(examples=["Scanner out of order, visit skipped"])


def timepoint_answer(timepoint: Timepoint, studies: Sequence[Study], today: date) -> TimepointAnswer:
    """Return a timepoint as it is answered; the first of its studies tells the reason."""
    verdict = studies[0].verdict if studies else None
    return TimepointAnswer(
        timepoint_id=timepoint.timepoint_id,
        trial_id=timepoint.trial_id,
        site_id=timepoint.site_id,
        subject_id=timepoint.subject_id,
        number=timepoint.number,
        name=timepoint.name,
        status=timepoint.status(today),
        nominal_on=timepoint.nominal_on,
        opens_on=timepoint.opens_on,
        closes_on=timepoint.closes_on,
        imaged_on=timepoint.imaged_on,
        placement=timepoint.placement,
        confidence=None if verdict is None else verdict.confidence,
        reason=None if verdict is None else verdict.sentence,
        days_overdue=timepoint.days_overdue(today),
        not_done_reason=timepoint.not_done_reason,
        late_instances=timepoint.late_instances,
        control=timepoint.control,
        study_instance_uids=[each.study_instance_uid for each in studies],
    )


def thumbnail_of(study_instance_uid: str, instance: tuple[str, str] | None) -> str | None:
    """Return the path of a picture of an instance, named by its series and itself."""
    if instance is None:
        return None
    series, sop_instance = instance
    path = f"studies/{study_instance_uid}/series/{series}/instances/{sop_instance}"
    return f"/api/v1/dicomweb/{path}/rendered?viewport=128,128"


def study_answer(study: Study, instance: tuple[str, str] | None = None) -> StudyAnswer:
    """Return a study as it is answered; `instance` shows what it looks like."""
    verdict = study.verdict
    return StudyAnswer(
        study_instance_uid=study.study_instance_uid,
        state=verdict.state,
        code=verdict.code,
        reason=verdict.sentence,
        confidence=verdict.confidence,
        trial_id=verdict.trial_id,
        site_id=study.site_id,
        subject_id=verdict.subject_id,
        timepoint_id=verdict.timepoint_id,
        patient_ids=list(study.patient_ids),
        issuer=study.issuer,
        study_date=study.study_date,
        modalities=list(study.modalities),
        protocol_tag=study.protocol_tag,
        subject_tag=study.subject_tag,
        series=study.series_count,
        instances=study.instance_count,
        conflicts=study.conflicts,
        received_at=study.received_at,
        settled_at=study.settled_at,
        version=study.version,
        thumbnail=thumbnail_of(study.study_instance_uid, instance),
    )


def decision_answer(decision: Decision) -> DecisionAnswer:
    """Return a decision as it is answered."""
    verdict = decision.verdict
    return DecisionAnswer(
        version=decision.version,
        state=verdict.state,
        code=verdict.code,
        reason=verdict.sentence,
        confidence=verdict.confidence,
        trial_id=verdict.trial_id,
        subject_id=verdict.subject_id,
        timepoint_id=verdict.timepoint_id,
        series=None if decision.series is None else list(decision.series),
        decided_by=decision.decided_by,
        decided_at=decision.decided_at,
    )
