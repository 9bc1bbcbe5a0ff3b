"""Routes about questions to sites."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query

from imaging_service.accounts.accesses import ExportedFormat
from imaging_service.accounts.act import Act, CurrentAct
from imaging_service.accounts.dependencies import CurrentPrincipal, ReadSession, requires
from imaging_service.accounts.principal import Principal, Role
from imaging_service.accounts.scope import Scope
from imaging_service.http.context import CurrentClock
from imaging_service.http.lists import answer_page
from imaging_service.http.models import Identifier, RowId, Uid
from imaging_service.http.pages import Page, WantedPage
from imaging_service.site_queries import service
from imaging_service.site_queries.repository import Filter
from imaging_service.site_queries.schemas import (
    AskPayload,
    DuePayload,
    SiteQueryAnswer,
    WholeQueryAnswer,
    WordPayload,
    query_answer,
    whole_answer,
)
from imaging_service.site_queries.states import Deed, QueryState

_STAFF = requires(Role.ADMINISTRATOR, Role.COORDINATOR)
_ANSWERING = requires(Role.ADMINISTRATOR, Role.COORDINATOR, Role.SITE)
_SEEING = requires(Role.ADMINISTRATOR, Role.COORDINATOR, Role.SPONSOR, Role.SITE)


async def not_blinded(trial_id: Identifier, principal: CurrentPrincipal) -> None:
    """Refuse whoever reads in the trial."""
    service.refuse_readers(principal, trial_id)


router = APIRouter(prefix="/trials/{trial_id}/site_queries", tags=["site queries"])
_UNBLINDED = Depends(not_blinded)


def wanted_filter(  # noqa: PLR0913, PLR0917  one parameter for each of the query
    clock: CurrentClock,
    state: Annotated[QueryState | None, Query(description="Only in this state.")] = None,
    site: Annotated[Identifier | None, Query(description="Only this site's.")] = None,
    subject: Annotated[Identifier | None, Query(description="Only this subject's.")] = None,
    timepoint: Annotated[RowId | None, Query(description="Only about this timepoint.")] = None,
    study: Annotated[Uid | None, Query(description="Only about this study.")] = None,
    overdue: Annotated[bool, Query(description="Only those that should have been answered.")] = False,  # noqa: FBT002  a query's
) -> Filter:
    """Read the filter from the query."""
    return Filter(
        state=state,
        site_id=site,
        subject_id=subject,
        timepoint_id=timepoint,
        study_instance_uid=study,
        overdue_on=clock.now().date() if overdue else None,
    )


@router.get("", dependencies=[_SEEING, _UNBLINDED], response_model=Page[SiteQueryAnswer])
def queries(  # noqa: PLR0913, PLR0917  one parameter for each part of the request
    trial_id: Identifier,
    session: ReadSession,
    principal: CurrentPrincipal,
    clock: CurrentClock,
    page: WantedPage,
    wanted: Annotated[Filter, Depends(wanted_filter)],
    answer_as: ExportedFormat,
) -> Any:  # noqa: ANN401  a page or a file
    """List the questions to the sites of the caller's scope, the longest asked first."""
    found = service.queries(session, _scope(principal), trial_id, wanted, page)
    today = clock.now().date()
    answer = Page(items=[query_answer(each, today) for each in found.items], next_cursor=found.next_cursor)
    return answer_page(answer, answer_as, SiteQueryAnswer, "site_queries.csv")


@router.post("", status_code=201, dependencies=[_STAFF, _UNBLINDED])
def ask(trial_id: Identifier, payload: AskPayload, act: CurrentAct) -> WholeQueryAnswer:
    """Ask a site about itself, a subject, a timepoint or a study."""
    asked = service.ask(
        act, trial_id, payload.about(), code=payload.code, text=payload.text, due_on=payload.due_on
    )
    return whole_answer(asked, service.entries(act.session, asked), act.today)


@router.get("/{query_id}", dependencies=[_SEEING, _UNBLINDED])
def query(
    trial_id: Identifier,
    query_id: RowId,
    session: ReadSession,
    principal: CurrentPrincipal,
    clock: CurrentClock,
) -> WholeQueryAnswer:
    """Return a question with everything that was said about it."""
    found = service.find_query(session, _scope(principal), trial_id, query_id)
    return whole_answer(found, service.entries(session, found), clock.now().date())


@router.post("/{query_id}/answer", dependencies=[_ANSWERING, _UNBLINDED])
def answer(trial_id: Identifier, query_id: RowId, payload: WordPayload, act: CurrentAct) -> WholeQueryAnswer:
    """Answer a question: the site itself, or staff in the site's words."""
    return _said(act, trial_id, query_id, payload, Deed.ANSWERED)


@router.post("/{query_id}/follow_up", dependencies=[_STAFF, _UNBLINDED])
def follow_up(
    trial_id: Identifier, query_id: RowId, payload: DuePayload, act: CurrentAct
) -> WholeQueryAnswer:
    """Ask once more; the question is open again."""
    return _said(act, trial_id, query_id, payload, Deed.FOLLOWED_UP)


@router.post("/{query_id}/closure", dependencies=[_STAFF, _UNBLINDED])
def close(trial_id: Identifier, query_id: RowId, payload: WordPayload, act: CurrentAct) -> WholeQueryAnswer:
    """Close a question, with the reason."""
    return _said(act, trial_id, query_id, payload, Deed.CLOSED)


@router.post("/{query_id}/reopening", dependencies=[_STAFF, _UNBLINDED])
def reopen(trial_id: Identifier, query_id: RowId, payload: DuePayload, act: CurrentAct) -> WholeQueryAnswer:
    """Open a closed question again, with the reason."""
    return _said(act, trial_id, query_id, payload, Deed.REOPENED)


def _scope(principal: Principal) -> Scope:
    return service.scope_of(principal.roles, principal.scope)


def _said(act: Act, trial_id: str, query_id: str, payload: WordPayload, deed: Deed) -> WholeQueryAnswer:
    said = service.say(act, trial_id, query_id, payload.word(deed))
    return whole_answer(said, service.entries(act.session, said), act.today)
