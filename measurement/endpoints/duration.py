"""How long a response lasts and how soon it comes; how long stable disease lasts; overall survival."""

from measurement.endpoints.course import Course, Milestone
from measurement.endpoints.progression_free import time_free_of_progression
from measurement.endpoints.time_to_event import Ending, Endpoint, TimeToEvent
from measurement.protocol.trial import CensoringRules
from measurement.recist.responses import BestResponse, OverallResponse


def duration_of_response(course: Course, *, rules: CensoringRules | None = None) -> TimeToEvent | None:
    """Return the time from the first CR or PR to progression or death (E09 4.7.1).

    A response that was confirmed later starts when it was first seen. ``None`` without a response of record.
    """
    start = _first_response(course)
    if start is None:
        return None
    return time_free_of_progression(Endpoint.DURATION_OF_RESPONSE, start, course, rules)


def time_to_response(course: Course) -> TimeToEvent | None:
    """Return the time from the start to the first CR or PR; ``None`` without a response of record."""
    starts_on, response = course.dates.starts_on, _first_response(course)
    if starts_on is None or response is None:
        return None
    return TimeToEvent(
        endpoint=Endpoint.TIME_TO_RESPONSE,
        starts_on=starts_on,
        ends_on=response.on,
        ending=Ending.RESPONSE,
        record_id=response.record_id,
    )


def duration_of_stable_disease(course: Course, *, rules: CensoringRules | None = None) -> TimeToEvent | None:
    """Return the time from the start to progression or death (E09 4.7.2); ``None`` unless SD was the best."""
    starts_on = course.dates.starts_on
    if starts_on is None or course.best_response.response is not BestResponse.SD:
        return None
    start = Milestone(starts_on, "start")
    return time_free_of_progression(Endpoint.DURATION_OF_STABLE_DISEASE, start, course, rules)


def overall_survival(course: Course) -> TimeToEvent | None:
    """Return the time from the start to death from any cause, censored when last known to be alive.

    A day of imaging is a day alive. ``None`` while the time has not started.
    """
    dates = course.dates
    if dates.starts_on is None:
        return None
    if dates.death_on is not None:
        ending, at = Ending.DEATH, Milestone(dates.death_on, "death")
    else:
        alive = [
            (each.assessed_on, each.timepoint_id) for each in course.assessment.timepoints if each.assessed_on
        ]
        alive.append((dates.starts_on, "start"))
        if dates.last_alive_on:
            alive.append((dates.last_alive_on, "last contact"))
        ending, at = Ending.ALIVE, Milestone(*max(alive))
    return TimeToEvent(
        endpoint=Endpoint.OVERALL_SURVIVAL,
        starts_on=dates.starts_on,
        ends_on=at.on,
        ending=ending,
        record_id=at.record_id,
    )


def _first_response(course: Course) -> Milestone | None:
    """Return the first CR or PR that counts: a later CR may be the best response, and a PR the first."""
    responded_on = course.best_response.responded_on
    if responded_on is None:
        return None
    shows = (OverallResponse.CR, OverallResponse.PR)
    return next(
        Milestone(responded_on, timepoint.timepoint_id)
        for timepoint in course.assessment.timepoints
        if timepoint.assessed_on == responded_on and timepoint.overall_response in shows
    )
