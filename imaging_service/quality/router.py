"""Routes about quality control."""

from typing import Annotated, Any

from fastapi import APIRouter, Query

from imaging_service.accounts.accesses import ExportedFormat
from imaging_service.accounts.act import CurrentAct
from imaging_service.accounts.dependencies import CurrentPrincipal, ReadSession, requires
from imaging_service.accounts.principal import Role
from imaging_service.http.lists import answer_page
from imaging_service.http.models import Identifier, RowId
from imaging_service.http.pages import Page, WantedPage
from imaging_service.quality import service
from imaging_service.quality.repository import Filter
from imaging_service.quality.schemas import (
    AcceptancePayload,
    ControlAnswer,
    DecisionPayload,
    StepAnswer,
    control_answer,
    step_answer,
)
from imaging_service.timepoints.control import ControlState

router = APIRouter(prefix="/trials/{trial_id}", tags=["quality control"])

_STAFF = requires(Role.ADMINISTRATOR, Role.COORDINATOR)


@router.get("/quality", dependencies=[_STAFF], response_model=Page[ControlAnswer])
def controls(  # noqa: PLR0913, PLR0917  one parameter for each part of the request
    trial_id: Identifier,
    session: ReadSession,
    principal: CurrentPrincipal,
    page: WantedPage,
    answer_as: ExportedFormat,
    state: Annotated[ControlState | None, Query(description="Only in this state.")] = None,
    site: Annotated[Identifier | None, Query(description="Only this site's.")] = None,
    subject: Annotated[Identifier | None, Query(description="Only this subject's.")] = None,
    blocked: Annotated[
        bool | None, Query(description="Only with, or without, a finding that blocks.")
    ] = None,
) -> Any:  # noqa: ANN401  a page or a file
    """List the timepoints with images by subject and day, with what control has found."""
    wanted = Filter(state=state, site_id=site, subject_id=subject, has_findings=blocked)
    found = service.controls(session, principal.scope, trial_id, wanted, page)
    answer = Page(items=[control_answer(each) for each in found.items], next_cursor=found.next_cursor)
    return answer_page(answer, answer_as, ControlAnswer, "quality.csv")


@router.get("/timepoints/{timepoint_id}/quality", dependencies=[_STAFF])
def control(
    trial_id: Identifier, timepoint_id: RowId, session: ReadSession, principal: CurrentPrincipal
) -> ControlAnswer:
    """Return what control has found about a timepoint."""
    return control_answer(service.find_control(session, principal.scope, trial_id, timepoint_id))


@router.get("/timepoints/{timepoint_id}/quality/history", dependencies=[_STAFF])
def history(
    trial_id: Identifier, timepoint_id: RowId, session: ReadSession, principal: CurrentPrincipal
) -> list[StepAnswer]:
    """List every state that a timepoint's images went through: who, when and why."""
    return [step_answer(each) for each in service.history(session, principal.scope, trial_id, timepoint_id)]


@router.post("/timepoints/{timepoint_id}/quality/acceptance", dependencies=[_STAFF])
def accept(
    trial_id: Identifier, timepoint_id: RowId, payload: AcceptancePayload, act: CurrentAct
) -> ControlAnswer:
    """Let a timepoint's images be read."""
    return control_answer(service.accept(act, trial_id, timepoint_id, payload.reason, payload.version))


@router.post("/timepoints/{timepoint_id}/quality/rejection", dependencies=[_STAFF])
def reject(
    trial_id: Identifier, timepoint_id: RowId, payload: DecisionPayload, act: CurrentAct
) -> ControlAnswer:
    """Keep a timepoint's images from every reader."""
    return control_answer(service.reject(act, trial_id, timepoint_id, payload.reason, payload.version))


@router.post("/timepoints/{timepoint_id}/quality/reopening", dependencies=[_STAFF])
def reopen(
    trial_id: Identifier, timepoint_id: RowId, payload: DecisionPayload, act: CurrentAct
) -> ControlAnswer:
    """Control a timepoint again that was accepted or rejected; a person then decides."""
    return control_answer(service.reopen(act, trial_id, timepoint_id, payload.reason, payload.version))
