"""Routes of the pages' files. What a page shows comes from the REST routes, with their owners."""

from typing import Annotated

from fastapi import APIRouter, Header, Request, Response
from starlette.responses import RedirectResponse

from imaging_service.accounts.dependencies import public
from imaging_service.errors import NotFoundError
from imaging_service.viewer.files import StaticFile, static_files

router = APIRouter(prefix="/viewer", include_in_schema=False, dependencies=[public()])

_ASK_AGAIN = "no-cache"
_FOR_A_YEAR = "public, max-age=31536000, immutable"
"""The address holds the edition, so that what is behind it never changes (RFC 8246)."""

Seen = Annotated[str | None, Header(alias="If-None-Match", max_length=1000)]


@router.get("")
def read_bare_address() -> RedirectResponse:
    """Lead to the address that the modules' own addresses are relative to."""
    return RedirectResponse("/viewer/")


@router.get("/")
def read_document(request: Request, seen: Seen = None) -> Response:
    """Return the document that loads the pages."""
    return _answer(request, static_files().document, seen, caching=_ASK_AGAIN)


@router.get("/{edition}/{path:path}")
def read_file(request: Request, edition: str, path: str, seen: Seen = None) -> Response:
    """Return one module or style of this edition."""
    files = static_files()
    found = files.by_path.get(path) if edition == files.edition else None
    if found is None:
        message = (
            "There is nothing at this address; the pages may be of a newer edition, which /viewer/ opens."
        )
        raise NotFoundError(message)
    return _answer(request, found, seen, caching=_FOR_A_YEAR)


def _answer(request: Request, file: StaticFile, seen: str | None, *, caching: str) -> Response:
    headers = {"ETag": file.etag, "Cache-Control": caching, "Vary": "Accept-Encoding"}
    if seen is not None and file.etag in {each.strip().removeprefix("W/") for each in seen.split(",")}:
        return Response(status_code=304, headers=headers)
    if "gzip" in request.headers.get("accept-encoding", ""):
        return Response(
            file.compressed, media_type=file.media_type, headers={**headers, "Content-Encoding": "gzip"}
        )
    return Response(file.content, media_type=file.media_type, headers=headers)
