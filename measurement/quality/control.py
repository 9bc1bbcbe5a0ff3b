"""Hold a timepoint's series against the acquisition rules of the protocol."""

from collections.abc import Iterator, Sequence
from itertools import chain

from measurement.protocol.acquisition import AcquisitionRule, Severity
from measurement.quality.dynamic import dynamic_findings
from measurement.quality.facts import AcquiredSeries
from measurement.quality.findings import Finding, FindingCode
from measurement.quality.likeness import likeness_findings
from measurement.quality.limits import limit_findings


def control(
    series: Sequence[AcquiredSeries],
    rules: Sequence[AcquisitionRule],
    baseline: Sequence[AcquiredSeries] = (),
) -> Sequence[Finding]:
    """Return what is not as the rules ask, in the order of the rules.

    Parameters
    ----------
    series
        The series of the timepoint.
    rules
        The protocol's.
    baseline
        The series of the subject's baseline; empty at baseline itself and while there is none.
    """
    if not any(each.frames for each in series):
        return (
            Finding(
                code=FindingCode.NO_SERIES,
                rule="",
                sentence="The timepoint has no image; at least one was wanted.",
                found="0 images",
                wanted="at least 1",
                severity=Severity.BLOCKS,
            ),
        )
    return tuple(chain.from_iterable(_of_rule(rule, series, baseline) for rule in rules))


def fitting(rule: AcquisitionRule, series: Sequence[AcquiredSeries]) -> Sequence[AcquiredSeries]:
    """Return the series that a rule is about: those that fit everything by which it chooses."""
    return [each for each in series if each.frames and _fits(rule, each)]


def _fits(rule: AcquisitionRule, series: AcquiredSeries) -> bool:
    description = series.description.casefold()
    body_part = series.body_part.casefold()
    words = [each.casefold() for each in rule.description_contains]
    regions = [each.casefold() for each in rule.body_parts]
    return (
        series.modality == rule.modality
        and (not words or any(each in description for each in words))
        and (not regions or any(each == body_part or each in description for each in regions))
        and (not rule.scanning_sequences or bool({*rule.scanning_sequences} & {*series.scanning_sequences}))
        and rule.acquisition_type in {None, series.acquisition_type}
        and rule.has_contrast in {None, series.has_contrast}
    )


def _of_rule(
    rule: AcquisitionRule, series: Sequence[AcquiredSeries], baseline: Sequence[AcquiredSeries]
) -> Iterator[Finding]:
    chosen = fitting(rule, series)
    if not chosen:
        if rule.required:
            yield _missing(rule, series)
        return
    before = fitting(rule, baseline)
    found = [[*limit_findings(rule, each), *likeness_findings(rule, each, before)] for each in chosen]
    if rule.every_series:
        yield from chain.from_iterable(found)
    else:
        yield from min(found, key=len)
    yield from dynamic_findings(rule, chosen)


def _missing(rule: AcquisitionRule, series: Sequence[AcquiredSeries]) -> Finding:
    wanted = ", ".join(_criteria(rule))
    return Finding(
        code=FindingCode.SERIES_MISSING,
        rule=rule.name,
        sentence=f"None of the {len(series)} series is a {rule.name} ({wanted}); one was wanted.",
        found="none",
        wanted=wanted,
        severity=rule.severity,
        series_instance_uids=(),
    )


def _criteria(rule: AcquisitionRule) -> Iterator[str]:
    yield f"modality {rule.modality}"
    for name, words in (
        ("body part", rule.body_parts),
        ("description with", rule.description_contains),
        ("scanning sequence", rule.scanning_sequences),
    ):
        if words:
            yield f"{name} {' or '.join(words)}"
    if rule.acquisition_type is not None:
        yield rule.acquisition_type
    if rule.has_contrast is not None:
        yield "with contrast agent" if rule.has_contrast else "without contrast agent"
