"""Give every settled study its timepoint, or its reason to wait for a coordinator."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace

from imaging_service.accounts.act import Act
from imaging_service.accounts.scope import Scope
from imaging_service.audit.actor import WORKER
from imaging_service.subjects import repository as subject_repository
from imaging_service.subjects import service as subjects
from imaging_service.subjects.dates import today_anywhere
from imaging_service.subjects.records import Subject
from imaging_service.timepoints import repository, study_repository
from imaging_service.timepoints.control import control_job
from imaging_service.timepoints.doubts import Confidence, Doubt, DoubtCode
from imaging_service.timepoints.facts import StudyFacts
from imaging_service.timepoints.identity import Claims, Identity, SubjectKey, identify
from imaging_service.timepoints.moving import Answer, answered_timepoint, being_read, decide, put, take_away
from imaging_service.timepoints.placing import ImagingDay, Place, place
from imaging_service.timepoints.records import (
    WITH_IMAGES,
    DecisionCode,
    Study,
    StudyState,
    Verdict,
)
from imaging_service.timepoints.renewing import course, renew_calendar
from imaging_service.timepoints.study_repository import Decided
from imaging_service.trials import service as trials

_EVERYWHERE = Scope.all()
_NOT_DECIDED = Verdict(
    state=StudyState.UNMATCHED,
    trial_id=None,
    subject_id=None,
    timepoint_id=None,
    placement=None,
    code="received",
    sentence="The study was received and is not looked at yet.",
    confidence=None,
)


def take_in(act: Act, facts: StudyFacts) -> None:
    """Keep a settled study and decide about it; taking in the same again changes nothing.

    A study that is matched stays where it is: what arrived late is flagged, and when it makes the match
    doubtful, the study leaves a timepoint that nobody reads yet.
    """
    uid = facts.record.study_instance_uid
    before = study_repository.find(act.session, uid, lock=True)
    is_late = before is not None and before.verdict.state is StudyState.MATCHED
    first = Decided(verdict=_NOT_DECIDED, by=act.by, at=act.now)
    new = study_repository.keep_facts(act.session, facts, is_late=is_late, first=first)
    act.record("take in study", "study", uid, after={"instances": new, "is_late": is_late})
    study = study_repository.find(act.session, uid)
    assert study is not None  # noqa: S101  it was kept above
    if study.verdict.state is StudyState.UNMATCHED:
        try_to_match(act, study)
    elif is_late and new:
        _take_in_late(act, study, facts, new)


def try_to_match(act: Act, study: Study) -> None:
    """Match a study that has no place, or write down why it still has none."""
    answer = find_answer(act, study)
    if isinstance(answer, Answer):
        answer = _occupied(act, study, answer) or answer
    if isinstance(answer, Doubt):
        queue_up(act, study, answer)
    else:
        put(act, study, answer)


def find_answer(act: Act, study: Study) -> Answer | Doubt:
    """Say which subject and timepoint a study answers, from what it says and what the books say."""
    claims = _claims(act, study)
    identity = identify(claims)
    if isinstance(identity, Doubt):
        return identity
    key = identity.subject
    protocol = renew_calendar(act, key.trial_id, key.subject_id)
    subject = subjects.find_subject(act.session, _EVERYWHERE, key.trial_id, key.subject_id)
    found = place(
        ImagingDay(
            imaged_on=study.study_date,
            date_is_unreadable=study.study_date_is_unreadable,
            modalities=study.modalities,
        ),
        course(act, subject, protocol),
        schedule=protocol.schedule,
        modalities={rule.modality for rule in protocol.acquisition},
        today=today_anywhere(act.now),
    )
    if isinstance(found, Doubt):
        return replace(found, trial_id=key.trial_id, subject_id=key.subject_id)
    return _answer(subject, identity, found)


def _answer(subject: Subject, identity: Identity, found: Place) -> Answer:
    return Answer(
        subject=subject,
        place=found,
        confidence=min(identity.confidence, found.confidence, key=lambda each: each.rank),
        sentence=f"{identity.sentence} {found.sentence}",
    )


def _claims(act: Act, study: Study) -> Claims:
    tag = study.protocol_tag
    knows_trial = bool(tag) and trials.exists(act.session, tag)
    tagged: Sequence[tuple[str, str, str]] = ()
    if study.subject_tag:
        tagged = subject_repository.subjects_of_tag(
            act.session, study.subject_tag, trial_id=tag or None, site_id=study.site_id
        )
    mapped: Sequence[tuple[str, str, str]] = ()
    if study.site_id is not None:
        mapped = subject_repository.subjects_of_patient(
            act.session, study.site_id, study.patient_ids, study.issuer
        )
    return Claims(
        site_id=study.site_id,
        patient_ids=study.patient_ids,
        protocol_tag=tag,
        subject_tag=study.subject_tag,
        tagged=[_key(each) for each in tagged],
        mapped=[_key(each) for each in mapped],
        knows_trial=knows_trial,
    )


def _key(found: tuple[str, str, str]) -> SubjectKey:
    return SubjectKey(trial_id=found[0], subject_id=found[1], site_id=found[2])


def _occupied(act: Act, study: Study, answer: Answer) -> Doubt | None:
    """Say whose timepoint it is already."""
    target = answered_timepoint(act, answer)
    if target is None or target.progress not in WITH_IMAGES:
        return None
    others = study_repository.of_timepoints(act.session, [target.timepoint_id]).get(target.timepoint_id, ())
    dates = ", ".join(
        str(each.study_date) for each in others if each.study_instance_uid != study.study_instance_uid
    )
    return Doubt(
        code=DoubtCode.SECOND_STUDY,
        sentence=f"{target.name} of subject {target.subject_id!r} has a study of {dates} already; "
        f"this one is of {study.study_date}. A person says whether they belong together.",
        trial_id=target.trial_id,
        subject_id=target.subject_id,
    )


def queue_up(act: Act, study: Study, doubt: Doubt) -> None:
    """Let a study wait for a coordinator, with the reason; the same reason again is not repeated."""
    verdict = Verdict(
        state=StudyState.UNMATCHED,
        trial_id=doubt.trial_id or _likely_trial(act, study),
        subject_id=doubt.subject_id,
        timepoint_id=None,
        placement=None,
        code=doubt.code.value,
        sentence=doubt.sentence,
        confidence=None if doubt.subject_id is None else Confidence.LOW,
    )
    if verdict != study.verdict:
        decide(act, study, verdict)


def _likely_trial(act: Act, study: Study) -> str | None:
    """Return the trial that a study names, else the only one in which its site takes part."""
    if study.protocol_tag and trials.exists(act.session, study.protocol_tag):
        return study.protocol_tag
    if study.site_id is None:
        return None
    of_site = trials.trials_of_site(act.session, study.site_id)
    return of_site[0] if len(of_site) == 1 else None


def _take_in_late(act: Act, study: Study, facts: StudyFacts, new: int) -> None:
    assert study.verdict.timepoint_id is not None  # noqa: S101  a matched study has one
    timepoint = repository.find(act.session, _EVERYWHERE, study.verdict.timepoint_id, lock=True)
    assert timepoint is not None  # noqa: S101  the database keeps the reference
    doubt = _doubt_about(act, study)
    if doubt is not None and not being_read(act, study):
        take_away(act, study)
        queue_up(act, study, doubt)
        return
    for timepoint_id, count in _late_by_timepoint(act, study, facts).items():
        repository.count_late(act.session, timepoint_id, count)
        act.queue.enqueue(act.session, control_job(timepoint_id))
    sentence = f"{new} instances arrived after {timepoint.name} had its images; reads stay as they are."
    verdict = replace(
        study.verdict,
        code=DecisionCode.LATE_INSTANCES if doubt is None else doubt.code,
        sentence=sentence if doubt is None else f"{sentence} {doubt.sentence}",
        confidence=Confidence.LOW if doubt is not None else study.verdict.confidence,
    )
    decide(act, study, verdict)


def _late_by_timepoint(act: Act, study: Study, facts: StudyFacts) -> Mapping[str, int]:
    """Count the late instances where their series are: a study may have been split."""
    known = study_repository.series_of_study(act.session, study.study_instance_uid)
    split = {each.series_instance_uid: each.timepoint_id for each in known}
    late: Counter[str] = Counter()
    for each in facts.series:
        timepoint_id = split.get(each.record.series_instance_uid) or study.verdict.timepoint_id
        if each.instances and timepoint_id is not None:
            late[timepoint_id] += len(each.instances)
    return late


def _doubt_about(act: Act, study: Study) -> Doubt | None:
    """Say whether what a matched study claims now still fits; a person's assignment is not questioned."""
    if study.decided_by != WORKER.name:
        return None
    identity = identify(_claims(act, study))
    if isinstance(identity, Doubt):
        return identity
    key = (identity.subject.trial_id, identity.subject.subject_id)
    if key == (study.verdict.trial_id, study.verdict.subject_id):
        return None
    return Doubt(
        code=DoubtCode.SEVERAL_SUBJECTS,
        sentence=f"The study was matched to subject {study.verdict.subject_id!r} and now points at "
        f"{key[1]!r}; one subject was wanted.",
        trial_id=study.verdict.trial_id,
    )


def claimed_subject(act: Act, study: Study) -> str | None:
    """Return the subject that a study's own attributes name, or None when they name none, or several."""
    identity = identify(_claims(act, study))
    return None if isinstance(identity, Doubt) else identity.subject.subject_id
