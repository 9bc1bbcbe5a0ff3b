"""Put studies on timepoints and take them away again, each time on the record."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from imaging_service.accounts.act import Act
from imaging_service.accounts.scope import Scope
from imaging_service.notices.kinds import Kind
from imaging_service.notices.service import publish
from imaging_service.subjects import service as subjects
from imaging_service.subjects.records import Subject
from imaging_service.timepoints import repository, study_repository
from imaging_service.timepoints.calendar import closed_on
from imaging_service.timepoints.control import control_job
from imaging_service.timepoints.doubts import Confidence
from imaging_service.timepoints.placing import Place
from imaging_service.timepoints.records import (
    BEING_READ,
    WITH_IMAGES,
    DecisionCode,
    Study,
    StudyState,
    Timepoint,
    Verdict,
)
from imaging_service.timepoints.renewing import empty_progress, slot_of
from imaging_service.timepoints.study_repository import Decided
from imaging_service.trials import service as trials

_EVERYWHERE = Scope.all()
_TOLD = {StudyState.MATCHED: Kind.STUDY_MATCHED, StudyState.UNMATCHED: Kind.STUDY_UNMATCHED}
_ACTIONS = {StudyState.MATCHED: "match", StudyState.UNMATCHED: "queue", StudyState.REJECTED: "reject"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """The subject and the timepoint that a study answers, with the confidence of both together."""

    subject: Subject
    place: Place
    confidence: Confidence
    sentence: str


def put(
    act: Act, study: Study, answer: Answer, *, code: str | None = None, reason: str | None = None
) -> None:
    """Give a study its timepoint; another study that is there already stays beside it.

    Parameters
    ----------
    act
        Who decides.
    study
        A study that is on no timepoint.
    answer
        Its subject and timepoint.
    code
        Why it is there, when not for where its date fell.
    reason
        Why, in a person's words.
    """
    subject, found = answer.subject, answer.place
    decide(
        act,
        study,
        Verdict(
            state=StudyState.MATCHED,
            trial_id=subject.trial_id,
            subject_id=subject.subject_id,
            timepoint_id=give_images(act, answer, study.instance_count),
            placement=found.placement,
            code=code or found.placement or DecisionCode.ASSIGNED,
            sentence=answer.sentence,
            confidence=answer.confidence,
        ),
        reason=reason,
    )


def give_images(act: Act, answer: Answer, instances: int) -> str:
    """Let a subject's timepoint have images, or more of them, and return its id; it is made if need be."""
    subject, found = answer.subject, answer.place
    target = answered_timepoint(act, answer)
    if target is None:
        timepoint_id = repository.add_unscheduled(act.session, subject.trial_id, subject.subject_id, found)
        _tell_received(act, subject, timepoint_id)
    else:
        timepoint_id = target.timepoint_id
        if target.progress in WITH_IMAGES:
            repository.count_late(act.session, timepoint_id, instances)
        else:
            repository.receive(act.session, target, found)
            _tell_received(act, subject, timepoint_id)
    act.queue.enqueue(act.session, control_job(timepoint_id))
    return timepoint_id


def answered_timepoint(act: Act, answer: Answer) -> Timepoint | None:
    """Return the timepoint of an answer, if it is in the books."""
    subject, found = answer.subject, answer.place
    if found.number is None:
        return repository.unscheduled_on(act.session, subject.trial_id, subject.subject_id, found.imaged_on)
    return repository.of_number(act.session, subject.trial_id, subject.subject_id, found.number)


def take_away(act: Act, study: Study) -> None:
    """Free every timepoint of a study, unless another study has images there too."""
    left = study_repository.timepoints_of(act.session, study.study_instance_uid)
    study_repository.detach(act.session, study.study_instance_uid)
    for timepoint_id in left:
        free_if_empty(act, timepoint_id)


def free_if_empty(act: Act, timepoint_id: str) -> None:
    """Take a timepoint's images from the books when no series is on it any more."""
    act.queue.enqueue(act.session, control_job(timepoint_id))
    if study_repository.of_timepoints(act.session, [timepoint_id]):
        return
    timepoint = repository.find(act.session, _EVERYWHERE, timepoint_id, lock=True)
    assert timepoint is not None  # noqa: S101  the database keeps the reference
    subject = subjects.find_subject(act.session, _EVERYWHERE, timepoint.trial_id, timepoint.subject_id)
    protocol = trials.protocol_in_force(act.session, _EVERYWHERE, timepoint.trial_id, on=act.today)
    facts = repository.calendar_facts(act.session, timepoint.trial_id, timepoint.subject_id)
    end = closed_on(subject, protocol.withdrawal, facts)
    repository.release(act.session, timepoint, empty_progress(slot_of(timepoint), end))


def being_read(act: Act, study: Study) -> Timepoint | None:
    """Return a timepoint of a study that a reader has opened, and keep others from changing it."""
    for timepoint_id in study_repository.timepoints_of(act.session, study.study_instance_uid):
        timepoint = repository.find(act.session, _EVERYWHERE, timepoint_id, lock=True)
        if timepoint is not None and timepoint.progress in BEING_READ:
            return timepoint
    return None


def divide(act: Act, study: Study, series: Sequence[str], answer: Answer, *, reason: str) -> None:
    """Give series of a matched study another timepoint; the others stay where they are.

    Parameters
    ----------
    act
        Who decides.
    study
        The study.
    series
        Series Instance UIDs of it.
    answer
        The timepoint of its subject to which they go; the study's own takes them back.
    reason
        Why, in a person's words.
    """
    before = study_repository.timepoints_of(act.session, study.study_instance_uid)
    target = answered_timepoint(act, answer)
    if target is not None and target.timepoint_id == study.verdict.timepoint_id:
        timepoint_id = target.timepoint_id
        study_repository.split_to(act.session, study.study_instance_uid, series, None)
        act.queue.enqueue(act.session, control_job(timepoint_id))
    else:
        count = study_repository.instance_count(act.session, study.study_instance_uid, series)
        timepoint_id = give_images(act, answer, count)
        study_repository.split_to(act.session, study.study_instance_uid, series, timepoint_id)
    for each in before:
        free_if_empty(act, each)
    verdict = replace(study.verdict, code=DecisionCode.SPLIT, sentence=reason, confidence=Confidence.HIGH)
    of_series = replace(verdict, timepoint_id=timepoint_id)
    decided = Decided(verdict=verdict, by=act.by, at=act.now)
    study_repository.decide(act.session, study, decided, series=series, of_series=of_series)
    act.record(
        "split study",
        "study",
        study.study_instance_uid,
        before=_shown(study.verdict),
        after=_shown(of_series) | {"series": list(series)},
        reason=reason,
    )


def reject(act: Act, study: Study, trial_id: str, reason: str) -> None:
    """Say that a study belongs to no timepoint; it stays in the archive and in the books."""
    take_away(act, study)
    verdict = Verdict(
        state=StudyState.REJECTED,
        trial_id=trial_id,
        subject_id=study.verdict.subject_id,
        timepoint_id=None,
        placement=None,
        code=DecisionCode.REJECTED,
        sentence=reason,
        confidence=None,
    )
    decide(act, study, verdict, reason=reason)


def decide(act: Act, study: Study, verdict: Verdict, *, reason: str | None = None) -> None:
    """Write down where a study is now, and why, and tell who listens."""
    study_repository.decide(act.session, study, Decided(verdict=verdict, by=act.by, at=act.now))
    act.record(
        f"{_ACTIONS[verdict.state]} study",
        "study",
        study.study_instance_uid,
        before=_shown(study.verdict),
        after=_shown(verdict),
        reason=reason,
    )
    _tell(act, study.verdict, verdict)


def _tell(act: Act, before: Verdict, after: Verdict) -> None:
    """Tell where a study went; what arrives late for its timepoint is told again."""
    if after.trial_id is None or after.state not in _TOLD or before == after:
        return
    publish(
        act, _TOLD[after.state], after.trial_id, subject_id=after.subject_id, timepoint_id=after.timepoint_id
    )


def _tell_received(act: Act, subject: Subject, timepoint_id: str) -> None:
    publish(
        act,
        Kind.TIMEPOINT_RECEIVED,
        subject.trial_id,
        subject_id=subject.subject_id,
        timepoint_id=timepoint_id,
    )


def _shown(verdict: Verdict) -> dict[str, str | None]:
    """Return what the audit keeps of a verdict; its sentence may hold a PatientID and stays in the study."""
    return {
        "state": verdict.state,
        "trial_id": verdict.trial_id,
        "subject_id": verdict.subject_id,
        "timepoint_id": verdict.timepoint_id,
        "code": verdict.code,
        "confidence": verdict.confidence,
    }
