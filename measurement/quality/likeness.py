"""Whether a series was made as the one at baseline."""

from collections.abc import Iterator, Sequence

import numpy as np

from measurement.protocol.acquisition import AcquisitionRule
from measurement.quality.facts import AcquiredSeries
from measurement.quality.findings import Finding, FindingCode
from measurement.quality.limits import finding
from measurement.quality.stacks import Stack, stacks_of

FAMILY_COSINE = 0.94
"""Normals within 20 degrees: sections in the same direction, give or take how the subject lies."""

LENGTH_FACTOR = 1.25
"""Thickness and spacing may differ from baseline's by this factor, either way."""

FIELD_TOLERANCE_TESLA = 0.1


def likeness_findings(
    rule: AcquisitionRule, series: AcquiredSeries, baseline: Sequence[AcquiredSeries]
) -> Iterator[Finding]:
    """Give in what a series is not like those of baseline that the same rule is about.

    Parameters
    ----------
    rule
        What is asked for.
    series
        A series of the timepoint.
    baseline
        Baseline's series; with none of them there is nothing to be like.
    """
    if not baseline:
        return
    if rule.same_geometry_as_baseline:
        yield from _geometry(rule, series, baseline)
    if rule.same_field_strength_as_baseline:
        yield from _field(rule, series, baseline)


def _geometry(
    rule: AcquisitionRule, series: AcquiredSeries, baseline: Sequence[AcquiredSeries]
) -> Iterator[Finding]:
    now = stacks_of(series.frames)[:1]
    before = [stack for each in baseline for stack in stacks_of(each.frames)[:1]]
    if not now or not before or any(_is_family(now[0], each) for each in before):
        return
    yield finding(
        rule,
        series,
        FindingCode.GEOMETRY_DIFFERS,
        found=_described(now[0]),
        wanted=f"as at baseline: {' or '.join(dict.fromkeys(_described(each) for each in before))}",
    )


def _is_family(one: Stack, other: Stack) -> bool:
    cosine = abs(float(np.dot(one.plane.normal, other.plane.normal)))
    pairs = (
        (one.plane.row_spacing, other.plane.row_spacing),
        (one.plane.column_spacing, other.plane.column_spacing),
        (one.slices[0].thickness_mm, other.slices[0].thickness_mm),
    )
    return cosine >= FAMILY_COSINE and all(_is_near(*each) for each in pairs)


def _is_near(one: float | None, other: float | None) -> bool:
    if one is None or other is None:
        return one is other
    return 1 / LENGTH_FACTOR <= one / other <= LENGTH_FACTOR


def _described(stack: Stack) -> str:
    plane, thickness = stack.plane, stack.slices[0].thickness_mm
    thick = "unknown thickness" if thickness is None else f"{thickness:g} mm"
    pixels = f"{plane.row_spacing:g} x {plane.column_spacing:g} mm"
    return f"{_direction(stack)} slices of {thick}, pixels of {pixels}"


def _direction(stack: Stack) -> str:
    """Name the standard direction that a normal is nearest to."""
    return ("sagittal", "coronal", "axial")[int(np.argmax(np.abs(stack.plane.normal)))]


def _field(
    rule: AcquisitionRule, series: AcquiredSeries, baseline: Sequence[AcquiredSeries]
) -> Iterator[Finding]:
    before = sorted({each.field_tesla for each in baseline if each.field_tesla is not None})
    now = series.field_tesla
    if not before or any(now is not None and abs(now - each) <= FIELD_TOLERANCE_TESLA for each in before):
        return
    yield finding(
        rule,
        series,
        FindingCode.FIELD_DIFFERS,
        found="an unknown magnetic field" if now is None else f"a magnetic field of {now:g} T",
        wanted=f"{' or '.join(f'{each:g}' for each in before)} T as at baseline",
    )
