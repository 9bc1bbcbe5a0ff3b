"""Routes about subjects."""

from collections.abc import Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request, status
from pydantic import ValidationError

from imaging_service.accounts.accesses import ExportedFormat
from imaging_service.accounts.act import CurrentAct
from imaging_service.accounts.dependencies import CurrentPrincipal, ReadSession, requires
from imaging_service.accounts.principal import Role
from imaging_service.errors import RefusedError, UnsupportedTypeError
from imaging_service.http.lists import answer_page
from imaging_service.http.models import Identifier
from imaging_service.http.pages import Page, WantedPage
from imaging_service.subjects import service
from imaging_service.subjects.import_rows import ImportRow, records_of, rows_of_csv, rows_of_sdtm
from imaging_service.subjects.importing import carry_out, plan
from imaging_service.subjects.schemas import (
    CorrectPayload,
    EnrolPayload,
    ImportAnswer,
    ImportPayload,
    PatientIdsPayload,
    SubjectAnswer,
    SubjectVersionAnswer,
    import_answer,
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


_IMPORT_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "text/csv": {
                "schema": {"type": "string"},
                "example": "subject_id,site_id,first_dose_on\r\nHER2-01-001,01,2026-01-05\r\n",
            },
            "application/json": {"schema": ImportPayload.model_json_schema()},
        },
    }
}


async def import_rows(request: Request, trial_id: Identifier) -> Sequence[ImportRow]:
    """Read the subjects in the body: a CSV file, or JSON with records of DM, DS and EX."""
    found = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    body = await request.body()
    if found == "text/csv":
        try:
            return rows_of_csv(body.decode())
        except UnicodeDecodeError:
            message = "The file of subjects is not UTF-8 text."
            raise RefusedError(message, code="import_unreadable") from None
    if found != "application/json":
        message = f"Subjects are text/csv or application/json; the request is {found[:100]!r}."
        raise UnsupportedTypeError(message)
    try:
        payload = ImportPayload.model_validate_json(body)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        where = ".".join(str(each) for each in first["loc"])[:100]
        message = f"The import cannot be read at {where or 'its beginning'}: {first['msg']}."
        raise RefusedError(message, code="import_unreadable") from None
    return rows_of_sdtm({name: records_of(name, rows) for name, rows in payload.domains.items()}, trial_id)


ImportRows = Annotated[Sequence[ImportRow], Depends(import_rows)]


@router.post("/import", dependencies=[_STAFF], openapi_extra=_IMPORT_BODY)
def import_subjects(
    trial_id: Identifier,
    rows: ImportRows,
    act: CurrentAct,
    reason: Annotated[str, Query(min_length=3, max_length=2000, description="Why.")],
    dry_run: Annotated[bool, Query(description="Only say what would happen to each subject.")] = False,  # noqa: FBT002  as a query has it
) -> ImportAnswer:
    """Enrol and correct many subjects at once, all of them or none; or say what that would do."""
    plans = plan(act, trial_id, rows) if dry_run else carry_out(act, trial_id, rows, reason)
    return import_answer(trial_id, plans, is_dry_run=dry_run)


@router.get("", dependencies=[_UNBLINDED], response_model=Page[SubjectAnswer])
def subjects(  # noqa: PLR0913, PLR0917  a route takes what it is asked by
    trial_id: Identifier,
    session: ReadSession,
    principal: CurrentPrincipal,
    page: WantedPage,
    wanted: ExportedFormat,
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
