"""One line of JSON per happening, on standard error, without a word about a patient."""

import logging
import sys
import threading
import warnings

import structlog


def set_up_logs() -> None:
    """Write logs as JSON, and keep everything else off standard error.

    A library's warning or a traceback may quote received values, so neither is ever shown.
    """
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True, key="at"),
            structlog.processors.JSONRenderer(),
        ],
        logger_factory=structlog.WriteLoggerFactory(file=sys.stderr),
        cache_logger_on_first_use=True,
    )
    warnings.simplefilter("ignore")
    logging.getLogger().addHandler(logging.NullHandler())
    threading.excepthook = _report


def _report(arguments: threading.ExceptHookArgs) -> None:
    structlog.get_logger().error("thread_failed", kind=arguments.exc_type.__name__)
