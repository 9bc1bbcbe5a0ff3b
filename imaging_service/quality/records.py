"""Quality control of a timepoint as the other chapters and the routes know it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from imaging_service.quality.transitions import Cause
from imaging_service.timepoints.control import ControlState


@dataclass(frozen=True, slots=True, kw_only=True)
class Control:
    """What is known about a timepoint's images."""

    timepoint_id: str
    trial_id: str
    site_id: str
    subject_id: str
    number: int | None
    imaged_on: date | None
    late_instances: int
    state: ControlState | None
    version: int
    findings: Sequence[Mapping[str, Any]]
    blocking: int
    protocol_version: str | None
    controlled_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One change of state in the history."""

    timepoint_id: str
    version: int
    before: ControlState | None
    after: ControlState | None
    cause: Cause
    reason: str | None
    findings: Sequence[Mapping[str, Any]]
    protocol_version: str | None
    changed_by: str
    changed_at: datetime
