"""How many rejections are worth a receipt of their own."""

import threading
from collections.abc import Callable
from time import monotonic

RECEIPTS_A_MINUTE = 60


class Rejections:
    """Allow so many receipts of rejected associations a minute; a flood is counted instead of filed."""

    def __init__(self, a_minute: int = RECEIPTS_A_MINUTE, *, clock: Callable[[], float] = monotonic) -> None:
        """Begin with a whole minute's allowance."""
        self._a_minute = self._left = float(a_minute)
        self._clock = clock
        self._seen_at = clock()
        self._lock = threading.Lock()
        self.suppressed = 0

    def are_worth_a_receipt(self) -> bool:
        """Take one from the allowance, which fills up again evenly."""
        with self._lock:
            now = self._clock()
            self._left = min(self._a_minute, self._left + (now - self._seen_at) * self._a_minute / 60)
            self._seen_at = now
            if self._left < 1:
                self.suppressed += 1
                return False
            self._left -= 1
            return True
