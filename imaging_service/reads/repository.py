"""Reads in the database; `visible_to` is the only way to any of their rows.

Every selection of a read, a lesion, an axis or a signature begins with `visible_to`, so that blinding
holds where rows are chosen and not where they are shown. A test forbids any other way.
"""

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    FromClause,
    Select,
    and_,
    case,
    delete,
    exists,
    false,
    func,
    insert,
    join,
    literal_column,
    not_,
    or_,
    select,
    true,
    update,
)
from sqlalchemy.orm import Session, aliased

from imaging_service.accounts.principal import Principal, Role
from imaging_service.accounts.scope import POOL, Scope
from imaging_service.http.pages import Page, PageRequest
from imaging_service.reads import assignment_repository as assignments
from imaging_service.reads.measuring import MeasurableInstance
from imaging_service.reads.read import Axis, DrawnAxis, LesionRecord, Read, Signature
from imaging_service.reads.sequence import Occasion
from imaging_service.reads.tables import AxisRow, LesionRow, ReadRow, SignatureRow
from imaging_service.subjects.tables import SubjectRow
from imaging_service.timepoints.control import ControlState
from imaging_service.timepoints.membership_repository import of_study, series_on
from imaging_service.timepoints.records import Progress
from imaging_service.timepoints.tables import (
    CalendarRow,
    StudyInstanceRow,
    StudyRow,
    StudySeriesRow,
    TimepointRow,
)
from measurement.lesions.lesion import Nature
from measurement.lesions.lesion import Role as LesionRole
from measurement.recist.observations import TimepointObservations
from measurement.units import Millimetres, ReportedMillimetres

UNBLINDED = frozenset({Role.ADMINISTRATOR, Role.COORDINATOR, Role.SPONSOR, Role.SERVICE})
"""Roles that see every read of their trials and sites, unless they read in the trial themselves."""


SYSTEM = Principal(
    account_id="system",
    account="system",
    name="system",
    roles=frozenset({Role.SERVICE}),
    scope=Scope.all(),
)
"""Sees every read, for what the system itself must know; nothing it sees reaches a reader."""


def visible_to(principal: Principal, *, with_closed: bool = False) -> Select[ReadRow]:
    """Select the reads that a principal may see.

    A reader sees the reads of its own slot and nothing else of that trial, whatever other roles the
    account has; one of a trial's pool, the reads of the slot of each subject that is assigned to it, and
    nothing of another subject. The unblinded roles see every read in their scope; everybody else sees none.

    Parameters
    ----------
    principal
        Who asks.
    with_closed
        Whether drafts that were closed are wanted too, which are for the unblinded roles alone.
    """
    slots = _slots(principal)
    reads_in = sorted({trial for trial, _ in slots})
    pools = [trial for trial, slot in slots if slot == POOL]
    visible: list[ColumnElement[bool]] = [false()]
    if principal.has(Role.READER):
        own = [and_(ReadRow.trial_id == trial, ReadRow.slot == slot) for trial, slot in slots if slot != POOL]
        if pools:
            mine = assignments.is_assigned_to(
                principal.account_id, ReadRow.trial_id, ReadRow.subject_id, ReadRow.slot
            )
            own.append(and_(ReadRow.trial_id.in_(pools), mine))
        visible += [and_(ReadRow.closed_at.is_(None), each) for each in own] if with_closed else own
    if principal.has(*UNBLINDED):
        elsewhere = and_(true(), *([ReadRow.trial_id.not_in(reads_in)] if reads_in else []))
        visible.append(elsewhere if principal.scope.everywhere else and_(elsewhere, _in_scope(principal)))
    statement = select(ReadRow).where(or_(*visible))
    return statement if with_closed else statement.where(ReadRow.closed_at.is_(None))


def sees_every_read(principal: Principal, trial_id: str) -> bool:
    """Whether `visible_to` hides no read of a trial's sites in the scope from the principal."""
    return principal.has(*UNBLINDED) and principal.scope.reader_slot(trial_id) is None


def _slots(principal: Principal) -> Sequence[tuple[str, int]]:
    """Return the (trial, slot) pairs that the principal reads in; `POOL` where each subject says the slot."""
    grants = principal.scope.grants
    return sorted((each.trial_id, each.reader_slot) for each in grants if each.reader_slot is not None)


def _in_scope(principal: Principal) -> ColumnElement[bool]:
    return exists().where(
        SubjectRow.trial_id == ReadRow.trial_id,
        SubjectRow.subject_id == ReadRow.subject_id,
        principal.scope.sites(SubjectRow.trial_id, SubjectRow.site_id),
    )


def find(session: Session, principal: Principal, read_id: str, *, lock: bool = False) -> Read | None:
    """Return one read, closed or not, or None when there is none that the principal may see.

    Parameters
    ----------
    session
        The transaction.
    principal
        Who asks.
    read_id
        The read.
    lock
        Whether nobody else may change it until the transaction ends.
    """
    statement = visible_to(principal, with_closed=True).where(ReadRow.read_id == read_id)
    if lock:
        statement = statement.with_for_update(of=ReadRow)
    return next(iter(_load(session, principal, statement)), None)


def last_revision(session: Session, timepoint_id: str, slot: int) -> int:
    """Return the number of the last revision of a slot's read of a timepoint, closed or not; or 0."""
    statement = visible_to(SYSTEM, with_closed=True).where(
        ReadRow.timepoint_id == timepoint_id, ReadRow.slot == slot
    )
    return session.scalar(statement.with_only_columns(func.max(ReadRow.revision))) or 0


def own_slot(session: Session, principal: Principal, trial_id: str, subject_id: str) -> int | None:
    """Return the slot in which the principal reads a subject, or None when it does not."""
    slot = principal.scope.reader_slot(trial_id)
    if slot != POOL:
        return slot
    return assignments.slot_of(session, principal.account_id, trial_id, subject_id)


def newest(session: Session, principal: Principal, timepoint_id: str, slot: int) -> Read | None:
    """Return the newest revision of a slot's read of a timepoint."""
    statement = (
        visible_to(principal)
        .where(ReadRow.timepoint_id == timepoint_id, ReadRow.slot == slot)
        .order_by(ReadRow.revision.desc())
        .limit(1)
    )
    return next(iter(_load(session, principal, statement)), None)


def signed_reads(
    session: Session, principal: Principal, trial_id: str, subject_id: str, slot: int | None = None
) -> Sequence[Read]:
    """Return the signed reads of a subject that count now, by slot and in reading order.

    Parameters
    ----------
    session
        The transaction.
    principal
        Who asks.
    trial_id, subject_id
        The subject.
    slot
        The only slot wanted, or None for every one that the principal may see.
    """
    statement = visible_to(principal).where(
        ReadRow.trial_id == trial_id, ReadRow.subject_id == subject_id, ReadRow.signed_at.is_not(None)
    )
    if slot is not None:
        statement = statement.where(ReadRow.slot == slot)
    newest: dict[tuple[int, str], Read] = {}
    for read in _load(session, principal, statement.order_by(ReadRow.revision)):
        newest[read.slot, read.timepoint_id] = read
    return sorted(
        newest.values(), key=lambda each: (each.slot, not each.is_baseline, each.imaged_on, each.timepoint_id)
    )


def revisions(session: Session, principal: Principal, timepoint_id: str, slot: int) -> Sequence[Read]:
    """Return every revision of a slot's read of a timepoint, the first one first."""
    statement = visible_to(principal).where(ReadRow.timepoint_id == timepoint_id, ReadRow.slot == slot)
    return _load(session, principal, statement.order_by(ReadRow.revision))


def reads_of_subject(
    session: Session, principal: Principal, trial_id: str, subject_id: str, *, with_closed: bool = False
) -> Sequence[Read]:
    """Return every read of a subject, drafts and superseded ones included, and closed drafts when wanted."""
    statement = visible_to(principal, with_closed=with_closed).where(
        ReadRow.trial_id == trial_id, ReadRow.subject_id == subject_id
    )
    return _load(session, principal, statement.order_by(ReadRow.slot, ReadRow.imaged_on, ReadRow.revision))


def _load(session: Session, principal: Principal, statement: Select[ReadRow]) -> Sequence[Read]:
    rows = session.scalars(statement.execution_options(populate_existing=True)).all()
    if not rows:
        return ()
    ids = (
        visible_to(principal, with_closed=True)
        .where(ReadRow.read_id.in_([row.read_id for row in rows]))
        .with_only_columns(ReadRow.read_id)
    )

    # columns, not objects: each lesion that is entered reads all earlier ones
    axes: dict[tuple[str, str], list[DrawnAxis]] = {}
    of_axes = select(*AxisRow.__table__.columns).where(AxisRow.read_id.in_(ids))
    for axis in session.execute(of_axes.order_by(AxisRow.fragment, AxisRow.axis)):
        axes.setdefault((axis.read_id, axis.lesion_id), []).append(_axis(axis))
    lesions: dict[str, list[LesionRecord]] = {}
    of_lesions = select(*LesionRow.__table__.columns).where(LesionRow.read_id.in_(ids))
    for lesion in session.execute(of_lesions.order_by(LesionRow.lesion_id)):
        drawn = axes.get((lesion.read_id, lesion.lesion_id), [])
        lesions.setdefault(lesion.read_id, []).append(_lesion(lesion, drawn))
    of_signatures = select(*SignatureRow.__table__.columns).where(SignatureRow.read_id.in_(ids))
    signatures = {row.read_id: _signature(row) for row in session.execute(of_signatures)}
    return [_read(row, lesions.get(row.read_id, []), signatures.get(row.read_id)) for row in rows]


def add(session: Session, read: Read) -> None:
    """Keep a new draft, with the lesions it begins with."""
    session.add(
        ReadRow(
            read_id=read.read_id,
            trial_id=read.trial_id,
            subject_id=read.subject_id,
            timepoint_id=read.timepoint_id,
            number=read.number,
            imaged_on=read.imaged_on,
            slot=read.slot,
            revision=read.revision,
            supersedes=read.supersedes,
            unlock_reason=read.unlock_reason,
            protocol_version=read.protocol_version,
            opened_by=read.opened_by,
            opened_at=read.opened_at,
            version=read.version,
            signed_at=None,
            closed_at=None,
        )
    )
    session.flush()
    for lesion in read.lesions:
        save_lesion(session, read, lesion)


def save_lesion(session: Session, read: Read, lesion: LesionRecord) -> None:
    """Keep what a draft says about a lesion, instead of what it said before."""
    remove_lesion(session, read, lesion.lesion_id)
    session.execute(insert(LesionRow).values(**_lesion_values(read, lesion)))
    if lesion.axes:
        session.execute(insert(AxisRow), [_axis_values(read, lesion, each) for each in lesion.axes])


def remove_lesion(session: Session, read: Read, lesion_id: str) -> None:
    """Forget a lesion of a draft."""
    for row in (AxisRow, LesionRow):
        session.execute(delete(row).where(row.read_id == read.read_id, row.lesion_id == lesion_id))


def lock_reading(session: Session, trial_id: str, subject_id: str, slot: int) -> None:
    """Let nobody write in a slot's drafts of a subject, or open one, until the transaction ends."""
    drafts_of = visible_to(SYSTEM).where(
        ReadRow.trial_id == trial_id,
        ReadRow.subject_id == subject_id,
        ReadRow.slot == slot,
        ReadRow.signed_at.is_(None),
    )
    session.execute(drafts_of.with_only_columns(ReadRow.read_id).with_for_update(of=ReadRow))
    session.execute(
        select(TimepointRow.timepoint_id)
        .where(TimepointRow.trial_id == trial_id, TimepointRow.subject_id == subject_id)
        .with_for_update()
    )


def first_drafts(session: Session, trial_id: str, subject_id: str, slot: int) -> Sequence[str]:
    """Return the drafts of a slot of a subject that follow no signed read."""
    statement = visible_to(SYSTEM).where(
        ReadRow.trial_id == trial_id,
        ReadRow.subject_id == subject_id,
        ReadRow.slot == slot,
        ReadRow.signed_at.is_(None),
        ReadRow.supersedes.is_(None),
    )
    return session.scalars(statement.with_only_columns(ReadRow.read_id).order_by(ReadRow.read_id)).all()


def has_signed(session: Session, trial_id: str, subject_id: str, slot: int) -> bool:
    """Whether a slot of a subject has a signed read."""
    statement = visible_to(SYSTEM).where(
        ReadRow.trial_id == trial_id,
        ReadRow.subject_id == subject_id,
        ReadRow.slot == slot,
        ReadRow.signed_at.is_not(None),
    )
    return session.scalar(statement.with_only_columns(ReadRow.read_id).limit(1)) is not None


def close(session: Session, read_ids: Sequence[str], at: datetime) -> None:
    """Close drafts: they stay on record, and nothing in them changes from here on."""
    session.execute(update(ReadRow).where(ReadRow.read_id.in_(read_ids)).values(closed_at=at))


def count_change(session: Session, read: Read) -> None:
    """Count one more change of a draft."""
    session.execute(update(ReadRow).where(ReadRow.read_id == read.read_id).values(version=read.version + 1))


def seal(session: Session, read: Read, signature: Signature) -> None:
    """Keep the rounded values and the signature of a draft; nothing in it changes from here on."""
    for lesion in read.lesions:
        session.execute(
            update(LesionRow)
            .where(LesionRow.read_id == read.read_id, LesionRow.lesion_id == lesion.lesion_id)
            .values(diameter_mm=lesion.diameter)
        )
        for each in lesion.axes:
            session.execute(
                update(AxisRow)
                .where(
                    AxisRow.read_id == read.read_id,
                    AxisRow.lesion_id == lesion.lesion_id,
                    AxisRow.fragment == each.fragment,
                    AxisRow.axis == each.axis,
                )
                .values(reported_mm=each.reported)
            )
    session.execute(
        insert(SignatureRow).values(
            read_id=read.read_id,
            account_id=signature.account_id,
            printed_name=signature.printed_name,
            role=signature.role,
            meaning=signature.meaning,
            signed_at=signature.signed_at,
            authenticated_at=signature.authenticated_at,
            record_hash=signature.record_hash,
        )
    )
    session.execute(
        update(ReadRow)
        .where(ReadRow.read_id == read.read_id)
        .values(signed_at=signature.signed_at, version=read.version + 1)
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class TimepointToRead:
    """A timepoint as a reader meets it."""

    timepoint_id: str
    trial_id: str
    subject_id: str
    reading_id: str
    number: int | None
    imaged_on: date | None
    progress: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WorklistItem:
    """One timepoint that waits for a reader."""

    trial_id: str
    slot: int
    reading_id: str
    timepoint_id: str
    number: int | None
    imaged_on: date
    read_id: str | None
    """The draft, when it is open already."""
    revision: int
    opened_at: datetime | None


def timepoint(session: Session, principal: Principal, timepoint_id: str) -> TimepointToRead | None:
    """Return a timepoint in the principal's scope, whether or not it is its turn."""
    row = session.execute(
        select(TimepointRow, SubjectRow.reading_id)
        .join(SubjectRow, _same_subject())
        .where(
            TimepointRow.timepoint_id == timepoint_id,
            principal.scope.sites(SubjectRow.trial_id, SubjectRow.site_id),
        )
    ).first()
    if row is None:
        return None
    found: TimepointRow = row[0]
    return TimepointToRead(
        timepoint_id=found.timepoint_id,
        trial_id=found.trial_id,
        subject_id=found.subject_id,
        reading_id=row[1],
        number=found.number,
        imaged_on=found.imaged_on,
        progress=found.progress,
    )


def occasions(
    session: Session, principal: Principal, trial_id: str, subject_id: str, slot: int
) -> Sequence[Occasion]:
    """Return the timepoints of a subject with images that were not rejected, as the slot meets them."""
    begun = (
        visible_to(principal)
        .where(ReadRow.trial_id == trial_id, ReadRow.subject_id == subject_id, ReadRow.slot == slot)
        .with_only_columns(ReadRow.timepoint_id)
    )
    signed = begun.where(ReadRow.signed_at.is_not(None))
    rows = session.execute(
        select(
            TimepointRow.timepoint_id,
            TimepointRow.number,
            TimepointRow.imaged_on,
            TimepointRow.timepoint_id.in_(signed).label("is_signed"),
            _is_ready(TimepointRow.timepoint_id.in_(begun)).label("is_ready"),
        ).where(
            TimepointRow.trial_id == trial_id,
            TimepointRow.subject_id == subject_id,
            TimepointRow.imaged_on.is_not(None),
            _has_images(),
        )
    )
    return [
        Occasion(
            timepoint_id=row.timepoint_id,
            imaged_on=row.imaged_on,
            is_baseline=row.number == 0,
            is_signed=bool(row.is_signed),
            is_ready=bool(row.is_ready),
        )
        for row in rows
    ]


def calendar_version(session: Session, trial_id: str, subject_id: str) -> str | None:
    """Return the version of the protocol that a subject's calendar follows, which is the one in force."""
    return session.scalar(
        select(CalendarRow.protocol_version).where(
            CalendarRow.trial_id == trial_id, CalendarRow.subject_id == subject_id
        )
    )


def last_awaited(session: Session, trial_id: str, subject_id: str, today: date) -> int | None:
    """Return the number of the last timepoint of a subject that can still be imaged, or None."""
    return session.scalar(
        select(func.max(TimepointRow.number)).where(
            TimepointRow.trial_id == trial_id,
            TimepointRow.subject_id == subject_id,
            TimepointRow.progress == Progress.EXPECTED,
            or_(TimepointRow.closes_on.is_(None), TimepointRow.closes_on >= today),
        )
    )


def not_done(session: Session, trial_id: str, subject_id: str) -> Sequence[TimepointObservations]:
    """Return the scheduled timepoints of a subject that a person has declared not done, with the reason."""
    rows = session.scalars(
        select(TimepointRow)
        .where(
            TimepointRow.trial_id == trial_id,
            TimepointRow.subject_id == subject_id,
            TimepointRow.progress == Progress.NOT_DONE,
            TimepointRow.number > 0,
        )
        .order_by(TimepointRow.number)
    )
    return [
        TimepointObservations(
            timepoint_id=row.timepoint_id,
            number=row.number,
            not_done=row.not_done_reason or "no reason given",
        )
        for row in rows
    ]


def worklist(
    session: Session, principal: Principal, page: PageRequest, trial_id: str | None
) -> Page[WorklistItem]:
    """Return, for each subject, the first timepoint with images that the caller's slot has not signed.

    A subject without a signed baseline waits for its baseline.
    """
    slots = [pair for pair in _slots(principal) if trial_id in {None, pair[0]}]
    subjects, slot = _subjects_with_slot(principal, slots)
    own = visible_to(principal)
    draft = aliased(ReadRow, own.where(ReadRow.signed_at.is_(None)).subquery("drafts"))
    done = aliased(ReadRow, own.where(ReadRow.signed_at.is_not(None)).subquery("done"))
    is_done = exists().where(done.timepoint_id == TimepointRow.timepoint_id, done.slot == slot)
    has_baseline = exists().where(
        done.trial_id == TimepointRow.trial_id,
        done.subject_id == TimepointRow.subject_id,
        done.slot == slot,
        done.number == 0,
    )
    turn = func.row_number().over(
        partition_by=(TimepointRow.trial_id, TimepointRow.subject_id),
        order_by=(
            case((TimepointRow.number == 0, 0), else_=1),
            TimepointRow.imaged_on,
            TimepointRow.timepoint_id,
        ),
    )
    waiting = (
        select(
            TimepointRow.trial_id,
            SubjectRow.reading_id,
            TimepointRow.timepoint_id,
            TimepointRow.number,
            TimepointRow.imaged_on,
            slot.label("slot"),
            draft.read_id,
            func.coalesce(draft.revision, 1).label("revision"),
            draft.opened_at,
            turn.label("turn"),
            _is_ready(draft.read_id.is_not(None)).label("is_ready"),
        )
        .select_from(subjects)
        .outerjoin(draft, and_(draft.timepoint_id == TimepointRow.timepoint_id, draft.slot == slot))
        .where(
            TimepointRow.trial_id.in_([trial for trial, _ in slots]),
            slot.is_not(None),
            principal.scope.sites(SubjectRow.trial_id, SubjectRow.site_id),
            TimepointRow.imaged_on.is_not(None),
            _unread(),
            _has_images(),
            or_(draft.read_id.is_not(None), not_(is_done)),
            or_(TimepointRow.number == 0, has_baseline),
        )
        .subquery()
    )
    rows = session.execute(
        page.apply(
            select(waiting).where(waiting.c.turn == 1, waiting.c.is_ready),
            waiting.c.trial_id,
            waiting.c.reading_id,
        )
    ).all()
    return page.page(rows, lambda row: (row.trial_id, row.reading_id), _worklist_item)


def _subjects_with_slot(
    principal: Principal, slots: Sequence[tuple[str, int]]
) -> tuple[FromClause, ColumnElement[int]]:
    """Return timepoints with their subjects, and the principal's slot of each; NULL where it has none."""
    seats = {trial: slot for trial, slot in slots if slot != POOL}
    subjects = join(TimepointRow, SubjectRow, _same_subject())
    slot: ColumnElement[int] = case(seats or {"": 0}, value=TimepointRow.trial_id)
    if len(seats) == len(slots):
        return subjects, slot
    mine = assignments.assigned_to(principal.account_id).subquery("mine")
    is_mine = and_(mine.c.trial_id == TimepointRow.trial_id, mine.c.subject_id == TimepointRow.subject_id)
    return subjects.outerjoin(mine, is_mine), func.coalesce(mine.c.slot, slot)


def _worklist_item(row: Any) -> WorklistItem:  # noqa: ANN401  a row of a statement made here
    return WorklistItem(
        trial_id=row.trial_id,
        slot=row.slot,
        reading_id=row.reading_id,
        timepoint_id=row.timepoint_id,
        number=row.number,
        imaged_on=row.imaged_on,
        read_id=row.read_id,
        revision=row.revision,
        opened_at=row.opened_at,
    )


def instances(
    session: Session, timepoint_id: str, sop_instance_uids: Sequence[str]
) -> Mapping[str, MeasurableInstance]:
    """Return those of the named instances that belong to a timepoint, with their frames' geometry."""
    rows = session.execute(
        select(StudyInstanceRow, StudySeriesRow.modality)
        .join(StudySeriesRow, _of_series())
        .join(StudyRow, of_study())
        .where(series_on(timepoint_id), StudyInstanceRow.sop_instance_uid.in_(sop_instance_uids))
    )
    return {
        row.sop_instance_uid: MeasurableInstance(
            study_instance_uid=row.study_instance_uid,
            series_instance_uid=row.series_instance_uid,
            sop_instance_uid=row.sop_instance_uid,
            modality=modality,
            frames=row.frames,
            sha256=row.sha256,
        )
        for row, modality in rows
    }


def lock_timepoint(session: Session, timepoint_id: str) -> None:
    """Let those who open or sign a read of the same timepoint do so one after the other."""
    session.execute(
        select(TimepointRow.timepoint_id).where(TimepointRow.timepoint_id == timepoint_id).with_for_update()
    )


def slots_signed(session: Session, timepoint_id: str) -> AbstractSet[int]:
    """Return the slots that have signed a timepoint and have no draft of it: for the system's own count."""
    rows = session.execute(
        visible_to(SYSTEM)
        .where(ReadRow.timepoint_id == timepoint_id)
        .with_only_columns(ReadRow.slot, ReadRow.signed_at)
    ).all()
    return {row.slot for row in rows} - {row.slot for row in rows if row.signed_at is None}


def drafts(
    session: Session, principal: Principal, trial_id: str, subject_ids: Sequence[str]
) -> Mapping[tuple[str, int], AbstractSet[str]]:
    """Return the timepoints of some subjects with an open draft, by subject and slot."""
    statement = (
        visible_to(principal)
        .where(ReadRow.trial_id == trial_id, ReadRow.signed_at.is_(None), ReadRow.subject_id.in_(subject_ids))
        .with_only_columns(ReadRow.subject_id, ReadRow.slot, ReadRow.timepoint_id)
    )
    found: dict[tuple[str, int], set[str]] = {}
    for row in session.execute(statement):
        found.setdefault((row.subject_id, row.slot), set()).add(row.timepoint_id)
    return found


def subjects_read_by(session: Session, trial_id: str, account_id: str) -> AbstractSet[str]:
    """Return the subjects of which an account has opened or signed a read: for the system's own check."""
    own = (
        visible_to(SYSTEM, with_closed=True)
        .where(ReadRow.trial_id == trial_id)
        .with_only_columns(ReadRow.subject_id)
    )
    signed = select(SignatureRow.read_id).where(SignatureRow.account_id == account_id)
    return {
        *session.scalars(own.where(ReadRow.opened_by == account_id)),
        *session.scalars(own.where(ReadRow.read_id.in_(signed))),
    }


def instance_count(session: Session, timepoint_id: str) -> int:
    """Return how many instances a timepoint has."""
    return (
        session.scalar(
            select(func.count())
            .select_from(StudyInstanceRow)
            .join(StudySeriesRow, _of_series())
            .join(StudyRow, of_study())
            .where(series_on(timepoint_id))
        )
        or 0
    )


def _unread() -> ColumnElement[bool]:
    """Whether some reader has not signed a timepoint: the condition of its own small index, word for word."""
    return TimepointRow.progress != literal_column(f"'{Progress.READ.value}'")


def _has_images() -> ColumnElement[bool]:
    """Whether a timepoint has images that a reader may see, sooner or later."""
    return and_(TimepointRow.control.is_not(None), TimepointRow.control != ControlState.REJECTED)


def _is_ready(has_begun: ColumnElement[bool]) -> ColumnElement[bool]:
    """Whether quality control has accepted the images, or the reader had begun before it was asked again."""
    return or_(TimepointRow.control == ControlState.ACCEPTED, has_begun)


def _of_series() -> ColumnElement[bool]:
    return and_(
        StudySeriesRow.study_instance_uid == StudyInstanceRow.study_instance_uid,
        StudySeriesRow.series_instance_uid == StudyInstanceRow.series_instance_uid,
    )


def _same_subject() -> ColumnElement[bool]:
    return and_(
        SubjectRow.trial_id == TimepointRow.trial_id, SubjectRow.subject_id == TimepointRow.subject_id
    )


def _axis(row: Any) -> DrawnAxis:  # noqa: ANN401  a row of axes
    return DrawnAxis(
        axis=Axis(row.axis),
        fragment=row.fragment,
        study_instance_uid=row.study_instance_uid,
        series_instance_uid=row.series_instance_uid,
        sop_instance_uid=row.sop_instance_uid,
        modality=row.modality,
        frame=row.frame,
        start=(row.start_column, row.start_row),
        end=(row.end_column, row.end_row),
        length_mm=Millimetres(row.length_mm),
        claimed_mm=row.claimed_mm,
        reported=None if row.reported_mm is None else ReportedMillimetres(row.reported_mm),
        plane=row.plane,
        object_sha256=row.object_sha256,
    )


def _axis_values(read: Read, lesion: LesionRecord, axis: DrawnAxis) -> Mapping[str, Any]:
    return {
        "read_id": read.read_id,
        "lesion_id": lesion.lesion_id,
        "fragment": axis.fragment,
        "axis": axis.axis.value,
        "study_instance_uid": axis.study_instance_uid,
        "series_instance_uid": axis.series_instance_uid,
        "sop_instance_uid": axis.sop_instance_uid,
        "modality": axis.modality,
        "frame": axis.frame,
        "start_column": axis.start[0],
        "start_row": axis.start[1],
        "end_column": axis.end[0],
        "end_row": axis.end[1],
        "length_mm": axis.length_mm,
        "claimed_mm": axis.claimed_mm,
        "reported_mm": axis.reported,
        "plane": axis.plane,
        "object_sha256": axis.object_sha256,
    }


def _lesion(row: Any, axes: Sequence[DrawnAxis]) -> LesionRecord:  # noqa: ANN401  a row of lesions
    return LesionRecord(
        lesion_id=row.lesion_id,
        role=LesionRole(row.role),
        location=row.location,
        organ=row.organ,
        is_nodal=row.is_nodal,
        nature=Nature(row.nature),
        is_irradiated=row.is_irradiated,
        progressed_since_irradiation=row.progressed_since_irradiation,
        state=row.state,
        reason=row.reason,
        merged_into=row.merged_into,
        diameter=None if row.diameter_mm is None else ReportedMillimetres(row.diameter_mm),
        findings=tuple(row.findings),
        version=row.version,
        axes=tuple(axes),
    )


def _lesion_values(read: Read, lesion: LesionRecord) -> Mapping[str, Any]:
    return {
        "read_id": read.read_id,
        "lesion_id": lesion.lesion_id,
        "role": lesion.role.value,
        "location": lesion.location,
        "organ": lesion.organ,
        "is_nodal": lesion.is_nodal,
        "nature": lesion.nature.value,
        "is_irradiated": lesion.is_irradiated,
        "progressed_since_irradiation": lesion.progressed_since_irradiation,
        "state": lesion.state,
        "reason": lesion.reason,
        "merged_into": lesion.merged_into,
        "diameter_mm": lesion.diameter,
        "findings": list(lesion.findings),
        "version": lesion.version,
    }


def _signature(row: Any) -> Signature:  # noqa: ANN401  a row of signatures
    return Signature(
        account_id=row.account_id,
        printed_name=row.printed_name,
        role=row.role,
        meaning=row.meaning,
        signed_at=row.signed_at,
        authenticated_at=row.authenticated_at,
        record_hash=row.record_hash,
    )


def _read(row: ReadRow, lesions: Sequence[LesionRecord], signature: Signature | None) -> Read:
    return Read(
        read_id=row.read_id,
        trial_id=row.trial_id,
        subject_id=row.subject_id,
        timepoint_id=row.timepoint_id,
        number=row.number,
        imaged_on=row.imaged_on,
        slot=row.slot,
        revision=row.revision,
        supersedes=row.supersedes,
        unlock_reason=row.unlock_reason,
        protocol_version=row.protocol_version,
        opened_by=row.opened_by,
        opened_at=row.opened_at,
        version=row.version,
        signed_at=row.signed_at,
        closed_at=row.closed_at,
        lesions=tuple(lesions),
        signature=signature,
    )
