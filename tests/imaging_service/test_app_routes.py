"""Every route has its owners, as the table beside this file says, and lets in nobody else."""

import csv
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi import APIRouter, FastAPI
from fastapi.routing import APIRoute

from imaging_service.accounts.principal import Role
from imaging_service.app import RouteWithoutOwnerError, api_routes, owners, refuse_routes_without_owner
from tests.builders.service import ACCOUNTS, TestService, running_service

TABLE = Path(__file__).with_name("route_roles.csv")
PUBLIC = {
    ("GET", "/"),
    ("GET", "/docs"),
    ("GET", "/api/v1/openapi.json"),
    ("GET", "/docs/style.css"),
    ("GET", "/viewer"),
    ("GET", "/viewer/"),
    ("GET", "/viewer/{edition}/{path:path}"),
    ("GET", "/health/live"),
    ("GET", "/health/ready"),
    ("POST", "/api/v1/sessions"),
    ("GET", "/api/v1/sessions/methods"),
    ("GET", "/api/v1/openid/sign-in"),
    ("GET", "/api/v1/openid/callback"),
}
"""All that somebody who is not signed in may call."""


def owners_in_table() -> dict[tuple[str, str], frozenset[str]]:
    words = {"anyone": frozenset[str](), "every role": frozenset(Role)}
    with TABLE.open(newline="") as file:
        return {
            (row["method"], row["path"]): words.get(row["owners"], frozenset(row["owners"].split()))
            for row in csv.DictReader(file)
        }


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestService]:
    """Give the service with every chapter; these tests change nothing that another test of them sees."""
    with running_service(f"sqlite:///{tmp_path_factory.mktemp('routes')}/database.sqlite") as service:
        yield service


def test_every_route_stands_in_the_table_with_its_owners(whole: TestService):
    found = {
        (method, str(route.path)): owners(route)
        for route in api_routes(whole.app)
        for method in route.methods or ()
    }
    expected = owners_in_table()
    assert {
        "not in route_roles.csv": sorted(found.keys() - expected.keys()),
        "in route_roles.csv only": sorted(expected.keys() - found.keys()),
        "with other owners": sorted(
            key for key in found.keys() & expected.keys() if found[key] != expected[key]
        ),
    } == {"not in route_roles.csv": [], "in route_roles.csv only": [], "with other owners": []}


def test_the_table_names_roles_only():
    assert set().union(*owners_in_table().values()) <= set(Role)


def test_only_these_routes_are_public():
    assert {key for key, roles in owners_in_table().items() if not roles} == PUBLIC


def filled(path: str) -> str:
    """Return the path with a value for each parameter."""
    return re.sub(r"\{[^}]*\}", "x", path)


ROUTES = sorted(owners_in_table().items())


@pytest.mark.parametrize(("route", "roles"), ROUTES, ids=[f"{m} {p}" for (m, p), _ in ROUTES])
def test_a_route_lets_in_its_owners_and_nobody_else(
    whole: TestService, route: tuple[str, str], roles: frozenset[str]
):
    method, path = route
    for account, has in ACCOUNTS.items():
        answer = whole.client.request(method, filled(path), headers=whole.headers(account))
        allowed = not roles or not roles.isdisjoint(has)
        assert (answer.status_code != 403) is allowed, f"{account}: {answer.text}"
        assert answer.status_code < 500, f"{account}: {answer.text}"
    if method == "DELETE":
        whole.forget_tokens()  # one of them signs out
    stranger = whole.client.request(method, filled(path))
    assert (stranger.status_code != 401) is (not roles), stranger.text


def test_the_service_does_not_start_with_a_route_that_nobody_owns():
    ownerless = APIRouter(prefix="/api")

    @ownerless.get("/secrets")
    def secrets() -> None:
        """Belong to nobody."""

    app = FastAPI()
    app.include_router(ownerless)
    with pytest.raises(RouteWithoutOwnerError, match="GET /api/secrets"):
        refuse_routes_without_owner(app)


def test_every_answer_forbids_sniffing_framing_and_storing(whole: TestService):
    for path in ("/docs", "/health/live", "/api/v1/accounts/me", "/nothing"):
        headers = whole.client.get(path).headers
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["content-security-policy"].startswith("default-src 'self'; frame-ancestors 'none'")
        assert headers["cache-control"] == "no-store"
        assert headers["referrer-policy"] == "no-referrer"


def test_no_framework_page_or_route_stands_beside_ours(whole: TestService):
    others = {
        getattr(route, "path", None)
        for route in whole.app.routes
        if not isinstance(route, APIRoute) and hasattr(route, "path")
    }
    assert others == set()


def test_the_log_names_routes_and_accounts_and_never_an_address_or_a_payload(whole: TestService):
    whole.get("/trials/SECRET-TRIAL/subjects/JANE-ROE?site=CANARY", "administrator")
    whole.post("/sessions", json={"account": "JANE-ROE", "password": "CANARY-PASSWORD"})
    text = repr(whole.logs)
    assert "/trials/{trial_id}/subjects/{subject_id}" in text
    assert whole.account_id("administrator") in text
    for canary in ("SECRET-TRIAL", "JANE-ROE", "CANARY"):
        assert canary not in text


def test_health_and_figures(whole: TestService):
    assert whole.client.get("/health/live").json() == {"status": "live"}
    assert whole.client.get("/health/ready").json() == {"status": "ready"}
    figures = whole.client.get("/metrics", headers=whole.headers("service")).text
    assert 'imaging_service_requests_total{method="GET",route="/health/live",status="200"}' in figures
