"""Logs: one JSON object a line, with codes, counts and identifiers of ours; never a subject's data."""

import logging
import sys
import traceback
from types import TracebackType
from typing import Any

import structlog


def describe_exception(
    exc_info: tuple[type[BaseException], BaseException, TracebackType | None],
) -> dict[str, Any]:
    """Return the kind of an exception and where it was raised, and not its message or its variables.

    A database's message quotes the row, and a row may name a subject.
    """
    frames = traceback.extract_tb(exc_info[2])
    return {
        "type": exc_info[0].__name__,
        "frames": [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames[-20:]],
    }


def configure_logs(level: str = "info") -> None:
    """Write JSON lines to standard error, from our loggers and from the libraries'."""
    processors: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.ExceptionRenderer(describe_exception),
    ]
    renderer = structlog.processors.JSONRenderer(sort_keys=True)
    structlog.configure(
        processors=[*processors, renderer],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.WriteLoggerFactory(file=sys.stderr),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=processors,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
        )
    )
    logging.basicConfig(handlers=[handler], level=level.upper(), force=True)
