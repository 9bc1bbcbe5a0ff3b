"""What the ruler noticed about a measurement that it nevertheless made."""

from dataclasses import dataclass
from enum import StrEnum


class FindingCode(StrEnum):
    """One code for each thing that a reader or a coordinator is told."""

    CLAIM_DIFFERS = "claim_differs"
    CLAIM_SWAPS_SPACINGS = "claim_swaps_spacings"
    NOT_PERPENDICULAR = "not_perpendicular"
    SHORT_AXIS_LONGER = "short_axis_longer"
    DIAMETER_LEAVES_LESION = "diameter_leaves_lesion"
    SLICES_MISSING = "slices_missing"
    SLICES_UNEVEN = "slices_uneven"
    SLICES_APART = "slices_apart"
    SLICES_OVERLAP = "slices_overlap"
    SLICES_REPEATED = "slices_repeated"


@dataclass(frozen=True, slots=True, kw_only=True)
class GeometryFinding:
    """A reason to look again; it never stops the measurement."""

    code: FindingCode
    sentence: str  # with the value found and the value wanted
