"""What in an amendment contradicts itself, or what the trial has done already."""

from collections.abc import Iterator
from dataclasses import dataclass

from measurement.protocol.schedule import Anchor
from measurement.protocol.trial import ReadOrder, TrialProtocol


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """What the trial has done already."""

    readers: int  # the highest reader's number that has signed
    last_number: int  # the highest number of a timepoint with images


def contradictions(protocol: TrialProtocol, done: Done) -> Iterator[str]:
    """Yield a sentence for each contradiction, with the two things that cannot both hold."""
    schedule, readers, confirmation = protocol.schedule, protocol.readers, protocol.criteria.confirmation
    horizon = schedule.horizon_days
    for name, days in (
        ("criteria.confirmation.interval_days", confirmation.interval_days),
        ("criteria.confirmation.stable_minimum_days", confirmation.stable_minimum_days),
        ("endpoints.clinical_benefit_above_days", protocol.endpoints.clinical_benefit_above_days),
    ):
        if days > horizon:
            yield (
                f"{name} is {days} and schedule.horizon_days is {horizon}: "
                "nothing counts for so long that it could be met."
            )
    first_opens = schedule.interval_days - schedule.window_before_days
    if first_opens > horizon:
        yield (
            f"The first timepoint opens on day {first_opens} and schedule.horizon_days is {horizon}: "
            "no timepoint would count."
        )
    if readers.global_review and readers.order is ReadOrder.ALL_AT_ONCE:
        yield (
            "readers.global_review is on and readers.order is 'all_at_once': "
            "who sees every timepoint at once has nothing to review."
        )
    if schedule.anchor is Anchor.BASELINE_IMAGING and schedule.baseline_days == 0:
        yield "schedule.anchor is 'baseline_imaging' and schedule.baseline_days is 0: no day is before it."
    if readers.count < done.readers:
        yield (
            f"readers.count is {readers.count} and reader {done.readers} has signed reads: "
            "what a reader has signed cannot stop to count."
        )
    if schedule.last_timepoint < done.last_number:
        yield (
            f"schedule.last_timepoint is {schedule.last_timepoint} and timepoint {done.last_number} "
            "has images: it cannot be taken out of the calendar."
        )
