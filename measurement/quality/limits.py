"""The limits that one series must keep by itself: thickness, gaps, spacing, coverage, b-values."""

from collections.abc import Callable, Iterator, Sequence
from decimal import Decimal

from measurement.geometry.volume import SLICE_TOLERANCE
from measurement.protocol.acquisition import AcquisitionRule, Severity
from measurement.quality.facts import AcquiredSeries, FrameFacts
from measurement.quality.findings import MOST_NAMED, Finding, FindingCode
from measurement.quality.stacks import Stack, Step, stacks_of

LENGTH_TOLERANCE = 0.01
"""Thickness and spacing are written in decimals: what exceeds a limit by less keeps it, in mm."""

B_VALUE_TOLERANCE = 0.05

Check = Callable[[AcquisitionRule, AcquiredSeries, Stack], Iterator[Finding]]


def limit_findings(rule: AcquisitionRule, series: AcquiredSeries) -> Iterator[Finding]:
    """Give what a series does not keep; of stacks in several directions each must keep every limit.

    A frame without geometry is never measured; a series warns of some, and fails its rule without any other.

    Parameters
    ----------
    rule
        Whose limits.
    series
        A series that the rule is about.
    """
    unplaced = [each for each in series.frames if each.plane is None]
    if unplaced:
        yield finding(
            rule,
            series,
            FindingCode.GEOMETRY_MISSING,
            found=f"{len(unplaced)} of {len(series.frames)} frames without calibrated geometry",
            wanted="position, orientation and spacing of every frame",
            frames=unplaced,
            severity=rule.severity if len(unplaced) == len(series.frames) else Severity.WARNS,
        )
    for stack in stacks_of(series.frames):
        for check in _CHECKS:
            yield from check(rule, series, stack)
    yield from _b_values(rule, series)


def finding(  # noqa: PLR0913  a finding says this much
    rule: AcquisitionRule,
    series: AcquiredSeries,
    code: FindingCode,
    *,
    found: str,
    wanted: str,
    frames: Sequence[FrameFacts] = (),
    severity: Severity | None = None,
) -> Finding:
    """Return a finding about a series, in a sentence; as severe as its rule unless said otherwise."""
    return Finding(
        code=code,
        rule=rule.name,
        sentence=f"{series.name} ({rule.name}) has {found}; wanted: {wanted}.",
        found=found,
        wanted=wanted,
        severity=severity or rule.severity,
        series_instance_uids=(series.series_instance_uid,),
        sop_instance_uids=tuple(dict.fromkeys(each.sop_instance_uid for each in frames))[:MOST_NAMED],
    )


def _thickness(rule: AcquisitionRule, series: AcquiredSeries, stack: Stack) -> Iterator[Finding]:
    limit = rule.max_slice_thickness_mm
    if limit is None:
        return
    unknown = [each for each in stack.slices if each.thickness_mm is None]
    if unknown:
        yield finding(
            rule,
            series,
            FindingCode.THICKNESS_UNKNOWN,
            found=f"{len(unknown)} slices without Slice Thickness (0018,0050)",
            wanted=f"at most {limit} mm",
            frames=[frame for each in unknown for frame in each.frames],
        )
    thick = [each for each in stack.slices if (each.thickness_mm or 0.0) > float(limit) + LENGTH_TOLERANCE]
    if thick:
        greatest = max(each.thickness_mm or 0.0 for each in thick)
        yield finding(
            rule,
            series,
            FindingCode.SLICES_TOO_THICK,
            found=f"slices of {_mm(greatest)}",
            wanted=f"at most {limit} mm",
            frames=[frame for each in thick for frame in each.frames],
        )


def _gaps(rule: AcquisitionRule, series: AcquiredSeries, stack: Stack) -> Iterator[Finding]:
    limit = rule.max_gap_mm
    if limit is None:
        return
    wide = [(each.gap_mm, each) for each in stack.steps if _is_wide(each, limit)]
    if wide:
        greatest = max(gap for gap, _ in wide if gap is not None)
        yield finding(
            rule,
            series,
            FindingCode.GAP_TOO_WIDE,
            found=f"{len(wide)} gaps between neighbouring slices, up to {_mm(greatest)}",
            wanted=f"at most {limit} mm",
            frames=_beside([step for _, step in wide]),
        )


def _is_wide(step: Step, limit: Decimal) -> bool:
    return step.gap_mm is not None and step.gap_mm > float(limit) + SLICE_TOLERANCE


def _holes(rule: AcquisitionRule, series: AcquiredSeries, stack: Stack) -> Iterator[Finding]:
    holes = stack.holes if rule.complete_stack else ()
    if holes:
        widest = max(each.distance_mm for each in holes)
        yield finding(
            rule,
            series,
            FindingCode.SLICES_MISSING,
            found=f"{len(holes)} holes in its stack, neighbours up to {_mm(widest)} apart",
            wanted="slices at even distances",
            frames=_beside(holes),
        )


def _spacing(rule: AcquisitionRule, series: AcquiredSeries, stack: Stack) -> Iterator[Finding]:
    limit = rule.max_pixel_spacing_mm
    if limit is None:
        return
    coarse = [
        (max(frame.plane.row_spacing, frame.plane.column_spacing), frame)
        for each in stack.slices
        for frame in each.frames
        if frame.plane is not None
        and max(frame.plane.row_spacing, frame.plane.column_spacing) > float(limit) + LENGTH_TOLERANCE
    ]
    if coarse:
        yield finding(
            rule,
            series,
            FindingCode.PIXELS_TOO_COARSE,
            found=f"an in-plane spacing of {_mm(max(spacing for spacing, _ in coarse))}",
            wanted=f"at most {limit} mm",
            frames=[frame for _, frame in coarse],
        )


def _extent(rule: AcquisitionRule, series: AcquiredSeries, stack: Stack) -> Iterator[Finding]:
    count, length = len(stack.slices), stack.coverage_mm
    if rule.min_slices is not None and count < rule.min_slices:
        yield finding(
            rule,
            series,
            FindingCode.TOO_FEW_SLICES,
            found=f"{count} slices",
            wanted=f"at least {rule.min_slices}",
        )
    limit = rule.min_coverage_mm
    if limit is not None and length < float(limit) - SLICE_TOLERANCE:
        yield finding(
            rule,
            series,
            FindingCode.COVERAGE_TOO_SHORT,
            found=f"a coverage of {_mm(length)} along its normal",
            wanted=f"at least {limit} mm",
        )


_CHECKS: Sequence[Check] = (_thickness, _gaps, _holes, _spacing, _extent)


def _b_values(rule: AcquisitionRule, series: AcquiredSeries) -> Iterator[Finding]:
    there = sorted({each.b_value for each in series.frames if each.b_value is not None})
    missing = [wanted for wanted in rule.b_values if not any(_is_b(each, wanted) for each in there)]
    if missing:
        yield finding(
            rule,
            series,
            FindingCode.B_VALUE_MISSING,
            found=f"the b-values {', '.join(f'{each:g}' for each in there) or 'none'}",
            wanted=f"{', '.join(map(str, rule.b_values))} s/mm²",
        )


def _is_b(found: float, wanted: int) -> bool:
    return abs(found - wanted) <= max(B_VALUE_TOLERANCE * wanted, 1.0)


def _beside(steps: Sequence[Step]) -> Sequence[FrameFacts]:
    return [frame for each in steps for frame in (*each.below.frames, *each.above.frames)]


def _mm(length: float) -> str:
    return f"{length:.2f}".rstrip("0").rstrip(".") + " mm"
