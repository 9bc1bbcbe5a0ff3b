"""The intake log of a listener process, from its start to its end."""

import threading
from pathlib import Path
from typing import TYPE_CHECKING

import structlog

from dicom_listener.archive import log_positions
from dicom_listener.archive.archive import Archive
from dicom_listener.archive.log_reader import IDENTITY
from dicom_listener.archive.segment_log import SegmentLog
from dicom_listener.intake.place import Placer

if TYPE_CHECKING:
    from dicom_listener.settings import ListenerSettings

_log = structlog.get_logger()

_OWN = "0"  # the folder of a listener's log; further processes count on
_END_SECONDS = 1.0


class LogKeeper:
    """Open the logs, recover what is left in them, and place it while the listener runs.

    It does nothing where the archive has no place for logs: then each instance is indexed before it is
    acknowledged.
    """

    def __init__(self, archive: Archive, settings: "ListenerSettings") -> None:
        """Keep the logs of `archive`."""
        self._archive = archive
        self._root = archive.backlog.root
        self._maximum = settings.maximum_backlog_bytes
        self._inflated = settings.maximum_inflated_bytes
        self._stopped = threading.Event()
        self._placer: Placer | None = None
        self._thread: threading.Thread | None = None
        self.log: SegmentLog | None = None
        if self._root is not None:
            self.log = self._log_in(self._root / _OWN)

    def start(self) -> None:
        """Recover, and begin to place.

        Raises
        ------
            When the folder of the logs cannot be written to, or another listener writes to it.
        """
        if self._root is None or self.log is None:
            return
        waiting = self.log.open(self._indexed)
        for path in sorted(self._root.glob(f"*/{IDENTITY}")):
            if path.parent.name != _OWN:
                waiting += self._adopt(path.parent)
        if waiting:
            _log.info("instances_recovered", count=waiting)
        self._stopped.clear()
        self._placer = Placer(self._archive, self._root, maximum_inflated=self._inflated)
        self._thread = threading.Thread(target=self._placer.run, args=(self._stopped,), daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Place what can be placed in a moment, and let go; the rest is recovered at the next start."""
        self._stopped.set()
        if self._placer is not None:
            self._placer.notice()
        if self._thread is not None:
            self._thread.join(_END_SECONDS)
            self._thread = None
        if self.log is not None:
            self.log.close()

    def _log_in(self, folder: Path) -> SegmentLog:
        return SegmentLog(folder, maximum_bytes=self._maximum, noticed=self.notice)

    def notice(self) -> None:
        """Have the placer look at once."""
        if self._placer is not None:
            self._placer.notice()

    def _adopt(self, folder: Path) -> int:
        """Look after a log that an earlier run with more processes has left."""
        log = self._log_in(folder)
        waiting = log.open(self._indexed)
        log.close()
        return waiting

    def _indexed(self, log: str) -> int:
        """Return up to where a log is in the index for good, so that its segments may be written over.

        The last transaction of a killed process may be seen before it is on the disk: one more is behind it.
        """
        with self._archive.database.write() as connection:
            position = log_positions.position_of(connection, log)
            if position:
                log_positions.advance(connection, {log: 0})  # SQLite leaves out a write that changes nothing
                log_positions.advance(connection, {log: position})
        return position
