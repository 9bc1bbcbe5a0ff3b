"""Routes of what is suggested to readers."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Response

from imaging_service.accounts.dependencies import CurrentPrincipal, ReadSession, requires
from imaging_service.accounts.principal import Role
from imaging_service.assistance import enhancing, service
from imaging_service.assistance.enhancing import Uptake
from imaging_service.assistance.schemas import (
    PlaceAnswer,
    PlacesAnswer,
    ProposalAnswer,
    ProposalShape,
    UptakeAnswer,
    UptakeShape,
    proposal_answer,
    uptake_answer,
)
from imaging_service.http.context import CurrentArchive, CurrentDatabase
from imaging_service.http.models import RowId
from imaging_service.reads.act import CurrentReadAct
from imaging_service.reads.router import MAY_SEE_READS
from measurement.assist.proposal import Proposal

router = APIRouter(tags=["assistance"])

ReadId = Annotated[RowId, Path(description="Key of the read.")]
ProposalId = Annotated[RowId, Path(description="Key of the proposal.")]


def computed(
    read_id: ReadId,
    body: ProposalShape,
    principal: CurrentPrincipal,
    database: CurrentDatabase,
    archive: CurrentArchive,
) -> Proposal:
    """Compute the proposal before the write transaction begins."""
    return service.compute(database, archive, principal, read_id, body.question())


@router.post("/reads/{read_id}/proposals", status_code=201, dependencies=[requires(Role.READER)])
def propose(
    read_id: ReadId,
    body: ProposalShape,
    proposal: Annotated[Proposal, Depends(computed)],
    act: CurrentReadAct,
) -> ProposalAnswer:
    """Propose the outline and the axes of the lesion at a point; nothing is entered into the read."""
    return proposal_answer(*service.keep(act, read_id, body.question(), proposal))


@router.get("/reads/{read_id}/proposals", dependencies=[MAY_SEE_READS])
def proposals(read_id: ReadId, principal: CurrentPrincipal, session: ReadSession) -> list[ProposalAnswer]:
    """List what was proposed in a read, and whether the reader accepted, edited or rejected it."""
    return [proposal_answer(*each) for each in service.proposals(session, principal, read_id)]


@router.post(
    "/reads/{read_id}/proposals/{proposal_id}/rejection",
    status_code=201,
    dependencies=[requires(Role.READER)],
)
def reject(read_id: ReadId, proposal_id: ProposalId, act: CurrentReadAct) -> ProposalAnswer:
    """Say that nothing of a proposal is wanted."""
    return proposal_answer(*service.reject(act, read_id, proposal_id))


@router.post(
    "/reads/{read_id}/expected-places",
    status_code=202,
    dependencies=[requires(Role.READER)],
    responses={200: {"model": PlacesAnswer, "description": "They are known already."}},
)
def ask_for_places(read_id: ReadId, response: Response, act: CurrentReadAct) -> PlacesAnswer:
    """Have it computed where the lesions of earlier reads are to be looked for."""
    known = service.ask_for_places(act, read_id)
    response.status_code = 202 if known is None else 200
    return _places(known)


@router.get("/reads/{read_id}/expected-places", dependencies=[MAY_SEE_READS])
def find_places(read_id: ReadId, principal: CurrentPrincipal, session: ReadSession) -> PlacesAnswer:
    """Return where the lesions of earlier reads are to be looked for; marks for the eye, never a value."""
    return _places(service.places(session, principal, read_id))


def computed_uptake(
    read_id: ReadId,
    body: UptakeShape,
    principal: CurrentPrincipal,
    database: CurrentDatabase,
    archive: CurrentArchive,
) -> Uptake:
    """Compute before the write transaction begins."""
    return enhancing.compute(database, archive, principal, read_id, body.asked())


@router.post("/reads/{read_id}/uptakes", status_code=201, dependencies=[requires(Role.READER)])
def compute_uptake(
    read_id: ReadId,
    body: UptakeShape,
    uptake: Annotated[Uptake, Depends(computed_uptake)],
    act: CurrentReadAct,
) -> UptakeAnswer:
    """Compute functional tumour volume from the phases of a dynamic series; an exploratory value."""
    return uptake_answer(enhancing.keep(act, read_id, body.asked(), uptake))


@router.get("/reads/{read_id}/uptakes", dependencies=[MAY_SEE_READS])
def uptakes(read_id: ReadId, principal: CurrentPrincipal, session: ReadSession) -> list[UptakeAnswer]:
    """List what was computed of dynamic series beside a read."""
    return [uptake_answer(each) for each in enhancing.uptakes(session, principal, read_id)]


def _places(known: Sequence[Mapping[str, Any]] | None) -> PlacesAnswer:
    if known is None:
        return PlacesAnswer(state="computing", places=[])
    return PlacesAnswer(state="computed", places=[PlaceAnswer.model_validate(each) for each in known])
