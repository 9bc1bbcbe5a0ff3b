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

    def _serve(self, work: Callable[[], None] | None) -> None:
        while work is not None:
            work()
            with self._lock:
                if self._waiting >= self._spare:
                    return
                self._waiting += 1
            del work  # and what it holds
            work = self._work.get()
