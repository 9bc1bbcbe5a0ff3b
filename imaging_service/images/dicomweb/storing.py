"""Routes of STOW-RS (PS3.18 section 10.5)."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from http import HTTPStatus
from typing import Annotated, Any

from anyio import CancelScope, CapacityLimiter
from anyio.lowlevel import RunVar
from anyio.to_thread import run_sync
from fastapi import APIRouter, Depends, Request
from fastapi.responses import JSONResponse
from starlette.requests import ClientDisconnect

from dicom_listener.intake.door import open_intake
from dicom_listener.intake.storage_classes import storage_uids
from dicom_listener.settings import ListenerSettings
from imaging_service.accounts.dependencies import CurrentPrincipal, address_of, requires
from imaging_service.accounts.principal import Principal, Role
from imaging_service.audit import service as audit
from imaging_service.clock import Clock
from imaging_service.errors import BadRequestError, BusyError, ConflictError, UnsupportedTypeError
from imaging_service.http.context import CurrentArchive, CurrentClock, CurrentTransaction
from imaging_service.http.models import Uid
from imaging_service.http.transaction import Transaction
from imaging_service.images.dicomweb.accept import ANYTHING, Asked, not_acceptable, read_accept
from imaging_service.images.dicomweb.parts import PartReader, read_media_type
from imaging_service.images.dicomweb.stow import DICOM, Store, answer, sentences_of, site_of, status_of

JSON = "application/dicom+json"
_MULTIPART = "multipart/related"
_AT_ONCE = 16
_PIECE = 2**20
_places: RunVar[CapacityLimiter] = RunVar("store_places")

router = APIRouter(
    prefix="/dicomweb", tags=["dicomweb"], dependencies=[requires(Role.SERVICE, Role.COORDINATOR)]
)

_DESCRIPTION = "What is kept; 202 where a part is not, 409 where none is."
_RESPONSES: dict[int | str, dict[str, Any]] = {
    200: {"content": {JSON: {}}, "description": "Every instance is kept."},
    202: {"content": {JSON: {}}, "description": _DESCRIPTION},
}
_BODY = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/related": {
                "schema": {"type": "string", "format": "binary"},
                "example": "--b\r\nContent-Type: application/dicom\r\n\r\n(a DICOM file)\r\n--b--\r\n",
            }
        },
    }
}


class StoreAnswer(JSONResponse):
    """A Store Instances Response in the DICOM JSON model."""

    media_type = JSON


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asker:
    """Who stores, and what the audit needs of the request."""

    principal: Principal
    transaction: Transaction
    clock: Clock


async def _asker(principal: CurrentPrincipal, transaction: CurrentTransaction, clock: CurrentClock) -> _Asker:
    return _Asker(principal=principal, transaction=transaction, clock=clock)


_CurrentAsker = Annotated[_Asker, Depends(_asker)]


@router.post("/studies", response_class=StoreAnswer, responses=_RESPONSES, openapi_extra=_BODY)
async def store_instances(request: Request, asker: _CurrentAsker, archive: CurrentArchive) -> StoreAnswer:
    """Store instances of any study, each a part of a multipart/related body of type application/dicom.

    The site is the one that the account is granted. Sent again, an instance is kept once.
    """
    return await _store(request, asker, _opened(request, asker.principal, archive, None))


@router.post("/studies/{study}", response_class=StoreAnswer, responses=_RESPONSES, openapi_extra=_BODY)
async def store_instances_of_study(
    request: Request, study: Uid, asker: _CurrentAsker, archive: CurrentArchive
) -> StoreAnswer:
    """Store instances of one study; those of another are refused."""
    return await _store(request, asker, _opened(request, asker.principal, archive, study))


def _opened(request: Request, principal: Principal, archive: CurrentArchive, study: str | None) -> Store:
    """Check everything that the head of the request says."""
    if not any(each.media_type in {JSON, "application/json", ANYTHING} for each in _accepted(request)):
        raise not_acceptable(JSON)
    if coding := request.headers.get("content-encoding"):
        message = f"The body is coded as {coding[:40]!r}; it must come without a Content-Encoding."
        raise UnsupportedTypeError(message, code="content_encoding")
    media_type, parameters = read_media_type(request.headers.get("content-type", "nothing/said"))
    inner = parameters.get("type", DICOM).lower()
    if media_type != _MULTIPART or inner != DICOM:
        found = media_type if media_type != _MULTIPART else f"{media_type} of {inner[:60]}"
        message = f'Instances come as {_MULTIPART}; type="{DICOM}"; the Content-Type says {found[:100]!r}.'
        raise UnsupportedTypeError(message)
    reader = PartReader(parameters.get("boundary"))
    site_id = site_of(principal)
    if archive is None:
        message = "This service has no archive to store into."
        raise ConflictError(message, code="no_archive")
    settings = ListenerSettings()
    return Store(
        open_intake(settings, archive),
        reader,
        classes=frozenset(storage_uids(settings.accept_further)),
        site_id=site_id,
        peer_address=address_of(request),
        study=study,
    )


def _accepted(request: Request) -> Sequence[Asked]:
    return read_accept(request.headers.get("accept"))


async def _store(request: Request, act: _Asker, store: Store) -> StoreAnswer:
    places = _places.get(None)
    if places is None:
        places = CapacityLimiter(_AT_ONCE)
        _places.set(places)
    if places.available_tokens < 1:
        message = f"{_AT_ONCE} callers store already; please try again."
        raise BusyError(message, retry_after_seconds=5)
    async with places:
        try:
            await _read(request, store)
        finally:
            with CancelScope(shield=True):
                await run_sync(store.leave)
    status = status_of(store.results)
    said = StoreAnswer(answer(store.results, f"{request.base_url}api/v1/dicomweb"), status_code=status)
    for sentence in sentences_of(store.results):
        said.headers.append("Warning", f'299 imaging-service "{sentence}"')
    if status is HTTPStatus.SERVICE_UNAVAILABLE:
        said.headers["Retry-After"] = "5"
    if status < HTTPStatus.BAD_REQUEST:
        await _enter(act, store)
    return said


async def _read(request: Request, store: Store) -> None:
    """Give the body to the store, in pieces that are worth a thread."""
    held = bytearray()
    try:
        async for chunk in request.stream():
            held += chunk
            if len(held) >= _PIECE:
                await run_sync(store.feed, bytes(held))
                held.clear()
    except ClientDisconnect:
        message = "The caller left before its request was whole."
        raise BadRequestError(message, code="disconnected") from None
    await run_sync(store.feed, bytes(held))
    store.close()


async def _enter(act: _Asker, store: Store) -> None:
    """Enter into the audit that the account has stored, once everything is in the archive."""
    session = await act.transaction.begin(None)
    kept = [each.kept_as.study_instance_uid if each.kept_as else "" for each in store.results if each.is_kept]
    for study in sorted(set(kept)):
        await run_sync(
            partial(
                audit.record,
                session,
                act.principal,
                action="store instances",
                entity="study",
                entity_id=study or "held",
                at=act.clock.now(),
                after={
                    "site_id": store.site_id,
                    "kept": kept.count(study),
                    "refused": len(store.results) - len(kept),
                },
            )
        )
