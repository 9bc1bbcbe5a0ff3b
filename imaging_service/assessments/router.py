"""Routes of assessments: signing a read, its answer, and the proof of all answers."""

from dataclasses import asdict
from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, Path, Query

from imaging_service.accounts.dependencies import (
    ConfirmedPassword,
    CurrentPrincipal,
    ReadSession,
    requires,
)
from imaging_service.accounts.principal import Role
from imaging_service.assessments import proof, service
from imaging_service.assessments.answers import assessment_answer
from imaging_service.assessments.schemas import (
    AssessmentAnswer,
    DifferenceAnswer,
    RecomputationAnswer,
    SignedReadAnswer,
    VerdictAnswer,
)
from imaging_service.http.context import CurrentClock, CurrentSettings
from imaging_service.http.models import Identifier, RowId
from imaging_service.reads.act import CurrentReadAct
from imaging_service.reads.answers import answer as read_answer
from imaging_service.reads.router import MAY_SEE_READS
from imaging_service.reads.schemas import SignatureShape
from imaging_service.reads.service import Signing

router = APIRouter(tags=["assessments"])

ReadId = Annotated[RowId, Path(description="Key of the read.")]


@router.post("/reads/{read_id}/signature", status_code=201, dependencies=[requires(Role.READER)])
def sign(
    read_id: ReadId,
    body: SignatureShape,
    authentication: ConfirmedPassword,
    act: CurrentReadAct,
    settings: CurrentSettings,
) -> SignedReadAnswer:
    """Sign the caller's read with the password entered again; it locks, and its responses are derived."""
    signing = Signing(
        meaning=body.meaning,
        seen=body.version,
        confirms_no_disease=body.confirms_no_disease,
        authentication=authentication,
        valid_for=timedelta(seconds=settings.signing_seconds),
    )
    read, assessment = service.sign(act, read_id, signing)
    return SignedReadAnswer(
        read=read_answer(act.session, act.principal, read), assessment=assessment_answer(assessment)
    )


@router.get("/reads/{read_id}/assessment", dependencies=[MAY_SEE_READS])
def find(read_id: ReadId, principal: CurrentPrincipal, session: ReadSession) -> AssessmentAnswer:
    """Return what follows from a signed read and the reader's earlier ones, with every reason."""
    return assessment_answer(service.find(session, principal, read_id))


@router.get("/reads/{read_id}/assessment/preview", dependencies=[requires(Role.READER)])
def preview(read_id: ReadId, principal: CurrentPrincipal, session: ReadSession) -> VerdictAnswer:
    """Return what would follow from the caller's draft as it is; nothing is stored."""
    return VerdictAnswer.model_validate(service.preview(session, principal, read_id))


@router.get(
    "/trials/{trial_id}/assessments/recomputation",
    dependencies=[requires(Role.ADMINISTRATOR, Role.COORDINATOR, Role.SPONSOR)],
)
def recompute(
    trial_id: Identifier,
    principal: CurrentPrincipal,
    session: ReadSession,
    clock: CurrentClock,
    subject: Annotated[Identifier | None, Query(description="Only this subject's.")] = None,
) -> RecomputationAnswer:
    """Derive every stored answer anew from its stored inputs, and name each that differs."""
    found = proof.recompute(session, principal, trial_id, on=clock.now().date(), subject_id=subject)
    return RecomputationAnswer(
        checked=found.checked, differences=[DifferenceAnswer(**asdict(each)) for each in found.differences]
    )
