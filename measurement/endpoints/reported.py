"""A course from overall responses alone, as a site reports them: no lesion, no sum, no reason."""

from collections.abc import Sequence
from datetime import date
from typing import NamedTuple

from measurement.endpoints.course import Course, SubjectDates
from measurement.protocol.trial import TrialProtocol
from measurement.recist.assess import RULES_VERSION, first_progression, occasions_of
from measurement.recist.assessment import BaselineAssessment, SubjectAssessment, TimepointAssessment
from measurement.recist.best_overall import best_overall_response, confirmed_best_overall_response
from measurement.recist.responses import (
    NewLesionFinding,
    NonTargetResponse,
    OverallResponse,
    TargetResponse,
)


class Baseline(NamedTuple):
    """The baseline that reported responses compare with."""

    timepoint_id: str
    imaged_on: date


class ReportedResponse(NamedTuple):
    """What somebody reports about a timepoint after baseline.

    Attributes
    ----------
    timepoint_id, number, imaged_on
        The timepoint; the number is ``None`` when unscheduled.
    response
        The overall response.
    has_progressed
        Whether progression is reported, by imaging or clinically: it dates the progression whatever the
        response.
    """

    timepoint_id: str
    number: int | None
    imaged_on: date
    response: OverallResponse
    has_progressed: bool


def reported_course(
    responses: Sequence[ReportedResponse],
    *,
    baseline: Baseline | None,
    dates: SubjectDates,
    protocol: TrialProtocol,
) -> Course:
    """Return the course that follows from reported responses, for the same endpoints as a reader's.

    Parameters
    ----------
    responses
        In any order, each about another timepoint.
    baseline
        What they compare with; ``None`` when nothing was imaged before the start.
    dates
        The subject's days.
    protocol
        The trial's choices.

    Raises
    ------
    DateOrderError
        When progression lies before the start.
    """
    ordered = sorted(responses, key=lambda each: (each.imaged_on, each.timepoint_id))
    timepoints = tuple(_timepoint(each) for each in ordered)
    progression = first_progression(timepoints)
    occasions = occasions_of(timepoints, progression)
    anchor_on = dates.starts_on or (baseline.imaged_on if baseline else None)
    has_targets = all(each.response is not OverallResponse.NON_CR_NON_PD for each in ordered)
    rules = protocol.criteria.confirmation
    assessment = SubjectAssessment(
        rules_version=RULES_VERSION,
        baseline=None if baseline is None else _baseline(baseline),
        timepoints=timepoints,
        best_overall=best_overall_response(
            occasions, anchor_on=anchor_on, rules=rules, has_targets=has_targets
        ),
        confirmed_best_overall=confirmed_best_overall_response(
            occasions, anchor_on=anchor_on, rules=rules, has_targets=has_targets
        ),
        progression=progression,
        queries=(),
    )
    return Course(assessment=assessment, dates=dates, protocol=protocol)


def _baseline(baseline: Baseline) -> BaselineAssessment:
    return BaselineAssessment(
        timepoint_id=baseline.timepoint_id,
        assessed_on=baseline.imaged_on,
        target_ids=(),
        non_target_ids=(),
        sum_of_diameters=None,
        queries=(),
    )


def _timepoint(reported: ReportedResponse) -> TimepointAssessment:
    """Return the verdict; what only lesions tell is not evaluable."""
    has_progressed = reported.has_progressed or reported.response is OverallResponse.PD
    return TimepointAssessment(
        timepoint_id=reported.timepoint_id,
        number=reported.number,
        assessed_on=reported.imaged_on,
        sum_of_diameters=None,
        baseline_mm=None,
        nadir_mm=None,
        target_response=TargetResponse.NE,
        non_target_response=NonTargetResponse.NE,
        new_lesion=NewLesionFinding.NONE,
        overall_response=reported.response,
        progression_on=reported.imaged_on if has_progressed else None,
        progression_seen_at=reported.timepoint_id if has_progressed else None,
        reasons=(),
        queries=(),
    )
