"""The SQL of amendments: on what ground a dry run stands."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from imaging_service.adjudication.tables import DecisionRow
from imaging_service.assessments.tables import AssessmentRow
from imaging_service.subjects.tables import SubjectRow, SubjectVersionRow
from imaging_service.timepoints.tables import StudyDecisionRow, TimepointRow


def ground(session: Session, trial_id: str) -> Sequence[Any]:
    """Return figures that move whenever anything does that a dry run's answer follows from.

    Of tables to which rows are only added the number of rows says it; a timepoint moves with its study's
    decisions and its subject's versions.
    """
    counted = [
        select(func.count()).where(row.trial_id == trial_id)
        for row in (AssessmentRow, SubjectRow, SubjectVersionRow, TimepointRow, StudyDecisionRow, DecisionRow)
    ]
    return [session.scalar(each) or 0 for each in counted]


def has_answers(session: Session, trial_id: str) -> bool:
    """Whether anything that follows from a signed read is stored about the trial."""
    statement = select(AssessmentRow.assessment_id).where(AssessmentRow.trial_id == trial_id).limit(1)
    return session.scalar(statement) is not None


def numbers_with_images(session: Session, trial_id: str) -> int | None:
    """Return the highest number of a timepoint with images."""
    return session.scalar(
        select(func.max(TimepointRow.number)).where(
            TimepointRow.trial_id == trial_id, TimepointRow.imaged_on.is_not(None)
        )
    )


def highest_slot(session: Session, trial_id: str) -> int | None:
    """Return the highest reader's number that has signed a read."""
    return session.scalar(select(func.max(AssessmentRow.slot)).where(AssessmentRow.trial_id == trial_id))
