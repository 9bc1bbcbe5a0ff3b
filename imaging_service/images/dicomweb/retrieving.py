"""Routes of WADO-RS (PS3.18 section 10.4)."""

import hashlib
from collections.abc import Iterator
from typing import Annotated, Any

from fastapi import APIRouter, Header, Path, Request, Response
from fastapi.responses import StreamingResponse

from dicom_listener.archive.records import InstanceRecord
from imaging_service.accounts.accesses import look_at, retrieval_of
from imaging_service.accounts.dependencies import CurrentPrincipal
from imaging_service.accounts.principal import Principal
from imaging_service.errors import NotFoundError, RefusedError, ServiceError
from imaging_service.http.context import CurrentArchive, CurrentDatabase
from imaging_service.http.models import Uid
from imaging_service.images.dicomweb import wado
from imaging_service.images.dicomweb.accept import ANYTHING, not_acceptable, read_accept
from imaging_service.images.dicomweb.access import VisibleStudy, visible_studies
from imaging_service.images.dicomweb.kept import InstanceUnreadableError, KeptInstance, Layouts
from imaging_service.images.dicomweb.metadata import Texts, as_array
from imaging_service.images.dicomweb.multipart import Part, body, new_boundary
from imaging_service.images.dicomweb.rendered import FORMATS, render
from imaging_service.images.dicomweb.wado import Address, Found
from imaging_service.images.rendering import FrameUnreadableError

router = APIRouter()
_layouts = Layouts()
_texts = Texts()

JSON = "application/dicom+json"
_WHOLE_AT_MOST = 4 * 2**20
"""A shorter answer is sent in one piece."""

Accept = Annotated[str | None, Header(max_length=2000, description="Media types and transfer syntaxes.")]
Frames = Annotated[str, Path(max_length=4000, description="Frame numbers from 1 on, with commas between.")]
Tag = Annotated[str, Path(pattern=r"^[0-9A-F]{8}$", description="Of the pixel data.")]

Responses = dict[int | str, dict[str, Any]]
_MULTIPART: Responses = {200: {"content": {"multipart/related": {}}, "description": "A part for each."}}
_METADATA: Responses = {200: {"content": {JSON: {}}, "description": "Attributes of each instance."}}
_PICTURE: Responses = {200: {"content": {each: {} for each in FORMATS}, "description": "The picture."}}


def located(
    request: Request,
    database: CurrentDatabase,
    archive: CurrentArchive,
    principal: CurrentPrincipal,
    address: Address,
) -> Found:
    """Return what is at an address; the session is given back before any byte is read."""

    def ask() -> VisibleStudy | None:
        with database.read() as session:
            return visible_studies(session, principal, [address.study]).get(address.study)

    stamp = request.app.state.stamps.now()
    study = request.app.state.seen.study(stamp, principal, address.study, ask)
    found = wado.locate(study, archive, address)
    request.app.state.accesses.enter(principal, look_at(address.study))
    return found


def _one(
    request: Request,
    database: CurrentDatabase,
    archive: CurrentArchive,
    principal: CurrentPrincipal,
    address: Address,
) -> KeptInstance:
    found = located(request, database, archive, principal, address)
    return wado.open_kept(_layouts, archive, found.records[0])


def _multipart(media_type: str, parts: Iterator[Part], size: int, etag: str = "") -> Response:
    boundary = etag or new_boundary()
    kind = f'multipart/related; type="{media_type}"; boundary={boundary}'
    headers = _tagged(etag) if etag else None
    if size <= _WHOLE_AT_MOST:
        return Response(b"".join(body(parts, boundary)), media_type=kind, headers=headers)
    return StreamingResponse(body(parts, boundary), media_type=kind, headers=headers)


def _tagged(etag: str) -> dict[str, str]:
    """Let a browser keep an answer, and ask each time whether it may still see it."""
    return {"ETag": f'"{etag}"', "Cache-Control": "private, no-cache"}


def _etag(kept: KeptInstance, *said: object) -> str:
    """Return a tag of what never changes: so long that it stands in no content, and so fit for a boundary."""
    text = "/".join(map(str, (kept.record.digest, kept.record.transfer_syntax_uid, *said)))
    return hashlib.sha256(text.encode()).hexdigest()[:48]


def _is_known(request: Request, etag: str) -> bool:
    known = request.headers.get("if-none-match", "")
    return f'"{etag}"' in [each.strip().removeprefix("W/") for each in known.split(",")]


def _refusal(error: Exception) -> ServiceError:
    return RefusedError(str(error), code="frame_unreadable")


def _metadata(request: Request, archive: CurrentArchive, found: Found, accept: str | None) -> Response:
    if not any(each.media_type in {JSON, "application/json", ANYTHING} for each in read_accept(accept)):
        raise not_acceptable(JSON)
    base = f"{request.base_url}api/v1/dicomweb"

    def items() -> Iterator[bytes]:
        for record in found.records:
            address = f"{base}/studies/{record.study_instance_uid}/series/{record.series_instance_uid}"
            address += f"/instances/{record.sop_instance_uid}"
            yield _texts.of(record, found.study.blinding_of(record.series_instance_uid), address, opened)

    def opened(record: InstanceRecord) -> KeptInstance:
        return wado.open_kept(_layouts, archive, record)

    return StreamingResponse(as_array(items()), media_type=JSON)


def _instances(
    request: Request, archive: CurrentArchive, principal: Principal, found: Found, accept: str | None
) -> Response:
    request.app.state.accesses.enter(principal, retrieval_of(found.study.study_instance_uid))
    wanted = wado.instance_syntax(read_accept(accept), found.records)
    parts = wado.instance_parts(_layouts, archive, found, wanted)
    size = sum(each.size for each in found.records)
    try:
        return _multipart(wado.DICOM, parts, size if len(found.records) == 1 else _WHOLE_AT_MOST + 1)
    except (InstanceUnreadableError, FrameUnreadableError) as error:
        raise _refusal(error) from error


def _frames(request: Request, kept: KeptInstance, numbers: list[int], accept: str | None) -> Response:
    media_type, syntax = wado.frame_type(read_accept(accept), kept)
    etag = _etag(kept, media_type, syntax, *numbers)
    if _is_known(request, etag):
        return Response(status_code=304, headers=_tagged(etag))

    def parts() -> Iterator[Part]:
        for number in numbers:
            content = wado.frame(kept, number, syntax)
            yield Part(media_type=f"{media_type}; transfer-syntax={syntax}", chunks=[content])

    size = kept.layout.pixels[1] // max(kept.record.number_of_frames, 1) * len(numbers)
    try:
        return _multipart(media_type, parts(), size, etag)
    except (InstanceUnreadableError, FrameUnreadableError) as error:
        raise _refusal(error) from error


def _picture(request: Request, kept: KeptInstance, frames: str, accept: str | None) -> Response:
    numbers = wado.read_frames(frames, kept)
    if len(numbers) != 1:
        message = f"{len(numbers)} frames are asked for; a picture shows one."
        raise RefusedError(message, code="frames_several")
    for asked in read_accept(accept):
        media_type = "image/jpeg" if asked.media_type in {ANYTHING, "image/*"} else asked.media_type
        if media_type in FORMATS:
            etag = _etag(kept, media_type, numbers[0], request.query_params)
            if _is_known(request, etag):
                return Response(status_code=304, headers=_tagged(etag))
            try:
                picture = render(kept, numbers[0], media_type, request.query_params)
                return Response(picture, media_type=media_type, headers=_tagged(etag))
            except (FrameUnreadableError, InstanceUnreadableError) as error:
                raise _refusal(error) from error
    raise not_acceptable(" or ".join(FORMATS))


@router.get("/studies/{study}/metadata", response_class=Response, responses=_METADATA)
def study_metadata(  # noqa: PLR0913, PLR0917  one parameter for each part of the request
    request: Request,
    study: Uid,
    database: CurrentDatabase,
    archive: CurrentArchive,
    principal: CurrentPrincipal,
    accept: Accept = None,
) -> Response:
    """Return the attributes of every instance of a study, without pixels; blinded for readers."""
    found = located(request, database, archive, principal, Address(study=study))
    return _metadata(request, archive, found, accept)


@router.get("/studies/{study}/series/{series}/metadata", response_class=Response, responses=_METADATA)
def series_metadata(  # noqa: PLR0913, PLR0917  one parameter for each part of the request
    request: Request,
    study: Uid,
    series: Uid,
    database: CurrentDatabase,
    archive: CurrentArchive,
    principal: CurrentPrincipal,
    accept: Accept = None,
) -> Response:
    """Return the attributes of every instance of a series, without pixels; blinded for readers."""
    found = located(request, database, archive, principal, Address(study=study, series=series))
    return _metadata(request, archive, found, accept)


_INSTANCE = "/studies/{study}/series/{series}/instances/{instance}"


@router.get(f"{_INSTANCE}/metadata", response_class=Response, responses=_METADATA)
def instance_metadata(  # noqa: PLR0913, PLR0917  one parameter for each part of the request
    request: Request,
    study: Uid,
    series: Uid,
    instance: Uid,
    database: CurrentDatabase,
    archive: CurrentArchive,
    principal: CurrentPrincipal,
    accept: Accept = None,
) -> Response:
    """Return the attributes of an instance, without pixels; blinded for readers."""
    address = Address(study=study, series=series, instance=instance)
    return _metadata(request, archive, located(request, database, archive, principal, address), accept)


@router.get("/studies/{study}", response_class=Response, responses=_MULTIPART)
def study_instances(  # noqa: PLR0913, PLR0917  one parameter for each part of the request
    request: Request,
    study: Uid,
    database: CurrentDatabase,
    archive: CurrentArchive,
    principal: CurrentPrincipal,
    accept: Accept = None,
) -> Response:
    """Return every instance of a study as a DICOM file, as kept or in the transfer syntax asked for."""
    found = located(request, database, archive, principal, Address(study=study))
    return _instances(request, archive, principal, found, accept)


@router.get("/studies/{study}/series/{series}", response_class=Response, responses=_MULTIPART)
def series_instances(  # noqa: PLR0913, PLR0917  one parameter for each part of the request
    request: Request,
    study: Uid,
    series: Uid,
    database: CurrentDatabase,
    archive: CurrentArchive,
    principal: CurrentPrincipal,
    accept: Accept = None,
) -> Response:
    """Return every instance of a series as a DICOM file, as kept or in the transfer syntax asked for."""
    address = Address(study=study, series=series)
    found = located(request, database, archive, principal, address)
    return _instances(request, archive, principal, found, accept)


@router.get(_INSTANCE, response_class=Response, responses=_MULTIPART)
def one_instance(  # noqa: PLR0913, PLR0917  one parameter for each part of the request
    request: Request,
    study: Uid,
    series: Uid,
    instance: Uid,
    database: CurrentDatabase,
    archive: CurrentArchive,
    principal: CurrentPrincipal,
    accept: Accept = None,
) -> Response:
    """Return an instance as a DICOM file, as kept or in the transfer syntax asked for."""
    address = Address(study=study, series=series, instance=instance)
    found = located(request, database, archive, principal, address)
    return _instances(request, archive, principal, found, accept)


@router.get(f"{_INSTANCE}/frames/{{frames}}", response_class=Response, responses=_MULTIPART)
def instance_frames(  # noqa: PLR0913, PLR0917  one parameter for each part of the request
    request: Request,
    study: Uid,
    series: Uid,
    instance: Uid,
    frames: Frames,
    database: CurrentDatabase,
    archive: CurrentArchive,
    principal: CurrentPrincipal,
    accept: Accept = None,
) -> Response:
    """Return frames, native or compressed as they are kept, each as a part."""
    kept = _one(request, database, archive, principal, Address(study=study, series=series, instance=instance))
    return _frames(request, kept, list(wado.read_frames(frames, kept)), accept)


@router.get(f"{_INSTANCE}/bulkdata/{{tag}}", response_class=Response, responses=_MULTIPART)
def bulk_data(  # noqa: PLR0913, PLR0917  one parameter for each part of the request
    request: Request,
    study: Uid,
    series: Uid,
    instance: Uid,
    tag: Tag,
    database: CurrentDatabase,
    archive: CurrentArchive,
    principal: CurrentPrincipal,
    accept: Accept = None,
) -> Response:
    """Return the pixel data that the metadata name, a part for each frame."""
    kept = _one(request, database, archive, principal, Address(study=study, series=series, instance=instance))
    if not kept.has_pixels or tag != f"{kept.layout.tag:08X}":
        message = "There is nothing at this address."
        raise NotFoundError(message)
    return _frames(request, kept, list(range(1, kept.record.number_of_frames + 1)), accept)


@router.get(f"{_INSTANCE}/rendered", response_class=Response, responses=_PICTURE)
def rendered_instance(  # noqa: PLR0913, PLR0917  one parameter for each part of the request
    request: Request,
    study: Uid,
    series: Uid,
    instance: Uid,
    database: CurrentDatabase,
    archive: CurrentArchive,
    principal: CurrentPrincipal,
    accept: Accept = None,
) -> Response:
    """Return the first frame of an instance as JPEG or PNG, with `window`, `viewport` and `quality`."""
    kept = _one(request, database, archive, principal, Address(study=study, series=series, instance=instance))
    return _picture(request, kept, "1", accept)


@router.get(f"{_INSTANCE}/frames/{{frames}}/rendered", response_class=Response, responses=_PICTURE)
def rendered_frame(  # noqa: PLR0913, PLR0917  one parameter for each part of the request
    request: Request,
    study: Uid,
    series: Uid,
    instance: Uid,
    frames: Frames,
    database: CurrentDatabase,
    archive: CurrentArchive,
    principal: CurrentPrincipal,
    accept: Accept = None,
) -> Response:
    """Return a frame as JPEG or PNG, with `window`, `viewport` and `quality`."""
    kept = _one(request, database, archive, principal, Address(study=study, series=series, instance=instance))
    return _picture(request, kept, frames, accept)
