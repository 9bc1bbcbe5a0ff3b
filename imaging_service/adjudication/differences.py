"""Where two finished readers of a subject differ in what the protocol adjudicates, as a pure comparison."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from imaging_service.assessments.repository import Response
from measurement.protocol.trial import AdjudicationVariable, ReaderPlan


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One adjudication variable with what each reader's reads say."""

    variable: str
    reader_1: str | None
    reader_2: str | None


def differences(one: Response, other: Response, plan: ReaderPlan) -> Sequence[Difference]:
    """Compare what follows about a subject from each reader's last read.

    Dates of progression that differ by no more than the protocol's tolerance agree; a date that only one
    reader has never does.

    Parameters
    ----------
    one, other
        The last answer of reader 1 and of reader 2.
    plan
        The protocol's adjudication variables and tolerance.
    """
    first, second = _values(one), _values(other)
    return [
        Difference(variable=variable.value, reader_1=_text(first[variable]), reader_2=_text(second[variable]))
        for variable in plan.adjudication_variables
        if not _agree(first[variable], second[variable], _tolerance(variable, plan))
    ]


def _values(found: Response) -> Mapping[AdjudicationVariable, str | date | None]:
    return {
        AdjudicationVariable.BEST_OVERALL_RESPONSE: found.best_response,
        AdjudicationVariable.CONFIRMED_BEST_OVERALL_RESPONSE: found.confirmed_best_response,
        AdjudicationVariable.PROGRESSION: "N" if found.progression_on is None else "Y",
        AdjudicationVariable.PROGRESSION_DATE: found.progression_on,
        AdjudicationVariable.FIRST_RESPONSE_DATE: found.responded_on,
    }


def _tolerance(variable: AdjudicationVariable, plan: ReaderPlan) -> int:
    return plan.progression_date_tolerance_days if variable is AdjudicationVariable.PROGRESSION_DATE else 0


def _agree(one: str | date | None, other: str | date | None, tolerance_days: int) -> bool:
    if isinstance(one, date) and isinstance(other, date):
        return abs((one - other).days) <= tolerance_days
    return one == other


def _text(value: str | date | None) -> str | None:
    return value.isoformat() if isinstance(value, date) else value
