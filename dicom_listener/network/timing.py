"""Timers that no step of the wall clock expires, and a watch for such steps."""

from collections.abc import Callable
from time import monotonic, time

from pynetdicom.timer import Timer


class MonotonicTimer(Timer):
    """The library's timer, on the monotonic clock."""

    @property
    def remaining(self) -> float:
        """Seconds until it expires; the whole time-out before it is started, 1 where there is none."""
        if self.timeout is None:
            return 1.0
        if self._start_time is None:
            return float(self.timeout)
        return float(self.timeout - ((self._end_time or monotonic()) - self._start_time))

    def start(self) -> None:
        """Start again."""
        self._start_time = monotonic()
        self._end_time = None

    def stop(self) -> None:
        """Stand still."""
        self._end_time = monotonic()


class ClockWatch:
    """Notice when the wall clock was set: it moved, and the monotonic clock did not move as far."""

    def __init__(
        self,
        *,
        wall: Callable[[], float] = time,
        steady: Callable[[], float] = monotonic,
        tolerance: float = 2.0,
    ) -> None:
        """Compare the two clocks; steps of up to `tolerance` seconds are a clock's own affair."""
        self._wall, self._steady, self._tolerance = wall, steady, tolerance
        self._difference = wall() - steady()

    def step(self) -> float:
        """Return by how many seconds the clock was set since the last call; 0 where it was not."""
        difference = self._wall() - self._steady()
        moved, self._difference = difference - self._difference, difference
        return moved if abs(moved) > self._tolerance else 0.0
