"""Control images as they arrive, and accept, reject or ask about them."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, replace
from typing import Any

from sqlalchemy.orm import Session

from imaging_service.accounts.act import Act
from imaging_service.accounts.scope import Scope
from imaging_service.errors import ConflictError
from imaging_service.http.pages import Page, PageRequest
from imaging_service.jobs.port import Handler, Job, WorkerContext
from imaging_service.notices import service as notices
from imaging_service.notices.kinds import Kind
from imaging_service.quality import repository
from imaging_service.quality.acquired import acquired
from imaging_service.quality.records import Control, Step
from imaging_service.quality.repository import Filter
from imaging_service.quality.transitions import Cause, is_allowed, reachable
from imaging_service.site_queries import service as site_queries
from imaging_service.timepoints import repository as timepoint_repository
from imaging_service.timepoints import service as timepoints
from imaging_service.timepoints.control import CONTROL, ControlState, control_job
from imaging_service.timepoints.records import BEING_READ
from imaging_service.trials import seating
from imaging_service.trials import service as trials
from measurement.protocol.acquisition import AcceptedBy, Severity
from measurement.quality.control import control as hold_against_rules

_EVERYWHERE = Scope.all()
_AT_ONCE = 1000


def controls(
    session: Session, scope: Scope, trial_id: str, wanted: Filter, page: PageRequest
) -> Page[Control]:
    """Return the wanted timepoints with images, with what control has found about them.

    Raises
    ------
    NotFoundError
        There is no such trial in the scope.
    """
    trials.find_trial(session, scope, trial_id)
    return repository.page(session, scope, trial_id, wanted, page)


def find_control(
    session: Session, scope: Scope, trial_id: str, timepoint_id: str, *, lock: bool = False
) -> Control:
    """Return what control has found about a timepoint; `lock` keeps others from deciding about it.

    Raises
    ------
    NotFoundError
        There is no such timepoint in the scope.
    """
    found = repository.find(session, scope, timepoint_id, lock=lock)
    if found is None or found.trial_id != trial_id:
        raise timepoints.no_such_timepoint(timepoint_id)
    return found


def history(session: Session, scope: Scope, trial_id: str, timepoint_id: str) -> Sequence[Step]:
    """Return every state that a timepoint's images went through, the first one first.

    Raises
    ------
    NotFoundError
        There is no such timepoint in the scope.
    """
    find_control(session, scope, trial_id, timepoint_id)
    return repository.steps(session, timepoint_id)


def accept(act: Act, trial_id: str, timepoint_id: str, reason: str | None, seen: int | None) -> Control:
    """Let a timepoint's images be read, on a person's word.

    Raises
    ------
    NotFoundError
        There is no such timepoint in the scope.
    ConflictError
        Its state does not allow it, a finding blocks and no reason is given, or somebody has decided
        meanwhile.
    """
    found = _locked(act, trial_id, timepoint_id, seen)
    if found.state is ControlState.ACCEPTED:
        return found
    if found.blocking and not reason:
        message = f"{found.blocking} findings block this timepoint; accepting it all the same needs a reason."
        raise ConflictError(message, code="reason_wanted")
    _move(act, found, Cause.ACCEPTED_BY_PERSON, reason=reason)
    return find_control(act.session, act.scope, trial_id, timepoint_id)


def reject(act: Act, trial_id: str, timepoint_id: str, reason: str, seen: int | None) -> Control:
    """Keep a timepoint's images from every reader.

    Raises
    ------
    NotFoundError
        There is no such timepoint in the scope.
    ConflictError
        A reader has opened it, its state does not allow it, or somebody has decided meanwhile.
    """
    found = _locked(act, trial_id, timepoint_id, seen)
    if found.state is ControlState.REJECTED:
        return found
    timepoint = timepoints.find_timepoint(act.session, act.scope, timepoint_id)
    if timepoint.progress in BEING_READ:
        message = (
            f"{timepoint.name} is {timepoint.progress.replace('_', ' ')}; what a reader has opened stays."
        )
        raise ConflictError(message, code="timepoint_in_reading")
    _move(act, found, Cause.REJECTED_BY_PERSON, reason=reason)
    return find_control(act.session, act.scope, trial_id, timepoint_id)


def reopen(act: Act, trial_id: str, timepoint_id: str, reason: str, seen: int | None) -> Control:
    """Control a timepoint again that was accepted or rejected; a person then decides.

    Raises
    ------
    NotFoundError
        There is no such timepoint in the scope.
    ConflictError
        Its state does not allow it, or somebody has decided meanwhile.
    """
    found = _locked(act, trial_id, timepoint_id, seen)
    _move(act, found, Cause.REOPENED_BY_PERSON, reason=reason)
    _examine(act, timepoint_id)
    return find_control(act.session, act.scope, trial_id, timepoint_id)


def _locked(act: Act, trial_id: str, timepoint_id: str, seen: int | None) -> Control:
    found = find_control(act.session, act.scope, trial_id, timepoint_id, lock=True)
    if seen not in {None, found.version}:
        message = f"Quality control is at step {found.version} now, not {seen}; look again and decide anew."
        raise ConflictError(message, code="changed_meanwhile")
    return found


def _move(act: Act, found: Control, cause: Cause, *, reason: str | None = None) -> Control:
    """Change the state of a timepoint's images, as the table of transitions allows."""
    after = reachable(found.state, cause)
    if after is None:
        state = "without images" if found.state is None else found.state.replace("_", " ")
        message = f"The timepoint is {state}; {cause.replace('_', ' ')} is not possible from there."
        raise ConflictError(message, code="transition_not_allowed")
    return _step(act, found, after, cause, reason=reason)


def _step(
    act: Act, found: Control, after: ControlState | None, cause: Cause, *, reason: str | None = None
) -> Control:
    last = repository.last_step(act.session, found.timepoint_id)
    before = found.state if last is None else last.after
    assert is_allowed(before, after, cause), (before, after, cause)  # noqa: S101  the table is complete
    version = 1 if last is None else last.version + 1
    repository.add_step(
        act.session,
        found.trial_id,
        found.subject_id,
        Step(
            timepoint_id=found.timepoint_id,
            version=version,
            before=before,
            after=after,
            cause=cause,
            reason=reason,
            findings=found.findings,
            protocol_version=found.protocol_version,
            changed_by=act.by,
            changed_at=act.now,
        ),
    )
    if after is not None:
        timepoint_repository.set_control(act.session, found.timepoint_id, after)
    if after is ControlState.ACCEPTED:
        seating.ask_for_readers(act, found.trial_id)
    act.record(
        "control timepoint",
        "timepoint",
        found.timepoint_id,
        before={"control": before},
        after={"control": after, "cause": cause, "blocking": found.blocking},
        reason=reason,
    )
    return replace(found, state=after, version=version)


def control_again(act: Act, timepoint_id: str) -> None:
    """Look at what a timepoint has now: new images are controlled, images that are gone are noted.

    Doing it twice changes nothing: it moves only what has changed since the last step.
    """
    found = repository.find(act.session, _EVERYWHERE, timepoint_id, lock=True)
    last = repository.last_step(act.session, timepoint_id)
    if found is None or found.state is None:
        if last is not None and last.after is not None:
            _note_taken_away(act, timepoint_id, found)
        return
    if found.state is not ControlState.RECEIVED:
        return
    awaits = site_queries.is_open(act.session, timepoint_id)
    found = _step(act, found, ControlState.RECEIVED, Cause.IMAGES_RECEIVED)
    was_asked = awaits or (
        last is not None and last.after in {ControlState.QUERY_OPEN, ControlState.CORRECTED}
    )
    _move(act, found, Cause.CORRECTION_RECEIVED if was_asked else Cause.CONTROL_BEGAN)
    examined = _examine(act, timepoint_id)
    if not awaits:
        _accept_if_nothing_blocks(act, examined)


def _note_taken_away(act: Act, timepoint_id: str, found: Control | None) -> None:
    gone = found or repository.remembered(act.session, timepoint_id)
    if gone is not None:
        _step(act, replace(gone, findings=(), blocking=0), None, Cause.IMAGES_TAKEN_AWAY)


def _examine(act: Act, timepoint_id: str) -> Control:
    """Hold the images against the rules of the protocol in force, and keep what is found."""
    found = find_by_id(act.session, timepoint_id)
    filed = trials.filed_protocol(act.session, _EVERYWHERE, found.trial_id, on=act.today)
    protocol = trials.protocol_version(act.session, _EVERYWHERE, found.trial_id, filed.version)
    baseline = None
    if found.number != 0:
        baseline = timepoint_repository.of_number(act.session, found.trial_id, found.subject_id, 0)
    findings = hold_against_rules(
        [acquired(each) for each in timepoints.series_of(act.session, timepoint_id)],
        protocol.acquisition,
        []
        if baseline is None
        else [acquired(each) for each in timepoints.series_of(act.session, baseline.timepoint_id)],
    )
    blocking = sum(each.severity is Severity.BLOCKS for each in findings)
    repository.keep_findings(
        act.session,
        timepoint_id,
        [asdict(each) for each in findings],
        blocking=blocking,
        protocol_version=filed.version,
        at=act.now,
    )
    act.record(
        "hold images against rules",
        "timepoint",
        timepoint_id,
        after={"findings": [each.code for each in findings], "protocol_version": filed.version},
    )
    if blocking:
        notices.publish(
            act,
            Kind.QUALITY_FINDING,
            found.trial_id,
            subject_id=found.subject_id,
            timepoint_id=timepoint_id,
        )
    return find_by_id(act.session, timepoint_id)


def find_by_id(session: Session, timepoint_id: str) -> Control:
    """Return what control knows about a timepoint, whoever asks."""
    found = repository.find(session, _EVERYWHERE, timepoint_id)
    if found is None:
        raise timepoints.no_such_timepoint(timepoint_id)
    return found


def _accept_if_nothing_blocks(act: Act, found: Control) -> None:
    protocol = trials.protocol_in_force(act.session, _EVERYWHERE, found.trial_id, on=act.today)
    if protocol.quality.accept is AcceptedBy.AUTOMATIC and not found.blocking:
        _move(act, found, Cause.NOTHING_BLOCKS)


def follow_query(act: Act, timepoint_id: str) -> None:
    """Let the state of a timepoint follow the questions to its site; one of them was opened or closed."""
    found = repository.find(act.session, _EVERYWHERE, timepoint_id, lock=True)
    if found is None or found.state is None:
        return
    if found.state is ControlState.RECEIVED:
        control_again(act, timepoint_id)
        found = find_by_id(act.session, timepoint_id)
    is_open = site_queries.is_open(act.session, timepoint_id)
    if is_open and reachable(found.state, Cause.QUERY_ASKED) is not None:
        _move(act, found, Cause.QUERY_ASKED)
    elif not is_open and found.state is ControlState.QUERY_OPEN:
        _move(act, found, Cause.QUERIES_CLOSED)
        _accept_if_nothing_blocks(act, _examine(act, timepoint_id))
    elif not is_open and found.state is ControlState.CORRECTED:
        _accept_if_nothing_blocks(act, found)


site_queries.FOLLOWERS.add(follow_query)


def control_timepoint(context: WorkerContext, payload: Mapping[str, Any]) -> None:
    """Control a timepoint whose images have changed."""
    services = context.services
    with context.completion() as session:
        act = Act.of_worker(session, services.queue, services.clock.now())
        control_again(act, str(payload["timepoint_id"]))


HANDLERS: Mapping[str, Handler] = {CONTROL: control_timepoint}
"""The jobs of this chapter."""


def missing_jobs() -> Callable[[Session], Iterable[Job]]:
    """Return what names the jobs of timepoints whose images no control has looked at."""

    def derive(session: Session) -> Iterable[Job]:
        return [control_job(each) for each in timepoint_repository.uncontrolled(session, _AT_ONCE)]

    return derive
