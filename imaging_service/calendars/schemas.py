"""Answers about the calendar of a whole trial."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict
from datetime import date
from typing import Any

from pydantic import BaseModel, Field

from imaging_service.calendars.service import ClosedBy, SubjectCalendar
from imaging_service.timepoints.control import ControlState
from imaging_service.timepoints.placing import Placement
from imaging_service.timepoints.records import Status, Timepoint


class CalendarTimepoint(BaseModel):
    """One timepoint in the calendar."""

    timepoint_id: str
    number: int | None = Field(description="0 is baseline; null for an unscheduled one.")
    name: str = Field(examples=["Timepoint 2"])
    status: Status
    nominal_on: date | None
    opens_on: date | None
    closes_on: date | None
    imaged_on: date | None
    placement: Placement | None
    is_after_end: bool = Field(description="Imaged after the subject's imaging had ended.")
    control: ControlState | None = Field(description="Quality control of its images.")
    late_instances: int
    days_overdue: int | None
    not_done_reason: str | None


class ConfirmationAnswer(BaseModel):
    """A response of one reader that nothing has confirmed yet."""

    slot: int
    response: str = Field(examples=["PR"])
    responded_on: date
    earliest_on: date = Field(description="First day on which imaging confirms it.")
    number: int | None = Field(description="The scheduled timepoint that satisfies it.")
    closes_on: date | None = Field(description="Last day of that timepoint's window.")


class SubjectCalendarAnswer(BaseModel):
    """A subject with its whole calendar."""

    subject_id: str
    site_id: str
    anchor_on: date | None = Field(description="Day from which the calendar is counted.")
    closed_on: date | None = Field(description="Last day on which imaging is expected.")
    closed_by: ClosedBy | None
    central_progression_on: date | None
    open_queries: int
    counts: dict[Status, int] = Field(description="Timepoints in each status; others have none.")
    next_due: CalendarTimepoint | None = Field(description="The first timepoint that still waits.")
    confirmations: list[ConfirmationAnswer]
    timepoints: list[CalendarTimepoint]


class CountsAnswer(BaseModel):
    """How much there is of everything in the caller's part of a trial."""

    subjects: int
    timepoints: dict[Status, int]
    control: dict[ControlState, int]
    unmatched_studies: int


_AFTER = frozenset({Placement.AFTER_PROGRESSION, Placement.AFTER_WITHDRAWAL})
_WAITING = frozenset({Status.EXPECTED, Status.OVERDUE})

SUBJECT_COLUMNS = ("subject_id", "site_id", "closed_on", "closed_by", "open_queries")
COLUMNS = (*SUBJECT_COLUMNS, *CalendarTimepoint.model_fields)


def calendar_answer(calendar: SubjectCalendar, today: date) -> SubjectCalendarAnswer:
    """Return a subject's calendar as it is answered."""
    shown = [_timepoint(each, calendar, today) for each in calendar.timepoints]
    return SubjectCalendarAnswer(
        subject_id=calendar.subject.subject_id,
        site_id=calendar.subject.site_id,
        anchor_on=calendar.anchor_on,
        closed_on=calendar.closed_on,
        closed_by=calendar.closed_by,
        central_progression_on=calendar.central_progression_on,
        open_queries=calendar.open_queries,
        counts=Counter(each.status for each in shown),
        next_due=next((each for each in shown if each.status in _WAITING), None),
        confirmations=[ConfirmationAnswer(**asdict(each)) for each in calendar.confirmations],
        timepoints=shown,
    )


def _timepoint(timepoint: Timepoint, calendar: SubjectCalendar, today: date) -> CalendarTimepoint:
    imaged_on, closed_on = timepoint.imaged_on, calendar.closed_on
    return CalendarTimepoint(
        timepoint_id=timepoint.timepoint_id,
        number=timepoint.number,
        name=timepoint.name,
        status=timepoint.status(today),
        nominal_on=timepoint.nominal_on,
        opens_on=timepoint.opens_on,
        closes_on=timepoint.closes_on,
        imaged_on=imaged_on,
        placement=timepoint.placement,
        is_after_end=timepoint.placement in _AFTER
        or (imaged_on is not None and closed_on is not None and imaged_on > closed_on),
        control=timepoint.control,
        late_instances=timepoint.late_instances,
        days_overdue=timepoint.days_overdue(today),
        not_done_reason=timepoint.not_done_reason,
    )


def rows_of(answers: list[SubjectCalendarAnswer]) -> Iterator[dict[str, Any]]:
    """Give a line for each timepoint."""
    for each in answers:
        subject = {name: getattr(each, name) for name in SUBJECT_COLUMNS}
        for timepoint in each.timepoints:
            yield subject | timepoint.model_dump()
