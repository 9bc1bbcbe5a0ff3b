"""What the application holds, for routes that need it.

These are coroutines so that FastAPI calls them where they are, without a thread for each.
"""

from typing import Annotated, Any, cast

from fastapi import Depends, Request

from imaging_service.clock import Clock
from imaging_service.database import Database
from imaging_service.http.transaction import Transaction, Turns
from imaging_service.settings import ServiceSettings


async def settings_of(request: Request) -> ServiceSettings:
    """Return the settings."""
    return cast("ServiceSettings", request.app.state.settings)


async def database_of(request: Request) -> Database:
    """Return the database, for the few routes that make their own transactions."""
    return cast("Database", request.app.state.database)


async def clock_of(request: Request) -> Clock:
    """Return the clock."""
    return cast("Clock", request.app.state.clock)


async def archive_of(request: Request) -> Any:  # noqa: ANN401  each chapter names the part of it that it needs
    """Return the listener's archive."""
    return request.app.state.archive


async def jobs_of(request: Request) -> Any:  # noqa: ANN401  each chapter names the part of it that it needs
    """Return the queue of background work."""
    return request.app.state.jobs


async def turns_of(request: Request) -> Turns:
    """Return the turns at the database."""
    return cast("Turns", request.app.state.turns)


async def transaction_of(request: Request) -> Transaction:
    """Return the request's transaction."""
    return cast("Transaction", request.state.transaction)


CurrentSettings = Annotated[ServiceSettings, Depends(settings_of)]
CurrentDatabase = Annotated[Database, Depends(database_of)]
CurrentClock = Annotated[Clock, Depends(clock_of)]
CurrentArchive = Annotated[Any, Depends(archive_of)]
CurrentJobs = Annotated[Any, Depends(jobs_of)]
CurrentTurns = Annotated[Turns, Depends(turns_of)]
CurrentTransaction = Annotated[Transaction, Depends(transaction_of)]
