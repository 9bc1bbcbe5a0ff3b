"""What has been acknowledged but is not in the index yet, and how to wait for it."""

import os
import time
from dataclasses import dataclass
from pathlib import Path

from dicom_listener.archive.marks import Marks

DAMAGED = "damaged"
"""The folder beside the logs for records that are no more what was acknowledged."""

_POLL_SECONDS = 0.002


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """How much waits to be placed."""

    instances: int
    segment_bytes: int  # of the segments that hold them
    is_stalled: bool  # the object store or the database does not take them at the moment


class Backlog:
    """The logs below one folder, whichever processes of this machine write and place them.

    Any thread may ask.
    """

    def __init__(self, root: Path | None) -> None:
        """Look at the logs below `root`; None where everything is indexed before it is acknowledged."""
        self._root = root
        self._marks: dict[str, Marks] = {}

    @property
    def root(self) -> Path | None:
        """Where the logs are."""
        return self._root

    def catch_up(self, seconds: float) -> bool:
        """Wait until the index knows what was acknowledged before this call.

        Parameters
        ----------
        seconds
            How long to wait at most. Where the object store or the database is away, nobody waits.

        Returns
        -------
        bool
            Whether the index knows it all.
        """
        wanted = [(marks, marks.acknowledged) for marks in self._all() if marks.behind]
        deadline = time.monotonic() + seconds
        for marks, last in wanted:
            marks.want(last)
        while wanted:
            wanted = [(marks, last) for marks, last in wanted if marks.indexed < last]
            if any(marks.is_stalled for marks, _ in wanted) or time.monotonic() > deadline:
                return not wanted
            if wanted:
                time.sleep(_POLL_SECONDS)
        return True

    def waiting(self) -> Waiting:
        """Count what waits."""
        found = [marks for marks in self._all() if marks.behind]
        return Waiting(
            instances=sum(marks.behind for marks in found),
            segment_bytes=sum(marks.length for marks in found),
            is_stalled=any(marks.is_stalled for marks in found),
        )

    def damaged(self) -> int:
        """Count the records that were damaged before they could be placed; a person removes them."""
        return 0 if self._root is None else sum(1 for _ in (self._root / DAMAGED).glob("??/*"))

    def _all(self) -> list[Marks]:
        """Open the marks of logs that are new, and return all."""
        if self._root is None:
            return []
        try:
            with os.scandir(self._root) as entries:
                names = [entry.name for entry in entries]
        except OSError:
            return []
        for name in names:
            if name not in self._marks:
                try:
                    self._marks[name] = Marks(self._root / name)
                except (OSError, ValueError):
                    continue  # no log, or one that is only being made: it has acknowledged nothing
        return list(self._marks.values())
