"""The SQL of amendments: on what ground a dry run stands."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from imaging_service.adjudication.tables import DecisionRow
from imaging_service.assessments import repository as assessments
from imaging_service.subjects.tables import SubjectRow, SubjectVersionRow
from imaging_service.timepoints.tables import StudyDecisionRow, TimepointRow


def ground(session: Session, trial_id: str) -> Sequence[Any]:
    """Return figures that move whenever anything does that a dry run's answer follows from.

    Of tables to which rows are only added the number of rows says it; a timepoint moves with its study's
    decisions and its subject's versions.
    """
    counted = [
        select(func.count()).where(row.trial_id == trial_id)
        for row in (SubjectRow, SubjectVersionRow, TimepointRow, StudyDecisionRow, DecisionRow)
    ]
    answers, _ = assessments.extent(session, trial_id)
    return [answers, *(session.scalar(each) or 0 for each in counted)]


def numbers_with_images(session: Session, trial_id: str) -> int | None:
    """Return the highest number of a timepoint with images."""
    return session.scalar(
        select(func.max(TimepointRow.number)).where(
            TimepointRow.trial_id == trial_id, TimepointRow.imaged_on.is_not(None)
        )
    )
