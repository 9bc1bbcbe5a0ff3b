"""Peers that are broken or mean ill: each is ended in bounded time, and the next sender notices nothing."""

import os
import random
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest

from dicom_listener.archive import senders
from dicom_listener.archive.archive import Archive
from dicom_listener.network.server import Listener
from dicom_listener.settings import ListenerSettings
from tests.dicom_listener.instances import encoded, mr_instance
from tests.dicom_listener.peers import (
    answer,
    association_request,
    connected,
    ends,
    fragment,
    pdu,
    store_command,
)
from tests.dicom_listener.test_listener import associated, eventually, store

ABORT = 0x07


@pytest.fixture
def patient(local_archive: Archive, request: pytest.FixtureRequest) -> Iterator[Listener]:
    """Listen with short deadlines and few places; a parameter is another deadline for the request."""
    local_archive.objects.close()
    for title in ("MRI_1", "MRI_2"):
        senders.add(
            local_archive.database,
            senders.Sender(
                calling_ae=title,
                called_ae="IMAGING",
                networks=senders.networks_from(["127.0.0.0/8"]),
                site_id="S1",
            ),
        )
    settings = ListenerSettings(
        port=0,
        association_seconds=getattr(request, "param", 0.5),
        idle_seconds=2,
        maximum_associations=20,
        maximum_associations_each=12,
        maximum_data_set_bytes=2**20,
    )
    with Listener(settings, local_archive) as running:
        yield running


def a_known_sender_succeeds(listener: Listener) -> bool:
    with associated(listener, calling="MRI_2") as association:
        return bool(store(association, mr_instance()).Status == 0x0000)


def open_files() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


REQUEST = association_request()

BEFORE = {
    "nothing at all": b"",
    "one byte": b"\x01",
    "half a head": REQUEST[:4],
    "a head without a body": REQUEST[:6],
    "half a request": REQUEST[:100],
    "a request of 4 GiB": pdu(0x01, REQUEST[6:], 0xFFFFFFFF),
    "data before a request": fragment(b"x" * 100),
    "data of 4 GiB before a request": pdu(0x04, b"", 0xFFFFFFFF),
    "a release before a request": pdu(0x05, bytes(4)),
    "an unknown PDU": pdu(0x63, bytes(16)),
    "a request with no item": pdu(0x01, REQUEST[6:74]),
    "a request whose item is longer than it": pdu(0x01, REQUEST[6:74] + b"\x20\x00\xff\xff\x01"),
    "a request that ends in an item": REQUEST[:2] + struct.pack(">L", 90) + REQUEST[6:96],
    "another protocol": b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
    "a TLS greeting": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(64),
    "an AE title of NULs": association_request(calling=b"\0" * 16),
    "an AE title that is a path": association_request(calling=b"../../etc/passwd"),
    "an AE title of two lines": association_request(calling=b"MRI_1\nINFO x"),
}


@pytest.mark.parametrize("sent", BEFORE.values(), ids=BEFORE)
def test_whoever_asks_for_nothing_sensible_is_ended_while_others_are_served(
    patient: Listener, sent: bytes
) -> None:
    hostile = connected(patient.port)
    with suppress(ConnectionError):
        hostile.sendall(sent)
    assert a_known_sender_succeeds(patient)
    assert ends(hostile)


DURING = {
    "data of 4 GiB": pdu(0x04, b"", 0xFFFFFFFF),
    "data just longer than was agreed": pdu(0x04, b"", 128 * 1024 + 4096),
    "a fragment longer than its PDU": pdu(0x04, struct.pack(">LBB", 0xFFFF, 1, 2) + bytes(10)),
    "a fragment of no length": pdu(0x04, struct.pack(">L", 0) * 4),
    "a fragment shorter than its own head": pdu(0x04, struct.pack(">LB", 1, 1)),
    "an unknown PDU": pdu(0x63, bytes(16)),
    "a second request": REQUEST,
    "a release of 4 GiB": pdu(0x05, b"", 0xFFFFFFFF),
    "an answer that nobody asked for": pdu(0x06, bytes(4)),
    "a command that is none": fragment(os.urandom(200), is_command=True),
    "a command without end": fragment(bytes(16000), is_command=True, is_last=False) * 6,
    "a command of no message": fragment(store_command("1.2.3", x0100=b"\x77\x77"), is_command=True),
    "a context that was never agreed": fragment(store_command("1.2.3"), context=99, is_command=True)
    + fragment(bytes(8), context=99),
    "a data set without end": fragment(store_command("1.2.3"), is_command=True)
    + fragment(bytes(100_000), is_last=False) * 12,
}


@pytest.mark.parametrize("sent", DURING.values(), ids=DURING)
def test_whoever_breaks_the_protocol_is_aborted_while_others_are_served(
    patient: Listener, local_archive: Archive, sent: bytes
) -> None:
    hostile = connected(patient.port, associated=True)
    with suppress(ConnectionError):
        hostile.sendall(sent)
    assert ends(hostile)
    assert a_known_sender_succeeds(patient)
    assert local_archive.counts()["instances"] == 1


def test_the_abort_is_said_before_the_connection_ends(patient: Listener) -> None:
    with connected(patient.port, associated=True) as hostile:
        hostile.sendall(pdu(0x04, b"", 0xFFFFFFFF))
        assert answer(hostile) == ABORT
    with connected(patient.port) as hostile:
        hostile.sendall(pdu(0x01, REQUEST[6:74] + b"\x20\x00\xff\xff\x01"))
        assert answer(hostile) == ABORT


def test_a_peer_that_drips_its_request_is_ended_as_if_it_were_silent(patient: Listener) -> None:
    ended = threading.Event()

    def drip(connection: socket.socket) -> None:
        with suppress(OSError):
            for byte in REQUEST:
                connection.sendall(bytes([byte]))
                if ended.wait(0.05):
                    return

    with connected(patient.port) as hostile:
        dripping = threading.Thread(target=drip, args=(hostile,))
        dripping.start()
        assert a_known_sender_succeeds(patient)
        assert answer(hostile) in {None, ABORT}
        ended.set()
        dripping.join()


def test_more_silent_connections_than_places_keep_nobody_out(patient: Listener) -> None:
    threads, files = threading.active_count(), open_files()
    with ExitStack() as silent:
        for _ in range(100):
            silent.enter_context(connected(patient.port))
        assert a_known_sender_succeeds(patient)
    assert eventually(lambda: threading.active_count() <= threads)
    assert eventually(lambda: open_files() <= files + 4)


@pytest.mark.parametrize("patient", [5.0], indirect=True)  # the usual deadline: this is about places
def test_idle_associations_of_one_sender_leave_room_for_another(patient: Listener) -> None:
    with ExitStack() as idle:
        connections = [idle.enter_context(connected(patient.port, associated=True)) for _ in range(40)]
        assert a_known_sender_succeeds(patient)
        assert answer(connections[0]) == ABORT  # the longest idle gave way
        connections[-1].sendall(pdu(0x05, bytes(4)))
        assert answer(connections[-1]) == 0x06


def test_an_association_that_says_nothing_is_aborted(local_archive: Archive, patient: Listener) -> None:
    del local_archive
    with connected(patient.port, associated=True) as idle:
        assert answer(idle) == ABORT


def test_many_short_associations_leave_nothing_behind(patient: Listener) -> None:
    assert a_known_sender_succeeds(patient)
    threads, files = threading.active_count(), open_files()
    for _ in range(60):
        with connected(patient.port, associated=True) as short:
            short.sendall(pdu(0x05, bytes(4)))
            assert answer(short) == 0x06
    assert eventually(lambda: threading.active_count() <= threads)
    assert eventually(lambda: open_files() <= files + 10)  # the database may open a few of its own


def test_connections_that_are_reset_in_the_middle_of_an_instance_leave_no_file(
    patient: Listener, tmp_path: Path
) -> None:
    content = encoded(mr_instance(SOPInstanceUID="1.2.3", side=256))
    for _ in range(10):
        hostile = connected(patient.port, associated=True)
        hostile.sendall(fragment(store_command("1.2.3"), is_command=True))
        hostile.sendall(fragment(content[:60_000], is_last=False))
        hostile.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        hostile.close()
    assert a_known_sender_succeeds(patient)
    assert eventually(lambda: not list((tmp_path / "objects" / "spool").iterdir()))
    assert len(list(tmp_path.rglob("*.dcm"))) == 1


def test_instances_sent_without_waiting_for_answers_are_all_kept(
    patient: Listener, local_archive: Archive
) -> None:
    sent = {f"1.2.{number}": encoded(mr_instance(SOPInstanceUID=f"1.2.{number}")) for number in range(30)}
    with connected(patient.port, associated=True) as hasty:
        for number, (uid, content) in enumerate(sent.items()):
            hasty.sendall(fragment(store_command(uid, number + 1), is_command=True) + fragment(content))
        assert [answer(hasty) for _ in sent] == [0x04] * len(sent)
    for uid, content in sent.items():
        assert local_archive.read(uid).endswith(content)


def test_rejected_associations_do_not_fill_the_receipts(patient: Listener, local_archive: Archive) -> None:
    for number in range(150):
        with connected(patient.port) as unknown:
            unknown.sendall(association_request(calling=f"NOBODY_{number}".encode()))
            assert answer(unknown) == 0x03
    assert 0 < len(local_archive.receipts_after(0, limit=1000)) <= 70


def mutated(source: random.Random, content: bytes) -> bytes:
    """Change a few bytes, cut something out or repeat it."""
    changed = bytearray(content)
    for _ in range(source.randrange(1, 6)):
        place = source.randrange(len(changed))
        change: Callable[[], None] = source.choice(
            [
                lambda at=place: changed.__setitem__(at, source.randrange(256)),
                lambda at=place: changed.__delitem__(slice(at, at + source.randrange(9))),
                lambda at=place: changed.__setitem__(slice(at, at), changed[at : at + 9]),
            ]
        )
        change()
        if not changed:
            return b""
    return bytes(changed)


def conversation() -> bytes:
    content = encoded(mr_instance(SOPInstanceUID="1.2.3.4"))
    return (
        REQUEST
        + fragment(store_command("1.2.3.4"), is_command=True)
        + fragment(content)
        + pdu(0x05, bytes(4))
    )


def converse(listener: Listener, source: random.Random) -> None:
    with connected(listener.port) as fuzzed, suppress(OSError):
        fuzzed.sendall(mutated(source, conversation()))
        fuzzed.shutdown(socket.SHUT_WR)
        while answer(fuzzed) is not None:
            pass


@pytest.mark.parametrize("seed", range(2))
def test_mutated_conversations_harm_nobody(patient: Listener, seed: int) -> None:
    source = random.Random(seed)  # noqa: S311 - a fuzzer that can be repeated
    for _ in range(40):
        converse(patient, source)
    assert a_known_sender_succeeds(patient)


@pytest.mark.campaign
@pytest.mark.skipif("CAMPAIGN" not in os.environ, reason="the long form runs by 'make campaign'")
def test_ten_thousand_mutated_conversations_harm_nobody(patient: Listener) -> None:
    source = random.Random(4)  # noqa: S311 - a fuzzer that can be repeated
    threads = threading.active_count()
    for number in range(10_000):
        converse(patient, source)
        if not number % 500:
            assert a_known_sender_succeeds(patient)
    assert eventually(lambda: threading.active_count() <= threads + 1)
