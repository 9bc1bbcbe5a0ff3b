"""Routes of the audit: the whole of it for administrators, a trial's own for its coordinators."""

import json
from dataclasses import replace
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Response
from pydantic import AwareDatetime
from sqlalchemy.orm import Session
from starlette.responses import StreamingResponse

from imaging_service.accounts.accesses import ExportedFormat
from imaging_service.accounts.dependencies import CurrentPrincipal, ReadSession, requires
from imaging_service.accounts.principal import Role
from imaging_service.audit import exporting, receipts, repository, service, witness
from imaging_service.audit.chain import Head
from imaging_service.audit.exporting import Kind
from imaging_service.audit.repository import AuditEntry, Wanted
from imaging_service.clock import Clock
from imaging_service.errors import NotFoundError
from imaging_service.http.context import CurrentArchive, CurrentClock, CurrentDatabase, CurrentSettings
from imaging_service.http.csv_answer import Format
from imaging_service.http.lists import answer_page
from imaging_service.http.models import Identifier, RowId
from imaging_service.http.pages import Page, PageRequest, WantedPage
from imaging_service.operations.schemas import AuditAnswer, FindingAnswer, HeadAnswer, VerificationAnswer

router = APIRouter(tags=["audit"])

ADMINISTRATOR = requires(Role.ADMINISTRATOR)
Word = Annotated[str | None, Query(min_length=1, max_length=300)]
When = Annotated[AwareDatetime | None, Query(examples=["2026-01-05T08:00:00Z"])]


async def wanted_entries(  # noqa: PLR0913, PLR0917  one parameter for each filter
    entity: Word = None,
    entity_id: Word = None,
    account_id: Annotated[RowId | None, Query()] = None,
    actor: Word = None,
    action: Word = None,
    since: When = None,
    before: When = None,
) -> Wanted:
    """Read the filters from the query."""
    return Wanted(
        entity=entity,
        entity_id=entity_id,
        account_id=account_id,
        actor=actor,
        action=action,
        since=since,
        before=before,
    )


WantedEntries = Annotated[Wanted, Depends(wanted_entries)]


@router.get("/audit", response_model=Page[AuditAnswer], dependencies=[ADMINISTRATOR])
def list_entries(
    session: ReadSession, page: WantedPage, answer_as: ExportedFormat, wanted: WantedEntries
) -> Page[AuditAnswer] | Response:
    """List who did what, oldest first: about one thing, by one account, in a time, or all."""
    return _list(session, page, answer_as, wanted)


@router.get(
    "/trials/{trial_id}/audit",
    response_model=Page[AuditAnswer],
    dependencies=[requires(Role.ADMINISTRATOR, Role.COORDINATOR)],
)
def list_entries_of_trial(  # noqa: PLR0913, PLR0917  a route takes what it is asked by
    trial_id: Identifier,
    principal: CurrentPrincipal,
    session: ReadSession,
    page: WantedPage,
    answer_as: ExportedFormat,
    wanted: WantedEntries,
) -> Page[AuditAnswer] | Response:
    """List who did what with the trial's protocol, sites and subjects, oldest first."""
    if not principal.scope.sees_whole_trial(trial_id):
        message = f"There is no trial {trial_id!r}."
        raise NotFoundError(message)
    return _list(session, page, answer_as, replace(wanted, trial_id=trial_id))


def _list(
    session: Session, page: PageRequest, answer_as: Format, wanted: Wanted
) -> Page[AuditAnswer] | Response:
    rows = session.scalars(page.apply(repository.entries(wanted), AuditEntry.sequence)).all()
    found = page.page(rows, lambda row: (row.sequence,), _entry)
    return answer_page(found, answer_as, AuditAnswer, "audit.csv")


@router.get(
    "/audit/export",
    response_class=StreamingResponse,
    responses={200: {"content": {kind.media_type: {} for kind in Kind}}},
    dependencies=[ADMINISTRATOR],
)
def export(
    database: CurrentDatabase,
    wanted: WantedEntries,
    format: Kind = Kind.JSON_LINES,  # noqa: A002
) -> StreamingResponse:
    """Write the wanted entries as one file, however many there are: JSON Lines or CSV."""
    return StreamingResponse(
        exporting.stream(database, wanted, format),
        media_type=format.media_type,
        headers={"Content-Disposition": f'attachment; filename="audit.{format.value}"'},
    )


@router.get("/audit/head", dependencies=[ADMINISTRATOR])
def read_head(session: ReadSession, clock: CurrentClock) -> HeadAnswer:
    """Return the chain's head, to be kept where the database's owner cannot change it."""
    return _head(service.head(session), clock)


@router.get("/audit/verification", dependencies=[ADMINISTRATOR])
def verify(
    session: ReadSession, clock: CurrentClock, settings: CurrentSettings, archive: CurrentArchive
) -> VerificationAnswer:
    """Recompute the whole chain and name every entry that was changed, removed, swapped or cut off.

    The listener's receipts are compared with what the chain says of them.
    """
    findings = service.verify(session, witness.read(settings.audit_witness))
    if archive is not None:
        findings += receipts.verify(session, archive)
    return VerificationAnswer(
        is_whole=not findings,
        head=_head(service.head(session), clock),
        findings=[
            FindingAnswer(damage=item.damage, sequence=item.sequence, sentence=item.sentence)
            for item in findings
        ],
    )


def _head(head: Head, clock: Clock) -> HeadAnswer:
    return HeadAnswer(sequence=head.sequence, hash=head.hash, at=clock.now())


def _entry(row: AuditEntry) -> AuditAnswer:
    return AuditAnswer(
        sequence=row.sequence,
        at=row.at,
        account_id=row.account_id,
        actor=row.actor,
        action=row.action,
        entity=row.entity,
        entity_id=row.entity_id,
        before=_mapping(row.before),
        after=_mapping(row.after),
        reason=row.reason,
        previous_hash=row.previous_hash,
        hash=row.hash,
    )


def _mapping(text: str | None) -> dict[str, Any] | None:
    return None if text is None else dict(json.loads(text))
