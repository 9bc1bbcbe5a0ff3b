"""Hostile callers on a real socket: each is answered or let go, and others are served meanwhile."""

import json
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import pytest

from tests.builders.service import TestService, on_loopback

PATIENCE = {
    "head_deadline_seconds": 0.4,
    "body_deadline_seconds": 0.4,
    "answer_deadline_seconds": 0.4,
    "keep_alive_seconds": 0.4,
    "connection_limit": 20,
}
HEAD = b"POST /api/v1/sessions HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"


@pytest.fixture
def address(sqlite_service: TestService) -> Iterator[str]:
    with on_loopback(sqlite_service, **PATIENCE) as address:
        yield address


@contextmanager
def connected(address: str) -> Iterator[socket.socket]:
    url = httpx.URL(address)
    with socket.create_connection((url.host, url.port), timeout=20) as caller:
        yield caller


def read_all(caller: socket.socket) -> bytes:
    """Read until the server closes; a reset is an end too."""
    received = b""
    try:
        while chunk := caller.recv(65536):
            received += chunk
    except ConnectionResetError:
        pass
    return received


def status_of(answer: bytes) -> int:
    return int(answer.split(b" ", 2)[1])


def problem_of(answer: bytes) -> dict[str, str]:
    return dict(json.loads(answer.split(b"\r\n\r\n", 1)[1]))


def others_are_served(address: str) -> bool:
    return httpx.get(f"{address}/health/ready").status_code == 200


def test_a_head_that_comes_byte_by_byte_is_ended(address: str):
    with connected(address) as caller:
        try:
            for byte in HEAD * 50:
                caller.sendall(bytes([byte]))
                time.sleep(0.02)
        except OSError:
            pass
        assert others_are_served(address)
        answer = read_all(caller)
    assert answer == b"" or status_of(answer) == 408


def test_a_head_that_stops_is_told_its_deadline(address: str):
    with connected(address) as caller:
        caller.sendall(HEAD)
        answer = read_all(caller)
    assert status_of(answer) == 408
    assert problem_of(answer)["code"] == "request_timeout"


def test_a_body_that_stops_is_told_its_deadline(address: str):
    with connected(address) as caller:
        caller.sendall(HEAD + b'Content-Length: 100\r\n\r\n{"account":')
        answer = read_all(caller)
    assert status_of(answer) == 408
    assert "0.4 s" in problem_of(answer)["detail"]
    assert others_are_served(address)


def test_a_body_that_comes_byte_by_byte_is_ended(address: str):
    with connected(address) as caller:
        caller.sendall(HEAD + b"Content-Length: 100000\r\n\r\n")
        try:
            for _ in range(100):
                caller.sendall(b" ")
                time.sleep(0.02)
        except OSError:
            pass
        answer = read_all(caller)
    assert answer == b"" or status_of(answer) == 408


def test_a_chunked_body_without_end_is_refused(address: str):
    with connected(address) as caller:
        caller.sendall(HEAD + b"Transfer-Encoding: chunked\r\n\r\n")
        try:
            for _ in range(200):
                caller.sendall(b"10000\r\n" + b" " * 0x10000 + b"\r\n")
        except OSError:
            pass
        answer = read_all(caller)
    assert answer == b"" or status_of(answer) == 413


def test_a_hundred_megabytes_are_refused_by_their_announcement(address: str):
    with connected(address) as caller:
        caller.sendall(HEAD + b"Content-Length: 104857600\r\n\r\n" + b" " * 100_000)
        answer = caller.recv(65536)
    assert status_of(answer) == 413
    assert others_are_served(address)


def test_a_hundred_megabytes_that_are_sent_are_not_kept(address: str):
    def body() -> Iterator[bytes]:
        for _ in range(1600):
            yield b" " * 65536

    try:
        answer = httpx.post(f"{address}/api/v1/sessions", content=body(), timeout=20)
    except httpx.TransportError:
        pass  # let go while it was still sending
    else:
        assert answer.status_code in {408, 413}
    assert others_are_served(address)


def test_silence_is_closed_without_a_word(address: str):
    with connected(address) as caller:
        assert read_all(caller) == b""


def test_silence_between_two_requests_is_closed(address: str):
    with connected(address) as caller:
        caller.sendall(b"GET /health/live HTTP/1.1\r\nHost: x\r\n\r\n")
        assert status_of(read_all(caller)) == 200


def test_an_empty_line_after_an_answer_does_not_hold_the_connection(address: str):
    with connected(address) as caller:
        caller.sendall(b"GET /health/live HTTP/1.1\r\nHost: x\r\n\r\n")
        assert status_of(caller.recv(65536)) == 200
        caller.sendall(b"\r\n")
        read_all(caller)  # ends, or the socket's time-out fails the test


def test_two_requests_sent_at_once_are_both_answered(address: str):
    request = b"GET /health/live HTTP/1.1\r\nHost: x\r\n\r\n"
    with connected(address) as caller:
        caller.sendall(request * 2)
        assert read_all(caller).count(b"HTTP/1.1 200 ") == 2


@pytest.mark.parametrize(
    "junk",
    [b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", b"GET\r\n\r\n", b"\x00" * 64, b"A" * 100_000],
    ids=["a TLS greeting", "half a request line", "zeros", "one endless word"],
)
def test_what_is_no_http_is_answered_and_closed(address: str, junk: bytes):
    with connected(address) as caller:
        caller.sendall(junk)
        answer = read_all(caller)
    assert answer == b"" or status_of(answer) in {400, 408}
    assert b"Traceback" not in answer


def test_a_contradictory_length_is_refused(address: str):
    with connected(address) as caller:
        caller.sendall(HEAD + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}x")
        assert status_of(read_all(caller)) == 400


def test_silent_connections_give_way_to_a_new_one(sqlite_service: TestService):
    with on_loopback(sqlite_service, connection_limit=20) as address:
        url = httpx.URL(address)
        silent = [socket.create_connection((url.host, url.port), timeout=20) for _ in range(60)]
        try:
            assert others_are_served(address)
            assert read_all(silent[0]) == b""  # the oldest was let go
        finally:
            for caller in silent:
                caller.close()


def test_a_caller_that_does_not_read_its_answer_is_let_go(address: str):
    wanted = 1000
    with connected(address) as caller:
        caller.sendall(b"GET /api/v1/openapi.json HTTP/1.1\r\nHost: x\r\n\r\n" * wanted)
        time.sleep(4 * PATIENCE["answer_deadline_seconds"])
        assert others_are_served(address)
        answers = read_all(caller)
    assert 0 < answers.count(b"HTTP/1.1 200 ") < wanted
