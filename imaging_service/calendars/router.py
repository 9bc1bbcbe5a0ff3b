"""Routes about the calendar of a whole trial."""

from typing import Annotated, Any

from fastapi import APIRouter, Query

from imaging_service.accounts.accesses import ExportedFormat
from imaging_service.accounts.dependencies import CurrentPrincipal, ReadSession, requires
from imaging_service.accounts.principal import Role
from imaging_service.calendars import service
from imaging_service.calendars.repository import Wanted
from imaging_service.calendars.schemas import (
    COLUMNS,
    CountsAnswer,
    SubjectCalendarAnswer,
    calendar_answer,
    rows_of,
)
from imaging_service.http.context import CurrentClock
from imaging_service.http.csv_answer import Format, csv_response
from imaging_service.http.lists import NEXT_CURSOR
from imaging_service.http.models import Identifier
from imaging_service.http.pages import Page, WantedPage
from imaging_service.timepoints.control import ControlState
from imaging_service.timepoints.records import Status

router = APIRouter(prefix="/trials/{trial_id}/calendar", tags=["calendar"])

_UNBLINDED = requires(Role.ADMINISTRATOR, Role.COORDINATOR, Role.SPONSOR, Role.SERVICE)


@router.get("", dependencies=[_UNBLINDED], response_model=Page[SubjectCalendarAnswer])
def calendars(  # noqa: PLR0913, PLR0917  one parameter for each part of the request
    trial_id: Identifier,
    session: ReadSession,
    principal: CurrentPrincipal,
    clock: CurrentClock,
    page: WantedPage,
    answer_as: ExportedFormat,
    site: Annotated[Identifier | None, Query(description="Only this site's.")] = None,
    subject: Annotated[Identifier | None, Query(description="Only this subject.")] = None,
    status: Annotated[Status | None, Query(description="Only who has a timepoint in it, as of now.")] = None,
    control: Annotated[ControlState | None, Query(description="Only who has images in it.")] = None,
) -> Any:  # noqa: ANN401  a page or a file
    """List subjects with every timepoint, what is due and what waits; as CSV a line for each timepoint."""
    today = clock.now().date()
    wanted = Wanted(today=today, site_id=site, subject_id=subject, status=status, control=control)
    found = service.calendars(session, principal, trial_id, wanted, page)
    answers = [calendar_answer(each, today) for each in found.items]
    if answer_as is Format.JSON:
        return Page(items=answers, next_cursor=found.next_cursor)
    response = csv_response(COLUMNS, rows_of(answers), "calendar.csv")
    if found.next_cursor is not None:
        response.headers[NEXT_CURSOR] = found.next_cursor
    return response


@router.get("/counts", dependencies=[_UNBLINDED])
def counts(
    trial_id: Identifier, session: ReadSession, principal: CurrentPrincipal, clock: CurrentClock
) -> CountsAnswer:
    """Count subjects, timepoints by status, images by state of control, and studies that wait."""
    found = service.counts(session, principal, trial_id, clock.now().date())
    return CountsAnswer(
        subjects=found.subjects,
        timepoints=dict(found.timepoints),
        control=dict(found.control),
        unmatched_studies=found.unmatched_studies,
    )
