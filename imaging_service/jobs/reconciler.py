"""Finds the work that the stored data calls for and no queue holds.

A queue restored from an older backup, emptied by hand, or changed from embedded to distributed may lack
jobs. Each derivation reads the domain's state and names the jobs that it still needs; their keys keep
them from being put in twice.
"""

from collections.abc import Callable, Iterable, Sequence

from sqlalchemy.orm import Session

from imaging_service.database import Database
from imaging_service.jobs.errors import KeylessJobError
from imaging_service.jobs.port import Job, JobQueue

Derivation = Callable[[Session], Iterable[Job]]


def reconcile(database: Database, queue: JobQueue, derivations: Sequence[Derivation]) -> int:
    """Put in the jobs that are missing; return how many that were.

    Raises
    ------
    KeylessJobError
        If a derivation names a job without a key, which every call would put in again.
    """
    added = 0
    for derivation in derivations:
        with database.write() as session:
            for job in derivation(session):
                if job.key is None:
                    raise KeylessJobError(job.name)
                added += queue.enqueue(session, job)
    return added
