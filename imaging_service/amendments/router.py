"""Routes about amendments."""

from itertools import islice
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, status

from imaging_service.accounts.accesses import ExportedFormat
from imaging_service.accounts.act import CurrentAct
from imaging_service.accounts.dependencies import CurrentPrincipal, ReadSession, requires
from imaging_service.accounts.principal import Role
from imaging_service.amendments import service
from imaging_service.amendments.schemas import (
    ChangeAnswer,
    DryRunAnswer,
    ParameterAnswer,
    RederivedAnswer,
    RederivePayload,
)
from imaging_service.http.csv_answer import Format, csv_response
from imaging_service.http.models import Identifier
from imaging_service.reads.act import CurrentReadAct
from imaging_service.trials.protocols import ProtocolText
from imaging_service.trials.router import PROTOCOL_BODY, protocol_text
from imaging_service.trials.schemas import ProtocolAnswer

router = APIRouter(prefix="/trials/{trial_id}", tags=["amendments"])

_STAFF = requires(Role.ADMINISTRATOR, Role.COORDINATOR)
Writing = Annotated[ProtocolText, Depends(protocol_text)]
Digest = Annotated[str, Query(pattern=r"^[0-9a-f]{64}$", description="`digest` of the dry run.")]


@router.post(
    "/protocols/dry-run",
    dependencies=[_STAFF],
    openapi_extra=PROTOCOL_BODY,
    response_model=DryRunAnswer,
)
def dry_run(  # noqa: PLR0913, PLR0917  a route takes what it is asked by
    trial_id: Identifier,
    writing: Writing,
    session: ReadSession,
    principal: CurrentPrincipal,
    wanted: ExportedFormat,
    limit: Annotated[int, Query(ge=0, le=10_000, description="Changes that are told.")] = 1000,
) -> Any:  # noqa: ANN401  an answer or a file
    """Say which stored answers an amendment would change, and why; nothing is stored."""
    found = service.dry_run(session, principal, trial_id, writing)
    if wanted is Format.CSV:
        rows = (ChangeAnswer.model_validate(each).model_dump() for each in found.changes)
        return csv_response(list(ChangeAnswer.model_fields), rows, "dry_run.csv")
    told = list(islice(found.changes, limit))
    counted = service.counts(told)
    rest = service.counts(found.changes)
    return DryRunAnswer(
        digest=found.digest,
        trial_id=trial_id,
        amends=found.amendment.before.version,
        version=found.amendment.after.version,
        effective_on=found.amendment.after.effective_on,
        parameters=[ParameterAnswer.model_validate(each) for each in found.parameters],
        counts={kind: counted[kind] + rest[kind] for kind in counted},
        changes=[ChangeAnswer.model_validate(each) for each in told],
    )


@router.post(
    "/protocols", status_code=status.HTTP_201_CREATED, dependencies=[_STAFF], openapi_extra=PROTOCOL_BODY
)
def file(trial_id: Identifier, writing: Writing, act: CurrentAct, digest: Digest) -> ProtocolAnswer:
    """File the amendment whose dry run was seen; what is signed keeps its version until it is rederived."""
    return ProtocolAnswer.model_validate(service.file(act, trial_id, writing, digest))


@router.post("/subjects/{subject_id}/rederivation", dependencies=[_STAFF])
def rederive(
    trial_id: Identifier, subject_id: Identifier, payload: RederivePayload, act: CurrentReadAct
) -> RederivedAnswer:
    """Derive a subject's stored answers anew under a later version; the earlier ones stay on the record."""
    count = service.rederive(act, trial_id, subject_id, payload.version, payload.reason)
    return RederivedAnswer(trial_id=trial_id, subject_id=subject_id, version=payload.version, answers=count)
