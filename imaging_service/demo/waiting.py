"""Wait for something that another process will do."""

import time
from collections.abc import Callable
from typing import TypeVar

from imaging_service.demo.errors import DemoError

Found = TypeVar("Found")
_FIRST_PAUSE_SECONDS = 0.05
_LONGEST_PAUSE_SECONDS = 1.0


def until(look: Callable[[], Found | None], *, seconds: float, what: str) -> Found:
    """Call ``look`` until it returns something, with growing pauses.

    Parameters
    ----------
    look
        Returns None as long as it has to be called again.
    seconds
        How long to try.
    what
        What is waited for, for the message.

    Raises
    ------
    DemoError
        When time is up.

    Examples
    --------
    >>> until(lambda: "ready", seconds=1, what="readiness")
    'ready'
    """
    deadline = time.monotonic() + seconds
    pause = _FIRST_PAUSE_SECONDS
    while (found := look()) is None:
        if time.monotonic() >= deadline:
            message = f"Waited {seconds:.0f} s for {what}, in vain."
            raise DemoError(message)
        time.sleep(pause)
        pause = min(2 * pause, _LONGEST_PAUSE_SECONDS)
    return found
