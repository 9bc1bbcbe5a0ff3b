"""How often and how soon a failed job is tried again."""

from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryPolicy:
    """Attempts with a pause that doubles.

    Examples
    --------
    >>> policy = RetryPolicy(first_pause=timedelta(seconds=1), longest_pause=timedelta(seconds=3))
    >>> [policy.pause_after(attempt).total_seconds() for attempt in (1, 2, 3, 4)]
    [1.0, 2.0, 3.0, 3.0]
    """

    attempts: int = 10
    first_pause: timedelta = timedelta(seconds=1)
    longest_pause: timedelta = timedelta(minutes=5)

    def pause_after(self, attempt: int) -> timedelta:
        """Return how long to wait after the failed ``attempt``, counted from 1."""
        doublings = min(attempt - 1, 32)  # beyond that the longest pause rules anyway
        return min(self.first_pause * (1 << doublings), self.longest_pause)


@dataclass(frozen=True, slots=True, kw_only=True)
class LeasePolicy:
    """How long a silent worker keeps its job, and how often a living one says so."""

    length: timedelta = timedelta(seconds=5)
    heartbeat: timedelta = timedelta(seconds=1)


DEFAULT_RETRIES = RetryPolicy()
DEFAULT_LEASES = LeasePolicy()
