"""One line of JSON per happening, on standard error, without a word about a patient."""

import logging
import queue
import sys
import threading
import warnings
from time import monotonic, sleep
from typing import TextIO

import structlog

_LINES = 10_000
_FLUSH_SECONDS = 1.0


class UnhurriedLog:
    """A stream that nobody waits for: who reads it slowly, or not at all, misses lines.

    A pipe that is full would otherwise stop every association at its next line.
    """

    def __init__(self, stream: TextIO, lines: int = _LINES) -> None:
        """Write to `stream`, with so many lines in waiting at most."""
        self._stream = stream
        self._waiting: queue.Queue[str] = queue.Queue(lines)
        self.missed = 0
        self._writer: threading.Thread | None = None
        self._starting = threading.Lock()

    def write(self, text: str) -> int:
        """Take a line, or count it as missed; the first starts the thread that writes."""
        with self._starting:
            if self._writer is None:
                self._writer = threading.Thread(target=self._write, daemon=True)
                self._writer.start()
        try:
            self._waiting.put_nowait(text)
        except queue.Full:
            self.missed += 1
        return len(text)

    def flush(self) -> None:
        """Do nothing: lines are written as soon as they can be."""

    def drain(self, seconds: float = _FLUSH_SECONDS) -> None:
        """Wait until everything is written, for a moment."""
        deadline = monotonic() + seconds
        while self._waiting.unfinished_tasks and monotonic() < deadline:
            sleep(0.005)

    def _write(self) -> None:
        while True:
            line = self._waiting.get()
            try:
                self._stream.write(line)
                if self._waiting.empty():
                    self._stream.flush()
            except (OSError, ValueError):
                self.missed += 1
            self._waiting.task_done()


_streams: list[UnhurriedLog] = []


def finish_logs() -> None:
    """Wait for a moment until what was logged is written."""
    for stream in _streams:
        stream.drain()


def set_up_logs() -> None:
    """Write logs as JSON, and keep everything else off standard error.

    A library's warning or a traceback may quote received values, so neither is ever shown.
    """
    stream = UnhurriedLog(sys.stderr)
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True, key="at"),
            structlog.processors.JSONRenderer(),
        ],
        logger_factory=structlog.WriteLoggerFactory(file=stream),  # type: ignore[arg-type] # it writes and flushes
        cache_logger_on_first_use=True,
    )
    warnings.simplefilter("ignore")
    logging.getLogger().addHandler(logging.NullHandler())
    threading.excepthook = _report
    _streams.append(stream)


def _report(arguments: threading.ExceptHookArgs) -> None:
    structlog.get_logger().error("thread_failed", kind=arguments.exc_type.__name__)
