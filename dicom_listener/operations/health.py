"""Is the listener ready: does the database answer, can objects be written, is there room on the disk."""

import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from sqlalchemy import text

from dicom_listener.archive.archive import Archive
from dicom_listener.archive.backlog import DAMAGED
from dicom_listener.errors import ArchiveError

_BUCKET = "://"


class Health:
    """What stands between the listener and the next instance."""

    def __init__(self, archive: Archive, objects: str, *, least_free: int) -> None:
        """Look after `archive`, whose `objects` stand at this address; `least_free` bytes are wanted."""
        self._archive = archive
        self._folder = None if _BUCKET in objects else Path(objects)
        self._least_free = least_free

    def findings(self) -> list[str]:
        """Return a sentence for each thing that is wrong; none where the listener is ready."""
        checks: tuple[Callable[[], Iterator[str]], ...] = (
            self._database,
            self._objects,
            self._disk,
            self._log,
        )
        return [sentence for check in checks for sentence in check()]

    def free_bytes(self) -> int | None:
        """Return how much room the disk of the objects has; None for a bucket."""
        if self._folder is None:
            return None
        try:
            return shutil.disk_usage(self._folder).free
        except OSError:
            return 0

    def waiting(self) -> int:
        """Return how many acknowledged instances the index does not have yet."""
        return self._archive.backlog.waiting().instances

    def _database(self) -> Iterator[str]:
        try:
            with self._archive.database.read() as connection:
                connection.execute(text("SELECT 1"))
        except ArchiveError:
            yield "The database does not answer."

    def _objects(self) -> Iterator[str]:
        if self._folder is None:
            return
        try:
            with tempfile.TemporaryFile(dir=self._folder) as probe:
                probe.write(b"x")
                probe.flush()
        except OSError:
            yield "The folder of the objects cannot be written to."

    def _disk(self) -> Iterator[str]:
        free = self.free_bytes()
        if free is not None and free < self._least_free:
            yield f"The disk of the objects has {free} bytes free; wanted {self._least_free}."

    def _log(self) -> Iterator[str]:
        damaged, root = self._archive.backlog.damaged(), self._archive.backlog.root
        if damaged and root is not None:
            yield (
                f"The intake log has damaged {damaged} acknowledged instances; their receipts say "
                f"'damaged_in_log', and what is left of them is in {root / DAMAGED}."
            )
