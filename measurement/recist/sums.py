"""The sum of diameters of the target lesions (E09 4.2), complete or not.

A complete and an incomplete sum are different types: comparing one with the other, or with
a number, fails instead of answering.
"""

from dataclasses import dataclass

from measurement.errors import SumNotEvaluableError
from measurement.units import ReportedMillimetres


@dataclass(frozen=True, slots=True, order=True)
class CompleteSum:
    """The sum of all targets.

    Attributes
    ----------
    mm
        Sum of diameters in mm.
    """

    mm: ReportedMillimetres


@dataclass(frozen=True, slots=True)
class IncompleteSum:
    """The sum of those targets that were assessed; the true sum is at least this.

    Attributes
    ----------
    at_least_mm
        Sum in mm of what was measured.
    missing
        Targets without a value.
    """

    at_least_mm: ReportedMillimetres
    missing: tuple[str, ...]


SumOfDiameters = CompleteSum | IncompleteSum


def complete_mm(total: SumOfDiameters) -> ReportedMillimetres:
    """Return the sum of diameters in mm.

    Raises
    ------
    SumNotEvaluableError
        If a target has no value.
    """
    if isinstance(total, IncompleteSum):
        raise SumNotEvaluableError(total.missing)
    return total.mm
