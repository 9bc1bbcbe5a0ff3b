"""Lines that say how far a long step is."""

import time

import typer

_PAUSE_SECONDS = 1.0


class Progress:
    """Print sentences with the seconds since the start."""

    def __init__(self) -> None:
        self._started = time.monotonic()
        self._counted_at = 0.0
        self._counted: dict[str, int] = {}

    def say(self, sentence: str) -> None:
        """Print one line."""
        typer.echo(f"[{time.monotonic() - self._started:6.1f} s] {sentence}")

    def count(self, done: int, total: int, what: str) -> None:
        """Print how many of ``total`` are done when that is news: the last one, and others once a second."""
        is_last, is_news = done == total, self._counted.get(what) != done
        if is_news and (is_last or time.monotonic() - self._counted_at >= _PAUSE_SECONDS):
            self._counted_at = time.monotonic()
            self._counted[what] = done
            self.say(f"{done} of {total} {what}")
