"""Write a subject's calendar from the present facts."""

from datetime import date

from imaging_service.accounts.act import Act
from imaging_service.accounts.scope import Scope
from imaging_service.notices.kinds import Kind
from imaging_service.notices.service import publish
from imaging_service.subjects import repository as subject_repository
from imaging_service.subjects import service as subjects
from imaging_service.subjects.records import Subject
from imaging_service.timepoints import repository
from imaging_service.timepoints.calendar import Slot, anchor_on, closed_on, course_of, slots
from imaging_service.timepoints.placing import Course
from imaging_service.timepoints.records import (
    Progress,
    Timepoint,
)
from imaging_service.timepoints.repository import CalendarState
from imaging_service.trials import service as trials
from measurement.protocol.trial import TrialProtocol

_EVERYWHERE = Scope.all()


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
    empty = empty_progress(slot, end)
    if timepoint is None:
        repository.add_slot(act.session, subject.trial_id, subject.subject_id, slot, empty)
        return True
    is_empty = timepoint.progress in {Progress.EXPECTED, Progress.CLOSED}
    progress = empty if is_empty else timepoint.progress
    if slot == slot_of(timepoint) and progress is timepoint.progress:
        return False
    repository.move_slot(act.session, timepoint, slot, progress)
    return True


def slot_of(timepoint: Timepoint) -> Slot:
    """Return the slot of the calendar that a timepoint fills."""
    return Slot(
        number=timepoint.number or 0,
        nominal_on=timepoint.nominal_on,
        opens_on=timepoint.opens_on,
        closes_on=timepoint.closes_on,
    )


def empty_progress(slot: Slot, end: date | None) -> Progress:
    """Return how an expected timepoint without images stands when the calendar ends on a day."""
    return Progress.CLOSED if slot.is_closed_by(end) else Progress.EXPECTED


def course(act: Act, subject: Subject, protocol: TrialProtocol) -> Course:
    """Return the days of a subject on which placing depends."""
    facts = repository.calendar_facts(act.session, subject.trial_id, subject.subject_id)
    return course_of(subject, protocol, _baseline_imaged_on(act, subject), facts)


def _baseline_imaged_on(act: Act, subject: Subject) -> date | None:
    baseline = repository.of_number(act.session, subject.trial_id, subject.subject_id, 0)
    return None if baseline is None else baseline.imaged_on
