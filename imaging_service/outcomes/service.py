"""Outcomes of a subject and of the cohort, as of any data cut."""

from collections.abc import Sequence

from sqlalchemy.orm import Session

from imaging_service.accounts.principal import Principal
from imaging_service.adjudication import service as adjudication
from imaging_service.adjudication.repository import Wanted
from imaging_service.outcomes.accepted import Accepted
from imaging_service.outcomes.courses import DataCut, ReaderCourse, courses_of, courses_of_trial
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


def of_cohort(
    session: Session, principal: Principal, trial_id: str, cut: DataCut
) -> tuple[TrialProtocol, Sequence[ReaderCourse]]:
    """Return every subject's course by each reader, with the protocol that they were judged by.

    Raises
    ------
    NotFoundError
        There is no such trial in the scope.
    """
    protocol = trials.protocol_in_force(session, principal.scope, trial_id, on=cut.protocol_on)
    return protocol, list(courses_of_trial(session, principal, trial_id, protocol, cut.as_of))


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
