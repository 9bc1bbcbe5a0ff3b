"""The session cookie of the pages: what it is called, and when it is believed.

A browser sends a cookie by itself, whoever made the page that asks. So a request that changes something is
believed only when it carries a header that another site's page cannot add, and comes from our own origin.
"""

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from fastapi import Request, Response

from imaging_service.errors import ForbiddenError

if TYPE_CHECKING:
    from imaging_service.settings import ServiceSettings

PLAIN_NAME = "imaging-service-session"
SECURE_NAME = f"__Host-{PLAIN_NAME}"
"""Over TLS; browsers take a cookie of this prefix only from the host itself (RFC 6265bis, section 4.1.3)."""

HEADER = "X-Requested-With"
"""A page of another site needs our leave (CORS) to add it, and never gets it."""

_CHANGES_NOTHING = frozenset({"GET", "HEAD", "OPTIONS"})


def own_origin(request: Request) -> str:
    """Return the web address that browsers know the service by, without a path."""
    settings: ServiceSettings = request.app.state.settings
    if settings.public_address is not None:
        return settings.public_address
    return f"{request.url.scheme}://{request.headers.get('host', '')}"


def give(request: Request, response: Response, token: str) -> None:
    """Let the browser keep the token out of reach of scripts, until it is closed."""
    is_secure = _is_secure(request)
    response.set_cookie(_name(request), token, path="/", secure=is_secure, httponly=True, samesite="strict")


def take_back(request: Request, response: Response) -> None:
    """Let the browser forget the token."""
    is_secure = _is_secure(request)
    response.delete_cookie(_name(request), path="/", secure=is_secure, httponly=True, samesite="strict")


def give_visit(request: Request, response: Response, secret: str) -> None:
    """Let the browser keep the secret of its visit to the identity provider, from where it comes back."""
    is_secure = _is_secure(request)
    response.set_cookie(
        f"{_name(request)}-visit",
        secret,
        max_age=600,
        path="/",
        secure=is_secure,
        httponly=True,
        samesite="lax",  # the way back begins at the provider's page
    )


def visit_of(request: Request) -> str:
    """Return the secret of the browser's visit, or nothing."""
    return request.cookies.get(f"{_name(request)}-visit", "")


def take_back_visit(request: Request, response: Response) -> None:
    """Let the browser forget its visit."""
    is_secure = _is_secure(request)
    response.delete_cookie(f"{_name(request)}-visit", path="/", secure=is_secure, httponly=True)


def token_of(request: Request) -> str | None:
    """Return the token in the cookie, or ``None`` when there is none.

    Raises
    ------
    ForbiddenError
        The request would change something, and is not known to come from one of our own pages.
    """
    token = request.cookies.get(_name(request))
    if token is not None and request.method not in _CHANGES_NOTHING:
        _refuse_other_sites(request)
    return token


def _refuse_other_sites(request: Request) -> None:
    if HEADER not in request.headers:
        message = f"A change that is asked for with a session cookie needs the header {HEADER}."
        raise ForbiddenError(message, code="cross_site")
    found, wanted = request.headers.get("origin", ""), own_origin(request)
    if (
        found.lower() != wanted.lower()
        or request.headers.get("sec-fetch-site", "same-origin") != "same-origin"
    ):
        message = (
            f"A change that is asked for with a session cookie must come from a page of {wanted}; "
            f"this one comes from {found[:200] or 'nowhere'}."
        )
        raise ForbiddenError(message, code="cross_site")


def _is_secure(request: Request) -> bool:
    return urlsplit(own_origin(request)).scheme == "https"


def _name(request: Request) -> str:
    return SECURE_NAME if _is_secure(request) else PLAIN_NAME
