"""The archive as others read it; the listener alone writes."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

from sqlalchemy import Connection

from dicom_listener.archive import changes, receipts, search
from dicom_listener.archive.backlog import Backlog
from dicom_listener.archive.database import Database
from dicom_listener.archive.objects import ObjectStore, log_root, open_objects
from dicom_listener.archive.records import (
    Change,
    ConflictRecord,
    FiledReceipt,
    FindingRecord,
    InstanceRecord,
    SeriesRecord,
    StudyRecord,
)
from dicom_listener.archive.search import StudyFilter
from dicom_listener.errors import InstanceUnknownError

_CATCH_UP_SECONDS = 5.0


class Archive:
    """Read what was received: records from the index, bytes from the object store.

    Every method reads one committed state and may be called from any thread. Until the listener has
    prepared its database, they raise `ArchiveNotReadyError`; while the database is away,
    `OutOfResourcesError`.
    """

    def __init__(self, database: Database, objects: ObjectStore, backlog: Backlog | None = None) -> None:
        """Read from these; `open` makes them from addresses."""
        self.database = database
        self.objects = objects
        self.backlog = backlog or Backlog(None)

    @classmethod
    def open(cls, database_url: str, objects_address: str, intake_log: str = "") -> "Archive":
        """Open the archive at its addresses, as the listener's settings name them.

        Raises
        ------
        ConfigurationError
            When an address cannot be used.
        """
        root = log_root(objects_address, intake_log)
        return cls(Database.open(database_url), open_objects(objects_address), Backlog(root))

    def close(self) -> None:
        """Close every connection."""
        self.database.close()
        self.objects.close()

    def catch_up(self, seconds: float = _CATCH_UP_SECONDS) -> bool:
        """Wait until the index knows what was acknowledged before; tell whether it does.

        The methods below do so by themselves, and go on without after a few seconds.
        """
        return self.backlog.catch_up(seconds)

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """Yield a connection to the index that knows what was acknowledged before."""
        self.catch_up()
        with self.database.read() as connection:
            yield connection

    def changes_after(self, sequence: int, limit: int = 100) -> Sequence[Change]:
        """Return at most `limit` changes that follow `sequence`, oldest first; begin with 0."""
        with self.reading() as connection:
            return changes.after(connection, sequence, limit)

    def receipts_after(self, sequence: int, limit: int = 100) -> Sequence[FiledReceipt]:
        """Return at most `limit` receipts that follow `sequence`, oldest first; begin with 0."""
        with self.reading() as connection:
            return receipts.after(connection, sequence, limit)

    def receipts_of(self, sop_instance_uids: Sequence[str]) -> Sequence[FiledReceipt]:
        """Return every receipt of some instances, oldest first."""
        with self.reading() as connection:
            return receipts.of_instances(connection, sop_instance_uids)

    def study(self, study_instance_uid: str) -> StudyRecord | None:
        """Return the study, or None when nothing of it was received."""
        with self.reading() as connection:
            return search.study(connection, study_instance_uid)

    def studies(
        self, wanted: StudyFilter | None = None, *, after: str = "", limit: int = 100
    ) -> Sequence[StudyRecord]:
        """Return at most `limit` studies in the order of their UIDs, from the one that follows `after`."""
        with self.reading() as connection:
            return search.studies(connection, wanted or StudyFilter(), after=after, limit=limit)

    def series_of(self, study_instance_uid: str) -> Sequence[SeriesRecord]:
        """Return the series of a study by number, then UID."""
        with self.reading() as connection:
            return search.series_of(connection, study_instance_uid)

    def instances_of(self, series_instance_uid: str) -> Sequence[InstanceRecord]:
        """Return the instances of a series by number, then UID."""
        with self.reading() as connection:
            return search.instances_of(connection, series_instance_uid)

    def instance(self, sop_instance_uid: str) -> InstanceRecord | None:
        """Return the kept instance, or None."""
        with self.reading() as connection:
            return search.instance(connection, sop_instance_uid)

    def conflicts_of(self, study_instance_uid: str) -> Sequence[ConflictRecord]:
        """Return other contents that came under the UIDs of a study's instances."""
        with self.reading() as connection:
            return search.conflicts_of(connection, study_instance_uid)

    def findings_of(self, study_instance_uid: str) -> Sequence[FindingRecord]:
        """Return why a person should look at a study."""
        with self.reading() as connection:
            return search.findings_of(connection, study_instance_uid)

    def days_moved(self, study_instance_uid: str) -> int:
        """Return by how many days a de-identified study's dates were moved; 0 where they were not."""
        with self.database.read() as connection:
            return search.days_moved(connection, study_instance_uid)

    def read(self, sop_instance_uid: str) -> bytes:
        """Return the instance as a DICOM file (PS3.10): the data set is byte for byte as received.

        Raises
        ------
        InstanceUnknownError
            When no such instance was received.
        ObjectMissingError
            When the index knows it, but the object store has lost it.
        """
        record = self.instance(sop_instance_uid)
        if record is None:
            raise InstanceUnknownError(sop_instance_uid)
        return self.objects.get(record.digest)

    def counts(self) -> Mapping[str, int]:
        """Return how many studies, series, instances, bytes, conflicts, findings and receipts there are."""
        with self.reading() as connection:
            return search.counts(connection)
