"""Routes of DICOMweb (PS3.18): search and retrieve."""

from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse

from dicom_listener.archive.matching import Level
from imaging_service.accounts.accesses import search_for
from imaging_service.accounts.dependencies import CurrentPrincipal, requires
from imaging_service.accounts.principal import Principal, Role
from imaging_service.database import Database
from imaging_service.http.context import CurrentArchive, CurrentDatabase
from imaging_service.http.models import Uid
from imaging_service.images.dicomweb import qido
from imaging_service.images.dicomweb.access import visible_studies
from imaging_service.images.dicomweb.retrieving import router as retrieving
from imaging_service.images.dicomweb.search import Search, read_search

JSON = "application/dicom+json"
READERS = requires(Role.ADMINISTRATOR, Role.COORDINATOR, Role.READER, Role.ADJUDICATOR)

router = APIRouter(prefix="/dicomweb", tags=["dicomweb"], dependencies=[READERS])


class DicomJson(JSONResponse):
    """An answer in the DICOM JSON model (PS3.18 Annex F)."""

    media_type = JSON


_DICOM_JSON: dict[int | str, dict[str, Any]] = {
    200: {"content": {JSON: {}}, "description": "What matches; an empty list when nothing does."}
}


def _base(request: Request) -> str:
    return f"{request.base_url}api/v1/dicomweb"


def _found(
    request: Request, database: Database, archive: CurrentArchive, principal: Principal, search: Search
) -> DicomJson:
    with database.read() as session:
        visible = visible_studies(session, principal, search.values("StudyInstanceUID"))
    request.app.state.accesses.enter(principal, search_for(search.level, search.keys))
    answer = qido.find(archive, visible, search, _base(request))
    response = DicomJson(answer.matches)
    for sentence in answer.warnings:
        response.headers.append("Warning", f'299 imaging-service "{sentence}"')
    return response


def _search(request: Request, level: Level, **fixed: str | None) -> Search:
    return read_search(level, request.query_params.multi_items(), **fixed)


@router.get("/studies", response_class=DicomJson, responses=_DICOM_JSON)
def search_studies(
    request: Request, database: CurrentDatabase, archive: CurrentArchive, principal: CurrentPrincipal
) -> DicomJson:
    """Search the studies that are there for the caller.

    Keys are attributes by keyword or tag, with wildcards, lists of UIDs and ranges of dates and times;
    `limit`, `offset` and `includefield` are the standard's. Readers see, and match, blinded values.
    """
    return _found(request, database, archive, principal, _search(request, Level.STUDY))


@router.get("/series", response_class=DicomJson, responses=_DICOM_JSON)
def search_all_series(
    request: Request, database: CurrentDatabase, archive: CurrentArchive, principal: CurrentPrincipal
) -> DicomJson:
    """Search the series of every study that is there for the caller."""
    return _found(request, database, archive, principal, _search(request, Level.SERIES))


@router.get("/instances", response_class=DicomJson, responses=_DICOM_JSON)
def search_all_instances(
    request: Request, database: CurrentDatabase, archive: CurrentArchive, principal: CurrentPrincipal
) -> DicomJson:
    """Search the instances of every study that is there for the caller."""
    return _found(request, database, archive, principal, _search(request, Level.IMAGE))


@router.get("/studies/{study}/series", response_class=DicomJson, responses=_DICOM_JSON)
def search_series(
    request: Request,
    study: Uid,
    database: CurrentDatabase,
    archive: CurrentArchive,
    principal: CurrentPrincipal,
) -> DicomJson:
    """Search the series of a study; one that is not there for the caller has none."""
    search = _search(request, Level.SERIES, StudyInstanceUID=study)
    return _found(request, database, archive, principal, search)


@router.get("/studies/{study}/instances", response_class=DicomJson, responses=_DICOM_JSON)
def search_instances_of_study(
    request: Request,
    study: Uid,
    database: CurrentDatabase,
    archive: CurrentArchive,
    principal: CurrentPrincipal,
) -> DicomJson:
    """Search the instances of a study; one that is not there for the caller has none."""
    search = _search(request, Level.IMAGE, StudyInstanceUID=study)
    return _found(request, database, archive, principal, search)


@router.get("/studies/{study}/series/{series}/instances", response_class=DicomJson, responses=_DICOM_JSON)
def search_instances(  # noqa: PLR0913, PLR0917  one parameter for each part of the address
    request: Request,
    study: Uid,
    series: Uid,
    database: CurrentDatabase,
    archive: CurrentArchive,
    principal: CurrentPrincipal,
) -> DicomJson:
    """Search the instances of a series; one that is not there for the caller has none."""
    search = _search(request, Level.IMAGE, StudyInstanceUID=study, SeriesInstanceUID=series)
    return _found(request, database, archive, principal, search)


router.include_router(retrieving)
