"""Routes of the audit, for administrators."""

import json
from typing import Annotated, Any

from fastapi import APIRouter, Query, Response

from imaging_service.accounts.dependencies import ReadSession, requires
from imaging_service.accounts.principal import Role
from imaging_service.audit import repository, service, witness
from imaging_service.audit.chain import Head
from imaging_service.audit.repository import AuditEntry
from imaging_service.clock import Clock
from imaging_service.http.context import CurrentClock, CurrentSettings
from imaging_service.http.csv_answer import CSV_RESPONSES, WantedFormat
from imaging_service.http.lists import answer_page
from imaging_service.http.models import RowId
from imaging_service.http.pages import Page, WantedPage
from imaging_service.operations.schemas import AuditAnswer, FindingAnswer, HeadAnswer, VerificationAnswer

router = APIRouter(prefix="/audit", tags=["audit"], dependencies=[requires(Role.ADMINISTRATOR)])

Word = Annotated[str | None, Query(min_length=1, max_length=300)]


@router.get("", response_model=Page[AuditAnswer], responses=CSV_RESPONSES)
def list_entries(  # noqa: PLR0913, PLR0917  a route names each filter
    session: ReadSession,
    page: WantedPage,
    wanted: WantedFormat,
    entity: Word = None,
    entity_id: Word = None,
    account_id: Annotated[RowId | None, Query()] = None,
) -> Page[AuditAnswer] | Response:
    """List who did what, oldest first, about one thing, by one account, or all."""
    statement = repository.entries(entity=entity, entity_id=entity_id, account_id=account_id)
    rows = session.scalars(page.apply(statement, AuditEntry.sequence)).all()
    found = page.page(rows, lambda row: (row.sequence,), _entry)
    return answer_page(found, wanted, AuditAnswer, "audit.csv")


@router.get("/head")
def read_head(session: ReadSession, clock: CurrentClock) -> HeadAnswer:
    """Return the chain's head, to be kept where the database's owner cannot change it."""
    return _head(service.head(session), clock)


@router.get("/verification")
def verify(session: ReadSession, clock: CurrentClock, settings: CurrentSettings) -> VerificationAnswer:
    """Recompute the whole chain and name every entry that was changed, removed, swapped or cut off."""
    findings = service.verify(session, witness.read(settings.audit_witness))
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
