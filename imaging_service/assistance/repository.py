"""Proposals and lookouts in the database; who holds a read has been let to see it."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from imaging_service.assistance.proposal import FrameOf, Point, StoredProposal
from imaging_service.assistance.tables import LookoutRow, ProposalRejectionRow, ProposalRow, UptakeRow
from imaging_service.assistance.uptake import PhasesAsked, StoredUptake
from imaging_service.reads.read import Read
from measurement.assist.confidence import Confidence


def add(session: Session, proposal: StoredProposal) -> None:
    """Keep a proposal."""
    subtracted = proposal.subtracted
    session.execute(
        insert(ProposalRow).values(
            proposal_id=proposal.proposal_id,
            read_id=proposal.read_id,
            lesion_id=proposal.lesion_id,
            sop_instance_uid=proposal.on.sop_instance_uid,
            frame=proposal.on.frame,
            subtracted_sop_instance_uid=None if subtracted is None else subtracted.sop_instance_uid,
            subtracted_frame=None if subtracted is None else subtracted.frame,
            seed=_stored(proposal.seed),
            outline=_stored(proposal.outline),
            long_axis=_stored(proposal.long_axis),
            short_axis=_stored(proposal.short_axis),
            long_mm=proposal.long_mm,
            short_mm=proposal.short_mm,
            confidence=proposal.confidence.value,
            doubts=list(proposal.doubts),
            proposed_at=proposal.proposed_at,
        )
    )


def proposals(session: Session, read: Read) -> Sequence[StoredProposal]:
    """Return the proposals of a read, the first one first."""
    rows = session.execute(
        select(ProposalRow, ProposalRejectionRow.rejected_at)
        .outerjoin(ProposalRejectionRow, ProposalRejectionRow.proposal_id == ProposalRow.proposal_id)
        .where(ProposalRow.read_id == read.read_id)
        .order_by(ProposalRow.proposed_at, ProposalRow.proposal_id)
    )
    return [_proposal(row, is_rejected=rejected_at is not None) for row, rejected_at in rows]


def reject(session: Session, proposal_id: str, at: datetime) -> None:
    """Keep that the reader wants nothing of a proposal."""
    session.execute(insert(ProposalRejectionRow).values(proposal_id=proposal_id, rejected_at=at))


def places(session: Session, read: Read) -> Sequence[Mapping[str, Any]] | None:
    """Return where the lesions of earlier reads are expected, or None when it was not computed yet."""
    return session.scalar(select(LookoutRow.places).where(LookoutRow.read_id == read.read_id))


def keep_places(session: Session, read_id: str, found: Sequence[Mapping[str, Any]], at: datetime) -> None:
    """Keep where the lesions are expected."""
    session.add(LookoutRow(read_id=read_id, places=[dict(each) for each in found], computed_at=at))


def add_uptake(session: Session, uptake: StoredUptake) -> None:
    """Keep what was computed of a dynamic series."""
    asked = uptake.asked
    session.add(
        UptakeRow(
            uptake_id=uptake.uptake_id,
            read_id=uptake.read_id,
            before_series_uid=asked.before,
            early_series_uid=asked.early,
            late_series_uid=asked.late,
            region=None if asked.region is None else _stored(asked.region),
            thresholds=dict(uptake.thresholds),
            volume_ml=uptake.volume_ml,
            median_signal_enhancement_ratio=uptake.median_signal_enhancement_ratio,
            computed_at=uptake.computed_at,
        )
    )


def uptakes(session: Session, read: Read) -> Sequence[StoredUptake]:
    """Return what was computed beside a read, the first one first."""
    rows = session.scalars(
        select(UptakeRow)
        .where(UptakeRow.read_id == read.read_id)
        .order_by(UptakeRow.computed_at, UptakeRow.uptake_id)
    )
    return [
        StoredUptake(
            uptake_id=row.uptake_id,
            read_id=row.read_id,
            asked=PhasesAsked(
                before=row.before_series_uid,
                early=row.early_series_uid,
                late=row.late_series_uid,
                region=None if row.region is None else _ends(row.region),
            ),
            volume_ml=row.volume_ml,
            median_signal_enhancement_ratio=row.median_signal_enhancement_ratio,
            thresholds=row.thresholds,
            computed_at=row.computed_at,
        )
        for row in rows
    ]


def _stored(points: Sequence[Point]) -> list[list[float]]:
    return [list(point) for point in points]


def _proposal(row: ProposalRow, *, is_rejected: bool) -> StoredProposal:
    subtracted = None
    if row.subtracted_sop_instance_uid is not None and row.subtracted_frame is not None:
        subtracted = FrameOf(sop_instance_uid=row.subtracted_sop_instance_uid, frame=row.subtracted_frame)
    return StoredProposal(
        proposal_id=row.proposal_id,
        read_id=row.read_id,
        lesion_id=row.lesion_id,
        on=FrameOf(sop_instance_uid=row.sop_instance_uid, frame=row.frame),
        subtracted=subtracted,
        seed=_points(row.seed),
        outline=_points(row.outline),
        long_axis=_ends(row.long_axis),
        short_axis=_ends(row.short_axis),
        long_mm=row.long_mm,
        short_mm=row.short_mm,
        confidence=Confidence(row.confidence),
        doubts=tuple(row.doubts),
        proposed_at=row.proposed_at,
        is_rejected=is_rejected,
    )


def _points(stored: Sequence[Sequence[float]]) -> tuple[Point, ...]:
    return tuple((column, row) for column, row in stored)


def _ends(stored: Sequence[Sequence[float]]) -> tuple[Point, Point]:
    start, end = _points(stored)
    return start, end
