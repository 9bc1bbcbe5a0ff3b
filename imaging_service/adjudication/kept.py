"""What is kept of a subject's review: how far it will have come, and how its readers agree."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from imaging_service.adjudication.review import FIRST, SECOND, Acceptance, Review, Standing
from imaging_service.assessments.repository import Response
from measurement.endpoints.agreement import PairSums


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptReview:
    """A review as small figures that add up over a cohort.

    Whether a subject is finished depends on the day on which it is asked: what is kept says from which day
    on it is, and what holds then.
    """

    trial_id: str
    subject_id: str
    site_id: str
    reading_id: str
    finished_from: date | None
    """The first day on which every reader has finished; None while something lacks."""
    standing: Standing
    """From that day on."""
    slot: int
    """Whose reads count from that day on."""
    differing: Sequence[str]
    """Adjudication variables in which the readers differ from that day on."""
    responses: Mapping[tuple[str, str], int]
    """How often reader 1 and reader 2 gave these two overall responses to one timepoint."""
    baseline_sums: PairSums
    later_sums: PairSums

    def acceptance(self, today: date) -> Acceptance:
        """Return whose reads count on a day."""
        if self.is_finished(today):
            return Acceptance(slot=self.slot, standing=self.standing)
        return Acceptance(slot=FIRST, standing=Standing.READING)

    def is_finished(self, today: date) -> bool:
        """Whether every reader has finished the subject by a day."""
        return self.finished_from is not None and self.finished_from <= today


def kept(review: Review) -> KeptReview:
    """Return what is kept of a review that was made for the end of days.

    Parameters
    ----------
    review
        With ``today`` being ``date.max``: whatever can become missed is.
    """
    pairs = list(_pairs(review))
    acceptance = review.acceptance
    return KeptReview(
        trial_id=review.trial_id,
        subject_id=review.subject_id,
        site_id=review.site_id,
        reading_id=review.reading_id,
        finished_from=review.finished_from,
        standing=acceptance.standing,
        slot=acceptance.slot,
        differing=tuple(each.variable for each in review.differences),
        responses=Counter(
            (one.overall_response, other.overall_response)
            for one, other in pairs
            if one.overall_response is not None and other.overall_response is not None
        ),
        baseline_sums=PairSums.of(_sums(pair for pair in pairs if pair[0].number == 0)),
        later_sums=PairSums.of(_sums(pair for pair in pairs if pair[0].number != 0)),
    )


def _pairs(review: Review) -> Iterator[tuple[Response, Response]]:
    """Yield both readers' answers about the same timepoints."""
    if SECOND not in review.courses:
        return
    other = {each.timepoint_id: each for each in review.courses[SECOND].answers}
    for each in review.courses[FIRST].answers:
        if each.timepoint_id in other:
            yield each, other[each.timepoint_id]


def _sums(pairs: Iterator[tuple[Response, Response]]) -> Iterator[tuple[Decimal, Decimal]]:
    """Yield complete sums of diameters; an incomplete one has no length."""
    for one, other in pairs:
        if one.sum_mm is not None and other.sum_mm is not None:
            yield one.sum_mm, other.sum_mm
