"""Place what the logs hold: object store, index and receipts, in the order of acknowledgement."""

import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

import structlog
from sqlalchemy.exc import DBAPIError, InterfaceError, InternalError, OperationalError

from dicom_listener.archive import index, log_positions, receipts, segments
from dicom_listener.archive.archive import Archive
from dicom_listener.archive.backlog import DAMAGED
from dicom_listener.archive.contents import Bytes
from dicom_listener.archive.header import Header, read_header
from dicom_listener.archive.index import Addition
from dicom_listener.archive.kept import KeptObject, describe, digest_of
from dicom_listener.archive.log_reader import IDENTITY, LogReader, identity_of
from dicom_listener.archive.marks import Marks
from dicom_listener.archive.objects_folder import FolderObjectStore
from dicom_listener.archive.records import Digest, Outcome
from dicom_listener.archive.segment_log import LONGEST
from dicom_listener.archive.segments import Record
from dicom_listener.errors import (
    ArchiveError,
    DataSetError,
    ObjectDamagedError,
    OutOfResourcesError,
    RecordDamagedError,
)

_log = structlog.get_logger()

_TOGETHER = 64  # records of one transaction
_TOGETHER_BYTES = 64 * 2**20
_PAUSE_SECONDS = 0.5  # before the object store or the database is asked again
_LOOK_SECONDS = 0.25  # for what another process has acknowledged
_QUIET_SECONDS = 0.02  # without an acknowledgement, after which a push has paused
_LONGEST_WAIT_SECONDS = 1.0  # from an acknowledgement to its placing, while a push goes on
_LONGEST_WAIT_BYTES = 256 * 2**20  # of segments that a push may fill before they are emptied beside it
_LAST_SECONDS = 0.5  # for what is left at the end
_NOT_INDEXED, _DAMAGED = "not_indexed", "damaged_in_log"


@dataclass(slots=True, eq=False)
class _Log:
    """One log that is followed."""

    identity: str
    marks: Marks
    reader: LogReader
    ahead: deque[Record] = field(default_factory=deque)

    def read_ahead(self) -> None:
        """Have acknowledged records at hand.

        Raises
        ------
        OutOfResourcesError
            When one cannot be read any more.
        """
        last, first = self.marks.acknowledged, self.reader.sequence
        if not self.ahead:
            self.ahead.extend(islice(self.reader.until(last), _TOGETHER))
            if passed := self.reader.sequence - first - len(self.ahead):
                _log.warning("records_passed_over", count=passed)  # torn, or older than an index made anew
        if not self.ahead and self.reader.sequence <= last:
            reason = f"its record {self.reader.sequence} cannot be read"
            raise OutOfResourcesError(what="The intake log", reason=reason)


class Placer:
    """Empty every log below one folder into an archive; one placer works on a folder at a time.

    The rows of a batch and the position that its logs are read up to are written in one transaction, so
    that a record is indexed once, whenever the process ends.
    """

    def __init__(
        self, archive: Archive, root: Path, *, maximum_inflated: int, look_seconds: float = _LOOK_SECONDS
    ) -> None:
        """Place into `archive` what the logs below `root` hold, looking every `look_seconds` unasked."""
        self._archive = archive
        self._root = root
        self._maximum_inflated = maximum_inflated
        self._logs: dict[Path, _Log] = {}
        self._unplaced: list[Record] = []
        self._buffer = bytearray(LONGEST)
        self._wake = threading.Event()
        self._look_seconds = look_seconds

    def notice(self) -> None:
        """Look at once: something was acknowledged. Called from any thread."""
        self._wake.set()

    def run(self, stopped: threading.Event) -> None:
        """Place until `stopped` is set, and for a moment more; what is left then waits for the next start."""
        while not stopped.is_set():
            self._wake.wait(self._look_seconds)
            self._wake.clear()
            self._let_pass(stopped)
            while self.step() and not stopped.is_set():
                pass
            if self._unplaced:
                stopped.wait(_PAUSE_SECONDS)
        deadline = time.monotonic() + _LAST_SECONDS
        while time.monotonic() < deadline and self.step():
            pass

    def _let_pass(self, stopped: threading.Event) -> None:
        """Leave the machine to a push for a moment: what comes together is placed together, at less cost.

        What an earlier run has left waits for nobody: runs that end early would leave more and more.
        """
        began, last = time.monotonic(), -1
        while time.monotonic() - began < _LONGEST_WAIT_SECONDS and not stopped.is_set():
            logs = self._followed()
            acknowledged = sum(log.marks.acknowledged for log in logs)
            waiting = sum(log.marks.length for log in logs if log.marks.behind)
            if (
                acknowledged == last
                or any(log.reader.is_recovering for log in logs)
                or waiting > _LONGEST_WAIT_BYTES
                or any(log.marks.is_wanted for log in logs)
            ):
                return
            last = acknowledged
            stopped.wait(_QUIET_SECONDS)

    def step(self) -> int:
        """Place one batch, and return how many records that were; 0 when there is none, or it must wait."""
        try:
            self._collect()
        except (ArchiveError, OSError) as error:
            self._stall(str(error))
        batch = self._unplaced
        if not batch:
            return 0
        try:
            self._place(batch)
        except Exception as error:  # noqa: BLE001 - whatever it is, nothing that was acknowledged is dropped
            if not self._place_singly(batch):
                self._stall(type(error).__name__ if not isinstance(error, ArchiveError) else str(error))
                return 0
        self._unplaced = []
        self._advance(batch)
        return len(batch)

    def _collect(self) -> None:
        """Take acknowledged records of all logs in the order of their stamps, unless some still wait.

        A record that is stamped before this moment and acknowledged before another one was received is
        seen by now, so no log runs ahead of another.
        """
        if self._unplaced:
            return
        now = time.monotonic_ns()
        logs, batch, size = self._followed(), self._unplaced, 0
        for log in logs:
            log.read_ahead()
        while len(batch) < _TOGETHER and size < _TOGETHER_BYTES:
            first = min((log for log in logs if log.ahead), key=lambda log: log.ahead[0].stamp, default=None)
            if first is None or (len(logs) > 1 and first.ahead[0].stamp > now):
                break
            batch.append(first.ahead.popleft())
            size += batch[-1].length
            first.read_ahead()

    def _followed(self) -> list[_Log]:
        """Return every log, following those that are new from where the index knows them."""
        for path in self._root.glob(f"*/{IDENTITY}"):
            if path.parent not in self._logs:
                try:
                    marks = Marks(path.parent, is_writer=True)
                    identity = identity_of(path.parent)
                except (ArchiveError, OSError, ValueError):
                    continue
                reader = LogReader(path.parent, marks.indexed, recovered=marks.recovered)
                self._logs[path.parent] = _Log(identity=identity.hex(), marks=marks, reader=reader)
        return list(self._logs.values())

    def _place(self, batch: Sequence[Record]) -> None:
        """Keep the objects, then write their rows and the positions in one transaction."""
        headers: list[Header] = []
        are_new = self._archive.objects.put_all(self._contents(batch, headers))
        additions = [
            self._addition(record, header, is_new=is_new)
            for record, header, is_new in zip(batch, headers, are_new, strict=True)
        ]
        with self._archive.database.write() as connection:
            index.add_all(connection, additions)
            log_positions.advance(connection, _positions(batch))

    def _contents(
        self, batch: Sequence[Record], headers: list[Header]
    ) -> Iterator[tuple[Digest, Sequence[Bytes]]]:
        for record in batch:
            data_set = segments.read_data_set(record, self._buffer)
            if digest_of(data_set) != record.digest:
                raise RecordDamagedError(record.sequence)
            headers.append(
                read_header(
                    data_set, record.meta.transfer_syntax_uid, maximum_inflated=self._maximum_inflated
                )
            )
            yield record.digest, (record.before, data_set)

    def _addition(self, record: Record, header: Header, *, is_new: bool) -> Addition:
        kept = KeptObject.of(record.digest, record.before, record.length)
        if not is_new:
            try:
                kept, _ = describe(self._archive.objects, record.digest, record.length)
            except ObjectDamagedError as error:
                _log.error("object_damaged", reason=str(error))
        return Addition(header=header, kept=kept, provenance=record.meta.provenance, is_new=is_new)

    def _place_singly(self, batch: Sequence[Record]) -> bool:
        """Place each record in a transaction of its own, as one may be what spoils the others."""
        for record in batch:
            try:
                self._place([record])
            except RecordDamagedError as error:
                if not self._is_done_with(record, error, self._hold):
                    return False
            except Exception as error:  # noqa: BLE001 - as above
                if not _is_about_content(error) or not self._is_done_with(record, error, self._set_aside):
                    return False
            self._unplaced = self._unplaced[1:]
            self._advance([record])
        return True

    def _is_done_with(
        self, record: Record, error: Exception, way: Callable[[Record, Exception], None]
    ) -> bool:
        """Deal with a record that cannot be indexed; tell whether that was possible."""
        try:
            way(record, error)
        except (ArchiveError, OSError) as further:
            _log.error("instance_not_set_aside", digest=record.digest, reason=str(further))
            return False
        return True

    def _hold(self, record: Record, error: Exception) -> None:
        """Keep what has become of a record for a person; it never gets the name of what was acknowledged."""
        data_set = segments.read_data_set(record, self._buffer)
        digest = digest_of(data_set)
        with closing(FolderObjectStore(self._root / DAMAGED)) as damaged:
            damaged.prepare()
            damaged.put(digest, (record.before, data_set))
        _log.critical("instance_damaged", acknowledged=record.digest, found=digest, reason=str(error))
        self._file(record, Outcome.HELD, _DAMAGED)

    def _set_aside(self, record: Record, error: Exception) -> None:
        """Keep the object of a record that the database will not take; its receipt says so."""
        _log.error("instance_not_indexed", digest=record.digest, kind=type(error).__name__)
        data_set = segments.read_data_set(record, self._buffer)
        if digest_of(data_set) != record.digest:
            raise RecordDamagedError(record.sequence)
        self._archive.objects.put_all(iter([(record.digest, (record.before, data_set))]))
        self._file(record, Outcome.REFUSED_NOT_UNDERSTOOD, _NOT_INDEXED)

    def _file(self, record: Record, outcome: Outcome, reason: str) -> None:
        """File the receipt of a record that is not indexed, and go on behind it."""
        receipt = record.meta.provenance.receipt(
            outcome=outcome,
            reason=reason,
            sop_instance_uid=record.meta.sop_instance_uid,
            digest=record.digest,
            size=len(record.before) + record.length,
        )
        with self._archive.database.write() as connection:
            receipts.append(connection, receipt)
            log_positions.advance(connection, _positions([record]))

    def _advance(self, batch: Sequence[Record]) -> None:
        """Let waiting readers and the writers of the logs know."""
        positions = _positions(batch)
        for log in self._logs.values():
            if log.identity in positions:
                log.marks.indexed = positions[log.identity]
            log.marks.is_stalled = False

    def _stall(self, reason: str) -> None:
        """Tell everybody that waiting does not help at the moment."""
        if not any(log.marks.is_stalled for log in self._logs.values()):
            _log.warning("placing_postponed", reason=reason)
        for log in self._logs.values():
            log.marks.is_stalled = True


def _positions(batch: Sequence[Record]) -> dict[str, int]:
    """Return the last record of each log in a batch."""
    return {record.log.hex(): record.sequence for record in batch}


def _is_about_content(error: Exception) -> bool:
    """Tell whether the values themselves were refused, and will be again."""
    if isinstance(error, DataSetError):
        return True
    cause = error.__cause__
    away = (OperationalError, InternalError, InterfaceError)
    return isinstance(cause, DBAPIError) and not isinstance(cause, away)
