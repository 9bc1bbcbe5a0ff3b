"""Enrol subjects, correct their dates with a reason, register the PatientIDs that sites send."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from imaging_service.accounts.act import Act
from imaging_service.accounts.scope import Scope
from imaging_service.errors import ConflictError, NotFoundError, RefusedError
from imaging_service.http.pages import Page, PageRequest
from imaging_service.jobs.port import Job
from imaging_service.subjects import repository
from imaging_service.subjects.dates import SubjectDates, changed_fields, contradictions, today_anywhere
from imaging_service.subjects.reading_id import new_reading_id
from imaging_service.subjects.records import Correction, Enrolment, PatientId, Subject, SubjectVersion
from imaging_service.trials import service as trials

RENEW_CALENDAR = "renew calendar"
"""Job: write the subject's expected timepoints anew, then try the studies that wait again."""


_AT_ONCE = 200


class Doubts:
    """A door to what subjects do not know of: what their dates say about images."""

    def __init__(self) -> None:
        self._questions: list[Callable[[Session, Subject, SubjectDates], Iterable[str]]] = []

    def ask_also(self, question: Callable[[Session, Subject, SubjectDates], Iterable[str]]) -> None:
        """Let a chapter above look at new dates too."""
        if question not in self._questions:
            self._questions.append(question)

    def about(self, session: Session, subject: Subject, dates: SubjectDates) -> Sequence[str]:
        """Return a sentence for each thing in new dates that can be true and should be looked at."""
        return [sentence for each in self._questions for sentence in each(session, subject, dates)]


DOUBTS = Doubts()


def calendar_job(trial_id: str, subject_id: str) -> Job:
    """Return the job that follows every change of a subject."""
    return Job(
        name=RENEW_CALENDAR,
        payload={"trial_id": trial_id, "subject_id": subject_id},
        key=f"{RENEW_CALENDAR} {trial_id} {subject_id}",
    )


def enrol(act: Act, enrolment: Enrolment) -> Subject:
    """Enrol a subject under a new reading id.

    Raises
    ------
    NotFoundError
        There is no such trial or site in the scope.
    ConflictError
        The subject exists, or another subject of the site has one of the PatientIDs.
    RefusedError
        The dates contradict each other or lie in the future.
    """
    trial_id, subject_id = enrolment.trial_id, enrolment.subject_id
    trials.find_trial(act.session, act.scope, trial_id)
    trials.find_site(act.session, act.scope, trial_id, enrolment.site_id)
    if repository.find(act.session, Scope.all(), trial_id, subject_id) is not None:
        message = f"Subject {subject_id!r} of trial {trial_id!r} is enrolled already."
        raise ConflictError(message, code="subject_exists")
    _check(enrolment.dates, act.now)
    subject = Subject(
        trial_id=trial_id,
        subject_id=subject_id,
        site_id=enrolment.site_id,
        reading_id=_free_reading_id(act.session, trial_id),
        version=1,
        enrolled_at=act.now,
        dates=enrolment.dates,
    )
    repository.add(act.session, subject, _version(act, 1, subject.dates, "Enrolment"))
    _audit(act, "enrol subject", subject, after={"site_id": subject.site_id, **_stated(subject.dates)})
    act.queue.enqueue(act.session, calendar_job(trial_id, subject_id))
    return _register(act, subject, enrolment.patient_ids)


def correct(act: Act, trial_id: str, subject_id: str, correction: Correction) -> Subject:
    """Record new dates for a subject; the earlier ones stay in its history.

    Raises
    ------
    NotFoundError
        There is no such subject in the scope.
    ConflictError
        Others have recorded a version meanwhile.
    RefusedError
        The dates contradict each other or lie in the future.
    """
    subject = find_subject(act.session, act.scope, trial_id, subject_id)
    if correction.seen_version not in (None, subject.version):
        raise _changed_meanwhile(subject, correction.seen_version)
    dates = replace(subject.dates, **correction.changes)
    changed = changed_fields(subject.dates, dates)
    if not changed:
        return subject
    _check(dates, act.now)
    version = _version(act, subject.version + 1, dates, correction.reason)
    if not repository.add_version(act.session, (trial_id, subject_id), version):
        raise _changed_meanwhile(subject, correction.seen_version)
    _audit(
        act,
        "correct subject",
        subject,
        before={name: getattr(subject.dates, name) for name in changed},
        after={name: getattr(dates, name) for name in changed},
        reason=correction.reason,
    )
    act.queue.enqueue(act.session, calendar_job(trial_id, subject_id))
    return replace(subject, version=version.version, dates=dates)


def register_patient_ids(
    act: Act, trial_id: str, subject_id: str, patient_ids: Sequence[PatientId]
) -> Subject:
    """Let a subject be known under more PatientIDs of its site.

    Raises
    ------
    NotFoundError
        There is no such subject in the scope.
    ConflictError
        Another subject of the site has one of them.
    """
    subject = find_subject(act.session, act.scope, trial_id, subject_id)
    registered = _register(act, subject, patient_ids)
    if registered != subject:
        act.queue.enqueue(act.session, calendar_job(trial_id, subject_id))
    return registered


def find_subject(session: Session, scope: Scope, trial_id: str, subject_id: str) -> Subject:
    """Return a subject.

    Raises
    ------
    NotFoundError
        There is none of that name in the scope.
    """
    found = repository.find(session, scope, trial_id, subject_id)
    if found is None:
        message = f"Trial {trial_id!r} has no subject {subject_id!r}."
        raise NotFoundError(message)
    return found


def subjects(
    session: Session, scope: Scope, trial_id: str, page: PageRequest, *, site_id: str | None = None
) -> Page[Subject]:
    """Return the subjects of a trial that are in the scope.

    Raises
    ------
    NotFoundError
        There is no such trial in the scope.
    """
    trials.find_trial(session, scope, trial_id)
    return repository.page(session, scope, trial_id, site_id, page)


def some_subjects(
    session: Session, scope: Scope, trial_id: str, subject_ids: Sequence[str]
) -> Iterator[Sequence[Subject]]:
    """Yield those of the named subjects that are in the scope, some at a time."""
    for first in range(0, len(subject_ids), _AT_ONCE):
        yield repository.some(session, scope, trial_id, subject_ids[first : first + _AT_ONCE])


def history(session: Session, scope: Scope, trial_id: str, subject_id: str) -> Sequence[SubjectVersion]:
    """Return every version of a subject's dates, oldest first.

    Raises
    ------
    NotFoundError
        There is no such subject in the scope.
    """
    find_subject(session, scope, trial_id, subject_id)
    return repository.history(session, scope, trial_id, subject_id)


def _check(dates: SubjectDates, now: datetime) -> None:
    found = contradictions(dates, today=today_anywhere(now))
    if found:
        findings = [{"code": "date_contradiction", "sentence": sentence} for sentence in found]
        raise RefusedError(" ".join(found), code="dates_contradict", findings=findings)


def _free_reading_id(session: Session, trial_id: str) -> str:
    while repository.is_reading_id_taken(session, trial_id, reading_id := new_reading_id()):
        continue
    return reading_id


def _register(act: Act, subject: Subject, wanted: Iterable[PatientId]) -> Subject:
    new = [each for each in dict.fromkeys(wanted) if each not in subject.patient_ids]
    if not new:
        return subject
    for each in new:
        holder = repository.holder_of(act.session, subject.trial_id, subject.site_id, each)
        if holder not in (None, subject.subject_id):
            message = (
                f"Site {subject.site_id!r} has registered the PatientID {each.patient_id!r} "
                f"for subject {holder!r}; it can stand for one subject."
            )
            raise ConflictError(message, code="patient_id_taken")
    repository.add_patient_ids(act.session, subject, new, by=act.by, at=act.now)
    _audit(
        act,
        "register PatientID",
        subject,
        after={"patient_ids": [[each.patient_id, each.issuer] for each in new]},
    )
    return replace(subject, patient_ids=(*subject.patient_ids, *new))


def _version(act: Act, number: int, dates: SubjectDates, reason: str) -> SubjectVersion:
    return SubjectVersion(version=number, dates=dates, reason=reason, recorded_by=act.by, recorded_at=act.now)


def _stated(dates: SubjectDates) -> Mapping[str, Any]:
    return {name: getattr(dates, name) for name in changed_fields(SubjectDates(), dates)}


def _changed_meanwhile(subject: Subject, seen: int | None) -> ConflictError:
    message = (
        f"Subject {subject.subject_id!r} is at version {subject.version} now"
        f"{'' if seen is None else f', not {seen}'}; read it again and decide anew."
    )
    return ConflictError(message, code="changed_meanwhile")


def _audit(act: Act, action: str, subject: Subject, **said: Any) -> None:  # noqa: ANN401  as `Act.record`
    act.record(action, "subject", f"{subject.trial_id} {subject.subject_id}", **said)
