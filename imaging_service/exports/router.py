"""Routes of the central review searches, as JSON and as CSV."""

from dataclasses import asdict
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Response

from imaging_service.accounts.accesses import ExportedFormat
from imaging_service.accounts.dependencies import CurrentPrincipal, ReadSession
from imaging_service.assessments.repository import ResponseFilter
from imaging_service.exports import service
from imaging_service.exports.answers import history_answer, history_rows
from imaging_service.exports.provenance import Traced, provenance
from imaging_service.exports.provenance_answers import provenance_answer
from imaging_service.exports.provenance_schemas import ProvenanceAnswer
from imaging_service.exports.schemas import (
    DiscordanceAnswer,
    HistoryRow,
    ResponseAnswer,
    SubjectHistoryAnswer,
)
from imaging_service.http.context import CurrentArchive, CurrentClock
from imaging_service.http.csv_answer import Format, csv_response
from imaging_service.http.lists import answer_page
from imaging_service.http.models import Identifier
from imaging_service.http.pages import Page, WantedPage
from imaging_service.operations.witnessing import WITNESSED
from imaging_service.outcomes.router import UNBLINDED, WantedCut
from measurement.recist.responses import OverallResponse

router = APIRouter(prefix="/trials/{trial_id}", tags=["exports"], dependencies=[WITNESSED])


def wanted_responses(
    site: Annotated[Identifier | None, Query(description="Only this site's.")] = None,
    subject: Annotated[Identifier | None, Query(description="Only this subject's.")] = None,
    slot: Annotated[int | None, Query(ge=1, le=2, description="Only this reader's.")] = None,
    response: Annotated[OverallResponse | None, Query(description="Only this overall response.")] = None,
) -> ResponseFilter:
    """Read the filter from the query."""
    return ResponseFilter(
        site_id=site, subject_id=subject, slot=slot, response=None if response is None else response.value
    )


@router.get("/assessments", dependencies=[UNBLINDED], response_model=Page[ResponseAnswer])
def responses(  # noqa: PLR0913, PLR0917  a route takes what it is asked by
    trial_id: Identifier,
    principal: CurrentPrincipal,
    session: ReadSession,
    clock: CurrentClock,
    wanted: Annotated[ResponseFilter, Depends(wanted_responses)],
    page: WantedPage,
    answer_as: ExportedFormat,
) -> Page[ResponseAnswer] | Response:
    """List what each reader's reads answer, by subject, reader and timepoint."""
    found = service.responses(session, principal, trial_id, wanted, page, clock.now().date())
    items = [
        ResponseAnswer.model_validate({**asdict(each), "is_accepted": is_accepted})
        for each, is_accepted in found.items
    ]
    answer = Page(items=items, next_cursor=found.next_cursor)
    return answer_page(answer, answer_as, ResponseAnswer, "assessments.csv")


@router.get("/reads/discordant", dependencies=[UNBLINDED], response_model=Page[DiscordanceAnswer])
def discordant(  # noqa: PLR0913, PLR0917  a route takes what it is asked by
    trial_id: Identifier,
    principal: CurrentPrincipal,
    session: ReadSession,
    clock: CurrentClock,
    page: WantedPage,
    answer_as: ExportedFormat,
) -> Page[DiscordanceAnswer] | Response:
    """List where the two readers of a trial differ, by subject."""
    found = service.discordant(session, principal, trial_id, page, clock.now().date())
    items = [
        DiscordanceAnswer.model_validate({**asdict(each), "read_ids": list(each.read_ids)})
        for each in found.items
    ]
    answer = Page(items=items, next_cursor=found.next_cursor)
    return answer_page(answer, answer_as, DiscordanceAnswer, "discordant.csv")


@router.get("/subjects/{subject_id}/history", dependencies=[UNBLINDED], response_model=SubjectHistoryAnswer)
def history(  # noqa: PLR0913, PLR0917  a route takes what it is asked by
    trial_id: Identifier,
    subject_id: Identifier,
    principal: CurrentPrincipal,
    session: ReadSession,
    clock: CurrentClock,
    answer_as: ExportedFormat,
) -> SubjectHistoryAnswer | Response:
    """Return a subject's whole history with reasons and sources; CSV has a line for each drawn axis."""
    found = service.history(session, principal, trial_id, subject_id, clock.now().date())
    if answer_as is Format.CSV:
        rows = [row.model_dump() for row in history_rows(found)]
        return csv_response(list(HistoryRow.model_fields), rows, "history.csv")
    return history_answer(found)


@router.get("/subjects/{subject_id}/outcomes/{endpoint}/provenance", dependencies=[UNBLINDED])
def endpoint_provenance(  # noqa: PLR0913, PLR0917  a route takes what it is asked by
    trial_id: Identifier,
    subject_id: Identifier,
    endpoint: Traced,
    principal: CurrentPrincipal,
    session: ReadSession,
    archive: CurrentArchive,
    cut: WantedCut,
) -> ProvenanceAnswer:
    """Return where an endpoint comes from, by each reader and by the site, down to points and receipts."""
    found = provenance(session, principal, archive, trial_id, subject_id, endpoint, cut)
    return provenance_answer(found)
