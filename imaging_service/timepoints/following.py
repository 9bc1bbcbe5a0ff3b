"""Do what a change of a subject's facts calls for."""

from collections.abc import Sequence

from imaging_service.accounts.act import Act
from imaging_service.accounts.scope import Scope
from imaging_service.audit.actor import WORKER
from imaging_service.subjects import service as subjects
from imaging_service.subjects.records import Subject
from imaging_service.timepoints import repository, study_repository
from imaging_service.timepoints.doubts import Doubt
from imaging_service.timepoints.matching import find_answer, try_to_match
from imaging_service.timepoints.moving import Answer, take_away
from imaging_service.timepoints.records import (
    BEING_READ,
    Study,
    Timepoint,
)
from imaging_service.timepoints.renewing import renew_calendar
from imaging_service.timepoints.responses import CENTRAL

_EVERYWHERE = Scope.all()


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
