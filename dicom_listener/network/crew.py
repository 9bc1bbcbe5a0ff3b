"""Threads that are kept for the next connection, as to start one takes longer than to answer it."""

import queue
import threading
from collections.abc import Callable

_SPARE = 2


class Crew:
    """As many threads as there is work, and a few that wait for more."""

    def __init__(self, spare: int = _SPARE) -> None:
        """Keep at most `spare` threads that have nothing to do."""
        self._spare = spare
        self._waiting = 0
        self._work: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._lock = threading.Lock()

    def muster(self) -> None:
        """Have them wait before there is work."""
        for _ in range(self._spare):
            threading.Thread(target=self._wait, daemon=True).start()

    def do(self, work: Callable[[], None]) -> None:
        """Have a thread do `work`, which raises nothing.

        Raises
        ------
        RuntimeError
            When the system has no thread left.
        """
        with self._lock:
            is_waited_for = self._waiting > 0
            self._waiting -= is_waited_for
        if is_waited_for:
            self._work.put(work)
        else:
            threading.Thread(target=self._serve, args=(work,), daemon=True).start()

    def dismiss(self) -> None:
        """Keep no thread any more; those at work finish it."""
        with self._lock:
            self._spare, waiting, self._waiting = 0, self._waiting, 0
        for _ in range(waiting):
            self._work.put(None)

    def _serve(self, work: Callable[[], None]) -> None:
        work()
        del work  # and what it holds
        self._wait()

    def _wait(self) -> None:
        """Do what comes, as long as one more may wait for it."""
        while self._stays():
            work = self._work.get()
            if work is None:
                return
            work()
            del work  # as above

    def _stays(self) -> bool:
        with self._lock:
            stays = self._waiting < self._spare
            self._waiting += stays
        return stays
