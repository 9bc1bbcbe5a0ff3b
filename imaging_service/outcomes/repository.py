"""The SQL of what is kept of courses."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, case, func, select
from sqlalchemy.orm import Session

from imaging_service.accounts.scope import Scope
from imaging_service.adjudication.review import ACCEPTED, FIRST
from imaging_service.adjudication.tables import KeptReviewRow
from imaging_service.derived import repository as derived
from imaging_service.outcomes.lines import CourseLine, Tally
from imaging_service.outcomes.tables import KeptCourseRow
from measurement.endpoints.kaplan_meier import Observation
from measurement.endpoints.time_to_event import Endpoint

_TIMES = [
    (
        endpoint,
        getattr(KeptCourseRow, f"{endpoint.lower()}_days"),
        getattr(KeptCourseRow, f"{endpoint.lower()}_is_event"),
    )
    for endpoint in Endpoint
]
_PLAIN = [name for name in CourseLine.__slots__ if name != "times"]


KEPT = KeptCourseRow


def kept_values(line: CourseLine) -> Mapping[str, Any]:
    """Return what is kept of a line."""
    values = {name: getattr(line, name) for name in _PLAIN}
    for endpoint, days, is_event in _TIMES:
        found = line.times.get(endpoint)
        values[days.key] = None if found is None else int(found.time)
        values[is_event.key] = None if found is None else found.is_event
    return values


@dataclass(frozen=True, slots=True, kw_only=True)
class Cohort:
    """Which lines of a trial are wanted."""

    scope: Scope
    trial_id: str
    basis: str
    """What the lines must follow from."""
    of_record_on: date | None
    """The day as of which only the lines of accepted or provisional reads are wanted; None for all."""


def _statement(cohort: Cohort, *columns: Any) -> Select[*tuple[Any, ...]]:  # noqa: ANN401  any column
    statement = select(*columns).where(
        KeptCourseRow.trial_id == cohort.trial_id,
        cohort.scope.sites(KeptCourseRow.trial_id, KeptCourseRow.site_id),
    )
    if cohort.of_record_on is None:
        return statement
    counts = case((KeptReviewRow.finished_from <= cohort.of_record_on, KeptReviewRow.slot), else_=FIRST)
    return statement.join(KeptReviewRow, _same_subject()).where(KeptCourseRow.slot == counts)


def _same_subject() -> ColumnElement[bool]:
    return and_(
        KeptReviewRow.trial_id == KeptCourseRow.trial_id,
        KeptReviewRow.subject_id == KeptCourseRow.subject_id,
    )


def tallies(
    session: Session, cohort: Cohort, slots: Sequence[int], without: AbstractSet[str]
) -> Mapping[int, Tally]:
    """Return what the kept lines add up to for each slot, apart from some subjects."""
    columns = [each for _, *pair in _TIMES for each in pair]
    rates = (KeptCourseRow.is_responder, KeptCourseRow.has_clinical_benefit, KeptCourseRow.is_controlled)
    statement = _statement(cohort, KeptCourseRow.slot, KeptCourseRow.subject_id, *rates, *columns)
    found = {slot: Tally() for slot in slots}
    by_slot: dict[int, list[Any]] = {slot: [] for slot in slots}
    for row in session.execute(statement):
        if row[0] in by_slot and row[1] not in without:
            by_slot[row[0]].append(row)
    for slot, rows in by_slot.items():
        _add(found[slot], rows)
    return found


def _add(tally: Tally, rows: Sequence[Any]) -> None:
    """Add many rows at once, column by column."""
    if not rows:
        return
    _, _, responders, benefits, controlled, *times = zip(*rows, strict=True)
    tally.subjects += len(rows)
    tally.responders += sum(responders)
    tally.benefits += sum(benefits)
    tally.controlled += sum(controlled)
    for place, (endpoint, _, _) in enumerate(_TIMES):
        counted = tally.times[endpoint]
        pairs = zip(times[2 * place], times[2 * place + 1], strict=True)
        for (days, is_event), count in _counted(pairs).items():
            if days is not None:
                counted[Observation(days, is_event)] += count


def _counted(pairs: Iterable[tuple[int | None, bool]]) -> Mapping[tuple[int | None, bool], int]:
    return Counter(pairs)


def lines(session: Session, cohort: Cohort, subject_ids: Sequence[str] | None = None) -> Sequence[CourseLine]:
    """Return the kept lines by subject and slot, all or those of some subjects, none out of date."""
    columns = [getattr(KeptCourseRow, name) for name in _PLAIN]
    times = [each for _, *pair in _TIMES for each in pair]
    statement = (
        _statement(cohort, *columns, *times)
        .where(derived.is_current(KeptCourseRow.trial_id, KeptCourseRow.subject_id, cohort.basis))
        .order_by(KeptCourseRow.subject_id, KeptCourseRow.slot)
    )
    if subject_ids is not None:
        statement = statement.where(KeptCourseRow.subject_id.in_(subject_ids))
    return [_line(row) for row in session.execute(statement)]


def _line(row: Any) -> CourseLine:  # noqa: ANN401  a row of `lines`
    times = {
        endpoint: Observation(days, getattr(row, is_event.key))
        for endpoint, column, is_event in _TIMES
        if (days := getattr(row, column.key)) is not None
    }
    return CourseLine(**{name: getattr(row, name) for name in _PLAIN}, times=times)


def accepted(session: Session, cohort: Cohort, today: date) -> int:
    """Return of how many subjects the reads are accepted, none out of date."""
    statement = (
        select(func.count())
        .select_from(KeptReviewRow)
        .where(
            KeptReviewRow.trial_id == cohort.trial_id,
            KeptReviewRow.finished_from <= today,
            KeptReviewRow.standing.in_(sorted(ACCEPTED)),
            cohort.scope.sites(KeptReviewRow.trial_id, KeptReviewRow.site_id),
            derived.is_current(KeptReviewRow.trial_id, KeptReviewRow.subject_id, cohort.basis),
        )
    )
    return session.scalar(statement) or 0
