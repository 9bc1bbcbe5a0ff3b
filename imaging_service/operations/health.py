"""Whether the service lives and is ready, and its figures."""

from typing import Literal

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, Field
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from imaging_service.accounts.dependencies import public, requires
from imaging_service.accounts.principal import Role
from imaging_service.errors import BusyError
from imaging_service.http.context import CurrentDatabase
from imaging_service.http.problems import ERROR_RESPONSES

router = APIRouter(tags=["operations"], responses={key: ERROR_RESPONSES[key] for key in (400, 405, 500, 503)})


class Health(BaseModel):
    """The service's own state."""

    status: Literal["live", "ready"] = Field(examples=["ready"])


@router.get("/health/live", dependencies=[public()])
async def live() -> Health:
    """Say that the process answers; it touches nothing else."""
    return Health(status="live")


@router.get("/health/ready", dependencies=[public()])
def ready(database: CurrentDatabase) -> Health:
    """Say that the database answers too."""
    try:
        with database.read() as session:
            session.execute(text("SELECT 1 FROM accounts LIMIT 1"))
    except SQLAlchemyError as error:
        message = "The database does not answer, or is not migrated."
        raise BusyError(message, retry_after_seconds=5) from error
    return Health(status="ready")


@router.get(
    "/metrics",
    dependencies=[requires(Role.ADMINISTRATOR, Role.SERVICE)],
    response_class=Response,
    responses={
        200: {"content": {"text/plain": {"schema": {"type": "string"}}}},
        **{key: ERROR_RESPONSES[key] for key in (401, 403)},
    },
)
def metrics(request: Request) -> Response:
    """Return the figures in Prometheus' text format."""
    return Response(request.app.state.metrics.text(), media_type="text/plain; version=0.0.4; charset=utf-8")
