"""Timers that no step of the wall clock expires."""

from time import monotonic

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
