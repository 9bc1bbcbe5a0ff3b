"""Lines that say how far a long step is."""

import time

import typer


class Progress:
    """Print sentences with the seconds since the start."""

    def __init__(self) -> None:
        self._started = time.monotonic()
        self._last_count = 0.0

    def say(self, sentence: str) -> None:
        """Print one line."""
        typer.echo(f"[{time.monotonic() - self._started:6.1f} s] {sentence}")

    def count(self, done: int, total: int, what: str) -> None:
        """Print how many of ``total`` are done: the last one always, the others once a second."""
        now = time.monotonic()
        if done == total or now - self._last_count >= 1.0:
            self._last_count = now
            self.say(f"{done} of {total} {what}")
