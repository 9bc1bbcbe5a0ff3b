"""What an amendment would make of a subject's windows, and of the places that images have in them."""

from collections.abc import Iterator, Sequence
from datetime import date

from imaging_service.amendments.change import Amendment, Change, ChangeKind
from imaging_service.subjects.records import Subject
from imaging_service.timepoints.calendar import Slot, anchor_on, slots
from imaging_service.timepoints.records import Progress, Timepoint


def changes_of(amendment: Amendment, subject: Subject, timepoints: Sequence[Timepoint]) -> Iterator[Change]:
    """Yield each window that would move, and each day of imaging that would fall elsewhere."""
    baseline_on = next((each.imaged_on for each in timepoints if each.number == 0), None)
    new_anchor = anchor_on(subject, amendment.after.schedule, baseline_on)
    calendar = {each.number: each for each in slots(amendment.after.schedule, new_anchor)}
    for each in timepoints:
        if each.number is not None and each.progress is not Progress.CLOSED:
            yield from _window(amendment, subject, each, calendar.get(each.number))
    known = {each.number for each in timepoints}
    for number, slot in calendar.items():
        if timepoints and number not in known:
            yield _change(
                amendment, ChangeKind.WINDOW, subject, (str(number), None), ("none", _days(slot)), ""
            )
    old_anchor = anchor_on(subject, amendment.before.schedule, baseline_on)
    for each in timepoints:
        if each.imaged_on is not None and old_anchor is not None and new_anchor is not None:
            yield from _match(amendment, subject, each, (old_anchor, new_anchor))


def _window(
    amendment: Amendment, subject: Subject, timepoint: Timepoint, slot: Slot | None
) -> Iterator[Change]:
    old = Slot(
        number=timepoint.number or 0,
        nominal_on=timepoint.nominal_on,
        opens_on=timepoint.opens_on,
        closes_on=timepoint.closes_on,
    )
    if old != slot:
        where = (str(timepoint.number), timepoint.imaged_on)
        yield _change(amendment, ChangeKind.WINDOW, subject, where, (_days(old), _days(slot)), "")


def _days(slot: Slot | None) -> str:
    if slot is None:
        return "none"
    return f"{slot.opens_on} to {slot.closes_on}, nominal {slot.nominal_on}"


def _match(
    amendment: Amendment, subject: Subject, timepoint: Timepoint, anchors: tuple[date, date]
) -> Iterator[Change]:
    assert timepoint.imaged_on is not None  # noqa: S101  the caller has looked
    before = amendment.before.schedule.place(timepoint.imaged_on, anchors[0])
    after = amendment.after.schedule.place(timepoint.imaged_on, anchors[1])
    if (before.kind, before.number) != (after.kind, after.number):
        number = str(timepoint.imaged_on if timepoint.number is None else timepoint.number)
        values = (f"{before.kind.value} of {before.number}", f"{after.kind.value} of {after.number}")
        where = (number, timepoint.imaged_on)
        yield _change(amendment, ChangeKind.MATCH, subject, where, values, after.reason)


def _change(  # noqa: PLR0913, PLR0917  a change has this many sides
    amendment: Amendment,
    kind: ChangeKind,
    subject: Subject,
    where: tuple[str, date | None],
    values: tuple[str, str],
    sentence: str,
) -> Change:
    return Change(
        kind=kind,
        subject_id=subject.subject_id,
        site_id=subject.site_id,
        slot=None,
        timepoint=where[0],
        imaged_on=None if where[1] is None else str(where[1]),
        before=values[0],
        after=values[1],
        why=amendment.why(kind, sentence),
    )
