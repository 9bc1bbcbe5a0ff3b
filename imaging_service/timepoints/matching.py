"""Give every settled study its timepoint, or its reason to wait for a coordinator."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

from imaging_service.accounts.act import Act
from imaging_service.accounts.scope import Scope
from imaging_service.audit.actor import WORKER
from imaging_service.notices.kinds import Kind
from imaging_service.notices.service import publish
from imaging_service.subjects import repository as subject_repository
from imaging_service.subjects import service as subjects
from imaging_service.subjects.dates import today_anywhere
from imaging_service.subjects.records import Subject
from imaging_service.timepoints import repository, study_repository
from imaging_service.timepoints.calendar import Slot, anchor_on, closed_on, course_of, slots
from imaging_service.timepoints.control import control_job
from imaging_service.timepoints.doubts import Confidence, Doubt, DoubtCode
from imaging_service.timepoints.facts import StudyFacts
from imaging_service.timepoints.identity import Claims, Identity, SubjectKey, identify
from imaging_service.timepoints.placing import Course, ImagingDay, Place, place
from imaging_service.timepoints.records import (
    BEING_READ,
    WITH_IMAGES,
    DecisionCode,
    Progress,
    Study,
    StudyState,
    Timepoint,
    Verdict,
)
from imaging_service.timepoints.repository import CalendarState
from imaging_service.timepoints.responses import CENTRAL
from imaging_service.timepoints.study_repository import Decided
from imaging_service.trials import service as trials
from measurement.protocol.trial import TrialProtocol

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


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """The subject and the timepoint that a study answers, with the confidence of both together."""

    subject: Subject
    place: Place
    confidence: Confidence
    sentence: str


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
    target = _target(act, answer)
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


def _target(act: Act, answer: Answer) -> Timepoint | None:
    subject, found = answer.subject, answer.place
    if found.number is None:
        return repository.unscheduled_on(act.session, subject.trial_id, subject.subject_id, found.imaged_on)
    return repository.of_number(act.session, subject.trial_id, subject.subject_id, found.number)


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
    _decide(
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
    target = _target(act, answer)
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
        _decide(act, study, verdict)


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
    _decide(act, study, verdict)


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


def being_read(act: Act, study: Study) -> Timepoint | None:
    """Return a timepoint of a study that a reader has opened, and keep others from changing it."""
    for timepoint_id in study_repository.timepoints_of(act.session, study.study_instance_uid):
        timepoint = repository.find(act.session, _EVERYWHERE, timepoint_id, lock=True)
        if timepoint is not None and timepoint.progress in BEING_READ:
            return timepoint
    return None


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
    repository.release(act.session, timepoint, _empty_progress(_slot_of(timepoint), end))


def _slot_of(timepoint: Timepoint) -> Slot:
    return Slot(
        number=timepoint.number or 0,
        nominal_on=timepoint.nominal_on,
        opens_on=timepoint.opens_on,
        closes_on=timepoint.closes_on,
    )


def _empty_progress(slot: Slot, end: date | None) -> Progress:
    return Progress.CLOSED if slot.is_closed_by(end) else Progress.EXPECTED


def _decide(act: Act, study: Study, verdict: Verdict, *, reason: str | None = None) -> None:
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


_TOLD = {StudyState.MATCHED: Kind.STUDY_MATCHED, StudyState.UNMATCHED: Kind.STUDY_UNMATCHED}
_ACTIONS = {StudyState.MATCHED: "match", StudyState.UNMATCHED: "queue", StudyState.REJECTED: "reject"}


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
    target = _target(act, answer)
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


def claimed_subject(act: Act, study: Study) -> str | None:
    """Return the subject that a study's own attributes name, or None when they name none, or several."""
    identity = identify(_claims(act, study))
    return None if isinstance(identity, Doubt) else identity.subject.subject_id


def course(act: Act, subject: Subject, protocol: TrialProtocol) -> Course:
    """Return the days of a subject on which placing depends."""
    facts = repository.calendar_facts(act.session, subject.trial_id, subject.subject_id)
    return course_of(subject, protocol, _baseline_imaged_on(act, subject), facts)


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
    _decide(act, study, verdict, reason=reason)


def renew_calendar(act: Act, trial_id: str, subject_id: str) -> TrialProtocol:
    """Write a subject's expected timepoints from the present facts, and return the protocol in force.

    Timepoints with images keep them. Where nothing has changed, nothing is written.
    """
    subject_repository.lock(act.session, trial_id, subject_id)
    subject = subjects.find_subject(act.session, _EVERYWHERE, trial_id, subject_id)
    filed = trials.filed_protocol(act.session, _EVERYWHERE, trial_id, on=act.today)
    protocol = trials.protocol_version(act.session, _EVERYWHERE, trial_id, filed.version)
    existing = {
        each.number: each
        for each in repository.of_subject(act.session, _EVERYWHERE, trial_id, subject_id)
        if each.number is not None
    }
    baseline = existing.get(0)
    anchor = anchor_on(subject, protocol.schedule, baseline.imaged_on if baseline else None)
    facts = repository.calendar_facts(act.session, trial_id, subject_id)
    end = closed_on(subject, protocol.withdrawal, facts)
    moved = [
        slot.number
        for slot in slots(protocol.schedule, anchor, facts.cycle_starts)
        if _write_slot(act, subject, existing.get(slot.number), slot, end)
    ]
    state = CalendarState(subject_version=subject.version, protocol_version=filed.version)
    if repository.calendar_state(act.session, trial_id, subject_id) != state:
        repository.save_calendar_state(act.session, trial_id, subject_id, state)
    if moved:
        act.record(
            "renew calendar",
            "subject",
            f"{trial_id} {subject_id}",
            after={"anchor_on": anchor, "numbers": moved, "protocol_version": filed.version},
        )
        if end is not None:
            publish(act, Kind.CALENDAR_CLOSED, trial_id, subject_id=subject_id)
    return protocol


def _write_slot(
    act: Act, subject: Subject, timepoint: Timepoint | None, slot: Slot, end: date | None
) -> bool:
    """Write one expected timepoint; False when it stands so already."""
    empty = _empty_progress(slot, end)
    if timepoint is None:
        repository.add_slot(act.session, subject.trial_id, subject.subject_id, slot, empty)
        return True
    is_empty = timepoint.progress in {Progress.EXPECTED, Progress.CLOSED}
    progress = empty if is_empty else timepoint.progress
    if slot == _slot_of(timepoint) and progress is timepoint.progress:
        return False
    repository.move_slot(act.session, timepoint, slot, progress)
    return True


def follow_subject(act: Act, trial_id: str, subject_id: str) -> None:
    """Do what a change of a subject calls for: calendar, matches that moved, studies that wait.

    Studies are locked before the subject, as wherever both are.
    """
    subject = subjects.find_subject(act.session, _EVERYWHERE, trial_id, subject_id)
    matched = study_repository.of_subject(act.session, trial_id, subject_id, lock=True)
    waiting = study_repository.waiting(act.session, trial_id, subject.site_id)
    renew_calendar(act, trial_id, subject_id)
    if _note_central_progression(act, subject):
        renew_calendar(act, trial_id, subject_id)
    moved = _moved(act, trial_id, subject_id, matched)
    for study in moved:
        take_away(act, study)
    for study in [*moved, *waiting]:
        try_to_match(act, study)


def _note_central_progression(act: Act, subject: Subject) -> bool:
    """Keep the day of the progression that the accepted reads show; False when it stands so already."""
    trial_id, subject_id = subject.trial_id, subject.subject_id
    known = repository.calendar_facts(act.session, trial_id, subject_id).central_progression_on
    found = CENTRAL.progression_on(act.session, trial_id, subject_id, act.today)
    if found == known:
        return False
    repository.save_central_progression(act.session, trial_id, subject_id, found)
    act.record(
        "note central progression",
        "subject",
        f"{trial_id} {subject_id}",
        before={"central_progression_on": known},
        after={"central_progression_on": found},
    )
    return True


def _moved(act: Act, trial_id: str, subject_id: str, matched: Sequence[Study]) -> Sequence[Study]:
    """Return the matched studies that the present facts would put elsewhere.

    What a person has assigned stays, and so does what a reader has opened.
    """
    timepoints = {
        each.timepoint_id: each
        for each in repository.of_subject(act.session, _EVERYWHERE, trial_id, subject_id)
    }
    moved = []
    for study in matched:
        timepoint = timepoints[study.verdict.timepoint_id or ""]
        if study.decided_by != WORKER.name or timepoint.progress in BEING_READ:
            continue
        answer = find_answer(act, study)
        if isinstance(answer, Doubt) or _differs(answer, study, timepoint):
            moved.append(study)
    return moved


def _differs(answer: Answer, study: Study, timepoint: Timepoint) -> bool:
    place = answer.place
    return (place.number, place.placement) != (timepoint.number, study.verdict.placement)


def _baseline_imaged_on(act: Act, subject: Subject) -> date | None:
    baseline = repository.of_number(act.session, subject.trial_id, subject.subject_id, 0)
    return None if baseline is None else baseline.imaged_on
