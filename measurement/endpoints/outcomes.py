"""All endpoints of a subject, and of a cohort."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from measurement.endpoints.course import Course
from measurement.endpoints.duration import (
    duration_of_response,
    duration_of_stable_disease,
    overall_survival,
    time_to_response,
)
from measurement.endpoints.kaplan_meier import Observation, SurvivalCurve, kaplan_meier
from measurement.endpoints.progression_free import progression_free_survival
from measurement.endpoints.proportion import Proportion
from measurement.endpoints.response_rate import has_clinical_benefit, is_controlled, is_responder
from measurement.endpoints.time_to_event import Endpoint, TimeToEvent
from measurement.protocol.trial import CensoringRules, TrialProtocol
from measurement.recist.assessment import BestOverallResponse


@dataclass(frozen=True, slots=True, kw_only=True)
class SubjectOutcomes:
    """One subject's endpoints.

    Attributes
    ----------
    best
        Best overall response of record.
    is_responder, has_clinical_benefit, is_controlled
        What the subject counts for in the rates.
    times
        Times to event by endpoint; an endpoint that does not apply is not there.
    """

    best: BestOverallResponse
    is_responder: bool
    has_clinical_benefit: bool
    is_controlled: bool
    times: Mapping[Endpoint, TimeToEvent]


@dataclass(frozen=True, slots=True, kw_only=True)
class CohortOutcomes:
    """A cohort's endpoints.

    Attributes
    ----------
    subjects
        Everybody, assessed or not: the denominator of each rate.
    response, clinical_benefit, disease_control
        Rates with exact intervals: ORR, CBR, DCR.
    curves
        Survival curves by endpoint; an endpoint without a subject is not there.
    """

    subjects: int
    response: Proportion
    clinical_benefit: Proportion
    disease_control: Proportion
    curves: Mapping[Endpoint, SurvivalCurve]


def subject_outcomes(course: Course, *, rules: CensoringRules | None = None) -> SubjectOutcomes:
    """Derive all endpoints of one subject; `rules` as for `progression_free_survival`."""
    times = (
        progression_free_survival(course, rules=rules),
        duration_of_response(course, rules=rules),
        time_to_response(course),
        duration_of_stable_disease(course, rules=rules),
        overall_survival(course),
    )
    return SubjectOutcomes(
        best=course.best_response,
        is_responder=is_responder(course),
        has_clinical_benefit=has_clinical_benefit(course),
        is_controlled=is_controlled(course),
        times=MappingProxyType({time.endpoint: time for time in times if time is not None}),
    )


def cohort_outcomes(subjects: Iterable[SubjectOutcomes], protocol: TrialProtocol) -> CohortOutcomes:
    """Derive the cohort's endpoints in one pass over its subjects."""
    count = responders = benefits = controlled = 0
    observations: dict[Endpoint, list[Observation]] = {}
    for subject in subjects:
        count += 1
        responders += subject.is_responder
        benefits += subject.has_clinical_benefit
        controlled += subject.is_controlled
        for endpoint, time in subject.times.items():
            observations.setdefault(endpoint, []).append(time.observation)
    level = float(protocol.endpoints.confidence_level)
    transform = protocol.endpoints.interval_transform
    return CohortOutcomes(
        subjects=count,
        response=Proportion(count=responders, of=count, level=level),
        clinical_benefit=Proportion(count=benefits, of=count, level=level),
        disease_control=Proportion(count=controlled, of=count, level=level),
        curves=MappingProxyType(
            {
                endpoint: kaplan_meier(of_endpoint, level=level, transform=transform)
                for endpoint, of_endpoint in observations.items()
            }
        ),
    )
