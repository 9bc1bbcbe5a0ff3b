"""Routes of site evaluations. No reader and no adjudicator is let in."""

from dataclasses import asdict
from typing import Annotated

from fastapi import APIRouter, Path, Query, Response

from imaging_service.accounts.accesses import ExportedFormat
from imaging_service.accounts.dependencies import CurrentPrincipal, ReadSession, requires
from imaging_service.accounts.principal import Role
from imaging_service.adjudication.figures import response_kappa, share
from imaging_service.evaluations import service
from imaging_service.evaluations.comparison import Pair, Variable
from imaging_service.evaluations.evaluation import Entry, Placed
from imaging_service.evaluations.schemas import (
    AgreementAnswer,
    ComparisonAnswer,
    EvaluationAnswer,
    EvaluationShape,
    PairAnswer,
)
from imaging_service.http.context import CurrentClock
from imaging_service.http.csv_answer import Format
from imaging_service.http.lists import answer_page
from imaging_service.http.models import Identifier, RowId
from imaging_service.http.pages import Page, WantedPage
from imaging_service.reads.act import CurrentReadAct

router = APIRouter(prefix="/trials/{trial_id}", tags=["evaluations"])

UNBLINDED = requires(Role.ADMINISTRATOR, Role.COORDINATOR, Role.SPONSOR)
"""Owners of what the sites say; which sites, the scope decides."""


@router.put(
    "/timepoints/{timepoint_id}/evaluation",
    dependencies=[requires(Role.COORDINATOR)],
    responses={201: {"model": EvaluationAnswer, "description": "It is a new edition."}},
)
def enter(
    trial_id: Identifier,
    timepoint_id: Annotated[RowId, Path(description="Key of the timepoint.")],
    body: EvaluationShape,
    response: Response,
    act: CurrentReadAct,
) -> EvaluationAnswer:
    """Enter what the site says about a timepoint; a correction names the edition that it corrects."""
    entry = Entry(
        overall_response=body.overall_response.value,
        has_progressed=body.has_progressed,
        reason=body.reason,
    )
    found, is_new = service.enter(act, trial_id, timepoint_id, entry, replaces=body.replaces)
    response.status_code = 201 if is_new else 200
    return _placed(found)


@router.get("/evaluations", dependencies=[UNBLINDED], response_model=Page[EvaluationAnswer])
def evaluations(  # noqa: PLR0913, PLR0917  a route takes what it is asked by
    trial_id: Identifier,
    principal: CurrentPrincipal,
    session: ReadSession,
    page: WantedPage,
    wanted: ExportedFormat,
    subject: Annotated[Identifier | None, Query(description="Only this subject's.")] = None,
) -> Page[EvaluationAnswer] | Response:
    """List every edition of the sites' evaluations, by subject and timepoint."""
    found = service.evaluations(session, principal, trial_id, subject, page)
    answer = Page(items=[_placed(each) for each in found.items], next_cursor=found.next_cursor)
    return answer_page(answer, wanted, EvaluationAnswer, "evaluations.csv")


@router.get("/evaluations/comparison", dependencies=[UNBLINDED], response_model=ComparisonAnswer)
def comparison(  # noqa: PLR0913, PLR0917  a route takes what it is asked by
    trial_id: Identifier,
    principal: CurrentPrincipal,
    session: ReadSession,
    clock: CurrentClock,
    page: WantedPage,
    wanted: ExportedFormat,
) -> ComparisonAnswer | Response:
    """Compare the sites' evaluations with the central reads that count; CSV lists the discordances."""
    found = service.comparison(session, principal, trial_id, page, clock.now().date())
    differing = Page(
        items=[_pair(*each) for each in found.differing.items], next_cursor=found.differing.next_cursor
    )
    if wanted is Format.CSV:
        answer = answer_page(differing, wanted, PairAnswer, "site_and_central.csv")
        assert isinstance(answer, Response)  # noqa: S101  CSV is asked for
        return answer
    counted = found.agreement
    return ComparisonAnswer(
        trial_id=trial_id,
        agreement=[
            AgreementAnswer(
                variable=each.value, agreement=share(counted.agreeing[each], counted.compared[each])
            )
            for each in Variable
        ],
        response_kappa=response_kappa(counted.responses),
        discordances=differing.items,
        next_cursor=differing.next_cursor,
    )


def _pair(found: Pair, is_accepted: bool) -> PairAnswer:  # noqa: FBT001  a pair as the service gives it
    values = {**asdict(found), "is_accepted": is_accepted}
    return PairAnswer(**{name: values[name] for name in PairAnswer.model_fields})


def _placed(found: Placed) -> EvaluationAnswer:
    values = {**asdict(found.evaluation), **asdict(found)}
    return EvaluationAnswer(**{name: values[name] for name in EvaluationAnswer.model_fields})
