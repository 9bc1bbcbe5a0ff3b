"""Who responded, whose disease is controlled, and who benefits."""

from datetime import date

from measurement.endpoints.course import Course
from measurement.endpoints.progression_free import progression_free_survival
from measurement.protocol.trial import ClinicalBenefitReading
from measurement.recist.responses import BestResponse, OverallResponse

RESPONSES = frozenset({BestResponse.CR, BestResponse.PR})
"""Best responses that count for the objective response rate."""

CONTROLLED = RESPONSES | {BestResponse.SD, BestResponse.NON_CR_NON_PD, BestResponse.NED}
"""Best responses that count as disease control: something was seen, and it had not progressed."""

_STABLE_OR_BETTER = frozenset(OverallResponse) - {OverallResponse.PD, OverallResponse.NE}


def is_responder(course: Course) -> bool:
    """Whether the best response of record is CR or PR."""
    return course.best_response.response in RESPONSES


def is_controlled(course: Course) -> bool:
    """Whether the best response of record is CR, PR, SD, or their kin without target lesions."""
    return course.best_response.response in CONTROLLED


def has_clinical_benefit(course: Course) -> bool:
    """Whether the subject responded, or had stable disease for more than the protocol's days.

    Days are counted from the start, which is day 0. By the protocol's reading, either the last assessment
    that still showed stable disease or better must lie beyond them, or the progression-free time must.
    """
    if is_responder(course):
        return True
    starts_on = course.dates.starts_on
    if starts_on is None or not is_controlled(course):
        return False
    endpoints = course.protocol.endpoints
    if endpoints.clinical_benefit_reading is ClinicalBenefitReading.PROGRESSION_FREE_TIME:
        free = progression_free_survival(course)
        last_on = free.ends_on if free else None
    else:
        last_on = _last_stable_on(course)
    return last_on is not None and (last_on - starts_on).days > endpoints.clinical_benefit_above_days


def _last_stable_on(course: Course) -> date | None:
    """Return the day of the last assessment without progression, before another therapy."""
    progression = course.assessment.progression
    censors = course.protocol.endpoints.censor_at_new_therapy
    treated_on = course.dates.new_therapy_on if censors else None
    days = [
        timepoint.assessed_on
        for timepoint in course.assessment.timepoints
        if timepoint.assessed_on is not None
        and timepoint.overall_response in _STABLE_OR_BETTER
        and (progression is None or timepoint.assessed_on < progression.progressed_on)
        and (treated_on is None or timepoint.assessed_on <= treated_on)
    ]
    return max(days, default=None)
