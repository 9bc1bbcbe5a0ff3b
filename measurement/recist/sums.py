"""The sum of diameters of the target lesions (E09 4.2), complete or not.

A complete and an incomplete sum are different types: comparing one with the other, or with
a number, fails instead of answering.
"""

from dataclasses import dataclass
from decimal import Decimal

from measurement.errors import SumNotEvaluableError
from measurement.lesions.lesion import TargetObservation, TargetState
from measurement.protocol.criteria import SumThresholds
from measurement.units import ReportedMillimetres

NOTHING = ReportedMillimetres(Decimal(0))


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


def value_of(target: TargetObservation, sums: SumThresholds) -> ReportedMillimetres | None:
    """Return what a target adds to the sum, in mm (E09 4.3.2; FAQ).

    Parameters
    ----------
    target
        What was seen of it.
    sums
        The protocol's numbers.

    Returns
    -------
    ReportedMillimetres or None
        The diameter when there is one, however small; 5 mm when too small to measure; 0 when gone
        or carried by the target it merged into; the sum of the fragments when split; `None`,
        which is neither 0 nor missing, when not evaluable.
    """
    if target.diameter is not None:
        return target.diameter
    state = target.state
    if state is TargetState.NOT_EVALUABLE:
        return None
    if state is TargetState.TOO_SMALL:
        return sums.too_small_mm
    return ReportedMillimetres(sum(target.fragments, Decimal(0)))


def is_normal_node(node: TargetObservation, value: ReportedMillimetres, sums: SumThresholds) -> bool:
    """Whether a nodal target no longer counts as disease (E09 4.3.1, 4.3.2).

    Parameters
    ----------
    node
        What was seen of it.
    value
        What it adds to the sum, in mm.
    sums
        The protocol's numbers.

    Returns
    -------
    bool
        A node that split is normal when each of its parts is.
    """
    largest = max(node.fragments) if node.fragments else value
    return largest < sums.normal_node_below_mm


def sum_up(measured: Decimal, missing: tuple[str, ...]) -> SumOfDiameters:
    """Return the sum of diameters as the type that says whether it is complete.

    Parameters
    ----------
    measured
        Sum in mm of the targets that have a value.
    missing
        Targets that have none.
    """
    if missing:
        return IncompleteSum(ReportedMillimetres(measured), missing)
    return CompleteSum(ReportedMillimetres(measured))


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
