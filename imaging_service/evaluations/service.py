"""Enter a site's evaluation, list them, and compare them with central review."""

from collections.abc import Sequence
from datetime import date

from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from imaging_service.accounts.principal import Principal
from imaging_service.adjudication import service as adjudication
from imaging_service.adjudication.repository import Wanted
from imaging_service.database import new_id
from imaging_service.errors import ConflictError, RefusedError
from imaging_service.evaluations import repository
from imaging_service.evaluations.comparison import Pair, pairs
from imaging_service.evaluations.evaluation import Entry, Evaluation, Placed
from imaging_service.http.pages import Page, PageRequest
from imaging_service.reads.act import ReadAct
from imaging_service.timepoints import service as timepoints
from imaging_service.timepoints.records import Timepoint
from imaging_service.trials import service as trials
from measurement.recist.responses import OverallResponse


def enter(
    act: ReadAct, trial_id: str, timepoint_id: str, entry: Entry, *, replaces: int | None
) -> tuple[Placed, bool]:
    """Keep what a site says about a timepoint; a correction names the edition that it corrects.

    Returns
    -------
    tuple of Placed and bool
        The evaluation that counts now, and whether it is new.

    Raises
    ------
    NotFoundError
        There is no such timepoint in the scope.
    ForbiddenError
        The caller reads or adjudicates in the trial.
    RefusedError
        It is the baseline, has no images, or the entry contradicts itself.
    ConflictError
        There is an edition that the caller has not seen.
    """
    adjudication.refuse_blinded(act.principal, trial_id)
    timepoint = timepoints.find_timepoint(act.session, act.principal.scope, timepoint_id)
    if timepoint.trial_id != trial_id:
        raise timepoints.no_such_timepoint(timepoint_id)
    _check(timepoint, entry)
    stored = repository.newest(act.session, timepoint_id)
    if stored is not None and replaces is None and _said(stored) == entry:
        return _placed(timepoint, stored), False
    edition = 0 if stored is None else stored.edition
    if (replaces or 0) != edition:
        raise _changed_meanwhile(timepoint, edition, replaces)
    evaluation = Evaluation(
        evaluation_id=new_id(),
        trial_id=trial_id,
        subject_id=timepoint.subject_id,
        timepoint_id=timepoint_id,
        edition=edition + 1,
        overall_response=entry.overall_response,
        has_progressed=entry.has_progressed,
        reason=entry.reason,
        entered_by=act.principal.account_id,
        entered_at=act.now,
    )
    try:
        repository.add(act.session, evaluation)
    except IntegrityError:
        raise _changed_meanwhile(timepoint, edition + 1, replaces) from None
    _audit(act, evaluation, stored)
    return _placed(timepoint, evaluation), True


def _placed(timepoint: Timepoint, evaluation: Evaluation) -> Placed:
    return Placed(
        evaluation=evaluation,
        site_id=timepoint.site_id,
        number=timepoint.number,
        imaged_on=timepoint.imaged_on,
        is_current=True,
    )


def _check(timepoint: Timepoint, entry: Entry) -> None:
    if timepoint.number == 0:
        message = "The baseline has no response; a later timepoint was wanted."
        raise RefusedError(message, code="baseline_evaluated")
    if timepoint.imaged_on is None:
        message = f"{timepoint.name} has no images yet ({timepoint.progress}); one with images was wanted."
        raise RefusedError(message, code="nothing_to_evaluate")
    if entry.overall_response == OverallResponse.PD and not entry.has_progressed:
        message = "The overall response is PD and progression is denied; one of the two was wanted."
        raise RefusedError(message, code="evaluation_contradicts")


def _said(evaluation: Evaluation) -> Entry:
    return Entry(
        overall_response=evaluation.overall_response,
        has_progressed=evaluation.has_progressed,
        reason=evaluation.reason,
    )


def _changed_meanwhile(timepoint: Timepoint, edition: int, seen: int | None) -> ConflictError:
    message = (
        f"The site's evaluation of {timepoint.name} is at edition {edition}; "
        f"the correction names {'none' if seen is None else seen}."
    )
    return ConflictError(message, code="changed_meanwhile")


def _audit(act: ReadAct, evaluation: Evaluation, before: Evaluation | None) -> None:
    def told(each: Evaluation) -> dict[str, object]:
        return {
            "timepoint_id": each.timepoint_id,
            "edition": each.edition,
            "overall_response": each.overall_response,
            "has_progressed": each.has_progressed,
        }

    act.act.record(
        "enter site evaluation",
        "site_evaluation",
        evaluation.evaluation_id,
        before=None if before is None else told(before),
        after=told(evaluation),
        reason=evaluation.reason,
    )


def evaluations(
    session: Session, principal: Principal, trial_id: str, subject_id: str | None, page: PageRequest
) -> Page[Placed]:
    """Return every edition of the sites' evaluations.

    Raises
    ------
    NotFoundError
        There is no such trial in the scope.
    ForbiddenError
        The caller reads or adjudicates in the trial.
    """
    trials.find_trial(session, principal.scope, trial_id)
    adjudication.refuse_blinded(principal, trial_id)
    return repository.page(session, principal.scope, trial_id, subject_id, page)


def comparison(session: Session, principal: Principal, trial_id: str, today: date) -> Sequence[Pair]:
    """Return site and central answers side by side, of the sites in the scope.

    Raises
    ------
    NotFoundError
        There is no such trial in the scope.
    ForbiddenError
        The caller reads or adjudicates in the trial.
    """
    protocol, found = adjudication.reviews_of_trial(session, principal, Wanted(trial_id=trial_id), today)
    current = [each for each in repository.every(session, principal.scope, trial_id) if each.is_current]
    reviews = {each.subject_id: each for each in found}
    return list(pairs(current, reviews, protocol.readers.progression_date_tolerance_days))
