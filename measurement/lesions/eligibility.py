"""May a lesion be a target, or pathological at all? Asked at baseline only (E09 3, 4.1, 4.2).

A target that shrinks under treatment stays a target: nothing here is ever applied at follow-up.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date

from measurement.lesions.lesion import Lesion, Method, Nature, Role
from measurement.lesions.organs import organ_of
from measurement.protocol.criteria import RECIST_1_1, MeasurabilityLimits
from measurement.units import ReportedMillimetres

NEVER_MEASURABLE = frozenset(
    {
        Nature.BLASTIC_BONE,
        Nature.SIMPLE_CYST,
        Nature.EFFUSION,
        Nature.ASCITES,
        Nature.LEPTOMENINGEAL,
        Nature.LYMPHANGITIC,
        Nature.INFLAMMATORY_BREAST,
    }
)
"""Truly non-measurable disease (E09 3.1.2), and simple cysts, which are no disease (E09 3.1.3)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One reason why data is not accepted as it is.

    Attributes
    ----------
    code
        Its name.
    sentence
        The value found and the value wanted.
    lesion_id
        The lesion; empty when it is about the subject.
    source
        Where the rule is published.
    """

    code: str
    sentence: str
    lesion_id: str = ""
    source: str = "E09 3.1.1"


def smallest_target(lesion: Lesion, limits: MeasurabilityLimits) -> ReportedMillimetres | None:
    """Return the smallest diameter in mm with which a lesion is measurable; `None` when never.

    Parameters
    ----------
    lesion
        As found at baseline.
    limits
        The protocol's numbers.

    Returns
    -------
    ReportedMillimetres or None
        Inclusive limit for the longest diameter, or for the short axis of a node.
    """
    if lesion.method is Method.ULTRASOUND:
        return None
    if lesion.method is Method.CHEST_X_RAY:
        return limits.chest_x_ray_mm
    if lesion.method is Method.CALLIPER:
        return limits.calliper_mm
    thickness = lesion.slice_thickness_mm
    by_slice = limits.longest_diameter_mm
    if thickness is not None and thickness > limits.thin_slice_mm:
        by_slice = ReportedMillimetres(limits.slice_multiple * thickness)
    if not lesion.is_nodal:
        return max(limits.longest_diameter_mm, by_slice)
    return max(limits.node_target_mm, by_slice) if limits.node_slice_rule else limits.node_target_mm


def target_findings(
    lesion: Lesion, limits: MeasurabilityLimits = RECIST_1_1.measurability
) -> tuple[Finding, ...]:
    """Say why a lesion may not be a target.

    Parameters
    ----------
    lesion
        As found at baseline.
    limits
        The protocol's numbers.

    Returns
    -------
    tuple of Finding
        Empty when the lesion may be a target.
    """
    return tuple(_target_findings(lesion, limits))


def _target_findings(lesion: Lesion, limits: MeasurabilityLimits) -> Iterator[Finding]:
    name = lesion.lesion_id
    if lesion.nature in NEVER_MEASURABLE:
        kind = lesion.nature.value.replace("_", " ")
        sentence = f"{name} is {kind}, which is not measurable."
        yield Finding(code="not_measurable", lesion_id=name, sentence=sentence, source="E09 3.1.2")
    if lesion.is_irradiated and not lesion.progressed_since_irradiation:
        sentence = f"{name} was irradiated; it may be a target only after progression in it was shown."
        yield Finding(code="irradiated", lesion_id=name, sentence=sentence, source="E09 3.1.3")
    wanted = smallest_target(lesion, limits)
    if wanted is None:
        sentence = f"{name} was measured by ultrasound, which is never used for targets."
        yield Finding(code="method_not_allowed", lesion_id=name, sentence=sentence, source="E09 3.2.2")
    elif lesion.nature is Nature.LYTIC_OR_MIXED_BONE:
        yield from _bone_findings(lesion, max(limits.soft_tissue_part_mm, wanted))
    else:
        yield from _size_findings(lesion, wanted)


def _bone_findings(lesion: Lesion, wanted: ReportedMillimetres) -> Iterator[Finding]:
    """Judge a bone lesion by its soft-tissue part, which must be measurable itself."""
    part = lesion.soft_tissue_part
    if part is None or part < wanted:
        found = "none measured" if part is None else f"one of {part} mm"
        yield Finding(
            code="soft_tissue_part_too_small",
            lesion_id=lesion.lesion_id,
            sentence=f"{lesion.lesion_id}, in bone, needs a soft-tissue part of {wanted} mm; found {found}.",
            source="E09 3.1.3",
        )


def _size_findings(lesion: Lesion, wanted: ReportedMillimetres) -> Iterator[Finding]:
    name, found = lesion.lesion_id, lesion.diameter
    axis = "short axis" if lesion.is_nodal else "longest diameter"
    if found is None:
        sentence = f"{name} has no {axis}; a target needs at least {wanted} mm."
        yield Finding(code="not_measured", lesion_id=name, sentence=sentence)
    elif found < wanted:
        sentence = f"{name} has a {axis} of {found} mm; a target needs at least {wanted} mm."
        yield Finding(code="too_small", lesion_id=name, sentence=sentence)


def non_target_findings(
    lesion: Lesion, limits: MeasurabilityLimits = RECIST_1_1.measurability
) -> tuple[Finding, ...]:
    """Say why a lesion may not be a non-target: only a node can be too small, as it is then normal.

    Parameters
    ----------
    lesion
        As found at baseline.
    limits
        The protocol's numbers.

    Returns
    -------
    tuple of Finding
        Empty when the lesion may be a non-target.
    """
    wanted = limits.node_pathological_mm
    if not lesion.is_nodal or lesion.diameter is None or lesion.diameter >= wanted:
        return ()
    sentence = (
        f"{lesion.lesion_id} has a short axis of {lesion.diameter} mm; below {wanted} mm a node is normal."
    )
    return (Finding(code="normal_node", lesion_id=lesion.lesion_id, sentence=sentence),)


def baseline_findings(
    lesions: Sequence[Lesion],
    limits: MeasurabilityLimits = RECIST_1_1.measurability,
    *,
    imaged_on: date | None = None,
    anchor_on: date | None = None,
    baseline_days: int = 28,
) -> tuple[Finding, ...]:
    """Say everything that is not as RECIST wants it at baseline.

    Parameters
    ----------
    lesions
        All lesions chosen at baseline, in any order.
    limits
        The protocol's numbers.
    imaged_on, anchor_on
        Days of the baseline imaging and of the start; without both, the interval is not judged.
    baseline_days
        Most days from imaging to start (E09 4.2).

    Returns
    -------
    tuple of Finding
        Those of each lesion, then those of the selection as a whole.
    """
    targets = [lesion for lesion in lesions if lesion.role is Role.TARGET]
    return (
        *(finding for lesion in lesions for finding in _lesion_findings(lesion, limits)),
        *_selection_findings(targets, limits),
        *_interval_findings(imaged_on, anchor_on, baseline_days),
    )


def _lesion_findings(lesion: Lesion, limits: MeasurabilityLimits) -> tuple[Finding, ...]:
    if lesion.role is Role.TARGET:
        return target_findings(lesion, limits)
    if lesion.role is Role.NON_TARGET:
        return non_target_findings(lesion, limits)
    sentence = f"{lesion.lesion_id} is called new at baseline, where nothing can be new."
    return (
        Finding(code="new_at_baseline", lesion_id=lesion.lesion_id, sentence=sentence, source="E09 4.3.5"),
    )


def _selection_findings(targets: Sequence[Lesion], limits: MeasurabilityLimits) -> Iterator[Finding]:
    if len(targets) > limits.max_targets:
        sentence = f"{len(targets)} target lesions were chosen; at most {limits.max_targets} are allowed."
        yield Finding(code="too_many_targets", sentence=sentence, source="E09 4.2")
    organs: Iterable[str] = (
        lesion.organ or organ_of(lesion.location, is_nodal=lesion.is_nodal) for lesion in targets
    )
    for organ, count in sorted(Counter(organs).items()):
        if count > limits.max_targets_per_organ:
            place = organ.replace("_", " ")
            sentence = (
                f"{count} targets in {place}; at most {limits.max_targets_per_organ} are allowed in an organ."
            )
            yield Finding(code="too_many_targets_in_organ", sentence=sentence, source="E09 4.2; FAQ")


def _interval_findings(imaged_on: date | None, anchor_on: date | None, most: int) -> Iterator[Finding]:
    if imaged_on is None or anchor_on is None:
        return
    before = (anchor_on - imaged_on).days
    if before > most:
        sentence = f"Baseline was imaged {before} days before the start; at most {most} are allowed."
        yield Finding(code="baseline_too_early", sentence=sentence, source="E09 3.2.1")
    elif before < 0:
        sentence = f"Baseline was imaged {-before} days after the start; it belongs before it."
        yield Finding(code="baseline_after_start", sentence=sentence, source="E09 3.2.1")
