"""Outcomes of a subject and of the cohort, as of any data cut."""

from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Any

from sqlalchemy.orm import Session

from imaging_service.accounts.blinding import refuse_blinded
from imaging_service.accounts.principal import Principal
from imaging_service.adjudication import service as adjudication
from imaging_service.adjudication.repository import Wanted
from imaging_service.derived import service as derived
from imaging_service.derived.service import Keeper, Renewal
from imaging_service.http.pages import PageRequest
from imaging_service.outcomes import repository
from imaging_service.outcomes.accepted import Accepted, View
from imaging_service.outcomes.courses import (
    DataCut,
    ReaderCourse,
    courses_of,
    courses_of_some,
    courses_of_trial,
)
from imaging_service.outcomes.figures import CohortPlots, figure_of
from imaging_service.outcomes.lines import CourseLine, Tally, line_of
from imaging_service.outcomes.lines import tallies as tallies_of
from imaging_service.outcomes.repository import Cohort
from imaging_service.reads import repository as reads
from imaging_service.subjects import service as subjects
from imaging_service.subjects.records import Subject
from imaging_service.trials import service as trials
from measurement.protocol.trial import TrialProtocol


def of_subject(
    session: Session, principal: Principal, trial_id: str, subject_id: str, cut: DataCut
) -> tuple[Subject, TrialProtocol, Sequence[ReaderCourse]]:
    """Return a subject's course by each reader, with the protocol that it was judged by.

    Parameters
    ----------
    session, principal
        Who asks, in which transaction.
    trial_id, subject_id
        The subject.
    cut
        Up to which day things count.

    Raises
    ------
    NotFoundError
        There is no such subject in the scope.
    """
    subject = subjects.find_subject(session, principal.scope, trial_id, subject_id)
    protocol = trials.protocol_in_force(session, principal.scope, trial_id, on=cut.protocol_on)
    return subject, protocol, courses_of(session, principal, subject, protocol, cut.as_of)


@dataclass(frozen=True, slots=True, kw_only=True)
class CohortFigures:
    """A cohort's outcomes: what all subjects add up to, and the lines of some of them."""

    protocol: TrialProtocol
    tallies: Mapping[int | None, Tally]
    """By reader's slot, or under None for the reads that count."""
    accepted: int | None
    """Of how many subjects the reads are accepted, when those are asked for."""
    listing: Sequence[CourseLine]
    """By subject and slot."""
    acceptances: Accepted
    """Of the subjects in the listing, when accepted reads are asked for."""
    next_cursor: str | None


def of_cohort(  # noqa: PLR0913, PLR0917  a cohort is asked for by this much
    session: Session,
    principal: Principal,
    trial_id: str,
    cut: DataCut,
    view: View,
    page: PageRequest | None,
) -> CohortFigures:
    """Return what follows from every subject's reads, and the listing or a page of its subjects.

    As of everything known, the figures come from what is kept of each course; a data cut is derived from
    the signed assessments, subject by subject.

    Raises
    ------
    NotFoundError
        There is no such trial in the scope.
    ForbiddenError
        Accepted reads are asked for by who reads or adjudicates in the trial.
    """
    protocol = trials.protocol_in_force(session, principal.scope, trial_id, on=cut.protocol_on)
    if view is View.ACCEPTED:
        refuse_blinded(principal, trial_id)
    asked = _Asked(
        session=session, principal=principal, trial_id=trial_id, protocol=protocol, cut=cut, view=view
    )
    if cut.as_of is None and reads.sees_every_read(principal, trial_id):
        return _from_kept(asked, page)
    return _from_reads(asked, page)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asked:
    """What is asked, by whom."""

    session: Session
    principal: Principal
    trial_id: str
    protocol: TrialProtocol
    cut: DataCut
    view: View

    @property
    def slots(self) -> Sequence[int]:
        return range(1, self.protocol.readers.count + 1)

    def acceptances(self, subject_ids: Sequence[str] | None = None) -> Accepted:
        """Return whose reads count, of all subjects or of some; nothing where each reader is shown apart."""
        if self.view is not View.ACCEPTED:
            return {}
        wanted = Wanted(trial_id=self.trial_id, subject_ids=subject_ids)
        return accepted(self.session, self.principal, self.protocol, wanted, self.cut)

    def wanted(self, lines: Iterable[CourseLine], by: Accepted) -> list[CourseLine]:
        """Return the lines that belong to the view."""
        if self.view is not View.ACCEPTED:
            return list(lines)
        return [each for each in lines if each.slot == by[each.subject_id].slot]

    def by_view(self, found: Mapping[int, Tally]) -> Mapping[int | None, Tally]:
        """Return the tallies of each slot, or their sum where each subject counts once."""
        if self.view is not View.ACCEPTED:
            return dict(found.items())
        whole = Tally()
        for each in found.values():
            whole.include(each)
        return {None: whole}


def _from_kept(asked: _Asked, page: PageRequest | None) -> CohortFigures:
    session, principal, trial_id = asked.session, asked.principal, asked.trial_id
    is_of_record = asked.view is View.ACCEPTED
    cohort = Cohort(
        scope=principal.scope,
        trial_id=trial_id,
        basis=derived.basis_of(asked.protocol),
        of_record_on=asked.cut.today if is_of_record else None,
    )
    old = derived.out_of_date(session, trial_id, asked.protocol)
    tallies = repository.tallies(session, cohort, asked.slots, old)
    anew = _lines_anew(asked, old)
    new_acceptances = asked.acceptances(sorted(old)) if old else {}
    wanted_anew = asked.wanted(anew, new_acceptances)
    for slot, tally in tallies.items():
        tally.add(each for each in wanted_anew if each.slot == slot)
    ids, next_cursor = _subjects_of(asked, page)
    kept = repository.lines(session, cohort, ids)
    on_page = [each for each in wanted_anew if ids is None or each.subject_id in ids]
    listing = sorted([*kept, *on_page], key=lambda each: (each.subject_id, each.slot))
    count = repository.accepted(session, cohort, asked.cut.today) if is_of_record else None
    if count is not None:
        count += sum(each.is_accepted for each in new_acceptances.values())
    return CohortFigures(
        protocol=asked.protocol,
        tallies=asked.by_view(tallies),
        accepted=count,
        listing=listing,
        acceptances=asked.acceptances(ids),
        next_cursor=next_cursor,
    )


def _lines_anew(asked: _Asked, old: AbstractSet[str]) -> Sequence[CourseLine]:
    """Derive the lines of the subjects in the scope that something has changed about."""
    session, scope, trial_id = asked.session, asked.principal.scope, asked.trial_id
    found = [
        line_of(course)
        for some in subjects.some_subjects(session, scope, trial_id, sorted(old))
        for course in courses_of_some(session, asked.principal, some, asked.protocol, None)
    ]
    return sorted(found, key=lambda each: (each.subject_id, each.slot))


def _subjects_of(asked: _Asked, page: PageRequest | None) -> tuple[Sequence[str] | None, str | None]:
    """Return the names of the subjects on a page and where the next one begins; None for all of them."""
    if page is None:
        return None, None
    found = subjects.subjects(asked.session, asked.principal.scope, asked.trial_id, page)
    return [each.subject_id for each in found.items], found.next_cursor


def plots_of_cohort(  # noqa: PLR0913, PLR0917  a cohort is asked for by this much
    session: Session,
    principal: Principal,
    trial_id: str,
    cut: DataCut,
    view: View,
    page: PageRequest,
) -> CohortPlots:
    """Return survival of every subject step by step, and the courses of the subjects on a page.

    Raises
    ------
    NotFoundError, ForbiddenError
        As `of_cohort`.
    """
    found = of_cohort(session, principal, trial_id, cut, view, page)
    shown = {(each.subject_id, each.slot) for each in found.listing}
    names = sorted({subject_id for subject_id, _ in shown})
    return CohortPlots(
        protocol=found.protocol,
        curves={slot: tally.outcomes(found.protocol).curves for slot, tally in found.tallies.items()},
        courses=[
            figure_of(course)
            for some in subjects.some_subjects(session, principal.scope, trial_id, names)
            for course in courses_of_some(session, principal, some, found.protocol, cut.as_of)
            if (course.subject.subject_id, course.slot) in shown
        ],
        next_cursor=found.next_cursor,
    )


def _from_reads(asked: _Asked, page: PageRequest | None) -> CohortFigures:
    acceptances = asked.acceptances()
    courses = courses_of_trial(
        asked.session, asked.principal, asked.trial_id, asked.protocol, asked.cut.as_of
    )
    lines = asked.wanted(map(line_of, courses), acceptances)
    ids, next_cursor = _subjects_of(asked, page)
    shown = lines if ids is None else [each for each in lines if each.subject_id in set(ids)]
    return CohortFigures(
        protocol=asked.protocol,
        tallies=asked.by_view(tallies_of(lines, asked.slots)),
        accepted=sum(each.is_accepted for each in acceptances.values())
        if asked.view is View.ACCEPTED
        else None,
        listing=shown,
        acceptances=acceptances,
        next_cursor=next_cursor,
    )


def kept_values(session: Session, renewal: Renewal) -> Sequence[Mapping[str, Any]]:
    """Return each reader's course of a subject as a line to keep."""
    subject = subjects.find_subject(session, reads.SYSTEM.scope, renewal.trial_id, renewal.subject_id)
    found = courses_of(session, reads.SYSTEM, subject, renewal.protocol, None)
    return [repository.kept_values(line_of(each)) for each in found]


KEEPER = Keeper(row=repository.KEPT, values=kept_values)


def accepted(
    session: Session,
    principal: Principal,
    protocol: TrialProtocol,
    wanted: Wanted,
    cut: DataCut,
) -> Accepted:
    """Return whose reads count for each wanted subject, as far as readers and adjudicators have come.

    A data cut leaves out images and days, not signatures: acceptance is as it is known now.

    Raises
    ------
    ForbiddenError
        The caller reads or adjudicates in the trial.
    """
    return adjudication.acceptances(session, principal, protocol, wanted, cut.today)
