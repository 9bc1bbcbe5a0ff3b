"""Every error as problem+json (RFC 9457): a sentence for people, a code for programs, never a traceback."""

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from types import MappingProxyType
from typing import Any

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, Field
from sqlalchemy.exc import IntegrityError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.orm.exc import StaleDataError
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, Response

from imaging_service.database import is_busy, new_id
from imaging_service.errors import BusyError, ConflictError, ServiceError, UnsupportedTypeError

log = structlog.get_logger(__name__)

MEDIA_TYPE = "application/problem+json"


class ProblemFinding(BaseModel):
    """One of several reasons."""

    code: str = Field(examples=["string_too_short"])
    sentence: str = Field(examples=["String should have at least 3 characters."])
    at: list[str | int] | None = Field(
        None, description="Where in the request.", examples=[["body", "reason"]]
    )


class Problem(BaseModel):
    """Why a request was not carried out (RFC 9457)."""

    type: str = Field("about:blank", description="Kind of problem; `code` says more.")
    title: str = Field(examples=["Not Found"])
    status: int = Field(examples=[404])
    detail: str = Field(examples=["There is no trial 'HER2-9'."])
    code: str = Field(description="A stable word for programs.", examples=["not_found"])
    findings: list[ProblemFinding] = Field(default_factory=list)
    error_id: str | None = Field(None, description="Name it to the operator: the log has more under it.")


_WHEN = MappingProxyType(
    {
        400: "The request cannot be read: malformed JSON, a number that is none, an unknown cursor.",
        401: "No token, or one that is unknown, expired or revoked; or a wrong password.",
        403: "The caller's role may not do this.",
        404: "There is no such thing, or none in the caller's scope.",
        405: "The route knows other methods.",
        406: "The answer exists in none of the asked formats.",
        408: "The request did not arrive whole within its deadline.",
        409: "The request contradicts what is stored.",
        413: "The body is longer than the service reads.",
        415: "The body is of a media type that the route does not read.",
        422: "The payload can be read, but a rule refuses it.",
        429: "The caller must wait; Retry-After says how long.",
        500: "A fault of the service; the log has more under `error_id`.",
        503: "The service or its database is busy; nothing was changed.",
    }
)

ERROR_RESPONSES: dict[int | str, dict[str, Any]] = {
    status: {
        "description": when,
        "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
    }
    for status, when in _WHEN.items()
}
"""For every operation of the OpenAPI document."""


def problem_response(  # noqa: PLR0913  a problem has this many members
    status: int,
    detail: str,
    *,
    code: str,
    findings: Sequence[Mapping[str, Any]] = (),
    headers: Mapping[str, str] | None = None,
    error_id: str | None = None,
) -> Response:
    """Return one problem."""
    content: dict[str, Any] = {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
        "code": code,
    }
    if findings:
        content["findings"] = [dict(finding) for finding in findings]
    if error_id is not None:
        content["error_id"] = error_id
    return JSONResponse(content, status, headers=headers, media_type=MEDIA_TYPE)


def problem_of(error: Exception) -> Response:
    """Return the problem that tells `error`; one that nobody foresaw is logged and told by an id."""
    if isinstance(error, ServiceError):
        return problem_response(
            error.status, error.detail, code=error.code, findings=error.findings, headers=error.headers
        )
    if isinstance(error, IntegrityError | StaleDataError):
        log.warning("write_conflict", exc_info=error)
        return problem_of(
            ConflictError(
                "Another request changed the same thing meanwhile; read it again and decide anew.",
                code="changed_meanwhile",
            )
        )
    if isinstance(error, PoolTimeoutError) or (isinstance(error, OperationalError) and is_busy(error)):
        log.warning("database_busy", exc_info=error)
        return problem_of(BusyError("The database cannot answer now; nothing was changed, please try again."))
    error_id = new_id()
    log.error("unforeseen_error", error_id=error_id, exc_info=error)
    return problem_response(
        500,
        f"The service failed; nothing was changed. Tell the operator the error {error_id}.",
        code="internal",
        error_id=error_id,
    )


def install_problems(app: FastAPI) -> None:
    """Answer the framework's own errors as problems too."""
    app.add_exception_handler(ServiceError, _service_error)
    app.add_exception_handler(RequestValidationError, _validation_error)
    app.add_exception_handler(HTTPException, _http_error)


async def _service_error(_request: Request, error: Exception) -> Response:
    return problem_of(error)


async def _http_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101  registered for it
    details = {
        404: "There is nothing at this address.",
        405: f"This address does not know the method {request.method}.",
    }
    code = HTTPStatus(error.status_code).name.lower()
    detail = details.get(error.status_code, "The request cannot be read.")
    return problem_response(error.status_code, detail, code=code, headers=error.headers)


async def _validation_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)  # noqa: S101  registered for it
    errors = error.errors()
    if request.scope["state"].get("body_is_json") is False and any(e["loc"] == ("body",) for e in errors):
        found = request.headers.get("content-type", "")
        message = f"This route reads application/json; the request is {found[:100]!r}."
        return problem_of(UnsupportedTypeError(message))
    findings = [_finding(item) for item in errors[:50]]
    places = ", ".join(sorted({_place(finding["at"]) for finding in findings}))
    return problem_response(
        422,
        f"The request does not have the wanted shape: {places}.",
        code="invalid_request",
        findings=findings,
    )


def _finding(error: Mapping[str, Any]) -> dict[str, Any]:
    """Return one pydantic error without the input, which may be anything and anyone's."""
    message = str(error["msg"]).removeprefix("Value error, ").removesuffix(".")
    at = [part if isinstance(part, int) else str(part)[:64] for part in error["loc"]]
    return {"code": str(error["type"]), "sentence": f"{message[:500]}.", "at": at}


def _place(at: Sequence[str | int]) -> str:
    return ".".join(str(part) for part in at)
