"""The head of the audit chain, kept outside: by the worker in time, and with every report."""

from datetime import timedelta
from typing import Any

import structlog
from fastapi import Depends, Response

from imaging_service.accounts.dependencies import ReadSession
from imaging_service.audit import service, witness
from imaging_service.clock import Clock
from imaging_service.database import Database
from imaging_service.errors import SettingsError
from imaging_service.http.context import CurrentClock, CurrentSettings
from imaging_service.settings import ServiceSettings

HEADER = "X-Audit-Head"
_log = structlog.get_logger(__name__)


def keep_when_due(settings: ServiceSettings, database: Database, clock: Clock) -> bool:
    """Keep the head if the last one was kept too long ago; a step of the worker."""
    with database.read() as session:
        head = service.head(session)
    every = timedelta(seconds=settings.audit_witness_seconds)
    witness.keep_when_due(settings.audit_witness, head, clock.now(), every, settings.audit_witness_key)
    return False


def keep_with_report(
    response: Response, session: ReadSession, settings: CurrentSettings, clock: CurrentClock
) -> None:
    """Keep the head that a report rests on, and write it on the report: whoever has one, has a witness."""
    head = service.head(session)
    response.headers[HEADER] = f"{head.sequence} {head.hash}"
    try:
        witness.keep(settings.audit_witness, head, clock.now(), settings.audit_witness_key)
    except (OSError, SettingsError) as error:  # the report carries it all the same
        _log.error("witness_not_kept", error=type(error).__name__)


WITNESSED: Any = Depends(keep_with_report)
"""Declared by routes that answer reports."""
