"""What time it is, as a door: rules and tests never ask the machine."""

from datetime import UTC, datetime, timedelta
from typing import Protocol


class Clock(Protocol):
    """Tells the instant."""

    def now(self) -> datetime:
        """Return the instant, aware, in UTC."""
        ...


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        """Return the machine's instant, in UTC."""
        return datetime.now(UTC)


class FixedClock:
    """A clock that moves only when told to.

    Examples
    --------
    >>> clock = FixedClock(datetime(2026, 1, 5, 8, 0, tzinfo=UTC))
    >>> clock.advance(timedelta(days=42))
    >>> clock.now().date().isoformat()
    '2026-02-16'
    """

    def __init__(self, now: datetime) -> None:
        """Stand at `now`, an aware instant."""
        self._now = now.astimezone(UTC)

    def now(self) -> datetime:
        """Return the instant it stands at, in UTC."""
        return self._now

    def advance(self, by: timedelta) -> None:
        """Move forward, or back for a negative `by`."""
        self._now += by

    def set(self, now: datetime) -> None:
        """Stand at `now`."""
        self._now = now.astimezone(UTC)
