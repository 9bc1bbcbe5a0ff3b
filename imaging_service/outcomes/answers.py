"""Outcomes as the routes answer them."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import date

from imaging_service.assessments.derivation import told, told_timepoint
from imaging_service.assessments.schemas import TimepointVerdictAnswer, VerdictAnswer
from imaging_service.outcomes.accepted import Accepted, View, of_record
from imaging_service.outcomes.courses import ReaderCourse
from imaging_service.outcomes.figures import CohortPlots
from imaging_service.outcomes.lines import CourseLine, line_of
from imaging_service.outcomes.schemas import (
    CohortOutcomesAnswer,
    CourseFigureAnswer,
    CurveAnswer,
    ListingAnswer,
    PlotsAnswer,
    RateAnswer,
    ReaderCohortAnswer,
    ReaderOutcomesAnswer,
    StepAnswer,
    SubjectOutcomesAnswer,
    SubjectTableRow,
    SurvivalAnswer,
    TimeAnswer,
)
from imaging_service.outcomes.service import CohortFigures
from imaging_service.subjects.records import Subject
from measurement.endpoints.kaplan_meier import SurvivalCurve
from measurement.endpoints.proportion import Proportion
from measurement.endpoints.time_to_event import Endpoint, TimeToEvent
from measurement.protocol.trial import TrialProtocol
from measurement.recist.assess import RULES_VERSION


def subject_answer(
    subject: Subject,
    protocol: TrialProtocol,
    as_of: date | None,
    courses: Sequence[ReaderCourse],
    accepted: Accepted | None,
) -> SubjectOutcomesAnswer:
    """Return one subject's outcomes, by each reader or, where `accepted` says whose count, of record."""
    shown = courses if accepted is None else of_record(courses, accepted)
    return SubjectOutcomesAnswer(
        trial_id=subject.trial_id,
        subject_id=subject.subject_id,
        site_id=subject.site_id,
        protocol_version=protocol.version,
        rules_version=RULES_VERSION,
        as_of=as_of,
        view=View.READERS if accepted is None else View.ACCEPTED,
        readers=[_reader(each, accepted or {}) for each in shown],
    )


def _reader(found: ReaderCourse, accepted: Accepted) -> ReaderOutcomesAnswer:
    assessment, outcomes = found.course.assessment, found.outcomes
    acceptance = accepted.get(found.subject.subject_id)
    verdict = VerdictAnswer.model_validate(told(assessment, ""))
    return ReaderOutcomesAnswer(
        slot=found.slot,
        standing=None if acceptance is None else acceptance.standing.value,
        is_accepted=None if acceptance is None else acceptance.is_accepted,
        baseline=verdict.baseline,
        timepoints=[
            TimepointVerdictAnswer.model_validate(told_timepoint(each)) for each in assessment.timepoints
        ],
        best_overall=verdict.best_overall,
        confirmed_best_overall=verdict.confirmed_best_overall,
        progression=verdict.progression,
        is_responder=outcomes.is_responder,
        has_clinical_benefit=outcomes.has_clinical_benefit,
        is_controlled=outcomes.is_controlled,
        times=[time_answer(each) for each in outcomes.times.values()],
        queries=verdict.queries,
        doubt=found.doubt,
    )


def time_answer(found: TimeToEvent) -> TimeAnswer:
    """Return a time with what dates it."""
    return TimeAnswer(
        endpoint=found.endpoint.value,
        starts_on=found.starts_on,
        ends_on=found.ends_on,
        days=found.days,
        is_event=found.is_event,
        ending=found.ending.value,
        record_id=found.record_id,
    )


def cohort_answer(
    trial_id: str, as_of: date | None, view: View, found: CohortFigures
) -> CohortOutcomesAnswer:
    """Return the cohort's outcomes by each reader, or of record."""
    return CohortOutcomesAnswer(
        trial_id=trial_id,
        protocol_version=found.protocol.version,
        rules_version=RULES_VERSION,
        view=view,
        as_of=as_of,
        readers=[_cohort(slot, found) for slot in found.tallies],
        next_cursor=found.next_cursor,
    )


def _cohort(slot: int | None, found: CohortFigures) -> ReaderCohortAnswer:
    outcomes = found.tallies[slot].outcomes(found.protocol)
    return ReaderCohortAnswer(
        slot=slot,
        accepted=found.accepted,
        subjects=outcomes.subjects,
        objective_response_rate=_rate(outcomes.response),
        clinical_benefit_rate=_rate(outcomes.clinical_benefit),
        disease_control_rate=_rate(outcomes.disease_control),
        curves=[_curve(endpoint, curve) for endpoint, curve in outcomes.curves.items()],
        listing=[listing_row(each, found.acceptances) for each in found.listing if slot in {None, each.slot}],
    )


def _rate(found: Proportion) -> RateAnswer:
    lower, upper = found.limits
    return RateAnswer(
        count=found.count,
        of=found.of,
        estimate=found.estimate,
        lower=lower,
        upper=upper,
        level=found.level,
    )


def _curve(endpoint: Endpoint, found: SurvivalCurve) -> CurveAnswer:
    median = found.median
    return CurveAnswer(
        endpoint=endpoint.value,
        subjects=found.subjects,
        events=found.events,
        median_days=median.time,
        lower_days=median.limits[0],
        upper_days=median.limits[1],
    )


def plots_answer(trial_id: str, as_of: date | None, view: View, found: CohortPlots) -> PlotsAnswer:
    """Return what plots of a cohort are drawn from."""
    return PlotsAnswer(
        trial_id=trial_id,
        protocol_version=found.protocol.version,
        rules_version=RULES_VERSION,
        view=view,
        as_of=as_of,
        survival=[
            _survival(slot, endpoint, curve)
            for slot, curves in found.curves.items()
            for endpoint, curve in curves.items()
        ],
        courses=[CourseFigureAnswer.model_validate(asdict(each)) for each in found.courses],
        next_cursor=found.next_cursor,
    )


def _survival(slot: int | None, endpoint: Endpoint, found: SurvivalCurve) -> SurvivalAnswer:
    return SurvivalAnswer(
        slot=slot,
        level=found.level,
        steps=[
            StepAnswer(
                days=int(step.time),
                at_risk=step.at_risk,
                events=step.events,
                censored=step.censored,
                survival=step.survival,
                lower=step.limits.lower,
                upper=step.limits.upper,
            )
            for step in found.steps
        ],
        **_curve(endpoint, found).model_dump(),
    )


def listing_row(line: CourseLine, accepted: Accepted) -> ListingAnswer:
    """Return a subject's line of the listing."""
    acceptance = accepted.get(line.subject_id)
    time = line.times.get(Endpoint.PROGRESSION_FREE_SURVIVAL)
    return ListingAnswer(
        slot=line.slot,
        standing=None if acceptance is None else acceptance.standing.value,
        is_accepted=None if acceptance is None else acceptance.is_accepted,
        subject_id=line.subject_id,
        site_id=line.site_id,
        best_response=line.best_response,
        confirmed_best_response=line.confirmed_best_response,
        is_responder=line.is_responder,
        has_clinical_benefit=line.has_clinical_benefit,
        pfs_starts_on=line.pfs_starts_on,
        pfs_ends_on=line.pfs_ends_on,
        pfs_days=None if time is None else int(time.time),
        pfs_is_event=None if time is None else time.is_event,
        pfs_ending=line.pfs_ending,
        pfs_record_id=line.pfs_record_id,
        doubt=line.doubt,
    )


def subject_table(found: ReaderCourse, accepted: Accepted) -> Sequence[SubjectTableRow]:
    """Return a reader's verdicts on a subject's timepoints as lines of a table."""
    line = listing_row(line_of(found), accepted)
    rows = [told_timepoint(each) for each in found.course.assessment.timepoints]
    return [
        SubjectTableRow(
            subject_id=line.subject_id,
            site_id=line.site_id,
            slot=line.slot,
            standing=line.standing,
            is_accepted=line.is_accepted,
            sum_mm=(row["sum_of_diameters"] or {}).get("mm"),
            best_response=line.best_response,
            confirmed_best_response=line.confirmed_best_response,
            pfs_days=line.pfs_days,
            pfs_is_event=line.pfs_is_event,
            pfs_ending=line.pfs_ending,
            **{name: row[name] for name in _AS_TOLD},
        )
        for row in rows
    ]


_AS_TOLD = (
    "timepoint_id",
    "number",
    "assessed_on",
    "baseline_mm",
    "nadir_mm",
    "change_from_baseline_percent",
    "change_from_nadir_percent",
    "target_response",
    "non_target_response",
    "new_lesion",
    "overall_response",
)
