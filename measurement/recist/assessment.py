"""What the rules answer: one value for a timepoint, one for a subject."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import NamedTuple

from measurement.recist.queries import Query
from measurement.recist.reasons import Reason
from measurement.recist.responses import (
    BestResponse,
    NewLesionFinding,
    NonTargetResponse,
    OverallResponse,
    TargetResponse,
)
from measurement.recist.sums import CompleteSum, SumOfDiameters
from measurement.units import ReportedMillimetres


@dataclass(frozen=True, slots=True, kw_only=True)
class BaselineAssessment:
    """What later timepoints are compared with.

    Attributes
    ----------
    timepoint_id
        The baseline timepoint.
    assessed_on
        Last day of its imaging.
    target_ids, non_target_ids
        Lesions that are followed.
    sum_of_diameters
        Sum of the targets; `None` when there are none.
    queries
        Questions about its data.
    """

    timepoint_id: str
    assessed_on: date | None
    target_ids: tuple[str, ...]
    non_target_ids: tuple[str, ...]
    sum_of_diameters: SumOfDiameters | None
    queries: tuple[Query, ...]


class TimepointAssessment(NamedTuple):
    """The verdict on one timepoint after baseline.

    It depends on this timepoint and earlier ones only: nothing that comes later changes it.
    A named tuple, as a cohort has hundreds of thousands of them; build it by keywords.

    Attributes
    ----------
    timepoint_id, number
        The timepoint; the number is `None` when unscheduled.
    assessed_on
        Day of the verdict: for PD that of the scan which shows it, otherwise the last day of the
        imaging; `None` when nothing was imaged.
    sum_of_diameters
        Sum of the targets; `None` when there were none at baseline or no baseline.
    baseline_mm
        Complete sum at baseline in mm, if there is one.
    nadir_mm
        Smallest complete sum before this timepoint in mm, baseline included, if there is one.
    target_response, non_target_response, new_lesion, overall_response
        The responses.
    progression_on
        For PD, the day of progression: that of `assessed_on`, or the earlier scan that first
        showed a then doubtful new lesion. `None` otherwise.
    progression_seen_at
        For PD, the timepoint whose scan dates it.
    reasons
        Why, for each of the responses.
    queries
        Questions about its data.
    """

    timepoint_id: str
    number: int | None
    assessed_on: date | None
    sum_of_diameters: SumOfDiameters | None
    baseline_mm: ReportedMillimetres | None
    nadir_mm: ReportedMillimetres | None
    target_response: TargetResponse
    non_target_response: NonTargetResponse
    new_lesion: NewLesionFinding
    overall_response: OverallResponse
    progression_on: date | None
    progression_seen_at: str | None
    reasons: tuple[Reason, ...]
    queries: tuple[Query, ...]

    @property
    def sum_mm(self) -> ReportedMillimetres | None:
        """The complete sum of diameters in mm; `None` when it is incomplete or there are no targets."""
        total = self.sum_of_diameters
        return total.mm if isinstance(total, CompleteSum) else None

    @property
    def change_from_baseline_percent(self) -> Decimal | None:
        """Change of the complete sum from baseline in %, unrounded; negative when it shrank."""
        return _percent(self.sum_mm, self.baseline_mm)

    @property
    def change_from_nadir_percent(self) -> Decimal | None:
        """Change of the complete sum from the nadir in %, unrounded."""
        return _percent(self.sum_mm, self.nadir_mm)

    @property
    def change_from_nadir_mm(self) -> ReportedMillimetres | None:
        """Change of the complete sum from the nadir in mm."""
        if self.sum_mm is None or self.nadir_mm is None:
            return None
        return ReportedMillimetres(self.sum_mm - self.nadir_mm)


def _percent(current: ReportedMillimetres | None, reference: ReportedMillimetres | None) -> Decimal | None:
    if current is None or not reference:
        return None
    return (current - reference) * 100 / reference


@dataclass(frozen=True, slots=True, kw_only=True)
class Progression:
    """The first progression of a subject.

    Attributes
    ----------
    progressed_on
        Day of progression.
    seen_at
        Timepoint whose scan dates it.
    declared_at
        Timepoint at which it was certain; later than `seen_at` when a doubt had to be settled.
    reasons
        Those of the declaring timepoint.
    """

    progressed_on: date
    seen_at: str
    declared_at: str
    reasons: tuple[Reason, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class BestOverallResponse:
    """The best overall response of a subject, confirmed or not.

    Attributes
    ----------
    response
        The answer.
    responded_on
        For CR and PR, day of the first CR or PR that counts; `None` otherwise.
    timepoint_id
        Timepoint that shows the response; `None` when nothing was assessed.
    confirmed_by
        Timepoint that confirms it, when confirmation was asked.
    reasons
        Why.
    queries
        Questions that the sequence of responses raises.
    """

    response: BestResponse
    responded_on: date | None
    timepoint_id: str | None
    confirmed_by: str | None
    reasons: tuple[Reason, ...]
    queries: tuple[Query, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class SubjectAssessment:
    """Everything that RECIST answers about a subject.

    Attributes
    ----------
    rules_version
        Version of the rules that answered.
    baseline
        `None` when there is no baseline.
    timepoints
        Verdicts on the timepoints after baseline, in order of time.
    best_overall, confirmed_best_overall
        Best overall response without and with confirmation.
    progression
        The first one, if any.
    queries
        All questions, those of the timepoints and best responses included, each once.
    """

    rules_version: str
    baseline: BaselineAssessment | None
    timepoints: tuple[TimepointAssessment, ...]
    best_overall: BestOverallResponse
    confirmed_best_overall: BestOverallResponse
    progression: Progression | None
    queries: tuple[Query, ...]
