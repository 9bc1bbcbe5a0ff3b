"""Enter a site's evaluation, list them, and compare them with central review."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import groupby
from typing import Any

from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from imaging_service.accounts.blinding import refuse_blinded
from imaging_service.accounts.principal import Principal
from imaging_service.accounts.scope import Scope
from imaging_service.adjudication import service as adjudication
from imaging_service.adjudication.repository import Wanted
from imaging_service.adjudication.review import Review
from imaging_service.database import new_id
from imaging_service.derived import service as derived
from imaging_service.derived.service import Keeper, Renewal
from imaging_service.errors import ConflictError, RefusedError
from imaging_service.evaluations import repository
from imaging_service.evaluations.comparison import Pair, pairs
from imaging_service.evaluations.evaluation import Entry, Evaluation, Placed
from imaging_service.evaluations.kept import Agreement, KeptComparison, kept
from imaging_service.http.pages import Page, PageRequest, bad_cursor
from imaging_service.reads import repository as reads
from imaging_service.reads.act import ReadAct
from imaging_service.timepoints import service as timepoints
from imaging_service.timepoints.records import Timepoint
from imaging_service.trials import service as trials
from measurement.protocol.trial import TrialProtocol
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
    refuse_blinded(act.principal, trial_id)
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
    refuse_blinded(principal, trial_id)
    return repository.page(session, principal.scope, trial_id, subject_id, page)


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """Site and central review side by side."""

    agreement: Agreement
    differing: Page[tuple[Pair, bool]]
    """Each with whether the reads that it is about are accepted."""


def comparison(
    session: Session, principal: Principal, trial_id: str, page: PageRequest, today: date
) -> Comparison:
    """Return how well site and central review agree, of the sites in the scope, and a page of differences.

    Raises
    ------
    NotFoundError
        There is no such trial in the scope.
    ForbiddenError
        The caller reads or adjudicates in the trial.
    BadRequestError
        The cursor is another list's.
    """
    protocol = trials.protocol_in_force(session, principal.scope, trial_id, on=today)
    refuse_blinded(principal, trial_id)
    old = derived.out_of_date(session, trial_id, protocol)
    found = repository.agreement(session, principal.scope, trial_id, today, old)
    anew = _that_count_anew(session, principal, protocol, sorted(old), today)
    found.add(anew)
    after, places = _after(page)
    kept_pairs = repository.differing(
        session,
        principal.scope,
        trial_id,
        basis=derived.basis_of(protocol),
        today=today,
        after=after,
        limit=page.limit + 1,
    )
    rows = list(_numbered([*kept_pairs, *(pair for each in anew for pair in each.differing)]))
    rest = [each for each in rows if each[0] > (after, places)][: page.limit + 1]
    wanted = Wanted(trial_id=trial_id, subject_ids=sorted({each[1].subject_id for each in rest}))
    whose = adjudication.acceptances(session, principal, protocol, wanted, today)
    shown = page.page(
        rest, lambda each: each[0], lambda each: (each[1], whose[each[1].subject_id].is_accepted)
    )
    return Comparison(agreement=found, differing=shown)


def _after(page: PageRequest) -> tuple[str, int]:
    after = page.after or ("", -1)
    if len(after) != 2 or not isinstance(after[0], str) or not isinstance(after[1], int):
        raise bad_cursor()
    return after[0], after[1]


def _numbered(pairs: Sequence[Pair]) -> Iterator[tuple[tuple[str, int], Pair]]:
    """Give each difference its key: the subject, and its place among the subject's."""
    ordered = sorted(pairs, key=lambda each: each.subject_id)
    for subject_id, of_subject in groupby(ordered, lambda each: each.subject_id):
        for place, each in enumerate(of_subject):
            yield (subject_id, place), each


def _that_count_anew(
    session: Session,
    principal: Principal,
    protocol: TrialProtocol,
    subject_ids: Sequence[str],
    today: date,
) -> Sequence[KeptComparison]:
    """Compare the reads that count, of subjects in the scope that something has changed about."""
    if not subject_ids:
        return ()
    wanted = Wanted(trial_id=protocol.trial_id, subject_ids=subject_ids)
    found = adjudication.reviews(session, principal, protocol, wanted, today)
    return [_compared(session, principal.scope, review, review.acceptance.slot, protocol) for review in found]


def _compared(
    session: Session, scope: Scope, review: Review, slot: int, protocol: TrialProtocol
) -> KeptComparison:
    evaluated = repository.current(session, scope, review.trial_id, [review.subject_id])
    tolerance = protocol.readers.progression_date_tolerance_days
    found = list(pairs(evaluated.get(review.subject_id, ()), review, slot, tolerance))
    return kept(review.trial_id, review.subject_id, slot, review.site_id, found)


def kept_values(session: Session, renewal: Renewal) -> Sequence[Mapping[str, Any]]:
    """Return a subject's site evaluations beside each reader's reads, to be kept."""
    wanted = Wanted(trial_id=renewal.trial_id, subject_id=renewal.subject_id)
    everywhere, protocol = reads.SYSTEM, renewal.protocol
    return [
        repository.kept_values(_compared(session, everywhere.scope, review, slot, protocol))
        for review in adjudication.reviews(session, everywhere, protocol, wanted, date.max)
        for slot in review.courses
    ]


KEEPER = Keeper(row=repository.KEPT, values=kept_values)
