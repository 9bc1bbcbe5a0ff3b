"""Everything that the service refuses, in one tree; each member knows its HTTP status (RFC 9110).

* ServiceError
  + BadRequestError 400
  + UnauthenticatedError 401
  + ForbiddenError 403
  + NotFoundError 404
  + NotAcceptableError 406
  + TooLateError 408
  + ConflictError 409
  + TooLargeError 413
  + UnsupportedTypeError 415
  + RefusedError 422
  + TooManyRequestsError 429
  + BusyError 503
* SettingsError: the service cannot start as it is set up
"""

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any, ClassVar


class ServiceError(Exception):
    """A request that the service does not carry out, told in one sentence.

    Parameters
    ----------
    detail
        The sentence: the value found and the value wanted. It reaches the caller as it is.
    code
        A stable word for programs, such as ``"read_already_signed"``; the class has a general one.
    findings
        One mapping for each reason, when there are several, such as ``{"code": …, "sentence": …}``.
    headers
        HTTP headers that the answer needs, such as ``Retry-After``.
    """

    status: ClassVar[HTTPStatus] = HTTPStatus.INTERNAL_SERVER_ERROR
    general_code: ClassVar[str] = "internal"

    def __init__(
        self,
        detail: str,
        *,
        code: str | None = None,
        findings: Sequence[Mapping[str, Any]] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        """Keep what the caller is told."""
        super().__init__(detail)
        self.detail = detail
        self.code = code or self.general_code
        self.findings = tuple(findings)
        self.headers = dict(headers or {})


class BadRequestError(ServiceError):
    """The request cannot be read: not JSON as RFC 8259 and this service have it, a bad cursor."""

    status = HTTPStatus.BAD_REQUEST
    general_code = "bad_request"


class UnauthenticatedError(ServiceError):
    """Nobody, or nobody any more: no token, an unknown, expired or revoked one, a wrong password."""

    status = HTTPStatus.UNAUTHORIZED
    general_code = "unauthenticated"

    def __init__(self, detail: str, *, code: str | None = None) -> None:
        """Ask for a bearer token (RFC 6750)."""
        super().__init__(detail, code=code, headers={"WWW-Authenticate": 'Bearer realm="imaging-service"'})


class ForbiddenError(ServiceError):
    """The caller's role may not do this."""

    status = HTTPStatus.FORBIDDEN
    general_code = "forbidden"


class NotFoundError(ServiceError):
    """There is no such thing, or none in the caller's scope: the two answers are the same."""

    status = HTTPStatus.NOT_FOUND
    general_code = "not_found"


class NotAcceptableError(ServiceError):
    """The answer exists in none of the asked formats."""

    status = HTTPStatus.NOT_ACCEPTABLE
    general_code = "not_acceptable"


class TooLateError(ServiceError):
    """The request did not arrive whole within its deadline."""

    status = HTTPStatus.REQUEST_TIMEOUT
    general_code = "request_timeout"


class ConflictError(ServiceError):
    """The request contradicts what is stored: exists already, is signed already, was changed meanwhile."""

    status = HTTPStatus.CONFLICT
    general_code = "conflict"


class TooLargeError(ServiceError):
    """The body is longer than the service reads."""

    status = HTTPStatus.REQUEST_ENTITY_TOO_LARGE
    general_code = "too_large"


class UnsupportedTypeError(ServiceError):
    """The body is of a media type that the route does not read."""

    status = HTTPStatus.UNSUPPORTED_MEDIA_TYPE
    general_code = "unsupported_media_type"


class RefusedError(ServiceError):
    """The payload can be read, but a rule refuses it."""

    status = HTTPStatus.UNPROCESSABLE_ENTITY
    general_code = "refused"


class TooManyRequestsError(ServiceError):
    """The caller must wait."""

    status = HTTPStatus.TOO_MANY_REQUESTS
    general_code = "too_many_requests"

    def __init__(self, detail: str, *, retry_after_seconds: int) -> None:
        """Say how long."""
        super().__init__(detail, headers={"Retry-After": str(retry_after_seconds)})


class BusyError(ServiceError):
    """The service, or its database, is not able to answer in time; nothing was changed."""

    status = HTTPStatus.SERVICE_UNAVAILABLE
    general_code = "busy"

    def __init__(self, detail: str, *, retry_after_seconds: int = 1) -> None:
        """Say when to try again."""
        super().__init__(detail, headers={"Retry-After": str(retry_after_seconds)})


class SettingsError(Exception):
    """The service cannot start as it is set up; the message says what to change."""
