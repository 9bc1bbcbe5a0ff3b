"""One sentence for whatever ends a command."""

import errno
from collections.abc import Callable
from typing import Any

import structlog
from pydantic import ValidationError
from sqlalchemy.exc import SQLAlchemyError

from dicom_listener.errors import ListenerError
from imaging_service.errors import ServiceError, SettingsError
from imaging_service.jobs.errors import JobError
from measurement.errors import MeasurementError

_PREFIXES = {"ServiceSettings": "IMAGING_SERVICE_", "ListenerSettings": "DICOM_LISTENER_"}
_POSTGRES = frozenset({"psycopg", "psycopg_pool", "procrastinate"})
_log = structlog.get_logger(__name__)


def sentence_of(error: Exception) -> str:
    """Return what to tell the person who gave the command."""
    for kind, tell in _SENTENCES:
        if isinstance(error, kind):
            return tell(error)
    _log.debug("command_failed", exc_info=error)
    return (
        f"imaging-service ended because of an unexpected {type(error).__name__}; "
        "with IMAGING_SERVICE_LOG_LEVEL=debug it tells where."
    )


def _setting(error: ValidationError) -> str:
    first = error.errors()[0]
    name = "_".join(map(str, first["loc"])).upper()
    wanted = first["msg"][:1].lower() + first["msg"][1:]
    return f"The setting {_PREFIXES.get(error.title, '')}{name} is {first['input']!r}: {wanted}."


def _database(error: SQLAlchemyError) -> str:
    found = str(getattr(error, "orig", None) or type(error).__name__).strip().splitlines()[0]
    return f"The database refused: {found}."


def _module(error: ModuleNotFoundError) -> str:
    if error.name in _POSTGRES:
        return "PostgreSQL needs an extra that is not installed: pip install 'imaging-service[postgres]'."
    return f"A part is not installed: {error.name}."


def _system(error: OSError) -> str:
    where = f" {error.filename}" if error.filename else ""
    advice = "; make room and try again" if error.errno == errno.ENOSPC else ""
    return f"The system refused{where}: {error.strerror or error}{advice}."


_SENTENCES: tuple[tuple[type[Exception] | tuple[type[Exception], ...], Callable[[Any], str]], ...] = (
    ((SettingsError, ServiceError, ListenerError, JobError, MeasurementError), str),
    (ValidationError, _setting),
    (SQLAlchemyError, _database),
    (ModuleNotFoundError, _module),
    (OSError, _system),
)
"""By kind, the more special ones first."""
