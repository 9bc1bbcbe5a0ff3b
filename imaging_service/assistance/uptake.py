"""Uptake of contrast agent as it is asked for and kept."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from imaging_service.assistance.proposal import Point


@dataclass(frozen=True, slots=True, kw_only=True)
class PhasesAsked:
    """Which series are the phases, and where to look."""

    before: str
    early: str
    late: str
    region: tuple[Point, Point] | None  # opposite corners, (column, row), on every slice


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredUptake:
    """What was computed, as it is kept beside the read."""

    uptake_id: str
    read_id: str
    asked: PhasesAsked
    volume_ml: float
    median_signal_enhancement_ratio: float | None
    thresholds: Mapping[str, Any]
    computed_at: datetime
