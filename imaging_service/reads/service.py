"""Open a read, measure lesions, sign, unlock."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import timedelta
from typing import Any

from sqlalchemy.orm import Session

from imaging_service.accounts import service as accounts
from imaging_service.accounts.principal import Principal, Role
from imaging_service.accounts.scope import POOL
from imaging_service.accounts.service import Authentication
from imaging_service.database import new_id
from imaging_service.errors import ForbiddenError, NotFoundError
from imaging_service.http.pages import Page, PageRequest
from imaging_service.notices.kinds import Kind
from imaging_service.notices.service import publish
from imaging_service.reads import repository
from imaging_service.reads.act import ReadAct
from imaging_service.reads.completeness import Gap, gaps
from imaging_service.reads.entry import (
    Entry,
    LesionFacts,
    check_state,
    check_target_count,
    facts_of,
    same_content,
)
from imaging_service.reads.errors import (
    AlreadySignedError,
    BaselineMissingError,
    ChangedMeanwhileError,
    IncompleteReadError,
    NothingToReadError,
    NotSignedError,
    ReviewOffError,
    ReviewTooEarlyError,
    TurnError,
    UnlockedAlreadyError,
    VersionWantedError,
)
from imaging_service.reads.measuring import Measured, measure, plane_on
from imaging_service.reads.observing import eligible_lesion
from imaging_service.reads.read import LesionRecord, Read, Signature
from imaging_service.reads.record import record_hash, rounded, rounded_lesion
from imaging_service.reads.repository import TimepointToRead, WorklistItem
from imaging_service.reads.sequence import next_to_read, open_to_reader
from imaging_service.subjects.service import calendar_job
from imaging_service.timepoints import service as timepoints
from imaging_service.trials import service as trials
from measurement.geometry.calipers import Tolerances
from measurement.geometry.plane import ImagePlane
from measurement.lesions.eligibility import baseline_findings
from measurement.protocol.trial import MeasurementConvention, ReadOrder, TrialProtocol


def worklist(
    session: Session, principal: Principal, page: PageRequest, trial_id: str | None
) -> Page[WorklistItem]:
    """Return what waits for the caller: of each subject one timepoint.

    Parameters
    ----------
    session
        The transaction.
    principal
        The reader.
    page
        Which part of the list.
    trial_id
        The only trial wanted, or None for every trial that the caller reads in.

    Raises
    ------
    NotFoundError
        The caller does not read in the trial.
    """
    if trial_id is not None and principal.scope.reader_slot(trial_id) is None:
        raise trials.no_such_trial(trial_id)
    return repository.worklist(session, principal, page, trial_id)


def open_read(act: ReadAct, timepoint_id: str) -> tuple[Read, bool]:
    """Open the caller's own read of a timepoint, or return the one that is there.

    Returns
    -------
    tuple of Read and bool
        The read, and whether it was opened now.

    Raises
    ------
    NotFoundError
        There is no such timepoint, it is out of scope, or it is not its turn: one answer for all.
    NothingToReadError
        The timepoint has no images.
    BaselineMissingError
        The subject has no baseline images.
    """
    session, principal = act.session, act.principal
    repository.lock_timepoint(session, timepoint_id)
    timepoint, slot = _own_timepoint(session, principal, timepoint_id)
    existing = repository.newest(session, principal, timepoint_id, slot)
    if existing is not None:
        return existing, False
    occasions = repository.occasions(session, principal, timepoint.trial_id, timepoint.subject_id, slot)
    if timepoint_id not in {each.timepoint_id for each in occasions}:
        _refuse_without_images(timepoint, all_signed=next_to_read(occasions) is None)
    turn = next_to_read(occasions)
    is_turn = turn is not None and turn.timepoint_id == timepoint_id
    if is_turn and not any(each.is_baseline for each in occasions):
        raise BaselineMissingError
    order = _read_order(session, principal, timepoint)
    if timepoint_id not in {each.timepoint_id for each in open_to_reader(occasions, order)}:
        raise _no_timepoint(timepoint_id)
    read = _new_read(act, timepoint, slot)
    repository.add(session, read)
    timepoints.begin_reading(act.act, timepoint_id)
    act.record(
        "open read",
        read.read_id,
        after={"timepoint_id": timepoint_id, "slot": slot, "revision": read.revision},
    )
    return read, True


def _refuse_without_images(timepoint: TimepointToRead, *, all_signed: bool) -> None:
    """Tell that there are no images only to a reader whose turn it would be."""
    if all_signed:
        raise NothingToReadError(timepoint.progress)
    raise _no_timepoint(timepoint.timepoint_id)


def _new_read(act: ReadAct, timepoint: TimepointToRead, slot: int) -> Read:
    if timepoint.imaged_on is None:
        raise NothingToReadError(timepoint.progress)
    scope = act.principal.scope
    filed = trials.filed_protocol(act.session, scope, timepoint.trial_id, on=timepoint.imaged_on)
    return Read(
        read_id=new_id(),
        trial_id=timepoint.trial_id,
        subject_id=timepoint.subject_id,
        timepoint_id=timepoint.timepoint_id,
        number=timepoint.number,
        imaged_on=timepoint.imaged_on,
        slot=slot,
        revision=repository.last_revision(act.session, timepoint.timepoint_id, slot) + 1,
        supersedes=None,
        unlock_reason=None,
        protocol_version=filed.version,
        opened_by=act.principal.account_id,
        opened_at=act.now,
        version=0,
        signed_at=None,
    )


def is_open_to(session: Session, principal: Principal, timepoint_id: str) -> bool:
    """Whether the principal may see a timepoint and its images now.

    A reader may when the timepoint is signed, or its turn; other roles follow their scope.
    """
    timepoint = repository.timepoint(session, principal, timepoint_id)
    if timepoint is None:
        return False
    if principal.scope.reader_slot(timepoint.trial_id) is None:
        return principal.has(*repository.UNBLINDED, Role.ADJUDICATOR)
    slot = repository.own_slot(session, principal, timepoint.trial_id, timepoint.subject_id)
    if slot is None:
        return False
    occasions = repository.occasions(session, principal, timepoint.trial_id, timepoint.subject_id, slot)
    order = _read_order(session, principal, timepoint)
    return timepoint_id in {each.timepoint_id for each in open_to_reader(occasions, order)}


def _read_order(session: Session, principal: Principal, timepoint: TimepointToRead) -> ReadOrder:
    """Return in which order the protocol in force shows the subject's timepoints; one by one when unknown."""
    version = repository.calendar_version(session, timepoint.trial_id, timepoint.subject_id)
    if version is None:
        return ReadOrder.SEQUENTIAL
    protocol = trials.protocol_version(session, principal.scope, timepoint.trial_id, version)
    return protocol.readers.order


def find_read(session: Session, principal: Principal, read_id: str, *, lock: bool = False) -> Read:
    """Return a read that the principal may see.

    Raises
    ------
    NotFoundError
        There is none.
    """
    read = repository.find(session, principal, read_id, lock=lock)
    if read is None:
        message = f"There is no read {read_id!r}."
        raise NotFoundError(message)
    return read


def earlier_reads(session: Session, principal: Principal, read: Read) -> Sequence[Read]:
    """Return the signed reads of the same reader and subject that come before a read."""
    signed = repository.signed_reads(session, principal, read.trial_id, read.subject_id, read.slot)
    return [each for each in signed if each.timepoint_id != read.timepoint_id and _order(each) < _order(read)]


def _order(read: Read) -> tuple[bool, Any, str]:
    return not read.is_baseline, read.imaged_on, read.timepoint_id


def enter_lesion(act: ReadAct, read_id: str, entry: Entry, *, seen: int | None) -> tuple[LesionRecord, bool]:
    """Keep what the reader enters about a lesion; the lengths are computed here.

    Parameters
    ----------
    act
        The reader's.
    read_id
        The draft.
    entry
        What is entered.
    seen
        Version of the lesion that the reader saw; None when it is new to the reader.

    Returns
    -------
    tuple of LesionRecord and bool
        The record, and whether the lesion is new in this read.

    Raises
    ------
    NotFoundError
        There is no such read of the caller's.
    ReadRefusedError
        A rule of reading is broken.
    ReadConflictError
        The read is signed, or somebody wrote meanwhile.
    """
    session, principal = act.session, act.principal
    read = _own_draft(act, read_id)
    protocol = _protocol(session, principal, read)
    earlier = earlier_reads(session, principal, read)
    facts = facts_of(entry, read, earlier)
    check_state(entry, facts, read, earlier)
    check_target_count(entry, facts, read, protocol.criteria.measurability)
    measured = _measure(session, read, entry, protocol.measurement)
    stored = read.lesion(entry.lesion_id)
    lesion = _with_findings(_record(entry, facts, measured), read, measured, protocol)
    if stored is not None and seen is None and same_content(stored, lesion):
        return stored, False
    _check_seen(entry.lesion_id, stored, seen)
    lesion = replace(lesion, version=read.version + 1)
    repository.save_lesion(session, read, lesion)
    repository.count_change(session, read)
    before = None if stored is None else asdict(stored)
    act.record("enter lesion", read_id, before=before, after=asdict(lesion))
    return lesion, stored is None


def _measure(session: Session, read: Read, entry: Entry, convention: MeasurementConvention) -> Measured:
    wanted = sorted({each.sop_instance_uid for each in entry.drawings})
    if not wanted:
        return Measured(axes=(), findings=())
    found = repository.instances(session, read.timepoint_id, wanted)
    tolerances = Tolerances(
        claim_mm=float(convention.claim_tolerance_mm),
        perpendicular_degrees=float(convention.perpendicular_tolerance_degrees),
    )
    count = repository.instance_count(session, read.timepoint_id)
    return measure(entry.drawings, found, count, tolerances)


def plane_of_frame(session: Session, read: Read, sop_instance_uid: str, frame: int) -> ImagePlane:
    """Return the plane of a frame of a read's timepoint.

    Raises
    ------
    ReadRefusedError
        The instance is not the timepoint's, the frame is missing or has no calibrated spacing.
    """
    found = repository.instances(session, read.timepoint_id, [sop_instance_uid])
    count = repository.instance_count(session, read.timepoint_id)
    return plane_on(found, count, sop_instance_uid, frame)


def _record(entry: Entry, facts: LesionFacts, measured: Measured) -> LesionRecord:
    return LesionRecord(
        lesion_id=entry.lesion_id,
        **asdict(facts),
        state=entry.state,
        reason=entry.reason,
        merged_into=entry.merged_into,
        diameter=None,
        findings=(),
        version=0,
        axes=tuple(measured.axes),
    )


def _with_findings(
    lesion: LesionRecord, read: Read, measured: Measured, protocol: TrialProtocol
) -> LesionRecord:
    """Add what the ruler noticed and, at baseline, what the rules of eligibility say."""
    findings: list[Mapping[str, Any]] = [
        {"code": each.code.value, "sentence": each.sentence} for each in measured.findings
    ]
    if read.is_baseline:
        diameter = rounded_lesion(lesion, protocol.measurement.precision_mm).diameter
        candidate = eligible_lesion(read, lesion, diameter)
        findings += [
            {"code": each.code, "sentence": each.sentence}
            for each in baseline_findings([candidate], protocol.criteria.measurability)
        ]
    return replace(lesion, findings=tuple(findings))


def _check_seen(lesion_id: str, stored: LesionRecord | None, seen: int | None) -> None:
    """Let nobody overwrite what they have not seen."""
    if stored is None and seen is not None:
        raise ChangedMeanwhileError(lesion_id, 0, seen)
    if stored is None:
        return
    if seen is None:
        raise VersionWantedError(lesion_id, stored.version)
    if seen != stored.version:
        raise ChangedMeanwhileError(lesion_id, stored.version, seen)


def withdraw_lesion(act: ReadAct, read_id: str, lesion_id: str, *, seen: int | None) -> None:
    """Take a lesion out of a draft; nothing happens when it is not in it.

    Raises
    ------
    NotFoundError
        There is no such read of the caller's.
    ReadConflictError
        The read is signed, or somebody wrote meanwhile.
    """
    read = _own_draft(act, read_id)
    stored = read.lesion(lesion_id)
    if stored is None:
        return
    _check_seen(lesion_id, stored, seen)
    repository.remove_lesion(act.session, read, lesion_id)
    repository.count_change(act.session, read)
    act.record("withdraw lesion", read_id, before=asdict(stored))


@dataclass(frozen=True, slots=True, kw_only=True)
class Signing:
    """What a reader says by signing."""

    meaning: str
    seen: int | None
    """Version of the draft that the reader looked at, when the client tells it."""
    confirms_no_disease: bool
    authentication: Authentication
    """The password, entered again."""
    valid_for: timedelta
    """How long the re-entered password may be used."""


def sign(act: ReadAct, read_id: str, signing: Signing) -> Read:
    """Round every length, sign the read and lock it.

    Raises
    ------
    NotFoundError
        There is no such read of the caller's.
    UnauthenticatedError
        The re-entered password was used already or is too old.
    IncompleteReadError
        The read has gaps; every one is listed.
    ReadConflictError
        The read is signed already, was changed meanwhile, or an earlier timepoint waits.
    """
    session, principal = act.session, act.principal
    read = _own_draft(act, read_id)
    repository.lock_timepoint(session, read.timepoint_id)
    if signing.seen is not None and signing.seen != read.version:
        what = "The read"
        raise ChangedMeanwhileError(what, read.version, signing.seen)
    _check_turn(session, principal, read)
    earlier = earlier_reads(session, principal, read)
    found = gaps(read, earlier, confirms_no_disease=signing.confirms_no_disease)
    if found:
        raise IncompleteReadError([asdict(each) for each in found])
    accounts.use_authentication(
        session, principal, signing.authentication, now=act.now, valid_for=signing.valid_for
    )
    signed = rounded(read, _protocol(session, principal, read).measurement.precision_mm)
    signature = _signature(act, signed, signing)
    repository.seal(session, signed, signature)
    act.record(
        "sign read",
        read_id,
        after={
            "meaning": signature.meaning,
            "name": signature.printed_name,
            "role": signature.role,
            "authenticated_at": signature.authenticated_at,
            "record_hash": signature.record_hash,
            "authentication_id": signing.authentication.authentication_id,
        },
    )
    _note_if_all_have_signed(act, read)
    _tell(act, Kind.READ_SIGNED, read)
    _let_calendar_follow(act, read)
    return find_read(session, principal, read_id)


def _let_calendar_follow(act: ReadAct, read: Read) -> None:
    """Let the calendar look whether the accepted reads show progression, which may end it."""
    act.act.queue.enqueue(act.session, calendar_job(read.trial_id, read.subject_id))


def _tell(act: ReadAct, kind: Kind, read: Read) -> None:
    publish(
        act.act,
        kind,
        read.trial_id,
        subject_id=read.subject_id,
        timepoint_id=read.timepoint_id,
        reference=read.read_id,
    )


def _note_if_all_have_signed(act: ReadAct, read: Read) -> None:
    readers = _protocol(act.session, act.principal, read).readers.count
    if repository.slots_signed(act.session, read.timepoint_id) >= set(range(1, readers + 1)):
        timepoints.finish_reading(act.act, read.timepoint_id)


def _signature(act: ReadAct, read: Read, signing: Signing) -> Signature:
    return Signature(
        account_id=act.principal.account_id,
        printed_name=act.principal.name,
        role=Role.READER.value,
        meaning=signing.meaning,
        signed_at=act.now,
        authenticated_at=signing.authentication.at,
        record_hash=record_hash(read),
    )


def _check_turn(session: Session, principal: Principal, read: Read) -> None:
    """Refuse while an earlier timepoint, whose images came late, waits."""
    if read.supersedes is not None:
        return
    occasions = repository.occasions(session, principal, read.trial_id, read.subject_id, read.slot)
    turn = next_to_read(occasions)
    if turn is not None and turn.timepoint_id != read.timepoint_id:
        raise TurnError(turn.imaged_on)


def unlock(act: ReadAct, read_id: str, *, reason: str) -> Read:
    """Begin a new revision of a signed read; the signed one stays as it is.

    Raises
    ------
    NotFoundError
        There is no such read in the caller's scope.
    ForbiddenError
        The caller reads in the trial.
    NotSignedError, UnlockedAlreadyError
        It is a draft, or has a newer revision.
    """
    session, principal = act.session, act.principal
    read = find_read(session, principal, read_id, lock=True)
    if principal.scope.reader_slot(read.trial_id) is not None:
        message = "A read is unlocked by a coordinator who does not read in the trial."
        raise ForbiddenError(message)
    return _revise(act, read, "unlock read", reason=reason)


def review(act: ReadAct, read_id: str, *, reason: str) -> Read:
    """Let a reader change an own signed read after the last timepoint, with a reason; the signed one stays.

    What follows from later reads is derived anew when the revision is signed, and readers are compared
    and adjudicated on what they have signed last.

    Raises
    ------
    NotFoundError
        There is no such read of the caller's.
    ForbiddenError
        The read is not the caller's own.
    ReviewOffError
        The protocol has no global review.
    ReviewTooEarlyError
        Something is still to be read, or to be imaged.
    NotSignedError, UnlockedAlreadyError
        It is a draft, or has a newer revision.
    """
    session, principal = act.session, act.principal
    read = find_read(session, principal, read_id, lock=True)
    if not _is_own(principal, read):
        message = "Only the reader whose read it is may review it."
        raise ForbiddenError(message)
    if not _protocol(session, principal, read).readers.global_review:
        raise ReviewOffError(read.protocol_version)
    _check_after_last(act, read)
    return _revise(act, read, "review read", reason=reason)


def _check_after_last(act: ReadAct, read: Read) -> None:
    """Refuse while anything of the subject waits to be read by this reader, or to be imaged."""
    occasions = repository.occasions(act.session, act.principal, read.trial_id, read.subject_id, read.slot)
    turn = next_to_read(occasions)
    if turn is not None:
        what = f"the one imaged on {turn.imaged_on} is not signed yet"
        raise ReviewTooEarlyError(what)
    awaited = repository.last_awaited(act.session, read.trial_id, read.subject_id, act.now.date())
    if awaited is not None:
        what = f"timepoint {awaited} can still be imaged"
        raise ReviewTooEarlyError(what)


def _revise(act: ReadAct, read: Read, action: str, *, reason: str) -> Read:
    """Begin a new revision of a signed read."""
    session = act.session
    if not read.is_signed:
        raise NotSignedError
    newest = repository.newest(session, act.principal, read.timepoint_id, read.slot)
    if newest is not None and newest.read_id != read.read_id:
        raise UnlockedAlreadyError(newest.revision)
    revision = replace(
        read,
        read_id=new_id(),
        revision=read.revision + 1,
        supersedes=read.read_id,
        unlock_reason=reason,
        opened_by=act.principal.account_id,
        opened_at=act.now,
        version=0,
        signed_at=None,
        signature=None,
        lesions=tuple(_as_draft(each) for each in read.lesions),
    )
    repository.add(session, revision)
    after = {"revision": revision.revision, "supersedes": read.read_id}
    timepoints.begin_reading(act.act, read.timepoint_id)
    act.record(action, revision.read_id, after=after, reason=reason)
    _tell(act, Kind.READ_UNLOCKED, revision)
    _let_calendar_follow(act, revision)
    return revision


def _as_draft(lesion: LesionRecord) -> LesionRecord:
    axes = tuple(replace(each, reported=None) for each in lesion.axes)
    return replace(lesion, diameter=None, axes=axes)


def gaps_of(session: Session, principal: Principal, read: Read) -> Sequence[Gap]:
    """Return what a draft still lacks; a signed read, or a closed draft, lacks nothing."""
    return (
        ()
        if read.is_signed or read.closed_at is not None
        else gaps(read, earlier_reads(session, principal, read))
    )


def shown(session: Session, principal: Principal, read: Read) -> Read:
    """Return a draft with its lengths rounded as they would be signed."""
    if read.is_signed:
        return read
    return rounded(read, _protocol(session, principal, read).measurement.precision_mm)


def selection_findings(session: Session, principal: Principal, read: Read) -> Sequence[Mapping[str, Any]]:
    """Return what the rules of eligibility say about a baseline as a whole."""
    if not read.is_baseline:
        return ()
    limits = _protocol(session, principal, read).criteria.measurability
    lesions = [eligible_lesion(read, each, each.diameter) for each in read.lesions]
    return [
        {"code": each.code, "sentence": each.sentence}
        for each in baseline_findings(lesions, limits)
        if not each.lesion_id
    ]


def _own_timepoint(session: Session, principal: Principal, timepoint_id: str) -> tuple[TimepointToRead, int]:
    """Return a timepoint of a trial that the principal reads in, with the slot."""
    timepoint = repository.timepoint(session, principal, timepoint_id)
    if timepoint is None:
        raise _no_timepoint(timepoint_id)
    slot = repository.own_slot(session, principal, timepoint.trial_id, timepoint.subject_id)
    if slot is None:
        raise _no_timepoint(timepoint_id)
    return timepoint, slot


def _no_timepoint(timepoint_id: str) -> NotFoundError:
    return NotFoundError(f"There is no timepoint {timepoint_id!r}.")


def require_own_draft(principal: Principal, read: Read) -> None:
    """Refuse who may not write in a read, and everybody once it is signed.

    Raises
    ------
    ForbiddenError
        The read is another reader's.
    AlreadySignedError
        It is signed.
    """
    if not _is_own(principal, read):
        message = "Only the reader whose read it is may write in it."
        raise ForbiddenError(message)
    if read.signed_at is not None:
        raise AlreadySignedError(read.signed_at)


def _is_own(principal: Principal, read: Read) -> bool:
    """Whether a read that the principal may see is its own: a reader out of a pool sees no other."""
    return principal.scope.reader_slot(read.trial_id) in {POOL, read.slot}


def _own_draft(act: ReadAct, read_id: str) -> Read:
    read = find_read(act.session, act.principal, read_id, lock=True)
    require_own_draft(act.principal, read)
    return read


def _protocol(session: Session, principal: Principal, read: Read) -> TrialProtocol:
    return trials.protocol_version(session, principal.scope, read.trial_id, read.protocol_version)
