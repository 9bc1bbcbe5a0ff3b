"""Records of TR and TU as timepoints: which belong together, which are baseline, in what order they stand."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal

from imaging_service.cdisc.numbers import plain
from imaging_service.cdisc.record import Record
from imaging_service.cdisc.words import bare
from measurement.protocol.schedule import Schedule
from measurement.recist.observations import BASELINE

_FLAGS = ("TRBLFL", "TRLOBXFL")
_BASELINE_NAMES = ("BASELINE", "SCREENING", "SCREEN", "SCR")


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """An imaging occasion as one evaluator assessed it.

    Attributes
    ----------
    timepoint_id
        VISIT, or what stands for it; unique within the subject and evaluator.
    number
        0 for baseline, 1, 2, … for scheduled ones after it, ``None`` for unscheduled ones.
    visitnum, name
        VISITNUM and VISIT as given.
    first_on, last_on
        First and last day of its imaging; ``None`` when nothing was imaged.
    records
        Its records of TR, and of TU where a new lesion was identified.
    is_accepted
        Whether its assessment is the accepted one (TRACPTFL).
    """

    timepoint_id: str
    number: int | None
    visitnum: Decimal | None
    name: str
    first_on: date | None
    last_on: date | None
    records: tuple[Record, ...]
    is_accepted: bool = False

    @property
    def is_unscheduled(self) -> bool:
        """Whether its name or its fractional number says so."""
        words = bare(self.name)
        fractional = self.visitnum is not None and self.visitnum != self.visitnum.to_integral_value()
        return fractional or "UNSCH" in words or "UNPLANNED" in words or (not words and self.visitnum is None)


Days = Callable[[Record], date | None]
"""The day of imaging of a record."""


def visits_of(records: Iterable[Record], day_of: Days, schedule: Schedule) -> list[Visit]:
    """Group records into visits by VISITNUM, else VISIT, else the day.

    Parameters
    ----------
    records
        Of one subject and evaluator, in any order.
    day_of
        The day of a record.
    schedule
        The trial's calendar: unscheduled visits that share a number are taken apart where their days are
        further from each other than its windows are wide.

    Returns
    -------
    list of Visit
        In order of time, still without numbers.

    Raises
    ------
    ValueRefusedError
        If a record says neither visit nor day, or a visit with results has no day at all.
    """
    groups: dict[tuple[str, str], list[Record]] = {}
    for record in records:
        groups.setdefault(_key(record), []).append(record)
    width = timedelta(days=schedule.window_before_days + schedule.window_after_days)
    visits: list[Visit] = []
    for grouped in groups.values():
        visit = _visit(grouped, day_of)
        visits.extend(_apart(visit, day_of, width) if visit.is_unscheduled else [visit])
    return sorted(_with_identifiers(visits), key=_order)


def visit_key(record: Record) -> tuple[str, str]:
    """Return what records of the same visit share; empty texts when the record says nothing."""
    number = record.number("VISITNUM")
    if number is not None:
        return "VISITNUM", format(number.normalize(), "f")
    return "VISIT", record.word("VISIT")


def _key(record: Record) -> tuple[str, str]:
    kind, key = visit_key(record)
    if key:
        return kind, key
    for column in ("TRDTC", "TUDTC"):
        found = record.dtc(column)
        if found is not None:
            return "DAY", str(found)
    return record.refuse("VISITNUM", "a visit number, a visit name or a date")


def _visit(records: Sequence[Record], day_of: Days) -> Visit:
    days = sorted(day for record in records if (day := day_of(record)) is not None)
    ordered = sorted(records, key=_content)
    number = min(
        (found for record in records if (found := record.number("VISITNUM")) is not None), default=None
    )
    name = min((record.text("VISIT") for record in records if record.text("VISIT")), default="")
    return Visit(
        timepoint_id="",
        number=None,
        visitnum=plain(number.normalize()) if number is not None else None,
        name=name,
        first_on=days[0] if days else None,
        last_on=days[-1] if days else None,
        records=tuple(ordered),
        is_accepted=any(record.is_flagged("TRACPTFL", "TUACPTFL") for record in records),
    )


def _content(record: Record) -> tuple[str, Decimal, str]:
    """Sort by what a record says, never by where it stands."""
    sequence = record.number("TRSEQ") or record.number("TUSEQ") or Decimal(0)
    return record.text("TRDTC") or record.text("TUDTC") or "9", sequence, "\x1f".join(record.values.values())


def _apart(visit: Visit, day_of: Days, width: timedelta) -> list[Visit]:
    """Take occasions apart that only share the number of all unscheduled visits."""
    clusters: list[list[Record]] = []
    last: date | None = None
    for record in sorted(visit.records, key=lambda record: day_of(record) or date.max):
        day = day_of(record)
        if not clusters or (day is not None and last is not None and day - last > width):
            clusters.append([])
        clusters[-1].append(record)
        last = day or last
    return [_visit(cluster, day_of) for cluster in clusters]


def _with_identifiers(visits: list[Visit]) -> list[Visit]:
    """Name each visit by its name, and by its number or day as well where others have the same name."""
    names = [visit.name or _numbered(visit) for visit in visits]
    numbers = [(name, visit.visitnum) for name, visit in zip(names, visits, strict=True)]
    identifiers = []
    for name, visit in zip(names, visits, strict=True):
        if names.count(name) == 1:
            identifiers.append(name)
        elif numbers.count((name, visit.visitnum)) == 1:
            identifiers.append(f"{name} ({_numbered(visit)})")
        else:
            identifiers.append(f"{name} on {visit.first_on}")
    return [replace(visit, timepoint_id=name) for name, visit in zip(identifiers, visits, strict=True)]


def _numbered(visit: Visit) -> str:
    return f"visit {visit.visitnum}" if visit.visitnum is not None else f"day {visit.first_on}"


def _order(visit: Visit) -> tuple[date, Decimal, str]:
    number = visit.visitnum if visit.visitnum is not None else Decimal("Infinity")
    return visit.first_on or date.max, number, visit.timepoint_id


@dataclass(frozen=True, slots=True, kw_only=True)
class Occasions:
    """A subject's visits, sorted out.

    Attributes
    ----------
    baseline
        Visits that make up the baseline, in order of time; none when there is none.
    follow_ups
        Visits after it, numbered.
    left_out
        Visits before it that are not part of it.
    """

    baseline: tuple[Visit, ...]
    follow_ups: tuple[Visit, ...]
    left_out: tuple[Visit, ...]


def sort_out(
    visits: Sequence[Visit], identified_at: set[tuple[str, str]], anchor_on: date | None, schedule: Schedule
) -> Occasions:
    """Say which visits are baseline and number those after it.

    In this order: the visits whose records are flagged (TRBLFL, TRLOBXFL); those imaged on or before the
    start, as far back as the protocol's baseline days, or the last of them; the one named baseline or
    screening; the one at which targets and non-targets were identified; without a start, the first one that
    was imaged.

    Parameters
    ----------
    visits
        In order of time.
    identified_at
        Keys of the visits at which TU identifies targets and non-targets.
    anchor_on
        The start; ``None`` when unknown.
    schedule
        The trial's calendar.
    """
    imaged = [visit for visit in visits if visit.first_on is not None]
    chosen = _chosen(imaged, identified_at, anchor_on, schedule)
    last_on = max((visit.last_on for visit in chosen if visit.last_on), default=date.min)
    names = {visit.timepoint_id for visit in chosen}
    others = [visit for visit in visits if visit.timepoint_id not in names]
    left_out = [visit for visit in others if chosen and _is_before(visit, chosen[-1], last_on)]
    before = {visit.timepoint_id for visit in left_out}
    return Occasions(
        baseline=tuple(replace(visit, number=BASELINE) for visit in chosen),
        follow_ups=_numbered_visits([visit for visit in others if visit.timepoint_id not in before]),
        left_out=tuple(left_out),
    )


def _chosen(
    imaged: Sequence[Visit], identified_at: set[tuple[str, str]], anchor_on: date | None, schedule: Schedule
) -> list[Visit]:
    flagged = [visit for visit in imaged if any(record.is_flagged(*_FLAGS) for record in visit.records)]
    if flagged:
        return flagged
    if anchor_on is not None:
        before = [visit for visit in imaged if visit.last_on is not None and visit.last_on <= anchor_on]
        recent = [
            visit
            for visit in before
            if visit.first_on is not None and (anchor_on - visit.first_on).days <= schedule.baseline_days
        ]
        if before:
            return recent or before[-1:]
    for name in _BASELINE_NAMES:
        named = [visit for visit in imaged if name in bare(visit.name).split()]
        if named:
            return named[-1:]
    at = [visit for visit in imaged if any(visit_key(record) in identified_at for record in visit.records)]
    if at:
        return at[:1]
    return list(imaged[:1]) if anchor_on is None else []


def _is_before(visit: Visit, baseline: Visit, baseline_on: date) -> bool:
    """Whether a visit precedes the baseline; one that was never imaged is judged by its number."""
    if visit.last_on is not None:
        return visit.last_on < baseline_on
    return visit.visitnum is not None and baseline.visitnum is not None and visit.visitnum < baseline.visitnum


def _numbered_visits(visits: Sequence[Visit]) -> tuple[Visit, ...]:
    """Give scheduled visits the number of their rank, so that those never imaged keep their place."""
    scheduled = [visit for visit in visits if not visit.is_unscheduled]
    ranked = sorted(
        scheduled, key=lambda visit: (visit.visitnum is None, visit.visitnum or 0, visit.first_on or date.max)
    )
    rank = {visit.timepoint_id: number for number, visit in enumerate(ranked, start=1)}
    return tuple(replace(visit, number=rank.get(visit.timepoint_id)) for visit in visits)
