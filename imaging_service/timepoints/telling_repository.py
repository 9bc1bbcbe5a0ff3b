"""The SQL of what the calendar alone brings about: windows that have closed without images."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import case, exists, select
from sqlalchemy.orm import Session, aliased

from imaging_service.notices.kinds import Kind
from imaging_service.notices.tables import NoticeRow
from imaging_service.timepoints.records import WITH_IMAGES, Progress
from imaging_service.timepoints.tables import TimepointRow


@dataclass(frozen=True, slots=True, kw_only=True)
class Lapsed:
    """A timepoint whose window has closed without images, and what that makes it."""

    trial_id: str
    subject_id: str
    timepoint_id: str
    kind: Kind


def untold(session: Session, today: date, limit: int) -> Sequence[Lapsed]:
    """Return the timepoints that are overdue, or missed as a later one has images, and not told to be so."""
    later = aliased(TimepointRow)
    has_later = exists().where(
        later.trial_id == TimepointRow.trial_id,
        later.subject_id == TimepointRow.subject_id,
        later.number > TimepointRow.number,
        later.progress.in_(sorted(WITH_IMAGES)),
    )
    lapsed = (
        select(
            TimepointRow.trial_id,
            TimepointRow.subject_id,
            TimepointRow.timepoint_id,
            case((has_later, Kind.TIMEPOINT_MISSED.value), else_=Kind.TIMEPOINT_OVERDUE.value).label("kind"),
        )
        .where(TimepointRow.progress == Progress.EXPECTED, TimepointRow.closes_on < today)
        .subquery()
    )
    is_told = exists().where(
        NoticeRow.trial_id == lapsed.c.trial_id,
        NoticeRow.timepoint_id == lapsed.c.timepoint_id,
        NoticeRow.kind == lapsed.c.kind,
    )
    rows = session.execute(select(lapsed).where(~is_told).order_by(lapsed.c.timepoint_id).limit(limit))
    return [
        Lapsed(
            trial_id=row.trial_id,
            subject_id=row.subject_id,
            timepoint_id=row.timepoint_id,
            kind=Kind(row.kind),
        )
        for row in rows
    ]
