"""The phases of a dynamic acquisition: how many, and how soon after contrast.

Phases may be one series or several. The same place is imaged once in each phase, so there are as many
phases as frames at the place that was imaged most often, whatever the sender numbers.
"""

from collections.abc import Iterator, Sequence

from measurement.protocol.acquisition import AcquisitionRule, Severity
from measurement.quality.facts import AcquiredSeries, FrameFacts
from measurement.quality.findings import Finding, FindingCode
from measurement.quality.stacks import stacks_of


def dynamic_findings(rule: AcquisitionRule, series: Sequence[AcquiredSeries]) -> Iterator[Finding]:
    """Give what the phases of the series together do not keep.

    Parameters
    ----------
    rule
        Whose limits.
    series
        Every series that the rule is about.
    """
    if rule.min_phases is None and rule.max_early_phase_seconds is None:
        return
    phases = _phases(series)
    if rule.min_phases is not None and len(phases) < rule.min_phases:
        yield _finding(
            rule,
            series,
            FindingCode.TOO_FEW_PHASES,
            found=f"{len(phases)} dynamic phases",
            wanted=f"at least {rule.min_phases}",
        )
    if rule.max_early_phase_seconds is not None:
        yield from _early_phase(rule, series, phases, rule.max_early_phase_seconds)


Phase = tuple[AcquiredSeries, FrameFacts]
"""A frame of the place that was imaged most often, with its series."""


def _phases(series: Sequence[AcquiredSeries]) -> Sequence[Phase]:
    """Return the frames at one place, in the order of their times, else of their positions in time."""
    owner = {(each.sop_instance_uid, each.frame): part for part in series for each in part.frames}
    stacks = stacks_of([each for part in series for each in part.frames], apart_by_phase=False)
    places = [place for stack in stacks for place in stack.slices]
    most = max(places, key=lambda place: len(place.frames), default=None)
    frames = sorted(
        () if most is None else most.frames,
        key=lambda each: (each.acquired_at_seconds or 0.0, each.temporal_position or 0),
    )
    return [(owner[each.sop_instance_uid, each.frame], each) for each in frames]


def _early_phase(
    rule: AcquisitionRule, series: Sequence[AcquiredSeries], phases: Sequence[Phase], limit: int
) -> Iterator[Finding]:
    delay, is_bound = _delay(phases)
    if delay is None or (is_bound and delay > limit):
        yield _finding(
            rule,
            series,
            FindingCode.EARLY_PHASE_UNKNOWN,
            found="phases whose times after contrast the headers do not tell",
            wanted=f"the first one at most {limit} s after Contrast Bolus Start Time (0018,1042)",
            severity=Severity.WARNS,
        )
    elif delay > limit:
        yield _finding(
            rule,
            series,
            FindingCode.EARLY_PHASE_TOO_LATE,
            found=f"its first phase {delay:.0f} s after contrast",
            wanted=f"at most {limit} s",
        )


def _delay(phases: Sequence[Phase]) -> tuple[float | None, bool]:
    """Return the seconds from contrast to the first phase after it, and whether that is only a bound.

    Without the time of the bolus, contrast was given after the last phase without it had begun.
    """
    timed = [(each, frame.acquired_at_seconds) for each, frame in phases]
    times = [(each, at) for each, at in timed if at is not None]
    bolus = min(
        (each.contrast_at_seconds for each, _ in times if each.contrast_at_seconds is not None), default=None
    )
    if bolus is not None:
        later = [at - bolus for _, at in times if at >= bolus]
        return min(later, default=None), False
    before = [at for each, at in times if not each.has_contrast]
    after = [at for each, at in times if each.has_contrast]
    if not before or not after:
        return None, False
    first = min(after)
    earlier = [at for at in before if at <= first]
    return (first - max(earlier), True) if earlier else (None, False)


def _finding(  # noqa: PLR0913  a finding says this much
    rule: AcquisitionRule,
    series: Sequence[AcquiredSeries],
    code: FindingCode,
    *,
    found: str,
    wanted: str,
    severity: Severity | None = None,
) -> Finding:
    return Finding(
        code=code,
        rule=rule.name,
        sentence=f"The {rule.name} has {found}; wanted: {wanted}.",
        found=found,
        wanted=wanted,
        severity=severity or rule.severity,
        series_instance_uids=tuple(each.series_instance_uid for each in series),
    )
