"""The site's evaluation beside the central reads that count, as a pure comparison."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from imaging_service.adjudication.review import Review
from imaging_service.assessments.repository import Response
from imaging_service.evaluations.evaluation import Placed


class Variable(StrEnum):
    """What site and central review are compared in."""

    OVERALL_RESPONSE = "overall_response"
    PROGRESSION = "progression"
    PROGRESSION_DATE = "progression_date"


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """One variable as the site and as central review have it."""

    variable: Variable
    site_id: str
    subject_id: str
    timepoint_id: str | None
    """The timepoint of an overall response; None for what is about the subject."""
    number: int | None
    imaged_on: date | None
    site: str
    central: str
    reader: int
    """Whose reads the central answer follows from."""
    agrees: bool


def pairs(evaluated: Sequence[Placed], review: Review, slot: int, tolerance_days: int) -> Iterator[Pair]:
    """Pair what the site says about a subject with one reader's reads.

    Parameters
    ----------
    evaluated
        The site's current evaluations of the subject, by day.
    review
        The subject's central review.
    slot
        The reader whose reads are compared.
    tolerance_days
        Progression dates that differ by no more than this agree.

    Yields
    ------
    Pair
        Overall responses of timepoints that both have answered; then, when both have answered about the
        subject, whether there is progression and, where both say so, when it was first seen.
    """
    answers = review.courses[slot].answers
    compared = _Compared(review=review, slot=slot)
    yield from _of_timepoints(evaluated, answers, compared)
    if evaluated and any(each.overall_response is not None for each in answers):
        yield from _of_subject(evaluated, answers[-1], compared, tolerance_days)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Compared:
    """Whose reads of whom are compared."""

    review: Review
    slot: int


def _of_timepoints(
    evaluated: Sequence[Placed], answers: Sequence[Response], compared: _Compared
) -> Iterator[Pair]:
    central = {each.timepoint_id: each for each in answers}
    for each in evaluated:
        answer = central.get(each.evaluation.timepoint_id)
        if answer is not None and answer.overall_response is not None:
            said = (each.evaluation.overall_response, answer.overall_response)
            yield _pair(Variable.OVERALL_RESPONSE, compared, said, agrees=said[0] == said[1], at=each)


def _of_subject(
    evaluated: Sequence[Placed], last: Response, compared: _Compared, tolerance_days: int
) -> Iterator[Pair]:
    seen = [
        each.imaged_on for each in evaluated if each.evaluation.has_progressed and each.imaged_on is not None
    ]
    site_on, central_on = min(seen, default=None), last.progression_on
    said = (_yes_or_no(site_on), _yes_or_no(central_on))
    yield _pair(Variable.PROGRESSION, compared, said, agrees=said[0] == said[1])
    if site_on is not None and central_on is not None:
        agrees = abs((site_on - central_on).days) <= tolerance_days
        days = (site_on.isoformat(), central_on.isoformat())
        yield _pair(Variable.PROGRESSION_DATE, compared, days, agrees=agrees)


def _yes_or_no(day: date | None) -> str:
    return "N" if day is None else "Y"


def _pair(
    variable: Variable, compared: _Compared, said: tuple[str, str], *, agrees: bool, at: Placed | None = None
) -> Pair:
    return Pair(
        variable=variable,
        site_id=compared.review.site_id,
        subject_id=compared.review.subject_id,
        timepoint_id=None if at is None else at.evaluation.timepoint_id,
        number=None if at is None else at.number,
        imaged_on=None if at is None else at.imaged_on,
        site=said[0],
        central=said[1],
        reader=compared.slot,
        agrees=agrees,
    )
