"""Timepoints and studies as the other chapters and the routes know them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Any

from imaging_service.timepoints.control import ControlState
from imaging_service.timepoints.doubts import Confidence
from imaging_service.timepoints.placing import Placement


class Progress(StrEnum):
    """How far a timepoint has come; stored."""

    EXPECTED = "expected"
    RECEIVED = "received"
    IN_READING = "in_reading"
    READ = "read"
    NOT_DONE = "not_done"
    CLOSED = "closed"


class Status(StrEnum):
    """How far a timepoint has come, as of a day; overdue and missed follow from the day."""

    EXPECTED = "expected"
    OVERDUE = "overdue"
    MISSED = "missed"
    RECEIVED = "received"
    IN_READING = "in_reading"
    READ = "read"
    NOT_DONE = "not_done"
    CLOSED = "closed"


WITH_IMAGES = frozenset({Progress.RECEIVED, Progress.IN_READING, Progress.READ})
"""Progress of a timepoint that has images."""

BEING_READ = frozenset({Progress.IN_READING, Progress.READ})
"""Progress of a timepoint whose images nobody may take away."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Timepoint:
    """One scheduled or unscheduled imaging occasion."""

    timepoint_id: str
    trial_id: str
    subject_id: str
    site_id: str
    number: int | None  # 0 is baseline; None for an unscheduled one
    nominal_on: date | None
    opens_on: date | None
    closes_on: date | None
    imaged_on: date | None
    progress: Progress
    placement: Placement | None
    not_done_reason: str | None
    late_instances: int
    last_received: int  # highest scheduled number of the subject with images; -1 before any
    control: ControlState | None  # None without images

    @property
    def name(self) -> str:
        """What people call it."""
        if self.number is None:
            return f"Unscheduled {self.imaged_on}"
        return "Baseline" if self.number == 0 else f"Timepoint {self.number}"

    def status(self, today: date) -> Status:
        """Return how far it has come as of a day."""
        is_waiting = self.progress is Progress.EXPECTED and self.closes_on is not None
        if not is_waiting or self.closes_on is None or self.closes_on >= today:
            return Status(self.progress.value)
        if self.number is not None and self.number < self.last_received:
            return Status.MISSED
        return Status.OVERDUE

    def days_overdue(self, today: date) -> int | None:
        """Return the days since its window closed, when it is overdue."""
        if self.status(today) is not Status.OVERDUE or self.closes_on is None:
            return None
        return (today - self.closes_on).days


@dataclass(frozen=True, slots=True, kw_only=True)
class Cycles:
    """When a subject's treatment cycles began, as known at one time."""

    version: int
    started_on: Sequence[date]  # of cycles 1, 2, …
    reason: str
    recorded_by: str
    recorded_at: datetime


class StudyState(StrEnum):
    """Where a study is."""

    MATCHED = "matched"
    UNMATCHED = "unmatched"
    REJECTED = "rejected"


class DecisionCode(StrEnum):
    """What was decided about a study, beside the reasons of `DoubtCode` and `Placement`."""

    ASSIGNED = "assigned"
    REJECTED = "rejected"
    LATE_INSTANCES = "late_instances"
    SPLIT = "split"
    MERGED = "merged"


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """Where a study belongs, and why; each one is kept."""

    state: StudyState
    trial_id: str | None
    subject_id: str | None
    timepoint_id: str | None
    placement: Placement | None
    code: str
    sentence: str
    confidence: Confidence | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Study:
    """A DICOM study as it was received, and where it belongs."""

    study_instance_uid: str
    site_id: str | None
    patient_ids: Sequence[str]
    issuer: str
    study_date: date | None
    study_date_is_unreadable: bool
    modalities: Sequence[str]
    protocol_tag: str
    subject_tag: str
    series_count: int
    instance_count: int
    received_at: datetime
    settled_at: datetime | None
    conflicts: int
    verdict: Verdict
    decided_by: str
    version: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """One verdict about a study in its history."""

    version: int
    verdict: Verdict
    decided_by: str
    decided_at: datetime
    series: Sequence[str] | None = None  # None: the whole study


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredInstance:
    """An instance as it was when its study was matched."""

    sop_instance_uid: str
    sop_class_uid: str
    transfer_syntax_uid: str
    instance_number: int | None
    rows: int | None
    columns: int | None
    number_of_frames: int
    size: int
    sha256: str
    frames: Sequence[Mapping[str, Any]]  # {"plane": …} or {"refused": sentence}; frame 1 comes first
    is_late: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredSeries:
    """A series as it was when its study was matched."""

    study_instance_uid: str
    series_instance_uid: str
    modality: str | None
    series_number: int | None
    description: str | None
    frame_of_reference_uid: str | None
    facts: Mapping[str, Any]
    instances: Sequence[StoredInstance]
    timepoint_id: str | None = None  # where it was split to; None where it is on its study's
