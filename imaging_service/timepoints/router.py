"""Routes about timepoints and studies."""

from dataclasses import dataclass
from datetime import date
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query
from sqlalchemy.orm import Session

from imaging_service.accounts.accesses import ExportedFormat
from imaging_service.accounts.act import Act, CurrentAct
from imaging_service.accounts.dependencies import CurrentPrincipal, ReadSession, requires
from imaging_service.accounts.principal import Role
from imaging_service.http.context import CurrentClock
from imaging_service.http.lists import answer_page
from imaging_service.http.models import Identifier, RowId, Uid
from imaging_service.http.pages import Page, PageRequest, WantedPage
from imaging_service.timepoints import cycles as cycle_dates
from imaging_service.timepoints import deciding, service
from imaging_service.timepoints.records import Status, Study, StudyState, Timepoint
from imaging_service.timepoints.repository import Filter
from imaging_service.timepoints.responses import RESPONSES
from imaging_service.timepoints.schemas import (
    AssignmentPayload,
    CyclesAnswer,
    CyclesPayload,
    DecisionAnswer,
    MergePayload,
    NotDonePayload,
    RejectionPayload,
    SplitPayload,
    StudyAnswer,
    TimepointAnswer,
    cycles_answer,
    decision_answer,
    study_answer,
    timepoint_answer,
)

router = APIRouter(prefix="/trials/{trial_id}", tags=["timepoints"])

_STAFF = requires(Role.ADMINISTRATOR, Role.COORDINATOR)
_UNBLINDED = requires(Role.ADMINISTRATOR, Role.COORDINATOR, Role.SPONSOR, Role.SERVICE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Search:
    """Where a question about timepoints is asked, by whom, on which day."""

    session: Session
    principal: CurrentPrincipal
    today: date
    page: PageRequest
    trial_id: str


def search(
    trial_id: Identifier,
    session: ReadSession,
    principal: CurrentPrincipal,
    clock: CurrentClock,
    page: WantedPage,
) -> Search:
    """Return who asks, and when."""
    return Search(
        session=session, principal=principal, today=clock.now().date(), page=page, trial_id=trial_id
    )


CurrentSearch = Annotated[Search, Depends(search)]
Site = Annotated[Identifier | None, Query(description="Only this site's.")]
Subject = Annotated[Identifier | None, Query(description="Only this subject's.")]


def wanted_filter(  # noqa: PLR0913, PLR0917  one parameter for each of the query
    principal: CurrentPrincipal,
    clock: CurrentClock,
    site: Site = None,
    subject: Subject = None,
    status: Annotated[Status | None, Query(description="As of now.")] = None,
    response: Annotated[
        str | None, Query(max_length=20, pattern=r"^[A-Z/-]+$", description="Overall response of a read.")
    ] = None,
) -> Filter:
    """Read the filter from the query."""
    among = None if response is None else RESPONSES.timepoints_with(principal, response)
    return Filter(as_of=clock.now().date(), site_id=site, subject_id=subject, status=status, among=among)


@router.get("/timepoints", dependencies=[_UNBLINDED], response_model=Page[TimepointAnswer])
def timepoints(
    asked: CurrentSearch, wanted: Annotated[Filter, Depends(wanted_filter)], answer_as: ExportedFormat
) -> Any:  # noqa: ANN401  a page or a file
    """List the timepoints of a trial by subject and day."""
    return answer_page(_page(asked, wanted), answer_as, TimepointAnswer, "timepoints.csv")


@router.get(
    "/timepoints/overdue",
    dependencies=[_UNBLINDED],
    response_model=Page[TimepointAnswer],
)
def overdue(asked: CurrentSearch, answer_as: ExportedFormat, site: Site = None) -> Any:  # noqa: ANN401  a page or a file
    """List the timepoints whose window has closed without images, as of now."""
    wanted = Filter(as_of=asked.today, site_id=site, status=Status.OVERDUE)
    return answer_page(_page(asked, wanted), answer_as, TimepointAnswer, "overdue.csv")


def _page(asked: Search, wanted: Filter) -> Page[TimepointAnswer]:
    found = service.timepoints(asked.session, asked.principal.scope, asked.trial_id, wanted, asked.page)
    items = _answers(asked.session, found.items, asked.today)
    return Page(items=items, next_cursor=found.next_cursor)


def _answers(session: Session, found: list[Timepoint], today: date) -> list[TimepointAnswer]:
    studies = service.studies_of(session, found)
    return [timepoint_answer(each, studies.get(each.timepoint_id, []), today) for each in found]


@router.get("/timepoints/{timepoint_id}", dependencies=[_UNBLINDED])
def timepoint(timepoint_id: RowId, asked: CurrentSearch) -> TimepointAnswer:
    """Return one timepoint."""
    found = service.find_timepoint(asked.session, asked.principal.scope, timepoint_id)
    if found.trial_id != asked.trial_id:
        raise service.no_such_timepoint(timepoint_id)
    return _answers(asked.session, [found], asked.today)[0]


@router.post("/timepoints/{timepoint_id}/not_done", dependencies=[_STAFF])
def mark_not_done(
    trial_id: Identifier, timepoint_id: RowId, payload: NotDonePayload, act: CurrentAct
) -> TimepointAnswer:
    """Say that an expected timepoint will have no images, and why."""
    if service.find_timepoint(act.session, act.scope, timepoint_id).trial_id != trial_id:
        raise service.no_such_timepoint(timepoint_id)
    marked = service.mark_not_done(act, timepoint_id, payload.reason)
    return _answers(act.session, [marked], act.today)[0]


@router.get("/subjects/{subject_id}/calendar", dependencies=[_UNBLINDED])
def calendar(subject_id: Identifier, asked: CurrentSearch) -> list[TimepointAnswer]:
    """List every timepoint of a subject, expected ones included, in the order of their days."""
    found = service.calendar(asked.session, asked.principal.scope, asked.trial_id, subject_id)
    return _answers(asked.session, list(found), asked.today)


@router.get("/subjects/{subject_id}/cycles", dependencies=[_UNBLINDED])
def cycles(subject_id: Identifier, asked: CurrentSearch) -> list[CyclesAnswer]:
    """List all that was ever known of when a subject's treatment cycles began, the first version first."""
    found = cycle_dates.history(asked.session, asked.principal.scope, asked.trial_id, subject_id)
    return [cycles_answer(each) for each in found]


@router.put("/subjects/{subject_id}/cycles", dependencies=[_STAFF])
def write_cycles(
    trial_id: Identifier, subject_id: Identifier, payload: CyclesPayload, act: CurrentAct
) -> CyclesAnswer:
    """Write down when a subject's cycles began; a delayed one moves timepoints if the protocol says so."""
    return cycles_answer(cycle_dates.write(act, trial_id, subject_id, payload.dates()))


@router.get("/studies/unmatched", dependencies=[_STAFF], response_model=Page[StudyAnswer])
def unmatched(asked: CurrentSearch, answer_as: ExportedFormat) -> Any:  # noqa: ANN401  a page or a file
    """List the studies that wait for a coordinator, each with its reason."""
    return answer_page(_studies(asked, StudyState.UNMATCHED), answer_as, StudyAnswer, "unmatched.csv")


@router.get("/studies", dependencies=[_STAFF], response_model=Page[StudyAnswer])
def studies(
    asked: CurrentSearch,
    answer_as: ExportedFormat,
    state: Annotated[StudyState, Query(description="Where they are.")] = StudyState.MATCHED,
) -> Any:  # noqa: ANN401  a page or a file
    """List the received studies that are matched, unmatched or rejected."""
    return answer_page(_studies(asked, state), answer_as, StudyAnswer, "studies.csv")


def _studies(asked: Search, state: StudyState) -> Page[StudyAnswer]:
    found = service.studies(asked.session, asked.principal.scope, asked.trial_id, state, asked.page)
    shown = service.instances_to_show(asked.session, found.items)
    items = [study_answer(each, shown.get(each.study_instance_uid)) for each in found.items]
    return Page(items=items, next_cursor=found.next_cursor)


@router.get("/studies/{study_instance_uid}", dependencies=[_STAFF])
def study(study_instance_uid: Uid, asked: CurrentSearch) -> StudyAnswer:
    """Return one received study."""
    found = service.find_study(asked.session, asked.principal.scope, asked.trial_id, study_instance_uid)
    shown = service.instances_to_show(asked.session, [found])
    return study_answer(found, shown.get(study_instance_uid))


@router.get("/studies/{study_instance_uid}/decisions", dependencies=[_STAFF])
def decisions(study_instance_uid: Uid, asked: CurrentSearch) -> list[DecisionAnswer]:
    """List every decision about a study, the first one first."""
    found = service.decisions(asked.session, asked.principal.scope, asked.trial_id, study_instance_uid)
    return [decision_answer(each) for each in found]


@router.post("/studies/{study_instance_uid}/assignment", dependencies=[_STAFF])
def assign(
    trial_id: Identifier, study_instance_uid: Uid, payload: AssignmentPayload, act: CurrentAct
) -> StudyAnswer:
    """Put a study on a timepoint of a subject; it leaves the one that it was on."""
    return _decided(act, deciding.assign(act, trial_id, study_instance_uid, payload.assignment()))


@router.post("/studies/{study_instance_uid}/rejection", dependencies=[_STAFF])
def reject(
    trial_id: Identifier, study_instance_uid: Uid, payload: RejectionPayload, act: CurrentAct
) -> StudyAnswer:
    """Say that a study belongs to no timepoint; nothing of it is thrown away."""
    return _decided(act, deciding.reject(act, trial_id, study_instance_uid, payload.reason, payload.version))


@router.post("/studies/{study_instance_uid}/split", dependencies=[_STAFF])
def split(
    trial_id: Identifier, study_instance_uid: Uid, payload: SplitPayload, act: CurrentAct
) -> StudyAnswer:
    """Give some series of a matched study another timepoint of its subject."""
    return _decided(act, deciding.split(act, trial_id, study_instance_uid, payload.splitting()))


@router.post("/studies/{study_instance_uid}/merge", dependencies=[_STAFF])
def merge(
    trial_id: Identifier, study_instance_uid: Uid, payload: MergePayload, act: CurrentAct
) -> StudyAnswer:
    """Put a study beside another one of the same subject: together they make one timepoint."""
    return _decided(act, deciding.merge(act, trial_id, study_instance_uid, payload.merging()))


def _decided(act: Act, study: Study) -> StudyAnswer:
    shown = service.instances_to_show(act.session, [study])
    return study_answer(study, shown.get(study.study_instance_uid))
