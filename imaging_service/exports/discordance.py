"""Where two readers of the same images differ, as a pure comparison."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from imaging_service.assessments.repository import Response


class Variable(StrEnum):
    """What readers can differ in."""

    OVERALL_RESPONSE = "overall_response"
    BEST_OVERALL_RESPONSE = "best_overall_response"
    CONFIRMED_BEST_OVERALL_RESPONSE = "confirmed_best_overall_response"
    PROGRESSION = "progression"
    PROGRESSION_DATE = "progression_date"
    FIRST_RESPONSE_DATE = "first_response_date"


@dataclass(frozen=True, slots=True, kw_only=True)
class Discordance:
    """One variable in which the readers differ."""

    site_id: str
    subject_id: str
    variable: Variable
    timepoint_id: str
    """The timepoint itself, or the last one that the answer about the subject knows."""
    number: int | None
    imaged_on: date
    reader_1: str | None
    reader_2: str | None
    read_ids: tuple[str, str]


def discordances(
    first: Sequence[Response], second: Sequence[Response], tolerance_days: int
) -> Iterator[Discordance]:
    """Compare two readers' answers about one subject.

    Parameters
    ----------
    first, second
        Each reader's answers that count now, in the order of reading.
    tolerance_days
        Progression dates that differ by no more than this agree.

    Yields
    ------
    Discordance
        Overall responses of timepoints that both have read; then best responses and dates, once both
        have read the same timepoints.
    """
    by_timepoint = {each.timepoint_id: each for each in second}
    pairs = [(each, by_timepoint[each.timepoint_id]) for each in first if each.timepoint_id in by_timepoint]
    for one, other in pairs:
        if one.overall_response != other.overall_response:
            yield _differs(
                Variable.OVERALL_RESPONSE, (one, other), (one.overall_response, other.overall_response)
            )
    if pairs and len(pairs) == len(first) == len(second):
        yield from _of_subject(first[-1], second[-1], tolerance_days)


def _of_subject(one: Response, other: Response, tolerance_days: int) -> Iterator[Discordance]:
    both = (one, other)
    values = {
        Variable.BEST_OVERALL_RESPONSE: (one.best_response, other.best_response),
        Variable.CONFIRMED_BEST_OVERALL_RESPONSE: (
            one.confirmed_best_response,
            other.confirmed_best_response,
        ),
        Variable.PROGRESSION: (_yes_or_no(one.progression_on), _yes_or_no(other.progression_on)),
    }
    for variable, pair in values.items():
        if pair[0] != pair[1]:
            yield _differs(variable, both, pair)
    dates = {
        Variable.PROGRESSION_DATE: (one.progression_on, other.progression_on, tolerance_days),
        Variable.FIRST_RESPONSE_DATE: (one.responded_on, other.responded_on, 0),
    }
    for variable, (day, other_day, tolerance) in dates.items():
        if day is not None and other_day is not None and abs((day - other_day).days) > tolerance:
            yield _differs(variable, both, (day.isoformat(), other_day.isoformat()))


def _yes_or_no(day: date | None) -> str:
    return "N" if day is None else "Y"


def _differs(
    variable: Variable, both: tuple[Response, Response], values: tuple[str | None, str | None]
) -> Discordance:
    one, other = both
    return Discordance(
        site_id=one.site_id,
        subject_id=one.subject_id,
        variable=variable,
        timepoint_id=one.timepoint_id,
        number=one.number,
        imaged_on=one.imaged_on,
        reader_1=values[0],
        reader_2=values[1],
        read_ids=(one.read_id, other.read_id),
    )
