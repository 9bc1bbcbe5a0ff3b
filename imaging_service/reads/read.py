"""A read and what it says, as values apart from the database."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import Any, Literal

from measurement.lesions.lesion import Nature, Role
from measurement.units import Millimetres, ReportedMillimetres


class Axis(StrEnum):
    """Which axis of a lesion was drawn."""

    LONG = "long"
    SHORT = "short"


@dataclass(frozen=True, slots=True, kw_only=True)
class DrawnAxis:
    """Two points on one frame of one instance, and the length that follows from them."""

    axis: Axis
    fragment: int
    """0 for the whole lesion; 1, 2, … for the fragments of a split one."""
    study_instance_uid: str
    series_instance_uid: str
    sop_instance_uid: str
    modality: str | None
    """Of the series (0008,0060)."""
    frame: int
    """From 1, as in DICOM."""
    start: tuple[float, float]
    """(column, row) in pixels, (0, 0) at the centre of the first pixel."""
    end: tuple[float, float]
    length_mm: Millimetres
    """Computed from `plane`, not rounded."""
    claimed_mm: float | None
    reported: ReportedMillimetres | None
    """Rounded once, at signing."""
    plane: Mapping[str, Any]
    """The frame's geometry as `measurement.geometry.plane.ImagePlane` has it."""
    object_sha256: str
    """Digest of the instance's bytes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LesionRecord:
    """What one read says about one lesion."""

    lesion_id: str
    role: Role
    location: str
    organ: str
    is_nodal: bool
    nature: Nature
    is_irradiated: bool
    progressed_since_irradiation: bool
    state: str
    """A state of the role: `TargetState`, `NonTargetState` or `NewLesionState`."""
    reason: str | None
    merged_into: str | None
    diameter: ReportedMillimetres | None
    """Longest diameter, or short axis of a node, as signed."""
    findings: Sequence[Mapping[str, Any]]
    version: int
    axes: Sequence[DrawnAxis] = ()

    def drawn(self, axis: Axis, fragment: int = 0) -> DrawnAxis | None:
        """Return one axis, or None when it was not drawn."""
        return next((each for each in self.axes if (each.axis, each.fragment) == (axis, fragment)), None)

    def counted(self, fragment: int = 0) -> DrawnAxis | None:
        """Return the axis that counts: the short one of a node, else the long one (E09 4.3.2)."""
        return self.drawn(Axis.SHORT if self.is_nodal else Axis.LONG, fragment)

    @property
    def fragments(self) -> Sequence[int]:
        """Numbers of the fragments that were drawn."""
        return sorted({each.fragment for each in self.axes if each.fragment})


@dataclass(frozen=True, slots=True, kw_only=True)
class Signature:
    """Who signed a read, when, and what it meant."""

    account_id: str
    printed_name: str
    role: str
    meaning: str
    signed_at: datetime
    authenticated_at: datetime
    record_hash: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Read:
    """One reader's evaluation of one timepoint, in one revision."""

    read_id: str
    trial_id: str
    subject_id: str
    timepoint_id: str
    number: int | None
    """Of the scheduled timepoint, 0 for baseline; None for an unscheduled one."""
    imaged_on: date
    slot: int
    revision: int
    supersedes: str | None
    unlock_reason: str | None
    protocol_version: str
    opened_by: str
    opened_at: datetime
    version: int
    signed_at: datetime | None
    lesions: Sequence[LesionRecord] = ()
    signature: Signature | None = field(default=None)
    closed_at: datetime | None = None
    """When a draft was closed because its slot got another reader."""

    @property
    def is_baseline(self) -> bool:
        """Whether this read chooses the lesions that are followed."""
        return self.number == 0

    @property
    def is_signed(self) -> bool:
        """Whether nothing in it changes any more."""
        return self.signed_at is not None

    @property
    def status(self) -> Literal["draft", "signed", "closed"]:
        """Whether it is being written, signed, or was closed unsigned."""
        if self.is_signed:
            return "signed"
        return "draft" if self.closed_at is None else "closed"

    def lesion(self, lesion_id: str) -> LesionRecord | None:
        """Return one lesion's record, or None."""
        return next((each for each in self.lesions if each.lesion_id == lesion_id), None)

    def of_role(self, role: Role) -> Sequence[LesionRecord]:
        """Return the lesions with this part in RECIST, by their ids."""
        return sorted((each for each in self.lesions if each.role is role), key=lambda each: each.lesion_id)
