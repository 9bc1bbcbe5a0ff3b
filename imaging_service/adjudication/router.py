"""Routes of adjudication: the adjudicator's worklist and cases, and the reviews of a trial's subjects."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, Path, Query, Response

from imaging_service.accounts.accesses import ExportedFormat
from imaging_service.accounts.dependencies import (
    ConfirmedPassword,
    CurrentPrincipal,
    ReadSession,
    requires,
)
from imaging_service.accounts.principal import Role
from imaging_service.adjudication import diameters, service
from imaging_service.adjudication.answers import case_answer, decision_answer, item_answer, review_answer
from imaging_service.adjudication.repository import Wanted
from imaging_service.adjudication.schemas import (
    CaseAnswer,
    CaseItemAnswer,
    DecisionShape,
    OwnDecisionAnswer,
    ReviewAnswer,
    StatisticRow,
    StatisticsAnswer,
)
from imaging_service.adjudication.service import Choosing
from imaging_service.adjudication.statistics import statistic_rows, statistics
from imaging_service.adjudication.telling import tell_if_needed
from imaging_service.assessments.signed import SIGNED
from imaging_service.http.context import CurrentClock, CurrentSettings
from imaging_service.http.csv_answer import Format, csv_response
from imaging_service.http.lists import answer_page
from imaging_service.http.models import Identifier
from imaging_service.http.pages import Page, WantedPage
from imaging_service.reads.act import CurrentReadAct
from measurement.endpoints.paired_diameters import Grouping

router = APIRouter(tags=["adjudication"])
SIGNED.then(tell_if_needed)

ADJUDICATOR = requires(Role.ADJUDICATOR)
UNBLINDED = requires(Role.ADMINISTRATOR, Role.COORDINATOR, Role.SPONSOR)
"""Owners of what compares readers, or names subjects."""

ReadingId = Annotated[Identifier, Path(description="The subject's blinded reading id.")]
Site = Annotated[Identifier | None, Query(description="Only this site's.")]

GroupedBy = Annotated[
    Sequence[Grouping],
    Query(max_length=len(Grouping), description="Single diameters too, by each of these."),
]


@router.get("/adjudications", dependencies=[ADJUDICATOR], response_model=Page[CaseItemAnswer])
def worklist(  # noqa: PLR0913, PLR0917  a route takes what it is asked by
    principal: CurrentPrincipal,
    session: ReadSession,
    clock: CurrentClock,
    page: WantedPage,
    wanted: ExportedFormat,
    trial_id: Annotated[Identifier | None, Query(description="Only this trial's.")] = None,
) -> Page[CaseItemAnswer] | Response:
    """List the cases that wait for the caller: both readers have finished, and they differ."""
    cut = service.worklist(session, principal, trial_id, page, clock.now().date())
    answer = Page(items=[item_answer(each) for each in cut.items], next_cursor=cut.next_cursor)
    return answer_page(answer, wanted, CaseItemAnswer, "adjudications.csv")


@router.get("/trials/{trial_id}/adjudications/{reading_id}", dependencies=[ADJUDICATOR])
def find_case(
    trial_id: Identifier,
    reading_id: ReadingId,
    principal: CurrentPrincipal,
    session: ReadSession,
    clock: CurrentClock,
) -> CaseAnswer:
    """Return both readers' reads of a case side by side, as reader 1 and reader 2."""
    return case_answer(service.find_case(session, principal, trial_id, reading_id, clock.now().date()))


@router.post(
    "/trials/{trial_id}/adjudications/{reading_id}/decision", status_code=201, dependencies=[ADJUDICATOR]
)
def decide(  # noqa: PLR0913, PLR0917  a route takes what it is asked by
    trial_id: Identifier,
    reading_id: ReadingId,
    body: DecisionShape,
    authentication: ConfirmedPassword,
    act: CurrentReadAct,
    settings: CurrentSettings,
) -> OwnDecisionAnswer:
    """Choose one of the readers, with a reason, and sign with the password entered again."""
    choosing = Choosing(
        chosen_slot=body.chosen_reader,
        reason=body.reason,
        meaning=body.meaning,
        evidence_sha256=body.evidence_sha256,
        authentication=authentication,
        valid_for=timedelta(seconds=settings.signing_seconds),
    )
    return decision_answer(service.decide(act, trial_id, reading_id, choosing))


@router.get("/trials/{trial_id}/reviews", dependencies=[UNBLINDED], response_model=Page[ReviewAnswer])
def reviews(  # noqa: PLR0913, PLR0917  a route takes what it is asked by
    trial_id: Identifier,
    principal: CurrentPrincipal,
    session: ReadSession,
    clock: CurrentClock,
    page: WantedPage,
    answer_as: ExportedFormat,
    site: Site = None,
    subject: Annotated[Identifier | None, Query(description="Only this subject's.")] = None,
) -> Page[ReviewAnswer] | Response:
    """List how far the review of each subject has come, whose reads count, and every decision ever signed."""
    wanted = Wanted(trial_id=trial_id, site_id=site, subject_id=subject)
    cut = service.page_of_reviews(session, principal, wanted, page, clock.now().date())
    answer = Page(items=[review_answer(each) for each in cut.items], next_cursor=cut.next_cursor)
    return answer_page(answer, answer_as, ReviewAnswer, "reviews.csv")


@router.get(
    "/trials/{trial_id}/readers/statistics", dependencies=[UNBLINDED], response_model=StatisticsAnswer
)
def reader_statistics(  # noqa: PLR0913, PLR0917  a route takes what it is asked by
    trial_id: Identifier,
    principal: CurrentPrincipal,
    session: ReadSession,
    clock: CurrentClock,
    answer_as: ExportedFormat,
    site: Site = None,
    by: GroupedBy = (),
) -> StatisticsAnswer | Response:
    """Return how often the readers differ and are chosen, and how well responses and lengths agree."""
    wanted, today = Wanted(trial_id=trial_id, site_id=site), clock.now().date()
    protocol, found = service.kept_reviews(session, principal, wanted, today)
    single = diameters.totals(session, principal, wanted, by, today)
    answer = statistics(trial_id, protocol, found, single, today)
    if answer_as is Format.CSV:
        rows = [each.model_dump() for each in statistic_rows(answer)]
        return csv_response(list(StatisticRow.model_fields), rows, "reader_statistics.csv")
    return answer
