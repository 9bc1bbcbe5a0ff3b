"""What an amendment would find about the lesions that were chosen at baseline."""

from collections.abc import Iterator, Sequence

from imaging_service.amendments.change import Amendment, Change, ChangeKind
from imaging_service.reads.observing import eligible_lesion
from imaging_service.reads.read import Read
from imaging_service.subjects.records import Subject
from measurement.lesions.eligibility import baseline_findings
from measurement.protocol.criteria import MeasurabilityLimits


def changes_of(amendment: Amendment, subject: Subject, reads: Sequence[Read]) -> Iterator[Change]:
    """Yield each baseline whose findings would be others, where the new version would apply to it."""
    effective_on = amendment.after.effective_on
    for read in reads:
        if not read.is_baseline or (effective_on is not None and read.imaged_on < effective_on):
            continue
        before = _findings(read, amendment.before.criteria.measurability)
        after = _findings(read, amendment.after.criteria.measurability)
        if before != after:
            yield Change(
                kind=ChangeKind.ELIGIBILITY,
                subject_id=subject.subject_id,
                site_id=subject.site_id,
                slot=read.slot,
                timepoint="0",
                imaged_on=str(read.imaged_on),
                before=" ".join(before) or "no finding",
                after=" ".join(after) or "no finding",
                why=amendment.why(ChangeKind.ELIGIBILITY),
            )


def _findings(read: Read, limits: MeasurabilityLimits) -> Sequence[str]:
    lesions = [eligible_lesion(read, each, each.diameter) for each in read.lesions]
    return [each.sentence for each in baseline_findings(lesions, limits)]
