"""The OpenAPI document says all that a caller can meet."""

import json
from collections.abc import Iterator
from inspect import iscoroutinefunction
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.routing import APIRoute
from openapi_spec_validator import validate

from imaging_service.app import api_routes
from imaging_service.http import openapi
from imaging_service.http.openapi import OpenApi
from imaging_service.http.problems import ERROR_RESPONSES
from tests.builders.service import TestService, running_service

METHODS = {"get", "post", "put", "patch", "delete"}


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestService]:
    with running_service(f"sqlite:///{tmp_path_factory.mktemp('openapi')}/database.sqlite") as service:
        yield service


@pytest.fixture(scope="module")
def document(whole: TestService) -> dict[str, Any]:
    return dict(whole.client.get("/api/v1/openapi.json").json())


def operations(document: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for path, item in document["paths"].items():
        for method in METHODS & item.keys():
            yield f"{method.upper()} {path}", item[method]


def test_the_document_is_openapi(document: dict[str, Any]):
    validate(document)


def test_every_route_of_the_api_declares_every_error_as_a_problem(document: dict[str, Any]):
    for name, operation in operations(document):
        if "/api/v1/" in name:
            declared = {int(status) for status in operation["responses"] if int(status) >= 400}
            assert declared == set(ERROR_RESPONSES), name
        for status, response in operation["responses"].items():
            if int(status) >= 400:
                assert list(response["content"]) == ["application/problem+json"], name


def test_every_route_but_the_public_ones_wants_a_token(document: dict[str, Any]):
    free = {name for name, operation in operations(document) if not operation.get("security")}
    assert free == {
        "GET /health/live",
        "GET /health/ready",
        "POST /api/v1/sessions",
        "GET /api/v1/sessions/methods",
        "GET /api/v1/openid/sign-in",
        "GET /api/v1/openid/callback",
    }


def test_every_route_has_a_sentence_and_an_answer_of_success(document: dict[str, Any]):
    for name, operation in operations(document):
        assert operation.get("description", "").endswith("."), name
        assert any(status.startswith(("2", "302")) for status in operation["responses"]), name


def test_every_payload_has_an_example(document: dict[str, Any]):
    without = [
        f"{name} {media_type}"
        for name, operation in operations(document)
        for media_type, content in operation.get("requestBody", {}).get("content", {}).items()
        if not {"example", "examples"} & content.keys() and not has_example(content["schema"], document)
    ]
    assert without == []


def has_example(schema: dict[str, Any], document: dict[str, Any]) -> bool:
    if "$ref" in schema:
        schema = document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    parts = [*schema.get("properties", {}).values(), *schema.get("anyOf", ())]
    parts += [schema["items"]] if "items" in schema else []
    return bool({"example", "examples"} & schema.keys()) or any(has_example(part, document) for part in parts)


def test_every_write_takes_an_idempotency_key(document: dict[str, Any]):
    without = {
        name
        for name, operation in operations(document)
        if not name.startswith("GET")
        and "Idempotency-Key" not in {p["name"] for p in operation.get("parameters", ())}
    }
    assert without == {
        "POST /api/v1/trials/{trial_id}/protocols/dry-run",  # nothing is stored
        "POST /api/v1/sessions",  # each sign-in gives its own token
        "POST /api/v1/dicomweb/studies",  # an instance that is stored again is kept once
        "POST /api/v1/dicomweb/studies/{study}",
    }


def test_the_page_names_every_route_and_runs_no_script(whole: TestService, document: dict[str, Any]):
    page = whole.client.get("/docs").text
    assert all(path in page for path in document["paths"])
    assert "<script" not in page
    assert whole.client.get("/", follow_redirects=False).headers["location"] == "/viewer/"
    assert whole.client.get("/docs/style.css").headers["content-type"] == "text/css; charset=utf-8"


def test_the_document_is_built_once_however_many_ask_for_it(
    whole: TestService, document: dict[str, Any], monkeypatch: pytest.MonkeyPatch
):
    built: list[dict[str, Any]] = []

    def build(_app: FastAPI) -> dict[str, Any]:
        built.append(document)
        return dict(document)

    monkeypatch.setattr(openapi, "_document", build)
    whole.app.openapi_schema = None
    asked = OpenApi(whole.app)
    threads = [asked.build_aside() for _ in range(4)]
    for thread in threads:
        thread.join()
    assert (len(built), json.loads(asked.encoded())) == (1, document)


def test_the_document_is_answered_by_a_thread_and_not_by_the_loop_of_all_requests(whole: TestService):
    (route,) = [each for each in api_routes(whole.app) if each.path == "/api/v1/openapi.json"]
    assert isinstance(route.original_route, APIRoute)
    assert not iscoroutinefunction(route.original_route.endpoint)
