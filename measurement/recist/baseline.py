"""The baseline timepoint: which lesions are followed, and the sum that responses start from (E09 4.2)."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal

from measurement.lesions.lesion import (
    NonTargetObservation,
    NonTargetState,
    TargetObservation,
    TargetState,
)
from measurement.protocol.criteria import Criteria
from measurement.recist.assessment import BaselineAssessment
from measurement.recist.observations import TimepointObservations
from measurement.recist.queries import Query
from measurement.recist.sums import CompleteSum, SumOfDiameters, sum_up, value_of
from measurement.units import ReportedMillimetres


@dataclass(frozen=True, slots=True, kw_only=True)
class Baseline:
    """What later timepoints are compared with.

    Attributes
    ----------
    targets, non_targets
        The followed lesions as found at baseline, by identifier.
    sum_mm
        Sum of diameters in mm when it is complete and above 0; `None` otherwise.
    assessment
        The same, as told to people.
    """

    targets: Mapping[str, TargetObservation]
    non_targets: Mapping[str, NonTargetObservation]
    sum_mm: ReportedMillimetres | None
    assessment: BaselineAssessment


def assess_baseline(observed: TimepointObservations, criteria: Criteria) -> Baseline:
    """Take stock of the baseline timepoint.

    Parameters
    ----------
    observed
        What was seen at baseline.
    criteria
        The trial's criteria.

    Returns
    -------
    Baseline
        Of a lesion assessed twice the first assessment counts; a lesion that is both target and
        non-target is a target. Each is a query.
    """
    targets: dict[str, TargetObservation] = {}
    non_targets: dict[str, NonTargetObservation] = {}
    for target in observed.targets:
        targets.setdefault(target.lesion_id, target)
    for lesion in observed.non_targets:
        if lesion.lesion_id not in targets:
            non_targets.setdefault(lesion.lesion_id, lesion)
    total = _sum(targets, criteria) if targets else None
    return Baseline(
        targets=targets,
        non_targets=non_targets,
        sum_mm=total.mm if isinstance(total, CompleteSum) and total.mm > 0 else None,
        assessment=BaselineAssessment(
            timepoint_id=observed.timepoint_id,
            assessed_on=observed.last_imaged_on,
            target_ids=tuple(targets),
            non_target_ids=tuple(non_targets),
            sum_of_diameters=total,
            queries=tuple(_queries(observed, targets, non_targets, total)),
        ),
    )


def _sum(targets: Mapping[str, TargetObservation], criteria: Criteria) -> SumOfDiameters:
    measured, missing = Decimal(0), []
    for name, target in targets.items():
        value = value_of(target, criteria.sums)
        if value is None:
            missing.append(name)
        else:
            measured += value
    return sum_up(measured, tuple(missing))


def _queries(
    observed: TimepointObservations,
    targets: Mapping[str, TargetObservation],
    non_targets: Mapping[str, NonTargetObservation],
    total: SumOfDiameters | None,
) -> Iterator[Query]:
    where = observed.timepoint_id
    if len(targets) + len(non_targets) != len(observed.targets) + len(observed.non_targets):
        yield from _repeated(observed, where)
    for name, target in targets.items():
        if target.state is not TargetState.MEASURED:
            yield Query("baseline_not_measured", where, (name,), (name, _words(target.state)))
    if isinstance(total, CompleteSum) and total.mm == 0:
        yield Query("baseline_sum_zero", where, tuple(targets))
    for name, lesion in non_targets.items():
        if lesion.state is not NonTargetState.PRESENT:
            yield Query("baseline_non_target_gone", where, (name,), (name, _words(lesion.state)))
    for new in observed.new_lesions:
        yield Query("new_at_baseline", where, (new.lesion_id,), (new.lesion_id,))


def _repeated(observed: TimepointObservations, where: str) -> Iterator[Query]:
    targets = {target.lesion_id for target in observed.targets}
    for lesion in observed.non_targets:
        if lesion.lesion_id in targets:
            yield Query("lesion_in_two_roles", where, (lesion.lesion_id,), (lesion.lesion_id,))
    for names in (
        [target.lesion_id for target in observed.targets],
        [lesion.lesion_id for lesion in observed.non_targets],
    ):
        for name in dict.fromkeys(name for name in names if names.count(name) > 1):
            yield Query("lesion_repeated", where, (name,), (name, where))


def _words(state: TargetState | NonTargetState) -> str:
    return state.value.replace("_", " ")
