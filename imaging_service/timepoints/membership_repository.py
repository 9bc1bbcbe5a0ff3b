"""Which series are on a timepoint: those of its studies, less what was split off, and what was split to it.

Every chapter that gives images to somebody asks here, so that a split study shows each reader only the
series of the timepoint that is open.
"""

from sqlalchemy import ColumnElement, and_, func, select, union

from imaging_service.timepoints.records import StudyState
from imaging_service.timepoints.tables import StudyRow, StudySeriesRow


def timepoint_of_series() -> ColumnElement[str | None]:
    """Return the timepoint of a series, where it is joined with its study."""
    return func.coalesce(StudySeriesRow.timepoint_id, StudyRow.timepoint_id)


def series_on(timepoint_id: str) -> ColumnElement[bool]:
    """Return the condition that a series is on a timepoint, where it is joined with its study."""
    whole = select(StudyRow.study_instance_uid).where(StudyRow.timepoint_id == timepoint_id)
    split = select(StudySeriesRow.study_instance_uid).where(StudySeriesRow.timepoint_id == timepoint_id)
    return and_(
        StudyRow.study_instance_uid.in_(union(whole, split)),
        StudyRow.state == StudyState.MATCHED,
        timepoint_of_series() == timepoint_id,
    )


def of_study() -> ColumnElement[bool]:
    """Return the condition that joins a series with its study."""
    return StudyRow.study_instance_uid == StudySeriesRow.study_instance_uid
