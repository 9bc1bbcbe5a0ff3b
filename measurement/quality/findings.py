"""Why the images of a timepoint are not accepted as they are."""

from dataclasses import dataclass
from enum import StrEnum

from measurement.protocol.acquisition import Severity


class FindingCode(StrEnum):
    """What is not as the protocol asks."""

    NO_SERIES = "no_series"
    SERIES_MISSING = "series_missing"
    GEOMETRY_MISSING = "geometry_missing"
    SLICES_TOO_THICK = "slices_too_thick"
    THICKNESS_UNKNOWN = "thickness_unknown"
    GAP_TOO_WIDE = "gap_too_wide"
    SLICES_MISSING = "slices_missing"
    PIXELS_TOO_COARSE = "pixels_too_coarse"
    COVERAGE_TOO_SHORT = "coverage_too_short"
    TOO_FEW_SLICES = "too_few_slices"
    TOO_FEW_PHASES = "too_few_phases"
    EARLY_PHASE_TOO_LATE = "early_phase_too_late"
    EARLY_PHASE_UNKNOWN = "early_phase_unknown"
    B_VALUE_MISSING = "b_value_missing"
    GEOMETRY_DIFFERS = "geometry_differs"
    FIELD_DIFFERS = "field_differs"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that is not as the protocol asks.

    Attributes
    ----------
    code
        What it is.
    rule
        Name of the acquisition rule.
    sentence
        The value found and the value wanted.
    found, wanted
        Both again, with their units.
    severity
        Whether it keeps the timepoint from being accepted by itself.
    series_instance_uids, sop_instance_uids
        What it was found in; of instances at most `MOST_NAMED`.
    """

    code: FindingCode
    rule: str
    sentence: str
    found: str
    wanted: str
    severity: Severity
    series_instance_uids: tuple[str, ...] = ()
    sop_instance_uids: tuple[str, ...] = ()


MOST_NAMED = 20
"""Instances named in one finding."""
