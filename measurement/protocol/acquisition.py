"""What a trial's images must be like, and who accepts them."""

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from measurement.protocol.criteria import require


class Severity(StrEnum):
    """What a finding about images does."""

    BLOCKS = "blocks"
    WARNS = "warns"


class AcceptedBy(StrEnum):
    """Who accepts a timepoint's images for reading."""

    PERSON = "person"
    AUTOMATIC = "automatic"


@dataclass(frozen=True, slots=True, kw_only=True)
class QualityPlan:
    """How images are accepted and sites are asked.

    Attributes
    ----------
    accept
        Whether a person accepts every timepoint, or the system those without a finding that blocks.
    query_due_days
        Days in which a site answers a query that names no day itself.
    """

    accept: AcceptedBy = AcceptedBy.AUTOMATIC
    query_due_days: int = 14

    def __post_init__(self) -> None:
        """Refuse a query that is overdue before it is asked."""
        require(self.query_due_days >= 0, "query_due_days", self.query_due_days, "at least 0")


@dataclass(frozen=True, slots=True, kw_only=True)
class AcquisitionRule:
    """What one kind of series must be like. A limit of `None` is not checked.

    The words, codes and modality choose the series that the rule is about; a series must fit all that
    are given. One of them must keep every limit, or all of them, as `every_series` says.

    Attributes
    ----------
    name
        What the series is called in findings, such as ``dynamic T1``.
    severity
        Whether a finding of this rule keeps the timepoint from being accepted by itself.
    modality
        DICOM Modality (0008,0060).
    body_parts
        Regions of which one must be Body Part Examined (0018,0015) or stand in Series Description; empty for
        any. Each region that a trial images differently has rules of its own.
    description_contains
        Words of which one must occur in Series Description (0008,103E), in any case; empty for any series.
    scanning_sequences
        Codes of which one must be in Scanning Sequence (0018,0020): SE, IR, GR, EP, RM; of Enhanced MR
        (0018,9008) in the same codes. Empty for any.
    acquisition_type
        MR Acquisition Type (0018,0023), 2D or 3D.
    has_contrast
        Whether a contrast agent (0018,0010) must be there, or must not.
    required
        Whether every timepoint needs one.
    every_series
        Whether each series that fits must keep the limits; else one is enough.
    max_slice_thickness_mm
        Greatest slice thickness.
    max_gap_mm
        Greatest gap between neighbouring slices.
    max_pixel_spacing_mm
        Greatest in-plane spacing.
    complete_stack
        Whether slices that lie at even distances may not have a hole among them.
    min_coverage_mm
        Least length that the slices cover along their normal.
    min_slices
        Fewest slices.
    min_phases
        Fewest dynamic phases.
    max_early_phase_seconds
        Latest first phase after contrast.
    b_values
        b-values in s/mm² that must all be there, each within 5 %.
    same_geometry_as_baseline
        Whether orientation, spacing and thickness must be those of baseline.
    same_field_strength_as_baseline
        Whether the magnetic field must be that of baseline.
    """

    name: str
    severity: Severity = Severity.BLOCKS
    modality: str = "MR"
    body_parts: tuple[str, ...] = ()
    description_contains: tuple[str, ...] = ()
    scanning_sequences: tuple[str, ...] = ()
    acquisition_type: str | None = None
    has_contrast: bool | None = None
    required: bool = True
    every_series: bool = False
    max_slice_thickness_mm: Decimal | None = None
    max_gap_mm: Decimal | None = None
    max_pixel_spacing_mm: Decimal | None = None
    complete_stack: bool = False
    min_coverage_mm: Decimal | None = None
    min_slices: int | None = None
    min_phases: int | None = None
    max_early_phase_seconds: int | None = None
    b_values: tuple[int, ...] = ()
    same_geometry_as_baseline: bool = False
    same_field_strength_as_baseline: bool = False

    def __post_init__(self) -> None:
        """Refuse a rule without a name or with impossible limits."""
        require(bool(self.name), "name", self.name, "not empty")
        for name in ("max_slice_thickness_mm", "max_pixel_spacing_mm", "min_coverage_mm"):
            limit = getattr(self, name)
            require(limit is None or limit > 0, name, limit, "above 0")
        for name in ("max_gap_mm", "min_slices", "min_phases", "max_early_phase_seconds"):
            limit = getattr(self, name)
            require(limit is None or limit >= 0, name, limit, "at least 0")
        kind = self.acquisition_type
        require(kind in {None, "2D", "3D"}, "acquisition_type", kind, "2D or 3D")
        for name in ("body_parts", "description_contains", "scanning_sequences"):
            words = getattr(self, name)
            require(all(each.strip() for each in words), name, words, "words that are not empty")
        require(all(each >= 0 for each in self.b_values), "b_values", self.b_values, "at least 0 each")
