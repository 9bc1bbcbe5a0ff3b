"""Routes about subjects."""

from typing import Annotated, Any

from fastapi import APIRouter, Query, status

from imaging_service.accounts.act import CurrentAct
from imaging_service.accounts.dependencies import CurrentPrincipal, ReadSession, requires
from imaging_service.accounts.principal import Role
from imaging_service.http.csv_answer import CSV_RESPONSES, WantedFormat
from imaging_service.http.lists import answer_page
from imaging_service.http.models import Identifier
from imaging_service.http.pages import Page, WantedPage
from imaging_service.subjects import service
from imaging_service.subjects.schemas import (
    CorrectPayload,
    EnrolPayload,
    PatientIdsPayload,
    SubjectAnswer,
    SubjectVersionAnswer,
    patient_ids_of,
    subject_answer,
    version_answer,
)

router = APIRouter(prefix="/trials/{trial_id}/subjects", tags=["subjects"])

_STAFF = requires(Role.ADMINISTRATOR, Role.COORDINATOR)
_UNBLINDED = requires(Role.ADMINISTRATOR, Role.COORDINATOR, Role.SPONSOR, Role.SERVICE)


@router.post("", status_code=status.HTTP_201_CREATED, dependencies=[_STAFF])
def enrol(
    trial_id: Identifier,
    payload: EnrolPayload,
    act: CurrentAct,
) -> SubjectAnswer:
    """Enrol a subject; it gets its reading id."""
    return subject_answer(service.enrol(act, payload.enrolment(trial_id)))


@router.get("", dependencies=[_UNBLINDED], response_model=Page[SubjectAnswer], responses=CSV_RESPONSES)
def subjects(  # noqa: PLR0913, PLR0917  a route takes what it is asked by
    trial_id: Identifier,
    session: ReadSession,
    principal: CurrentPrincipal,
    page: WantedPage,
    wanted: WantedFormat,
    site: Annotated[Identifier | None, Query(description="Only this site's.")] = None,
) -> Any:  # noqa: ANN401  a page or a file
    """List the subjects of a trial."""
    found = service.subjects(session, principal.scope, trial_id, page, site_id=site)
    answer = Page(items=[subject_answer(each) for each in found.items], next_cursor=found.next_cursor)
    return answer_page(answer, wanted, SubjectAnswer, "subjects.csv")


@router.get("/{subject_id}", dependencies=[_UNBLINDED])
def subject(
    trial_id: Identifier, subject_id: Identifier, session: ReadSession, principal: CurrentPrincipal
) -> SubjectAnswer:
    """Return one subject."""
    return subject_answer(service.find_subject(session, principal.scope, trial_id, subject_id))


@router.patch("/{subject_id}", dependencies=[_STAFF])
def correct(
    trial_id: Identifier,
    subject_id: Identifier,
    payload: CorrectPayload,
    act: CurrentAct,
) -> SubjectAnswer:
    """Record or correct a subject's dates, with the reason."""
    return subject_answer(service.correct(act, trial_id, subject_id, payload.correction()))


@router.get("/{subject_id}/versions", dependencies=[_UNBLINDED])
def versions(
    trial_id: Identifier, subject_id: Identifier, session: ReadSession, principal: CurrentPrincipal
) -> list[SubjectVersionAnswer]:
    """List every version of a subject's dates, oldest first."""
    return [version_answer(each) for each in service.history(session, principal.scope, trial_id, subject_id)]


@router.post("/{subject_id}/patient_ids", dependencies=[_STAFF])
def register_patient_ids(
    trial_id: Identifier,
    subject_id: Identifier,
    payload: PatientIdsPayload,
    act: CurrentAct,
) -> SubjectAnswer:
    """Register more PatientIDs of a subject at its site."""
    wanted = patient_ids_of(payload.patient_ids)
    return subject_answer(service.register_patient_ids(act, trial_id, subject_id, wanted))
