"""A long body has the time that its bytes earn; one that drips ends when a silent one would."""

import select
import socket
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest

from tests.builders.service import on_loopback, running_service

HEAD = b"POST /api/v1/sessions HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
RATE = 10_000


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Give a server that waits half a second for a body, and a second more for each 10,000 bytes of it."""
    url = f"sqlite:///{tmp_path_factory.mktemp('bodies')}/database.sqlite"
    limits = {"body_deadline_seconds": 0.5, "body_least_bytes_per_second": RATE}
    with running_service(url) as service, on_loopback(service, **limits) as served:
        yield served


def sent(address: str, piece: bytes, pause: float, pieces: int) -> bytes:
    """Send a body of 60,000 announced bytes in pieces, and return what is answered."""
    parts = urlsplit(address)
    with socket.create_connection((parts.hostname, parts.port), timeout=30) as caller:
        caller.sendall(HEAD + b"Content-Length: 60000\r\n\r\n")
        for _ in range(pieces):
            caller.sendall(piece)
            if select.select([caller], [], [], pause)[0]:
                break
        return caller.recv(65_536)


def test_a_body_that_comes_fast_enough_may_take_longer_than_a_short_one(address: str):
    answer = sent(address, b" " * 10_000, 0.2, 6)  # 1.2 s in all
    assert b"408" not in answer.partition(b"\r\n")[0]
    assert b" 400 " in answer.partition(b"\r\n")[0]  # whole: blanks are no JSON


def test_a_body_that_drips_ends_as_a_silent_one(address: str):
    answer = sent(address, b" ", 0.05, 60)
    assert b" 408 " in answer.partition(b"\r\n")[0]
