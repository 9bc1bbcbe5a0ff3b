"""Hostile bodies on every route that writes: refused with a declared problem, never a fault."""

import json
import socket
import time
from collections.abc import Iterator

import httpx
import pytest

from tests.builders.service import on_loopback
from tests.builders.world import WRITING, Operation, World, operations, world

SIGN_OUT = "/api/v1/sessions/current"

BODIES: dict[str, bytes] = {
    "NaN": b'{"reason": NaN}',
    "infinity": b'{"slot": Infinity}',
    "a lone surrogate": b'{"reason": "\\ud800"}',
    "a control character": b'{"reason": "\\u0007"}',
    "a NUL": b'{"reason": "\\u0000"}',
    "a key twice": b'{"reason": "a", "reason": "b"}',
    "21 levels": b"[" * 21 + b"]" * 21,
    "a hundred thousand levels": b'{"a":' * 100_000,
    "a huge integer": b'{"replaces": %s}' % (b"9" * 5000),
    "65 bits": b'{"replaces": 18446744073709551616}',
    "a huge float": b'{"claimed_mm": 1e400}',
    "not UTF-8": b'{"reason": "\xff\xfe"}',
    "an unknown field": b'{"__proto__": {"is_admin": true}, "unknown": 1}',
    "a list": b"[]",
    "a word": b'"word"',
    "null": b"null",
    "nothing": b"",
    "half": b'{"reason": "',
    "types confused": json.dumps(
        {
            "account": ["x"], "password": {"a": 1}, "reason": 5, "role": [], "roles": "administrator",
            "subject_id": {}, "site_id": 1.5, "name": None, "slot": "one", "long_axis": [1], "points": "x",
            "trial_id": True, "chosen_reader": [], "overall_response": {}, "title": [[]], "meaning": 0,
        }
    ).encode(),
    "long texts": json.dumps({"reason": "x" * 60_000, "account": "y" * 60_000}).encode(),
    "right-to-left and zero width": json.dumps({"reason": "\u202e\u200b" * 50}).encode(),
}  # fmt: skip

TAKEN = {"right-to-left and zero width"}
"""What a reason may be in, as names and languages need it; it is told as text and never as markup."""

TYPES = (
    "text/plain",
    "application/xml",
    "multipart/form-data; boundary=x",
    "application/json; charset=utf-16",
    "",
)


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with world(f"sqlite:///{tmp_path_factory.mktemp('hostile')}/world.sqlite") as found:
        yield found


def writes(found: World) -> list[Operation]:
    """Return every operation that writes, but signing out, which ends the caller's own session."""
    return [each for each in operations(found.service) if each.method in WRITING and each.path != SIGN_OUT]


def assert_refused(operation: Operation, answer: httpx.Response, why: str) -> None:
    told = f"{operation.name} with {why}: {answer.status_code} {answer.text[:300]}"
    assert answer.status_code < 500, told
    assert answer.status_code in operation.statuses, told
    assert "Traceback" not in answer.text, told
    if answer.status_code >= 400:
        assert answer.headers["content-type"] == "application/problem+json", told
        assert answer.json()["detail"].endswith((".", "?")), told


def test_every_write_refuses_every_hostile_body(small: World) -> None:
    seen = 0
    for operation in writes(small):
        for why, body in BODIES.items():
            answer = small.request(operation, content=body, headers={"Content-Type": "application/json"})
            assert_refused(operation, answer, why)
            if operation.media_types == ["application/json"] and why not in TAKEN:
                assert answer.status_code >= 400, f"{operation.name} takes {why}"
            seen += 1
    assert seen > 500


def test_every_write_refuses_another_media_type(small: World) -> None:
    for operation in writes(small):
        for kind in TYPES:
            answer = small.request(operation, content=b'{"reason": "x"}', headers={"Content-Type": kind})
            assert_refused(operation, answer, repr(kind))
            if operation.media_types:
                assert answer.status_code in {400, 401, 404, 413, 415, 422}, f"{operation.name} with {kind!r}"


def test_every_write_refuses_hostile_names_in_its_path(small: World) -> None:
    hostile = ("%00", "..%2f..%2fetc", "%ff", "'%20OR%201=1--", "x" * 3000, "%F0%9F%A9%BA", "%E2%80%AE")
    for operation in writes(small):
        if "{" not in operation.path:
            continue
        for name in hostile:
            template = operation.path
            while "{" in template:
                before, _, rest = template.partition("{")
                template = f"{before}{name}{rest.partition('}')[2]}"
            answer = (
                small.request(
                    Operation(method=operation.method, path=operation.path, told=operation.told),
                    content=b"{}",
                    headers={"Content-Type": "application/json"},
                )
                if template == operation.path
                else small.service.client.request(
                    operation.method,
                    template,
                    content=b"{}",
                    headers={
                        **(small.service.headers(who) if (who := small.owner(operation)) else {}),
                        "Content-Type": "application/json",
                    },
                )
            )
            assert answer.status_code < 500, f"{operation.name} with {name[:20]}: {answer.text[:200]}"
            assert answer.status_code in {400, 401, 403, 404, 405, 409, 413, 414, 415, 422}, operation.name


def test_no_write_waits_for_a_body_that_drips_or_takes_one_that_is_too_large(small: World) -> None:
    """Send a drop to every route at the same time, and an announcement of 100 MB to each."""
    with on_loopback(small.service, body_deadline_seconds=1.0, connection_limit=500) as address:
        url = httpx.URL(address)
        dripping: list[tuple[Operation, socket.socket]] = []
        for operation in writes(small):
            caller = socket.create_connection((url.host, url.port), timeout=20)
            caller.sendall(_head(small, operation, 1000) + b"{")
            dripping.append((operation, caller))
        large = [(each, _announced(small, each, (url.host or "", url.port or 0))) for each in writes(small)]
        time.sleep(1.2)
        assert httpx.get(f"{address}/health/live").status_code == 200
        for operation, caller in dripping:
            with caller:
                told = _status(caller)
            assert told in {None, 401, 404, 408, 409, 413, 415, 422, *range(200, 205)}, operation.name
        for operation, told in large:
            assert told in {413, 401, 403, 404, 409, 422, *range(200, 205)}, f"{operation.name}: {told}"


def _head(found: World, operation: Operation, length: int) -> bytes:
    who = found.owner(operation)
    token = found.service.headers(who)["Authorization"] if who else "Bearer none"
    lines = [
        f"{operation.method} {found.path(operation.path)} HTTP/1.1",
        "Host: x",
        f"Authorization: {token}",
        "Content-Type: application/json",
        f"Content-Length: {length}",
    ]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def _announced(found: World, operation: Operation, where: tuple[str, int]) -> int | None:
    with socket.create_connection(where, timeout=20) as caller:
        caller.sendall(_head(found, operation, 104_857_600) + b"{")
        return _status(caller)


def _status(caller: socket.socket) -> int | None:
    """Return the status of an answer; None for a connection that was closed without one."""
    received = b""
    try:
        while b"\r\n" not in received and (chunk := caller.recv(4096)):
            received += chunk
    except ConnectionResetError:
        pass
    return int(received.split(b" ", 2)[1]) if received else None
