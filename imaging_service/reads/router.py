"""Routes of reads: worklist, drafts, lesions. A read is signed where it is assessed."""

from collections.abc import Iterator
from typing import Annotated

from fastapi import APIRouter, Header, Path, Query, Response

from imaging_service.accounts.accesses import ExportedFormat
from imaging_service.accounts.dependencies import CurrentPrincipal, ReadSession, requires
from imaging_service.accounts.principal import Role
from imaging_service.http.context import CurrentClock
from imaging_service.http.lists import answer_page
from imaging_service.http.models import Identifier, RowId
from imaging_service.http.pages import Page, WantedPage
from imaging_service.reads import assignments, service
from imaging_service.reads.act import CurrentReadAct, ReadAct
from imaging_service.reads.answers import (
    answer,
    assignment_answer,
    earlier_answer,
    lesion_answer,
    plan_answer,
    worklist_answer,
)
from imaging_service.reads.assignments import Replacement
from imaging_service.reads.entry import Entry
from imaging_service.reads.measuring import Drawing
from imaging_service.reads.read import Axis
from imaging_service.reads.schemas import (
    AssignmentAnswer,
    AxisShape,
    EarlierReadAnswer,
    FragmentShape,
    LesionAnswer,
    LesionName,
    LesionShape,
    ReadAnswer,
    ReaderPlanAnswer,
    ReaderShape,
    UnlockShape,
    WorklistAnswer,
)

router = APIRouter(tags=["reads"])

MAY_SEE_READS = requires(Role.READER, Role.COORDINATOR, Role.SPONSOR, Role.ADMINISTRATOR)
"""Owners of what readers have said; which of it, `visible_to` decides."""

MAY_ASSIGN = requires(Role.COORDINATOR, Role.ADMINISTRATOR)
"""Owners of who reads which subject."""

ReadId = Annotated[RowId, Path(description="Key of the read.")]
LesionId = Annotated[LesionName, Path(description="T01, NT01 or NEW01.", examples=["T01"])]
SeenVersion = Annotated[
    str | None,
    Header(
        alias="If-Match",
        pattern=r'^"[0-9]{1,9}"$',
        description="ETag of the lesion that is replaced; a newer one is never overwritten.",
    ),
]


@router.get("/worklist", dependencies=[requires(Role.READER)], response_model=Page[WorklistAnswer])
def worklist(
    principal: CurrentPrincipal,
    session: ReadSession,
    page: WantedPage,
    wanted: ExportedFormat,
    trial_id: Annotated[
        Identifier | None, Query(description="Needed by who reads in several trials.")
    ] = None,
) -> Page[WorklistAnswer] | Response:
    """List what waits for the caller: of each subject the next timepoint, in the order of imaging."""
    found = service.worklist(session, principal, page, trial_id)
    items = [worklist_answer(each) for each in found.items]
    return answer_page(
        Page(items=items, next_cursor=found.next_cursor), wanted, WorklistAnswer, "worklist.csv"
    )


@router.post(
    "/timepoints/{timepoint_id}/reads",
    status_code=201,
    dependencies=[requires(Role.READER)],
    responses={200: {"model": ReadAnswer, "description": "It was open already."}},
)
def open_read(
    timepoint_id: Annotated[RowId, Path(description="Key of the timepoint.")],
    response: Response,
    act: CurrentReadAct,
) -> ReadAnswer:
    """Open the caller's own read of a timepoint; when it is open already, 200 and the same one."""
    read, is_new = service.open_read(act, timepoint_id)
    response.status_code = 201 if is_new else 200
    response.headers["Location"] = f"/api/v1/reads/{read.read_id}"
    return answer(act.session, act.principal, read)


@router.get("/reads/{read_id}", dependencies=[MAY_SEE_READS])
def find_read(
    read_id: ReadId, response: Response, principal: CurrentPrincipal, session: ReadSession
) -> ReadAnswer:
    """Return a read with its lesions, what it must answer, and its gaps."""
    read = service.find_read(session, principal, read_id)
    response.headers["ETag"] = f'"{read.version}"'
    return answer(session, principal, read)


@router.get("/reads/{read_id}/earlier", dependencies=[MAY_SEE_READS])
def list_earlier(
    read_id: ReadId, principal: CurrentPrincipal, session: ReadSession
) -> list[EarlierReadAnswer]:
    """List the signed reads of the same reader and subject that come before a read, in reading order."""
    read = service.find_read(session, principal, read_id)
    return [earlier_answer(each) for each in service.earlier_reads(session, principal, read)]


@router.put(
    "/reads/{read_id}/lesions/{lesion_id}",
    dependencies=[requires(Role.READER)],
    responses={201: {"model": LesionAnswer, "description": "It is new in this read."}},
)
def enter_lesion(  # noqa: PLR0913, PLR0917  a route takes what it is asked by
    read_id: ReadId,
    lesion_id: LesionId,
    body: LesionShape,
    response: Response,
    act: CurrentReadAct,
    if_match: SeenVersion = None,
) -> LesionAnswer:
    """Enter what the caller sees of a lesion; the lengths in the answer are computed here.

    A lesion that is entered already is replaced only with ``If-Match`` and its present ETag.
    """
    entry = _entry(lesion_id, body)
    lesion, is_new = service.enter_lesion(act, read_id, entry, seen=_version(if_match))
    response.status_code = 201 if is_new else 200
    response.headers["ETag"] = f'"{lesion.version}"'
    return _shown_lesion(act, read_id, lesion_id)


@router.delete("/reads/{read_id}/lesions/{lesion_id}", status_code=204, dependencies=[requires(Role.READER)])
def withdraw_lesion(
    read_id: ReadId, lesion_id: LesionId, act: CurrentReadAct, if_match: SeenVersion = None
) -> None:
    """Take a lesion out of a draft."""
    service.withdraw_lesion(act, read_id, lesion_id, seen=_version(if_match))


@router.post("/reads/{read_id}/unlocking", status_code=201, dependencies=[requires(Role.COORDINATOR)])
def unlock(read_id: ReadId, body: UnlockShape, response: Response, act: CurrentReadAct) -> ReadAnswer:
    """Open a signed read again as a new revision, with a reason; the signed one stays."""
    read = service.unlock(act, read_id, reason=body.reason)
    response.headers["Location"] = f"/api/v1/reads/{read.read_id}"
    return answer(act.session, act.principal, read)


@router.post("/reads/{read_id}/review", status_code=201, dependencies=[requires(Role.READER)])
def review(read_id: ReadId, body: UnlockShape, response: Response, act: CurrentReadAct) -> ReadAnswer:
    """Open an own signed read again after the last timepoint, with a reason, where the protocol lets it."""
    read = service.review(act, read_id, reason=body.reason)
    response.headers["Location"] = f"/api/v1/reads/{read.read_id}"
    return answer(act.session, act.principal, read)


@router.get("/trials/{trial_id}/reader-plan", dependencies=[MAY_ASSIGN])
def reader_plan(
    trial_id: Identifier, principal: CurrentPrincipal, session: ReadSession, clock: CurrentClock
) -> ReaderPlanAnswer:
    """Return how the subjects of a trial get their readers, the pool, and who waits."""
    return plan_answer(assignments.seats(session, principal, trial_id, clock.now().date()))


@router.get(
    "/trials/{trial_id}/reader-assignments",
    dependencies=[MAY_ASSIGN],
    response_model=Page[AssignmentAnswer],
)
def reader_assignments(
    trial_id: Identifier,
    principal: CurrentPrincipal,
    session: ReadSession,
    page: WantedPage,
    wanted: ExportedFormat,
) -> Page[AssignmentAnswer] | Response:
    """List who reads, and who has read, which subject out of the pool."""
    found = assignments.assignments(session, principal, trial_id, page)
    items = [assignment_answer(each) for each in found.items]
    answers = Page(items=items, next_cursor=found.next_cursor)
    return answer_page(answers, wanted, AssignmentAnswer, "reader-assignments.csv")


@router.put("/trials/{trial_id}/reader-assignments/{subject_id}/{slot}", dependencies=[MAY_ASSIGN])
def reassign(
    trial_id: Identifier,
    subject_id: Identifier,
    slot: Annotated[int, Path(ge=1, le=2, description="1 for the first reader, 2 for the second.")],
    body: ReaderShape,
    act: CurrentReadAct,
) -> AssignmentAnswer:
    """Give a slot of a subject to another reader of the pool; drafts of the one before are closed."""
    wanted = Replacement(account=body.account, reason=body.reason, seen=body.edition)
    return assignment_answer(assignments.reassign(act, trial_id, subject_id, slot, wanted))


def _shown_lesion(act: ReadAct, read_id: str, lesion_id: str) -> LesionAnswer:
    read = service.find_read(act.session, act.principal, read_id)
    read = service.shown(act.session, act.principal, read)
    return next(lesion_answer(each) for each in read.lesions if each.lesion_id == lesion_id)


def _version(if_match: str | None) -> int | None:
    return None if if_match is None else int(if_match.strip('"'))


def _entry(lesion_id: str, body: LesionShape) -> Entry:
    facts = body.model_dump(exclude={"long_axis", "short_axis", "fragments"})
    return Entry(lesion_id=lesion_id, drawings=tuple(_drawings(body)), **facts)


def _drawings(body: LesionShape) -> Iterator[Drawing]:
    """Give every axis with its fragment's number; 0 is the whole lesion."""
    parts: list[LesionShape | FragmentShape] = [body, *body.fragments]
    for number, part in enumerate(parts):
        for axis, shape in ((Axis.LONG, part.long_axis), (Axis.SHORT, part.short_axis)):
            if shape is not None:
                yield _drawing(axis, number, shape)


def _drawing(axis: Axis, fragment: int, shape: AxisShape) -> Drawing:
    (start_column, start_row), (end_column, end_row) = shape.points
    return Drawing(
        axis=axis,
        fragment=fragment,
        sop_instance_uid=shape.sop_instance_uid,
        frame=shape.frame,
        start=(start_column, start_row),
        end=(end_column, end_row),
        claimed_mm=shape.claimed_mm,
    )
