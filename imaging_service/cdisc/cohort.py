"""The cohort's figures by each evaluator: rates with exact intervals, survival times with theirs."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from imaging_service.cdisc.scored import ScoredSubject
from measurement.endpoints.kaplan_meier import Quantile, SurvivalCurve
from measurement.endpoints.outcomes import CohortOutcomes, SubjectOutcomes, cohort_outcomes
from measurement.endpoints.proportion import Proportion
from measurement.endpoints.time_to_event import Endpoint
from measurement.protocol.trial import TrialProtocol

CURVES = {
    Endpoint.PROGRESSION_FREE_SURVIVAL: "PFS",
    Endpoint.DURATION_OF_RESPONSE: "DoR",
    Endpoint.OVERALL_SURVIVAL: "OS",
}
"""Times that are told for the cohort."""


@dataclass(slots=True)
class Cohorts:
    """The outcomes of all subjects so far, by the label of the evaluator."""

    protocol: TrialProtocol
    outcomes: dict[str, list[SubjectOutcomes]] = field(default_factory=dict)

    def add(self, subject: ScoredSubject) -> None:
        """Add a subject by each of its evaluators."""
        for reading in subject.readings:
            self.outcomes.setdefault(reading.evaluator.label, []).append(reading.outcomes)

    def results(self) -> Iterator[tuple[str, CohortOutcomes]]:
        """Yield each evaluator's cohort, in order of first mention."""
        for label, outcomes in self.outcomes.items():
            yield label, cohort_outcomes(outcomes, self.protocol)


def lines_of(label: str, cohort: CohortOutcomes, protocol: TrialProtocol) -> Iterator[str]:
    """Yield a cohort's figures as lines of text."""
    confirmed = "confirmed" if protocol.criteria.confirmation.required else "unconfirmed"
    level = f"{protocol.endpoints.confidence_level * 100:f}".rstrip("0").rstrip(".")
    yield f"{label}: {cohort.subjects} subjects, {confirmed} responses, {level} % intervals"
    for name, share in rates(cohort):
        yield f"  {name:<4} {_share(share)}"
    for endpoint, name in CURVES.items():
        curve = cohort.curves.get(endpoint)
        if curve is not None:
            yield f"  {name:<4} {_curve(curve)}"


def rates(cohort: CohortOutcomes) -> tuple[tuple[str, Proportion], ...]:
    """Return the rates that are told for a cohort."""
    return (("ORR", cohort.response), ("CBR", cohort.clinical_benefit), ("DCR", cohort.disease_control))


def _share(share: Proportion) -> str:
    low, high = share.limits
    estimate = "-" if share.estimate is None else f"{share.estimate:.1%}"
    return f"{share.count}/{share.of}  {estimate} ({low:.1%} to {high:.1%})"


def _curve(curve: SurvivalCurve) -> str:
    quarter, median, three = curve.quartiles
    return (
        f"{curve.events} events of {curve.subjects}; median {_quantile(median)} days; "
        f"quartiles {_quantile(quarter)} and {_quantile(three)} days"
    )


def _quantile(quantile: Quantile) -> str:
    low, high = quantile.limits
    return f"{_days(quantile.time)} ({_days(low)} to {_days(high)})"


def _days(time: float | None) -> str:
    return "not reached" if time is None else f"{time:g}"
