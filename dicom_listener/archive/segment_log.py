"""The intake log: an instance is durable with one flush, which all associations of a process share.

What is in the log survives a power cut. It is placed into the object store and the index afterwards.
"""

import fcntl
import os
import threading
import time
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from dicom_listener.archive import segments
from dicom_listener.archive.contents import Bytes
from dicom_listener.archive.folders import flush_folder
from dicom_listener.archive.log_reader import IDENTITY, LogReader, identity_of
from dicom_listener.archive.marks import Marks
from dicom_listener.archive.segments import PAGE, SUFFIX, Entry
from dicom_listener.errors import FolderUnusableError, OutOfResourcesError

LONGEST = 4 * 2**20
"""Longest data set that goes through the log, in bytes."""

_SEGMENT_BYTES = 32 * 2**20
_FULL_SECONDS = 10.0  # how long a sender is held back before it is told
_POLL_SECONDS = 0.005
_SPARE = 4  # released segments that are kept for use again
_CLOSED = "it is closed"
_TOO_LONG = "the instance is longer than a segment"
_FULL = "it is full of instances that cannot be placed at the moment"
_MOST_TOGETHER = 256  # records in one system call of three buffers each; Linux takes 1,024


@dataclass(slots=True, eq=False)
class _Segment:
    """A segment and the records that it holds."""

    path: Path
    descriptor: int
    last: int = 0  # number of its last record
    position: int = PAGE  # where the next one goes


@dataclass(slots=True, eq=False)
class _Waiting:
    """An entry that waits for its flush."""

    entry: Entry
    error: OutOfResourcesError | None = None
    is_durable: bool = False


class SegmentLog:
    """The log of one process. `open` and `close` belong to one thread, `append` to any."""

    def __init__(
        self,
        folder: Path,
        *,
        maximum_bytes: int,
        segment_bytes: int = _SEGMENT_BYTES,
        noticed: Callable[[], None] = lambda: None,
    ) -> None:
        """Keep at most `maximum_bytes` in `folder`; call `noticed` when there is something to place."""
        self._folder = folder
        self._segment_bytes = segment_bytes
        self._most = max(maximum_bytes // segment_bytes, 2)
        self._noticed = noticed
        self._line = threading.Lock()
        self._turn = threading.Lock()
        self._waiting: list[_Waiting] = []
        self._used: list[_Segment] = []  # in the order of use; the last one is written to
        self._spare: list[_Segment] = []
        self._log = b""
        self._number = 1  # of the next record
        self._generation = 0
        self._lock: IO[bytes] | None = None
        self._marks: Marks | None = None

    def open(self, indexed: Callable[[str], int], *, is_followed: bool = False) -> int:
        """Look at what an earlier run has left, and be ready for more behind it.

        Parameters
        ----------
        indexed
            Tells up to which record a log, named by its identifier in hex, is in the index.
        is_followed
            Whether another process places the log's records already, and marks how far.

        Returns
        -------
        int
            How many records of earlier runs still have to be placed.

        Raises
        ------
        FolderUnusableError
            When the folder cannot be written to, or another listener writes to it.
        """
        try:
            return self._opened(indexed, is_followed=is_followed)
        except BlockingIOError as error:
            self.close()
            raise FolderUnusableError(self._folder, "another listener writes to it") from error
        except OSError as error:
            self.close()
            raise FolderUnusableError(self._folder, error.strerror or str(error)) from error
        except BaseException:
            self.close()
            raise

    def _opened(self, indexed: Callable[[str], int], *, is_followed: bool) -> int:
        self._lock = prepared(self._folder)
        self._log = identity_of(self._folder)
        position = last = indexed(self._log.hex())
        for record in LogReader(self._folder, position).all():
            last = record.sequence
        self._adopt(position, last)
        self._marks = Marks(self._folder, is_writer=True)
        if not is_followed:
            self._marks.indexed, self._marks.is_stalled = position, False
        self._marks.recovered = self._marks.acknowledged = last
        self._number = last + 1
        self._marks.length = len(self._used) * self._segment_bytes
        if self._spare or not self._used:
            self._begin_segment()  # otherwise with the first record, if so many segments may be
        return last - position

    def append(self, entry: Entry) -> None:
        """Return when `entry` survives a power cut.

        Raises
        ------
        OutOfResourcesError
            When it does not: the disk is full, or too much waits for its place.
        """
        waiting = _Waiting(entry)
        with self._line:
            self._waiting.append(waiting)
        with self._turn:
            if not waiting.is_durable and waiting.error is None:
                with self._line:
                    batch, self._waiting = self._waiting, []
                self._write(batch)
        if waiting.error is not None:
            raise waiting.error

    def close(self) -> None:
        """Let go of the files; nothing is taken any more."""
        with self._turn:
            for segment in (*self._used, *self._spare):
                os.close(segment.descriptor)
            self._used, self._spare = [], []
            if self._marks is not None:
                self._marks.close()
                self._marks = None
            if self._lock is not None:
                self._lock.close()
                self._lock = None

    def _write(self, batch: list[_Waiting]) -> None:
        """Write a batch with one flush for each segment; on a failure nobody of the rest is acknowledged."""
        rest, reason = batch, "its writer failed"
        try:
            while rest:
                group = self._fitting(rest)
                self._write_group(group)
                for waiting in group:
                    waiting.is_durable = True
                rest = rest[len(group) :]
        except _FullError as error:
            reason = str(error)
        except OSError as error:
            reason = error.strerror or str(error)
            self._give_up_segment()
        finally:
            for waiting in rest:
                waiting.error = OutOfResourcesError(what=f"The intake log {self._folder}", reason=reason)

    def _fitting(self, rest: list[_Waiting]) -> list[_Waiting]:
        """Return the first of `rest` that one segment can take, beginning another where it must be."""
        if self._marks is None:
            raise _FullError(_CLOSED)
        room = self._segment_bytes - self._used[-1].position
        if segments.record_size(rest[0].entry) > room:
            self._next_segment()
            room = self._segment_bytes - PAGE
        group = []
        for waiting in rest[:_MOST_TOGETHER]:
            room -= segments.record_size(waiting.entry)
            if room < 0:
                break
            group.append(waiting)
        if not group:
            raise _FullError(_TOO_LONG)
        return group

    def _write_group(self, group: Sequence[_Waiting]) -> None:
        """Write and flush what fits into one segment, then let it be placed."""
        segment, stamp = self._used[-1], time.monotonic_ns()
        parts: list[Bytes] = []
        for number, waiting in enumerate(group, self._number):
            parts += segments.record_parts(self._log, number, stamp, waiting.entry)
        end = _write_all(segment.descriptor, parts, segment.position)
        os.fdatasync(segment.descriptor)
        segment.position, segment.last = end, self._number + len(group) - 1
        self._number = segment.last + 1
        if self._marks is not None:
            self._marks.acknowledged = segment.last
        self._noticed()

    def _give_up_segment(self) -> None:
        """Write to another segment from now on: what a failed flush has left of this one is unknown."""
        try:
            self._begin_segment()
        except OSError:
            self._used[-1].position = self._segment_bytes  # the next one to write tries again

    def _next_segment(self) -> None:
        """Go on in another segment, as soon as there is room for one."""
        deadline = time.monotonic() + _FULL_SECONDS
        while not self._has_room():
            if time.monotonic() > deadline or (self._marks is not None and self._marks.is_stalled):
                raise _FullError(_FULL)
            time.sleep(_POLL_SECONDS)
        self._begin_segment()

    def _has_room(self) -> bool:
        self._release()
        return bool(self._spare) or len(self._used) < self._most

    def _release(self) -> None:
        """Take back the segments whose records are all placed."""
        indexed = 0 if self._marks is None else self._marks.indexed
        while len(self._used) > 1 and self._used[0].last <= indexed:
            self._spare.append(self._used.pop(0))
        while len(self._spare) > _SPARE:
            segment = self._spare.pop(0)
            os.close(segment.descriptor)
            segment.path.unlink()

    def _begin_segment(self) -> None:
        """Write the head of an unused segment; the flush of its first record makes it durable."""
        self._release()
        segment = self._spare.pop() if self._spare else self._new_segment()
        segment.last, segment.position = 0, PAGE
        self._generation += 1
        head = segments.Head(first=self._number, generation=self._generation)
        try:
            _write_all(segment.descriptor, [segments.segment_head(self._log, head)], 0)
        except OSError:
            self._spare.append(segment)
            raise
        self._used.append(segment)
        if self._marks is not None:
            self._marks.length = len(self._used) * self._segment_bytes

    def _new_segment(self) -> _Segment:
        path = self._folder / f"{uuid.uuid4().hex}{SUFFIX}"
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o644)
        try:
            os.posix_fallocate(descriptor, 0, self._segment_bytes)
            os.fsync(descriptor)
            flush_folder(self._folder)
        except OSError:
            os.close(descriptor)
            path.unlink(missing_ok=True)
            raise
        return _Segment(path=path, descriptor=descriptor)

    def _adopt(self, indexed: int, last: int) -> None:
        """Take over an earlier run's segments: those with records to place in order, others as spare."""
        found = []
        for path in self._folder.glob(f"*{SUFFIX}"):
            head = segments.head_of(path, self._log)
            if head is None or head.first > last:
                path.unlink()  # nothing in it was acknowledged, or all of it was placed long ago
                continue
            self._generation = max(self._generation, head.generation)
            descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC)
            found.append((head.first, head.generation, _Segment(path=path, descriptor=descriptor)))
        found.sort(key=lambda each: each[:2])
        bounds = [first - 1 for first, _, _ in found[1:]] + [last]
        for (_, _, segment), bound in zip(found, bounds, strict=False):
            segment.last, segment.position = min(bound, last), self._segment_bytes
            (self._used if segment.last > indexed else self._spare).append(segment)
        for segment in self._used:
            os.fdatasync(segment.descriptor)  # what a killed process wrote is seen before it is on the disk
        flush_folder(self._folder)


class _FullError(Exception):
    """There is no room for a record."""


def prepared(folder: Path) -> IO[bytes]:
    """Make a log's folder and its identity; return the file that locks it until it is closed."""
    missing = [each for each in (folder, *folder.parents) if not each.exists()]
    folder.mkdir(parents=True, exist_ok=True)
    lock = (folder / "lock").open("wb")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        identity = folder / IDENTITY
        if not identity.exists():
            partial = folder / f"{IDENTITY}.part"
            with partial.open("wb", buffering=0) as file:
                file.write(uuid.uuid4().bytes)
                os.fsync(file.fileno())
            partial.replace(identity)
        for each in {folder, folder.parent, folder.parent.parent, *(made.parent for made in missing)}:
            flush_folder(each)
    except BaseException:
        lock.close()
        raise
    return lock


def _write_all(descriptor: int, parts: Sequence[Bytes], position: int) -> int:
    """Write `parts` at `position` one after the other; return where they end."""
    views = [memoryview(part) for part in parts if len(part)]
    while views:
        count = os.pwritev(descriptor, views, position)
        position += count
        while views and count >= len(views[0]):
            count -= len(views.pop(0))
        if count:
            views[0] = views[0][count:]
    return position
