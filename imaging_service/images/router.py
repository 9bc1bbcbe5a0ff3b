"""Routes to a timepoint's images."""

from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Response

from imaging_service.accounts.accesses import CurrentAccesses, look_at
from imaging_service.accounts.dependencies import CurrentPrincipal, requires
from imaging_service.errors import RefusedError
from imaging_service.http.context import CurrentArchive, CurrentDatabase
from imaging_service.http.models import RowId, Uid
from imaging_service.images import service
from imaging_service.images.dicomweb.router import router as dicomweb
from imaging_service.images.dicomweb.storing import router as storing
from imaging_service.images.rendering import Window
from imaging_service.images.schemas import ImagesAnswer, images_answer

router = APIRouter(tags=["images"])
router.include_router(dicomweb)
router.include_router(storing)

_PNG: dict[int | str, dict[str, Any]] = {200: {"content": {"image/png": {}}, "description": "The frame."}}
_Level = Annotated[float | None, Query(ge=-1e6, le=1e6, description="Window Center (0028,1050).")]
_Width = Annotated[float | None, Query(ge=1, le=1e6, description="Window Width (0028,1051).")]


@router.get("/timepoints/{timepoint_id}/series", dependencies=[requires()])
def series(
    timepoint_id: RowId, database: CurrentDatabase, principal: CurrentPrincipal, accesses: CurrentAccesses
) -> ImagesAnswer:
    """Return the series of a timepoint with the geometry of every frame.

    A reader gets them when the timepoint is signed or its turn; before that it does not exist.
    """
    with database.read() as session:
        found = service.open_timepoint(session, principal, timepoint_id)
    for study in {each.study_instance_uid for each in found.series}:
        accesses.enter(principal, look_at(study))
    return images_answer(found)


@router.get(
    "/instances/{sop_instance_uid}/frames/{frame}.png",
    dependencies=[requires()],
    response_class=Response,
    responses=_PNG,
)
def frame_as_png(  # noqa: PLR0913, PLR0917  one parameter for each part of the address
    sop_instance_uid: Uid,
    frame: Annotated[int, Path(ge=1, le=65_536)],
    principal: CurrentPrincipal,
    database: CurrentDatabase,
    archive: CurrentArchive,
    accesses: CurrentAccesses,
    centre: _Level = None,
    width: _Width = None,
) -> Response:
    """Return a frame as a picture, windowed as asked or over nearly its whole range."""
    if (centre is None) is not (width is None):
        message = "A window needs both centre and width, or neither."
        raise RefusedError(message, code="window_incomplete")
    window = None if centre is None or width is None else Window(centre=centre, width=width)
    with database.read() as session:  # given back before the pixels are decoded
        study = service.check_frame(session, principal, sop_instance_uid, frame)
    accesses.enter(principal, look_at(study))
    content = service.frame_as_png(archive, sop_instance_uid, frame, window)
    return Response(content, media_type="image/png")
