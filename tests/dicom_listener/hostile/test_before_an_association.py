"""Whoever asks for nothing sensible is ended in bounded time, and a known sender is served meanwhile."""

import random
import socket
import struct
import threading
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import pytest

from dicom_listener.network.contexts import VERIFICATION
from tests.dicom_listener.hostile.doors import Door
from tests.dicom_listener.instances import EXPLICIT_LE, IMPLICIT_LE, MR_IMAGE
from tests.dicom_listener.peers import (
    ABORT,
    ACCEPTED,
    APPLICATION,
    REJECTED,
    RELEASE,
    answer,
    association_request,
    fragment,
    item,
    pdu,
    proposed,
    request_of,
    said,
    user_information,
)

REQUEST = association_request()
ECHO, MR, LE = VERIFICATION.encode(), MR_IMAGE.encode(), EXPLICIT_LE.encode()
CONTEXT = proposed(1, MR, LE)
USER = user_information()


def asking(*contexts: bytes, user: bytes = USER) -> bytes:
    return request_of(APPLICATION, *contexts, user)


def telling(*items: bytes) -> bytes:
    return asking(CONTEXT, user=user_information(*items))


def junk(seed: int, length: int) -> bytes:
    return random.Random(seed).randbytes(length)  # noqa: S311 - junk that can be repeated


NONSENSE = {
    "nothing at all": b"",
    "one byte": b"\x01",
    "half a head": REQUEST[:4],
    "a head without a body": REQUEST[:6],
    "half a request": REQUEST[:100],
    "all of a request but a byte": REQUEST[:-1],
    "a request of 4 GiB": pdu(0x01, REQUEST[6:], 0xFFFFFFFF),
    "a request of 2 GiB": pdu(0x01, REQUEST[6:], 0x7FFFFFFF),
    "a request of no length": pdu(0x01, b""),
    "data before a request": fragment(b"x" * 100),
    "data of 4 GiB before a request": pdu(0x04, b"", 0xFFFFFFFF),
    "a release before a request": RELEASE,
    "an answer to a release": pdu(0x06, bytes(4)),
    "an abort before a request": pdu(0x07, bytes(4)),
    "an acceptance": pdu(0x02, REQUEST[6:]),
    "a rejection": pdu(0x03, bytes([0, 1, 1, 1])),
    "an unknown PDU": pdu(0x63, bytes(16)),
    "PDU 0": pdu(0x00, bytes(16)),
    "PDU 255 of 4 GiB": pdu(0xFF, bytes(16), 0xFFFFFFFF),
    "a request with no item": pdu(0x01, REQUEST[6:74]),
    "a request shorter than its fixed part": pdu(0x01, REQUEST[6:40]),
    "a request whose item is longer than it": pdu(0x01, REQUEST[6:74] + b"\x20\x00\xff\xff\x01"),
    "a request that ends in an item": REQUEST[:2] + struct.pack(">L", 90) + REQUEST[6:96],
    "a request that ends in an item's head": pdu(0x01, REQUEST[6:] + b"\x20"),
    "another protocol": b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
    "a greeting of SSH": b"SSH-2.0-OpenSSH_9.6\r\n",
    "a TLS greeting": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(64),
    "junk": junk(1, 5000),
    "NULs": bytes(100_000),
    "junk that begins as a request": REQUEST[:74] + junk(2, len(REQUEST) - 74),
    "an AE title of NULs": association_request(calling=b"\0" * 16),
    "an AE title of blanks": association_request(calling=b" " * 16),
    "an AE title that is a path": association_request(calling=b"../../etc/passwd"),
    "an AE title of two lines": association_request(calling=b"MRI_1\nINFO x"),
    "an AE title with a NUL in it": association_request(calling=b"MRI_1\0X"),
    "an AE title of control characters": association_request(calling=b"\x1b[2J\x07MRI_1"),
    "an AE title that is no ASCII": association_request(calling=bytes(range(0xE0, 0xF0))),
    "a called AE title that is a path": association_request(called=b"../../etc/passwd"),
    "a called AE title of NULs": association_request(called=b"\0" * 16),
    "another calling AE title": association_request(calling=b"NOBODY"),
    "another called AE title": association_request(called=b"ELSEWHERE"),
    "a request without an application context": request_of(CONTEXT, USER),
    "another version of the protocol": request_of(APPLICATION, CONTEXT, USER, version=2),
    "version 0 of the protocol": request_of(APPLICATION, CONTEXT, USER, version=0),
    "no presentation context": asking(),
    "a context numbered 0": asking(proposed(0, MR, LE)),
    "a context with an even number": asking(proposed(2, MR, LE)),
    "two contexts of one number": asking(CONTEXT, proposed(1, ECHO, LE)),
    "two hundred contexts": asking(*(proposed(n | 1, MR, LE) for n in range(200))),
    "ten thousand contexts": asking(*[item(0x20, bytes(4))] * 10_000),
    "a context without a transfer syntax": asking(proposed(1, MR)),
    "a context without an abstract syntax": asking(item(0x20, bytes([1, 0, 0, 0]) + item(0x40, LE))),
    "a context of two abstract syntaxes": asking(
        item(0x20, bytes([1, 0, 0, 0]) + 2 * item(0x30, MR) + item(0x40, LE))
    ),
    "a context shorter than its number": asking(item(0x20, b"\x01")),
    "a context whose part is longer than it": asking(
        item(0x20, bytes([1, 0, 0, 0]) + b"\x30\x00\xff\xff" + MR)
    ),
    "thousands of transfer syntaxes": asking(proposed(1, MR, *[LE] * 2500)),
    "no user information": request_of(APPLICATION, CONTEXT),
    "user information twice": request_of(APPLICATION, CONTEXT, USER, USER),
    "user information that is longer than the request": request_of(APPLICATION, CONTEXT, b"\x50\x00\xff\xff"),
    "a maximum length of two bytes": asking(CONTEXT, user=user_information(longest=b"\0\1")),
    "a part of user information that is longer than it": telling(b"\x55\x00\xff\xff12"),
    "an async window of one byte": telling(item(0x53, b"\1")),
    "a role whose UID is longer than it": telling(item(0x54, b"\xff\xff" + MR + b"\1\1")),
    "a role that ends early": telling(item(0x54, struct.pack(">H", len(MR)) + MR)),
    "extended negotiation that is longer than it": telling(item(0x56, b"\xff\xff" + MR)),
    "common extended negotiation that is longer than it": telling(item(0x57, b"\xff\xff" + MR)),
    "an identity that is longer than it": telling(item(0x58, b"\x01\x01\xff\xffme")),
    "an identity of one byte": telling(item(0x58, b"\x01")),
    "thousands of parts of user information": asking(
        CONTEXT, user=user_information(*[item(0x55, b"x")] * 10_000)
    ),
}
"""What is sent; none of it leads to an association."""

ODD = {
    "a request with an unknown item": request_of(APPLICATION, CONTEXT, USER, item(0x77, b"what")),
    "a class that nobody knows": asking(CONTEXT, proposed(3, b"1.2.3.4.5", LE)),
    "a transfer syntax that nobody knows": asking(CONTEXT, proposed(3, MR, b"1.2.3.4.5")),
    "all 128 contexts": asking(*(proposed(2 * n + 1, MR, LE, IMPLICIT_LE.encode()) for n in range(128))),
    "a maximum length of 0": asking(CONTEXT, user=user_information(longest=bytes(4))),
    "a maximum length of 1": asking(CONTEXT, user=user_information(longest=b"\0\0\0\1")),
    "a maximum length of 4 GiB": asking(CONTEXT, user=user_information(longest=b"\xff" * 4)),
    "an async window of 65535": telling(item(0x53, b"\xff\xff\xff\xff")),
    "a role for a class that was not proposed": telling(item(0x54, b"\0\7" + b"1.2.3.4" + b"\1\1")),
    "the same role a hundred times": telling(*[item(0x54, struct.pack(">H", len(MR)) + MR + b"\1\1")] * 100),
    "an identity with a password": telling(item(0x58, b"\x02\x01\x00\x02me\x00\x06secret")),
}
"""What is allowed, or harmless: it leads to an association, which then stays silent."""


def spoken(door: Door, sent: bytes) -> list[int]:
    """Send something, stay silent, and return the types of PDUs that come until the connection ends."""
    with door.connect() as hostile:
        with suppress(OSError):
            hostile.sendall(sent)
        answers: list[int] = []
        while (kind := answer(hostile)) is not None:
            answers.append(kind)
        return answers


@pytest.fixture(scope="module", params=["fast"])
def way(request: pytest.FixtureRequest) -> str:
    """Serve in one way alone: before an association there is no C-STORE."""
    return str(request.param)


@pytest.fixture(scope="module")
def endings(door: Door) -> Iterator[Mapping[str, list[int]]]:
    """Let all of them in at the same time, push as somebody else, and wait for the end of each."""
    attacks = NONSENSE | ODD
    with ThreadPoolExecutor(len(attacks)) as threads:
        ended = {name: threads.submit(spoken, door, sent) for name, sent in attacks.items()}
        for _ in range(5):
            assert door.a_known_sender_succeeds()
        yield {name: future.result() for name, future in ended.items()}


@pytest.mark.parametrize("name", NONSENSE)
def test_whoever_asks_for_nothing_sensible_is_ended(endings: Mapping[str, list[int]], name: str) -> None:
    assert endings[name] in ([], [ABORT], [REJECTED])


@pytest.mark.parametrize("name", ODD)
def test_whoever_asks_for_something_odd_is_served_until_it_is_silent(
    endings: Mapping[str, list[int]], name: str
) -> None:
    assert endings[name] == [ACCEPTED, ABORT]


REJECTIONS = {
    "a calling AE title that nobody knows": (association_request(calling=b"NOBODY"), (1, 1, 3)),
    "a called AE title that is not ours": (association_request(called=b"ELSEWHERE"), (1, 1, 7)),
    "a sender of another site's certificate": (association_request(calling=b"MRI_3"), (1, 1, 3)),
}


@pytest.mark.parametrize(("sent", "wanted"), REJECTIONS.values(), ids=REJECTIONS)
def test_a_stranger_is_rejected_with_the_reason(door: Door, sent: bytes, wanted: tuple[int, ...]) -> None:
    with door.connect() as stranger:
        stranger.sendall(sent)
        assert said(stranger) == (REJECTED, bytes([0, *wanted]))
        assert said(stranger) is None


def test_the_certificate_of_its_own_site_opens_the_door(door: Door) -> None:
    with door.connect("site_2") as sender:
        sender.sendall(association_request(calling=b"MRI_3"))
        assert answer(sender) == (ACCEPTED if door.is_tls else REJECTED)


def dripping(connection: socket.socket, content: bytes, ended: threading.Event) -> None:
    """Send a byte now and then, as long as the connection lasts."""
    with suppress(OSError):
        for byte in content:
            connection.sendall(bytes([byte]))
            if ended.wait(0.05):
                return


def test_a_peer_that_drips_its_request_is_ended_as_if_it_were_silent(door: Door) -> None:
    ended = threading.Event()
    with door.connect() as hostile:
        drip = threading.Thread(target=dripping, args=(hostile, REQUEST, ended))
        drip.start()
        assert door.a_known_sender_succeeds()
        assert answer(hostile) in {None, ABORT}
        ended.set()
        drip.join()


GREETING = b"\x16\x03\x01\x00\xa0\x01\x00\x00\x9c\x03\x03"
NO_HANDSHAKE = {
    "silence": b"",
    "a byte of a greeting": GREETING[:1],
    "half a greeting": GREETING + bytes(40),
    "a greeting of junk": GREETING + junk(3, 0x9C - 2),
    "a request in clear": REQUEST,
    "a record of 64 KiB": b"\x16\x03\x01\xff\xff" + bytes(70_000),
    "an alert": b"\x15\x03\x03\x00\x02\x02\x28",
    "the greeting of SSL 2": b"\x80\x2e\x01\x00\x02\x00\x15\x00\x00\x00\x10" + bytes(35),
    "another protocol": b"GET / HTTP/1.1\r\n\r\n",
}


def test_whoever_does_not_finish_the_handshake_stops_nobody(door: Door) -> None:
    if not door.is_tls:
        pytest.skip("there is no handshake on the plain port")
    hostile = [door.raw() for _ in range(4) for _ in NO_HANDSHAKE]
    for connection, sent in zip(hostile, [*NO_HANDSHAKE.values()] * 4, strict=True):
        with suppress(OSError):
            connection.sendall(sent)
    assert door.a_known_sender_succeeds()
    for connection in hostile:
        with connection, suppress(ConnectionError):
            while connection.recv(65536):
                pass


@pytest.mark.parametrize("certificate", ["", "stranger"])
def test_a_certificate_that_no_authority_vouches_for_opens_nothing(door: Door, certificate: str) -> None:
    if not door.is_tls:
        pytest.skip("no certificate is shown on the plain port")
    with suppress(OSError), door.connect(certificate) as stranger:
        stranger.sendall(REQUEST)
        assert said(stranger) is None
    assert door.a_known_sender_succeeds()


@pytest.mark.parametrize("seed", range(3))
def test_random_requests_harm_nobody(door: Door, seed: int) -> None:
    source = random.Random(seed)  # noqa: S311 - a fuzzer that can be repeated
    for _ in range(20):
        with door.connect() as hostile, suppress(OSError):
            kinds = source.choices([0x10, 0x20, 0x21, 0x30, 0x40, 0x50, 0x51, 0x54, 0x58], k=6)
            parts = [item(kind, source.randbytes(source.randrange(40))) for kind in kinds]
            hostile.sendall(request_of(*parts))
            hostile.shutdown(socket.SHUT_WR)
            assert answer(hostile) in {None, ABORT, REJECTED}
    assert door.a_known_sender_succeeds()
