"""The application: the chapters' routes behind one edge."""

import re
from collections.abc import Iterator, Sequence
from datetime import timedelta
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from fastapi import APIRouter, FastAPI
from fastapi.routing import APIRoute, RouteContext, iter_route_contexts
from starlette.middleware import Middleware
from starlette.routing import BaseRoute

from imaging_service.accounts.accesses import Accesses
from imaging_service.accounts.dependencies import RoleGuard, anyone
from imaging_service.accounts.openid.provider import Provider
from imaging_service.accounts.passwords import Passwords
from imaging_service.accounts.wrong_tokens import WrongTokens
from imaging_service.clock import Clock, SystemClock
from imaging_service.database import Database
from imaging_service.http.edge import EdgeMiddleware
from imaging_service.http.gate import GateMiddleware, Streamed
from imaging_service.http.metrics import Metrics
from imaging_service.http.openapi import install_openapi
from imaging_service.http.problems import ERROR_RESPONSES, install_problems
from imaging_service.http.proxy import ProxyMiddleware
from imaging_service.http.rates import RateMiddleware, Rates
from imaging_service.http.transaction import TransactionMiddleware, Turns
from imaging_service.images.dicomweb.remembered import RememberedAccess, RememberMiddleware
from imaging_service.images.dicomweb.stamps import Stamps
from imaging_service.operations import docs, health
from imaging_service.renewing import keep_derived_rows
from imaging_service.settings import ServiceSettings

PREFIX = "/api/v1"

STORES = re.compile(rf"{PREFIX}/dicomweb/studies(/[^/]*)?")
"""Paths that instances are stored at."""

CHAPTERS = (
    "accounts",
    "operations",
    "trials",
    "subjects",
    "notices",
    "timepoints",
    "site_queries",
    "quality",
    "images",
    "reads",
    "assistance",
    "assessments",
    "adjudication",
    "evaluations",
    "calendars",
    "outcomes",
    "exports",
    "amendments",
)

ROOMS = ("viewer",)
"""Chapters whose routes stand outside the REST root."""


class RouteWithoutOwnerError(AssertionError):
    """A route says neither `requires` nor `public`: a fault of the program, found when it starts."""

    def __init__(self, routes: list[str]) -> None:
        """Name the routes."""
        super().__init__(f"Routes without an owner: {', '.join(routes)}.")


def create_app(  # noqa: PLR0913  the application holds this many doors
    settings: ServiceSettings,
    database: Database,
    *,
    clock: Clock | None = None,
    archive: Any = None,  # noqa: ANN401  each chapter names the part of the archive that it needs
    jobs: Any = None,  # noqa: ANN401  each chapter names the part of the queue that it needs
    chapters: Sequence[str] = CHAPTERS,
) -> FastAPI:
    """Return the service's application.

    Parameters
    ----------
    settings
        How it is set up.
    database
        The service's database, migrated.
    clock
        What time it is; the machine's clock when none is given.
    archive
        The listener's archive.
    jobs
        The queue of background work.
    chapters
        The chapters whose routes are served.

    Raises
    ------
    RouteWithoutOwnerError
        A route declares no owner.
    """
    clock = clock or SystemClock()
    keep_derived_rows()
    turns = Turns(database)
    stamps = Stamps.of(database.reader, getattr(archive, "database", None))
    metrics = Metrics()
    app = FastAPI(
        title="Imaging service",
        version="0.1.0",
        description="Central imaging review: studies to timepoints, reads to RECIST 1.1 answers.",
        docs_url=None,
        redoc_url=None,
        openapi_url=None,  # `operations.docs` answers it
        separate_input_output_schemas=False,
        redirect_slashes=False,
        routes=list(_routes(tuple(chapters))),
        middleware=[
            Middleware(EdgeMiddleware, metrics=metrics),
            Middleware(
                ProxyMiddleware,
                trusted=settings.trusted_proxies,
                certificate_header=settings.proxy_certificate_header,
            ),
            Middleware(RateMiddleware, rates=Rates(per_minute=settings.anonymous_requests_per_minute)),
            Middleware(
                GateMiddleware,
                body_limit_bytes=settings.body_limit_bytes,
                streamed=Streamed(
                    path=STORES, media_type="multipart/related", limit_bytes=settings.store_limit_bytes
                ),
            ),
            Middleware(RememberMiddleware, prefix=f"{PREFIX}/dicomweb/", stamps=stamps, clock=clock),
            Middleware(
                TransactionMiddleware,
                database=database,
                turns=turns,
                clock=clock,
                remembered_for=timedelta(seconds=settings.idempotency_seconds),
            ),
        ],
    )
    app.state.settings = settings
    app.state.database = database
    app.state.clock = clock
    app.state.archive = archive
    app.state.stamps = stamps
    app.state.seen = RememberedAccess()
    app.state.jobs = jobs
    app.state.turns = turns
    app.state.metrics = metrics
    app.state.accesses = Accesses(
        database=database, clock=clock, again_after=timedelta(seconds=settings.access_again_seconds)
    )
    app.state.wrong_tokens = WrongTokens(Rates(per_minute=settings.wrong_tokens_per_minute))
    app.state.identity_provider = (
        None if settings.oidc_issuer is None else Provider(settings, settings.oidc_issuer)
    )
    app.state.passwords = Passwords(
        memory_kib=settings.password_memory_kib,
        passes=settings.password_passes,
        at_once=settings.passwords_at_once,
    )
    install_problems(app)
    install_openapi(app)
    refuse_routes_without_owner(app)
    return app


@cache
def _routes(chapters: Sequence[str]) -> Sequence[BaseRoute]:
    """Return the routes of every door; the framework needs long to read them, and once a process will do."""
    root = APIRouter()
    root.include_router(health.router)
    root.include_router(docs.router)
    for chapter in chapters:
        name = f"imaging_service.{chapter}.router"
        if find_spec(f"imaging_service.{chapter}") and find_spec(name):
            root.include_router(import_module(name).router, prefix=PREFIX, responses=ERROR_RESPONSES)
    for room in ROOMS:
        root.include_router(import_module(f"imaging_service.{room}.router").router)
    return root.routes


def api_routes(app: FastAPI) -> Iterator[RouteContext]:
    """Return every route that the chapters declared, with its whole path."""
    for context in iter_route_contexts(app.routes):
        if isinstance(context.original_route, APIRoute):
            yield context


def owners(route: RouteContext) -> frozenset[str] | None:
    """Return the roles that may call a route: none for everybody, ``None`` when it does not say."""
    for dependency in route.dependencies:
        if isinstance(dependency.dependency, RoleGuard):
            return frozenset(dependency.dependency.roles)
        if dependency.dependency is anyone:
            return frozenset()
    return None


def refuse_routes_without_owner(app: FastAPI) -> None:
    """Refuse to start with a route that declares no owner.

    Raises
    ------
    RouteWithoutOwnerError
        There is one.
    """
    ownerless = [
        f"{'/'.join(sorted(route.methods or ()))} {route.path}"
        for route in api_routes(app)
        if owners(route) is None
    ]
    if ownerless:
        raise RouteWithoutOwnerError(ownerless)
