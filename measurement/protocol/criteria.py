"""The numbers and switches of RECIST 1.1 (E09: Eisenhauer et al., Eur J Cancer 2009;45:228-247).

Every choice that the published text leaves to the trial is a named parameter here, with a
default; no rule holds a number of its own. FAQ stands for the RECIST Working Group's
questions and answers.
"""

from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum

from measurement.errors import ParameterValueError
from measurement.units import ReportedMillimetres

_5_MM, _10_MM, _15_MM, _20_MM = (ReportedMillimetres(Decimal(mm)) for mm in (5, 10, 15, 20))


def require(holds: bool, name: str, found: object, wanted: str) -> None:  # noqa: FBT001 - reads as a sentence
    """Refuse a parameter unless its condition `holds`.

    Raises
    ------
    ParameterValueError
        With the value found and the value wanted.
    """
    if not holds:
        raise ParameterValueError(name, found, wanted)


class CrThenDisease(StrEnum):
    """What best response reports while disease after a CR is unexplained (E09 Table 3, note a)."""

    QUERY = "query"
    PD = "pd"
    IGNORE = "ignore"


class NoAssessment(StrEnum):
    """Best overall response of a subject without any assessment after baseline."""

    NE = "NE"
    MISSING = "MISSING"


@dataclass(frozen=True, slots=True, kw_only=True)
class SumThresholds:
    """The numbers that target response compares with (E09 4.3.1, 4.3.2). All limits are inclusive.

    Attributes
    ----------
    partial_response_decrease
        Fraction of the baseline sum by which the sum must have fallen for PR.
    progression_increase
        Fraction of the nadir by which the sum must have grown for PD.
    progression_absolute_mm
        Growth over the nadir in mm that PD needs as well.
    normal_node_below_mm
        A node with a short axis below this is normal; one of exactly this size is not.
    too_small_mm
        Value of a target that is present but too small to measure.
    """

    partial_response_decrease: Decimal = Decimal("0.30")
    progression_increase: Decimal = Decimal("0.20")
    progression_absolute_mm: ReportedMillimetres = _5_MM
    normal_node_below_mm: ReportedMillimetres = _10_MM
    too_small_mm: ReportedMillimetres = _5_MM

    def __post_init__(self) -> None:
        """Refuse numbers that no rule could use."""
        decrease, increase = self.partial_response_decrease, self.progression_increase
        require(0 < decrease <= 1, "partial_response_decrease", decrease, "above 0 and at most 1")
        require(increase > 0, "progression_increase", increase, "above 0")
        growth = self.progression_absolute_mm
        require(growth >= 0, "progression_absolute_mm", growth, "at least 0")
        require(self.normal_node_below_mm > 0, "normal_node_below_mm", self.normal_node_below_mm, "above 0")
        require(self.too_small_mm > 0, "too_small_mm", self.too_small_mm, "above 0")


@dataclass(frozen=True, slots=True, kw_only=True)
class MeasurabilityLimits:
    """What may be a target at baseline (E09 3.1, 3.2, 4.1, 4.2). Never applied at follow-up.

    Attributes
    ----------
    longest_diameter_mm
        Smallest longest diameter of a non-nodal target on thin slices.
    thin_slice_mm
        Slices up to this thickness are thin.
    slice_multiple
        On thicker slices a non-nodal target must measure this many slice thicknesses.
    calliper_mm
        Smallest lesion measured with callipers.
    chest_x_ray_mm
        Smallest lesion measured on a chest radiograph.
    node_target_mm
        Smallest short axis of a nodal target.
    node_pathological_mm
        Smallest short axis of a pathological node; below it a node is normal.
    node_slice_rule
        Whether thick slices raise the limit for nodes too, as they do for other lesions.
    soft_tissue_part_mm
        Smallest soft-tissue part of a lytic or mixed bone lesion that may be a target.
    max_targets
        Most target lesions of one subject.
    max_targets_per_organ
        Most target lesions in one organ.
    """

    longest_diameter_mm: ReportedMillimetres = _10_MM
    thin_slice_mm: Decimal = Decimal(5)
    slice_multiple: Decimal = Decimal(2)
    calliper_mm: ReportedMillimetres = _10_MM
    chest_x_ray_mm: ReportedMillimetres = _20_MM
    node_target_mm: ReportedMillimetres = _15_MM
    node_pathological_mm: ReportedMillimetres = _10_MM
    node_slice_rule: bool = False
    soft_tissue_part_mm: ReportedMillimetres = _10_MM
    max_targets: int = 5
    max_targets_per_organ: int = 2

    def __post_init__(self) -> None:
        """Refuse limits that no lesion could meet."""
        for name in ("max_targets", "max_targets_per_organ"):
            require(getattr(self, name) >= 1, name, getattr(self, name), "at least 1")
        require(
            self.node_pathological_mm <= self.node_target_mm,
            "node_pathological_mm",
            self.node_pathological_mm,
            "at most node_target_mm",
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ResponseSwitches:
    """Choices that change the response at a timepoint.

    Attributes
    ----------
    pr_hold
        After a PR the target response stays PR until CR or PD (FAQ): 100, 70, 70, 80 mm stays PR.
    reappearance_after_cr
        After a CR of the subject any reappearance is PD; a target node only when no longer normal,
        a non-target node only when the reader calls it unequivocal (E09 Table 3; FAQ).
    partial_sum_pd
        An incomplete sum that already exceeds the nadir by the limits of PD is PD, not NE.
    """

    pr_hold: bool = True
    reappearance_after_cr: bool = True
    partial_sum_pd: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfirmationRules:
    """Choices that change a best overall response (E09 4.6 and Table 3).

    Attributes
    ----------
    required
        Whether the trial's response rate counts confirmed responses only. Both are always derived.
    interval_days
        Fewest days from a CR or PR to its confirmation.
    max_not_evaluable
        Most NE timepoints between a response and its confirmation.
    accept_stable
        Whether one SD timepoint may lie between a PR and its confirmation.
    stable_minimum_days
        Fewest days from the anchor to an assessment that may count as SD.
    cr_then_disease
        What is reported while disease after a CR is queried: the pair's row in Table 3 (query),
        progression at that timepoint (pd), or the CR read as a PR (ignore).
    no_assessment
        Best overall response when nothing was assessed after baseline.
    """

    required: bool = True
    interval_days: int = 28
    max_not_evaluable: int = 0
    accept_stable: bool = False
    stable_minimum_days: int = 35
    cr_then_disease: CrThenDisease = CrThenDisease.QUERY
    no_assessment: NoAssessment = NoAssessment.NE

    def __post_init__(self) -> None:
        """Refuse negative counts."""
        for name in ("interval_days", "max_not_evaluable", "stable_minimum_days"):
            require(getattr(self, name) >= 0, name, getattr(self, name), "at least 0")


@dataclass(frozen=True, slots=True, kw_only=True)
class Criteria:
    """All response criteria of a trial.

    Attributes
    ----------
    sums
        Numbers of the target response.
    measurability
        Limits at baseline.
    switches
        Choices at a timepoint.
    confirmation
        Choices of the best overall response.
    """

    sums: SumThresholds = field(default_factory=SumThresholds)
    measurability: MeasurabilityLimits = field(default_factory=MeasurabilityLimits)
    switches: ResponseSwitches = field(default_factory=ResponseSwitches)
    confirmation: ConfirmationRules = field(default_factory=ConfirmationRules)


RECIST_1_1 = Criteria()
"""RECIST 1.1 as published, with this project's defaults where the text leaves a choice."""
