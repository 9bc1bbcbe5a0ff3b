"""When is a study complete enough to look at? After a quiet period, with nobody sending it any more.

A sender never says that a study is complete, so this is a convention: a late instance opens the study
again, and a change says so. A study of which an instance is held for a person does not settle before the
person has decided.
"""

from collections.abc import Callable, Collection
from datetime import UTC, datetime
from time import monotonic

from sqlalchemy import delete, select, update

from dicom_listener.archive import changes, tables
from dicom_listener.archive.database import Database
from dicom_listener.archive.records import ChangeKind


class Settler:
    """Settle studies that have been quiet.

    Quiet is measured with a monotonic clock from the moment at which a study's latest receipt was first
    seen here with nobody sending: a step of the wall clock settles nothing, and a restart merely begins
    the period again.
    """

    def __init__(
        self,
        database: Database,
        quiet_seconds: float,
        *,
        catch_up: Callable[[], bool] = lambda: True,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        """Settle the studies of `database`, once `catch_up` has had what was acknowledged indexed."""
        self._database = database
        self._quiet_seconds = quiet_seconds
        self._catch_up = catch_up
        self._clock = clock
        self._seen: dict[str, tuple[int, float]] = {}

    def settle(self) -> int:
        """Settle what is quiet by now, and return how many studies that were."""
        with self._database.read() as connection:
            candidates = connection.execute(_CANDIDATES).all()
        now = self._clock()
        seen = {uid: (receipt, now) for uid, receipt in candidates}
        for uid, (receipt, since) in self._seen.items():
            if uid in seen and seen[uid][0] == receipt:
                seen[uid] = (receipt, since)
        self._seen = seen
        due = [(uid, receipt) for uid, (receipt, at) in seen.items() if now - at >= self._quiet_seconds]
        if not due or not self._catch_up():
            return 0
        return sum(self._settle_one(uid, receipt) for uid, receipt in due)

    def _settle_one(self, uid: str, receipt: int) -> bool:
        """Settle a study unless something has come in the meantime."""
        at = datetime.now(UTC)
        table = tables.studies
        unchanged = (table.c.study_instance_uid == uid, table.c.last_receipt == receipt)
        with self._database.write() as connection:
            settled = connection.execute(update(table).where(*unchanged, *_QUIET).values(settled_at=at))
            if settled.rowcount:
                changes.append(connection, kind=ChangeKind.STUDY_SETTLED, study_instance_uid=uid, at=at)
        return bool(settled.rowcount)


_QUIET = (
    tables.studies.c.settled_at.is_(None),
    tables.studies.c.study_instance_uid.not_in(select(tables.open_studies.c.study_instance_uid)),
    tables.studies.c.study_instance_uid.not_in(
        select(tables.originals.c.study_instance_uid).where(tables.originals.c.state == "held")
    ),  # a person looks at it first
)
_CANDIDATES = select(tables.studies.c.study_instance_uid, tables.studies.c.last_receipt).where(*_QUIET)


def close_ended(database: Database, process: str, active: Collection[str]) -> None:
    """Note that of a listener process's associations only the `active` ones may still send.

    Parameters
    ----------
    database
        The archive's index.
    process
        The process, as the provenance of its arrivals names it.
    active
        Identifiers of the associations that are open now.
    """
    table = tables.open_studies
    mine = table.c.process == process
    with database.read() as connection:
        noted = connection.execute(select(table.c.association_id).where(mine).distinct()).scalars()
        ended = [association for association in noted if association not in active]
    if ended:
        with database.write() as connection:
            connection.execute(delete(table).where(mine, table.c.association_id.in_(ended)))


def close_all(database: Database) -> None:
    """Note at a start that every association of earlier runs has ended."""
    with database.write() as connection:
        connection.execute(delete(tables.open_studies))
