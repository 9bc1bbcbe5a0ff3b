"""The SQL of cases that came up without a signature, as when a calendar has ended."""

from collections.abc import Sequence
from datetime import date

from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from imaging_service.adjudication.review import Standing
from imaging_service.adjudication.tables import KeptReviewRow
from imaging_service.notices.kinds import Kind
from imaging_service.notices.tables import NoticeRow

Key = tuple[str, str]
"""(trial_id, subject_id)."""


def untold(session: Session, today: date, limit: int) -> Sequence[Key]:
    """Return the subjects that wait for an adjudicator and of whom that was never told."""
    is_told = exists().where(
        NoticeRow.trial_id == KeptReviewRow.trial_id,
        NoticeRow.subject_id == KeptReviewRow.subject_id,
        NoticeRow.kind == Kind.ADJUDICATION_NEEDED.value,
    )
    rows = session.execute(
        select(KeptReviewRow.trial_id, KeptReviewRow.subject_id)
        .where(
            KeptReviewRow.standing == Standing.TO_ADJUDICATE.value,
            KeptReviewRow.finished_from <= today,
            ~is_told,
        )
        .order_by(KeptReviewRow.trial_id, KeptReviewRow.subject_id)
        .limit(limit)
    )
    return [(row[0], row[1]) for row in rows]
