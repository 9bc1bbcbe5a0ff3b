"""Routes of outcomes."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Response

from imaging_service.accounts.accesses import ExportedFormat
from imaging_service.accounts.dependencies import CurrentPrincipal, ReadSession, requires
from imaging_service.accounts.principal import Role
from imaging_service.adjudication.repository import Wanted
from imaging_service.http.context import CurrentClock
from imaging_service.http.csv_answer import Format, csv_response
from imaging_service.http.lists import NEXT_CURSOR
from imaging_service.http.models import Day, Identifier
from imaging_service.http.pages import MAX_LIMIT, PageRequest, WantedCursor, page_request
from imaging_service.operations.witnessing import WITNESSED
from imaging_service.outcomes import service
from imaging_service.outcomes.accepted import View, of_record
from imaging_service.outcomes.answers import (
    cohort_answer,
    listing_row,
    plots_answer,
    subject_answer,
    subject_table,
)
from imaging_service.outcomes.courses import DataCut
from imaging_service.outcomes.schemas import (
    CohortOutcomesAnswer,
    ListingAnswer,
    PlotsAnswer,
    SubjectOutcomesAnswer,
    SubjectTableRow,
)

router = APIRouter(prefix="/trials/{trial_id}", tags=["outcomes"], dependencies=[WITNESSED])

UNBLINDED = requires(Role.ADMINISTRATOR, Role.COORDINATOR, Role.SPONSOR)
"""Owners of what compares readers, or names subjects."""


def wanted_cut(
    clock: CurrentClock,
    as_of: Annotated[
        Day | None, Query(description="Data cut: nothing later counts; everything known when left out.")
    ] = None,
) -> DataCut:
    """Read the data cut from the query."""
    return DataCut(as_of=as_of, today=clock.now().date())


WantedCut = Annotated[DataCut, Depends(wanted_cut)]
WantedView = Annotated[
    View,
    Query(description="Each reader's reads apart, or those that are accepted: the outcomes of record."),
]


LISTED = 200
"""Subjects whose lines are told in one JSON answer, unless asked otherwise."""


async def wanted_listing(
    limit: Annotated[
        int | None, Query(ge=1, le=MAX_LIMIT, description="Subjects in the listing; 200 in JSON.")
    ] = None,
    cursor: WantedCursor = None,
) -> PageRequest | None:
    """Read which part of the listing is asked for; None for all of it."""
    if limit is None and cursor is None:
        return None
    return await page_request(LISTED if limit is None else limit, cursor)


WantedListing = Annotated[PageRequest | None, Depends(wanted_listing)]


@router.get("/subjects/{subject_id}/outcomes", dependencies=[UNBLINDED], response_model=SubjectOutcomesAnswer)
def of_subject(  # noqa: PLR0913, PLR0917  a route takes what it is asked by
    trial_id: Identifier,
    subject_id: Identifier,
    principal: CurrentPrincipal,
    session: ReadSession,
    cut: WantedCut,
    wanted: ExportedFormat,
    view: WantedView = View.READERS,
) -> SubjectOutcomesAnswer | Response:
    """Return a subject's verdicts, best responses and times, by reader or of record; CSV is the verdicts."""
    subject, protocol, courses = service.of_subject(session, principal, trial_id, subject_id, cut)
    accepted = None
    if view is View.ACCEPTED:
        only = Wanted(trial_id=trial_id, subject_id=subject_id)
        accepted = service.accepted(session, principal, protocol, only, cut)
    if wanted is Format.CSV:
        shown = courses if accepted is None else of_record(courses, accepted)
        rows = [row.model_dump() for each in shown for row in subject_table(each, accepted or {})]
        return csv_response(list(SubjectTableRow.model_fields), rows, "subject_outcomes.csv")
    return subject_answer(subject, protocol, cut.as_of, courses, accepted)


@router.get("/outcomes", dependencies=[UNBLINDED], response_model=CohortOutcomesAnswer)
def of_cohort(  # noqa: PLR0913, PLR0917  a route takes what it is asked by
    trial_id: Identifier,
    principal: CurrentPrincipal,
    session: ReadSession,
    cut: WantedCut,
    wanted: ExportedFormat,
    asked: WantedListing,
    view: WantedView = View.READERS,
) -> CohortOutcomesAnswer | Response:
    """Return rates and survival of all subjects, by reader or of record, and the listing of a page of them.

    CSV is the listing: of every subject, unless a limit is given.
    """
    page = PageRequest(LISTED, None) if asked is None and wanted is Format.JSON else asked
    found = service.of_cohort(session, principal, trial_id, cut, view, page)
    if wanted is Format.CSV:
        rows = [listing_row(each, found.acceptances).model_dump() for each in found.listing]
        response = csv_response(list(ListingAnswer.model_fields), rows, "outcomes.csv")
        if found.next_cursor is not None:
            response.headers[NEXT_CURSOR] = found.next_cursor
        return response
    return cohort_answer(trial_id, cut.as_of, view, found)


@router.get("/outcomes/plots", dependencies=[UNBLINDED])
def plots_of_cohort(  # noqa: PLR0913, PLR0917  a route takes what it is asked by
    trial_id: Identifier,
    principal: CurrentPrincipal,
    session: ReadSession,
    cut: WantedCut,
    asked: WantedListing,
    view: WantedView = View.READERS,
) -> PlotsAnswer:
    """Return survival step by step, and the courses of a page of subjects, for plots of the cohort."""
    page = PageRequest(LISTED, None) if asked is None else asked
    found = service.plots_of_cohort(session, principal, trial_id, cut, view, page)
    return plots_answer(trial_id, cut.as_of, view, found)
