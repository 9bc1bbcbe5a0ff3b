"""The demo's caller: what it does when answers are lost, tokens end, or the service refuses."""

import json
from collections.abc import Callable

import httpx
import pytest

from imaging_service.demo.errors import AnswerError
from imaging_service.demo.rest import Caller


class Service:
    """Answers from a list; every sign-in succeeds with a token of its own."""

    def __init__(self, *answers: httpx.Response | Exception) -> None:
        self.answers = list(answers)
        self.requests: list[httpx.Request] = []
        self.signed_in = 0

    def __call__(self, request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith("/sessions"):
            self.signed_in += 1
            return httpx.Response(201, json={"token": f"token {self.signed_in}"})
        self.requests.append(request)
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer


def caller_of(service: Callable[[httpx.Request], httpx.Response]) -> Caller:
    return Caller("http://service", "reader.one", "secret", httpx.MockTransport(service))


def test_a_write_whose_answer_was_lost_is_sent_again_with_the_same_key() -> None:
    service = Service(
        httpx.ReadError("reset"), httpx.ConnectError("refused"), httpx.Response(201, json={"a": 1})
    )
    assert caller_of(service).write("POST", "/reads", {"b": 2}) == {"a": 1}
    keys = {request.headers["Idempotency-Key"] for request in service.requests}
    assert len(service.requests) == 3
    assert len(keys) == 1
    assert [json.loads(request.content) for request in service.requests] == [{"b": 2}] * 3


def test_another_body_another_path_and_another_account_have_other_keys() -> None:
    service = Service(*(httpx.Response(204) for _ in range(4)))
    caller, other = (
        caller_of(service),
        Caller("http://service", "reader.two", "", httpx.MockTransport(service)),
    )
    caller.write("POST", "/reads", {"b": 2})
    caller.write("POST", "/reads", {"b": 3})
    caller.write("POST", "/accounts", {"b": 2})
    other.write("POST", "/reads", {"b": 2})
    assert len({request.headers["Idempotency-Key"] for request in service.requests}) == 4


def test_a_busy_service_is_asked_again() -> None:
    service = Service(httpx.Response(503, headers={"Retry-After": "0"}), httpx.Response(200, json=[]))
    assert caller_of(service).get("/trials") == []


def test_a_token_that_has_ended_is_renewed() -> None:
    ended = httpx.Response(401, json={"code": "token_invalid", "title": "Unauthorized"})
    service = Service(ended, httpx.Response(200, json={}))
    caller_of(service).get("/trials")
    assert [request.headers["Authorization"] for request in service.requests] == [
        "Bearer token 1",
        "Bearer token 2",
    ]


def test_a_problem_becomes_a_sentence_with_its_detail() -> None:
    service = Service(httpx.Response(409, json={"title": "Conflict", "detail": "The read is signed."}))
    with pytest.raises(
        AnswerError, match=r"PUT /api/v1/x by reader\.one was answered 409: The read is signed\."
    ):
        caller_of(service).write("PUT", "/x", {})


def test_what_happened_before_is_fine_and_everything_else_is_not() -> None:
    service = Service(httpx.Response(409, json={}), httpx.Response(422, json={}))
    caller = caller_of(service)
    caller.ensure("POST", "/accounts", {})
    with pytest.raises(AnswerError):
        caller.ensure("POST", "/accounts", {})


def test_a_list_is_followed_to_its_last_page() -> None:
    service = Service(
        httpx.Response(200, json={"items": [1, 2], "next_cursor": "after 2"}),
        httpx.Response(200, json={"items": [3], "next_cursor": None}),
    )
    assert list(caller_of(service).items("/subjects", {"limit": "2"})) == [1, 2, 3]
    assert dict(service.requests[1].url.params) == {"limit": "2", "cursor": "after 2"}
