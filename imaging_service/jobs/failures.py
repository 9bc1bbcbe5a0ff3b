"""Why jobs failed: kept for either queue."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from imaging_service.jobs.port import ParkedJob
from imaging_service.jobs.tables import JobFailureRow


def parked_job(session: Session, number: int, name: str, key: str | None, attempts: int) -> ParkedJob:
    """Return a parked job with the reason of its last attempt."""
    failure = session.scalar(
        select(JobFailureRow)
        .where(JobFailureRow.job_id == str(number))
        .order_by(JobFailureRow.failure_id.desc())
        .limit(1)
    )
    return ParkedJob(
        job_id=str(number),
        name=name,
        key=key,
        attempts=attempts,
        error=failure.error if failure else None,
        failed_at=failure.failed_at if failure else None,
    )
