"""RECIST 1.1 from what a reader saw to what it means: a timepoint, and a whole subject."""

from collections.abc import Sequence
from datetime import date
from types import MappingProxyType
from typing import Final

from measurement.protocol.criteria import RECIST_1_1, Criteria
from measurement.recist.assessment import (
    Progression,
    SubjectAssessment,
    TimepointAssessment,
)
from measurement.recist.baseline import assess_baseline
from measurement.recist.best_overall import best_overall_response, confirmed_best_overall_response
from measurement.recist.confirmation import Occasion
from measurement.recist.history import History
from measurement.recist.new_lesions import NewLesionVerdict, assess_new_lesions
from measurement.recist.non_target import NonTargetVerdict, assess_non_targets
from measurement.recist.observations import TimepointObservations
from measurement.recist.overall import OVERALL, overall_response
from measurement.recist.reasons import Reason
from measurement.recist.responses import NewLesionFinding, NonTargetResponse, OverallResponse, TargetResponse
from measurement.recist.sequence import in_order
from measurement.recist.sums import NOTHING, CompleteSum, IncompleteSum
from measurement.recist.target import TargetVerdict, assess_targets

RULES_VERSION: Final = "1.0.0"
"""Version of the rules in this package; it changes when any answer may change."""

_AFTER_PROGRESSION = Reason("after_progression")
_HOLDING = frozenset({TargetResponse.CR, TargetResponse.PR})


def _with_reason(
    target: TargetResponse, non_target: NonTargetResponse, new_lesion: NewLesionFinding
) -> tuple[OverallResponse, Reason]:
    code = "with_targets"
    if target is TargetResponse.NA:
        code = "no_disease" if non_target is NonTargetResponse.NA else "non_targets_only"
    reason = Reason(code, (target.value, non_target.value, new_lesion.value))
    return overall_response(target, non_target, new_lesion), reason


_OVERALL_WITH_REASON = MappingProxyType({each: _with_reason(*each) for each in OVERALL})


def assess_timepoint(
    observed: TimepointObservations, history: History, criteria: Criteria = RECIST_1_1
) -> tuple[TimepointAssessment, History]:
    """Derive the verdict on one timepoint after baseline, and the history that the next one needs.

    Parameters
    ----------
    observed
        What was seen.
    history
        What baseline and the earlier timepoints proved.
    criteria
        The trial's criteria.

    Returns
    -------
    TimepointAssessment
        With its reasons and queries.
    History
        Of this timepoint and the earlier ones.
    """
    baseline = history.baseline
    if baseline is None or observed.not_done:
        return _not_evaluable(observed, history), history
    target = assess_targets(observed, history, criteria)
    non_target = assess_non_targets(observed, history, criteria)
    new = assess_new_lesions(observed, history)
    overall, table_row = _OVERALL_WITH_REASON[target.response, non_target.response, new.finding]
    if overall is OverallResponse.PD:
        assessed_on, progression_on, seen_at = _progression_days(observed, target, non_target, new)
    else:
        assessed_on, progression_on, seen_at = observed.last_imaged_on, None, None
    reasons = (target.reason, non_target.reason, *new.reasons, table_row)
    assessment = TimepointAssessment(  # by position: by keywords it takes twice the time
        observed.timepoint_id,
        observed.number,
        assessed_on,
        target.total,
        baseline.sum_mm,
        history.nadir_mm,
        target.response,
        non_target.response,
        new.finding,
        overall,
        progression_on,
        seen_at,
        (*reasons, _AFTER_PROGRESSION) if history.has_progressed else reasons,
        target.queries + non_target.queries + new.queries,
    )
    return assessment, _after(history, target, overall, new)


def assess_subject(
    timepoints: Sequence[TimepointObservations],
    criteria: Criteria = RECIST_1_1,
    *,
    anchor_on: date | None = None,
) -> SubjectAssessment:
    """Derive everything that RECIST 1.1 answers about a subject.

    Parameters
    ----------
    timepoints
        What one reader saw, baseline (number 0) included, in any order.
    criteria
        The trial's criteria.
    anchor_on
        Day from which the minimum of SD is counted; the day of baseline when unknown.

    Returns
    -------
    SubjectAssessment
        Contradictions are queries. The verdict on a timepoint never depends on later ones; a
        later timepoint may date the progression back to the scan that first showed a then
        doubtful lesion, and best response follows that day.

    Raises
    ------
    TimepointSequenceError
        If two timepoints have the same identifier.
    """
    ordered = in_order(timepoints)
    baseline = assess_baseline(ordered.baseline, criteria) if ordered.baseline else None
    history = History.at(baseline)
    verdicts: list[TimepointAssessment] = []
    for observed in ordered.follow_ups:
        verdict, history = assess_timepoint(observed, history, criteria)
        verdicts.append(verdict)
    progression = first_progression(verdicts)
    occasions = occasions_of(verdicts, progression)
    if anchor_on is None and baseline:
        anchor_on = baseline.assessment.assessed_on
    has_targets = baseline is None or bool(baseline.targets)
    rules = criteria.confirmation
    best = best_overall_response(occasions, anchor_on=anchor_on, rules=rules, has_targets=has_targets)
    confirmed = confirmed_best_overall_response(
        occasions, anchor_on=anchor_on, rules=rules, has_targets=has_targets
    )
    return SubjectAssessment(
        rules_version=RULES_VERSION,
        baseline=baseline.assessment if baseline else None,
        timepoints=tuple(verdicts),
        best_overall=best,
        confirmed_best_overall=confirmed,
        progression=progression,
        queries=(
            *ordered.queries,
            *(baseline.assessment.queries if baseline else ()),
            *(query for verdict in verdicts for query in verdict.queries),
            *confirmed.queries,
        ),
    )


def first_progression(timepoints: Sequence[TimepointAssessment]) -> Progression | None:
    """Return the first progression among verdicts in order of time, if any.

    Parameters
    ----------
    timepoints
        Verdicts after baseline, in order.
    """
    for verdict in timepoints:
        if verdict.progression_on is not None and verdict.progression_seen_at is not None:
            return Progression(
                progressed_on=verdict.progression_on,
                seen_at=verdict.progression_seen_at,
                declared_at=verdict.timepoint_id,
                reasons=verdict.reasons,
            )
    return None


def occasions_of(
    timepoints: Sequence[TimepointAssessment], progression: Progression | None
) -> tuple[Occasion, ...]:
    """Return the responses that count for the best overall response.

    Parameters
    ----------
    timepoints
        Verdicts after baseline, in order.
    progression
        The first progression; the timepoint whose scan dates it is PD, and nothing after it counts.
    """
    occasions: list[Occasion] = []
    for verdict in timepoints:
        if progression and verdict.timepoint_id == progression.seen_at:
            occasions.append(Occasion(progression.seen_at, progression.progressed_on, OverallResponse.PD))
            break
        occasions.append(Occasion(verdict.timepoint_id, verdict.assessed_on, verdict.overall_response))
    return tuple(occasions)


def _not_evaluable(observed: TimepointObservations, history: History) -> TimepointAssessment:
    """Answer for a timepoint that was not done, or has no baseline to compare with."""
    baseline = history.baseline
    reason = Reason("not_done", (observed.not_done,)) if observed.not_done else Reason("no_baseline")
    targets = tuple(baseline.targets) if baseline else ()
    has_targets = baseline is None or bool(targets)
    has_non_targets = baseline is None or bool(baseline.non_targets)
    return TimepointAssessment(
        timepoint_id=observed.timepoint_id,
        number=observed.number,
        assessed_on=None if observed.not_done else observed.last_imaged_on,
        sum_of_diameters=IncompleteSum(NOTHING, targets) if targets else None,
        baseline_mm=baseline.sum_mm if baseline else None,
        nadir_mm=history.nadir_mm,
        target_response=TargetResponse.NE if has_targets else TargetResponse.NA,
        non_target_response=NonTargetResponse.NE if has_non_targets else NonTargetResponse.NA,
        new_lesion=NewLesionFinding.NONE,
        overall_response=OverallResponse.NE,
        progression_on=None,
        progression_seen_at=None,
        reasons=(reason, _AFTER_PROGRESSION) if history.has_progressed else (reason,),
        queries=(),
    )


def _progression_days(
    observed: TimepointObservations,
    target: TargetVerdict,
    non_target: NonTargetVerdict,
    new: NewLesionVerdict,
) -> tuple[date | None, date | None, str]:
    """Return the day of a PD, the day of progression, and the timepoint whose scan dates it.

    PD has the day of the scan that shows the new lesion or the unequivocal progression, or of the
    last scan that contributes to the sum, whichever is first (FDA, PFS appendix).
    """
    by_sum = target.last_on if target.response is TargetResponse.PD else None
    shown = [day for day in (by_sum, non_target.progressed_on, new.seen_on) if day is not None]
    day = min(shown, default=observed.imaged_on)
    first = new.first
    if first is not None and day is not None and first.first_seen_on < day:
        return day, first.first_seen_on, first.timepoint_id
    return day, day, observed.timepoint_id


def _after(
    history: History, target: TargetVerdict, overall: OverallResponse, new: NewLesionVerdict
) -> History:
    """Return the history with one more timepoint."""
    _, nadir_mm, holds, had_cr, has_progressed, _ = history
    if isinstance(target.total, CompleteSum) and (nadir_mm is None or target.total.mm < nadir_mm):
        nadir_mm = target.total.mm
    if target.response in _HOLDING:
        holds = True
    elif target.response is TargetResponse.PD:
        holds = False
    return History(
        history.baseline,
        nadir_mm,
        holds,
        had_cr or overall is OverallResponse.CR,
        has_progressed or overall is OverallResponse.PD,
        new.sightings,
    )
