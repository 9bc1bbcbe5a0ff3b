"""Few places for many peers, receipts for strangers, and conversations that somebody has mutated."""

import os
import random
import socket
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
    fragment,
    pdu,
    store_command,
)
from tests.dicom_listener.test_listener import associated, eventually, store

ABORT = 0x07


@pytest.fixture
def patient(local_archive: Archive) -> Iterator[Listener]:
    """Listen with few places and the usual deadlines: a starved machine needs them."""
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


def test_more_silent_connections_than_places_keep_nobody_out(patient: Listener) -> None:
    threads, files = threading.active_count(), open_files()
    with ExitStack() as silent:
        for _ in range(100):
            silent.enter_context(connected(patient.port))
        assert a_known_sender_succeeds(patient)
    assert eventually(lambda: threading.active_count() <= threads)
    assert eventually(lambda: open_files() <= files + 4)


def test_idle_associations_of_one_sender_leave_room_for_another(patient: Listener) -> None:
    with ExitStack() as idle:
        connections = [idle.enter_context(connected(patient.port, associated=True)) for _ in range(40)]
        assert a_known_sender_succeeds(patient)
        assert answer(connections[0]) == ABORT  # the longest idle gave way
        connections[-1].sendall(pdu(0x05, bytes(4)))
        assert answer(connections[-1]) == 0x06


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
