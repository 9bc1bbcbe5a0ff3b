"""Every error is a problem (RFC 9457), and says nothing that it should not."""

from typing import Any

import pytest
from fastapi import APIRouter

from imaging_service.accounts.dependencies import public
from tests.builders.service import TestService

HUGE = "9" * 400


def is_problem(answer: Any, status: int) -> bool:
    body = answer.json()
    return (
        answer.status_code == status == body["status"]
        and answer.headers["content-type"] == "application/problem+json"
        and answer.headers["x-content-type-options"] == "nosniff"
        and answer.headers["cache-control"] == "no-store"
        and bool(body["detail"] and body["code"] and body["title"])
    )


CASES: dict[str, tuple[str, str, dict[str, Any], int]] = {
    "an address of nothing": ("GET", "/nothing", {}, 404),
    "a method that the address does not know": ("PUT", "/sessions", {}, 405),
    "a method of no standard": ("BREW", "/accounts", {}, 405),
    "no token": ("GET", "/accounts/me", {}, 401),
    "a token of nobody": ("GET", "/accounts/me", {"headers": {"Authorization": "Bearer x"}}, 401),
    "another scheme": ("GET", "/accounts/me", {"headers": {"Authorization": "Basic eDp5"}}, 401),
    "no JSON": ("POST", "/sessions", {"content": b"{", "headers": {"Content-Type": "application/json"}}, 400),
    "NaN": (
        "POST",
        "/sessions",
        {"content": b'{"account": NaN}', "headers": {"Content-Type": "application/json"}},
        400,
    ),
    "a form": ("POST", "/sessions", {"data": {"account": "x"}}, 415),
    "no content type": ("POST", "/sessions", {"content": b"{}"}, 415),
    "TOML where JSON is wanted": (
        "POST",
        "/sessions",
        {"content": b"a = 1", "headers": {"Content-Type": "application/toml"}},
        415,
    ),
    "JSON in UTF-16": (
        "POST",
        "/sessions",
        {"content": b"{}", "headers": {"Content-Type": "application/json; charset=utf-16"}},
        415,
    ),
    "no body": ("POST", "/sessions", {}, 422),
    "an unknown field": ("POST", "/sessions", {"json": {"account": "a", "password": "b", "c": 1}}, 422),
    "a number for a text": ("POST", "/sessions", {"json": {"account": 1, "password": "b"}}, 422),
    "a text without end": ("POST", "/sessions", {"json": {"account": "a", "password": "b" * 5000}}, 422),
    "a list for an object": ("POST", "/sessions", {"json": [1, 2]}, 422),
    "a body too long": ("POST", "/sessions", {"json": {"account": "a" * 1_100_000}}, 413),
    "a control character in the address": ("GET", "/accounts/%00", {}, 400),
    "bytes that are no UTF-8 in the query": ("GET", "/accounts?cursor=%ff", {}, 400),
    "an address without end": ("GET", "/" + "a" * 5000, {}, 400),
}


@pytest.mark.parametrize(("method", "path", "arguments", "status"), CASES.values(), ids=CASES.keys())
def test_an_error_is_a_problem(
    sqlite_service: TestService, method: str, path: str, arguments: dict[str, Any], status: int
):
    answer = sqlite_service.request(method, path, **arguments)
    assert is_problem(answer, status), answer.text


LISTS = {
    "a limit of nothing": ("limit=0", 422),
    "a limit beyond the greatest": ("limit=501", 422),
    "a limit beyond every number": (f"limit={HUGE}", 422),
    "a limit that is no number": ("limit=ten", 422),
    "a cursor that is none": ("cursor=abc", 400),
    "a cursor with other characters": ("cursor=%3D%3D", 422),
    "a cursor of another list": ("cursor=WzEsMl0", 400),
    "a cursor of another type": ("cursor=WzFd", 400),
    "a cursor that nests": ("cursor=" + "W1tb" * 200, 400),
}


@pytest.mark.parametrize(("query", "status"), LISTS.values(), ids=LISTS.keys())
def test_a_bad_page_is_a_problem(sqlite_service: TestService, query: str, status: int):
    assert is_problem(sqlite_service.get(f"/accounts?{query}", "administrator"), status)


def test_a_wrong_payload_is_not_repeated_in_the_answer(sqlite_service: TestService):
    answer = sqlite_service.post("/sessions", json={"account": "Jane Roe 1970-01-01", "password": 7})
    assert is_problem(answer, 422)
    assert "Jane" not in answer.text
    assert [finding["at"] for finding in answer.json()["findings"]] == [
        ["body", "account"],
        ["body", "password"],
    ]


def test_a_fault_of_the_program_is_told_by_an_id_and_without_its_insides(sqlite_service: TestService):
    faulty = APIRouter()

    @faulty.get("/fault", dependencies=[public()])
    def fault() -> None:
        message = "secret of Jane Roe"
        raise RuntimeError(message)

    sqlite_service.app.include_router(faulty, prefix="/api/v1")
    answer = sqlite_service.get("/fault")
    assert is_problem(answer, 500)
    assert answer.json()["error_id"] in answer.json()["detail"]
    assert "Jane" not in answer.text
    assert "Traceback" not in answer.text


def test_a_401_says_how_to_authenticate_and_a_405_what_is_known(sqlite_service: TestService):
    assert sqlite_service.get("/accounts/me").headers["www-authenticate"].startswith("Bearer")
    assert sqlite_service.request("PUT", "/sessions").headers["allow"] == "POST"
