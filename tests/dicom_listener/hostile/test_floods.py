"""Many peers at once: a known sender is served all the while, and what they took is given back."""

import os
import random
import resource
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from pathlib import Path

import psutil
import pytest

from dicom_listener.network.server import places
from tests.dicom_listener.hostile.conftest import SETTINGS, is_back
from tests.dicom_listener.hostile.doors import ROOM, Door, Process, serving
from tests.dicom_listener.hostile.test_before_an_association import GREETING
from tests.dicom_listener.instances import encoded, mr_instance
from tests.dicom_listener.peers import (
    RELEASE,
    RELEASED,
    answer,
    association_request,
    fragment,
    said,
    status_of,
    store_command,
)
from tests.dicom_listener.test_listener import eventually

LONG = (
    pytest.mark.campaign,
    pytest.mark.skipif("CAMPAIGN" not in os.environ, reason="the long form runs by 'make campaign'"),
)
REQUEST = association_request()
COMMAND = fragment(store_command("1.2.3"), is_command=True)
CONTENT = encoded(mr_instance(SOPInstanceUID="1.2.3", side=256))


@pytest.fixture(scope="module", params=["fast", pytest.param("library", marks=LONG)])
def way(request: pytest.FixtureRequest) -> str:
    """Serve in the library's way in a campaign alone: most floods never come to a C-STORE."""
    return str(request.param)


def keep(stack: ExitStack, connection: socket.socket, sent: bytes) -> None:
    """Send something, and hold the connection."""
    stack.enter_context(connection)
    with suppress(OSError):
        connection.sendall(sent)


FLOODS: dict[str, tuple[int, bytes]] = {
    "silent connections": (300, b""),
    "connections of one byte": (300, b"\x01"),
    "halves of requests": (150, REQUEST[:90]),
    "associations": (150, REQUEST),
    "halves of commands": (80, REQUEST + COMMAND[:40]),
    "halves of data sets": (80, REQUEST + COMMAND + fragment(CONTENT[:60_000], is_last=False)),
    "requests of a stranger": (150, association_request(calling=b"NOBODY")),
}


@pytest.mark.usefixtures("steady")
@pytest.mark.parametrize(("number", "sent"), FLOODS.values(), ids=FLOODS)
def test_however_many_there_are_a_known_sender_is_served(
    door: Door, process: Process, number: int, sent: bytes
) -> None:
    before = process.usage
    with ExitStack() as stack:
        for _ in range(number):
            with suppress(OSError):
                keep(stack, door.connect(), sent)
        assert door.a_known_sender_succeeds()
        assert door.a_known_sender_succeeds()
    assert eventually(lambda: is_back(process.usage, before))


@pytest.mark.usefixtures("steady")
def test_a_hundred_handshakes_that_stall_stop_nobody(door: Door) -> None:
    if not door.is_tls:
        pytest.skip("there is no handshake on the plain port")
    with ExitStack() as stack:
        for number in range(150):
            keep(stack, door.raw(), GREETING[: number % len(GREETING)])
        assert door.a_known_sender_succeeds()


def until_stopped(stopped: threading.Event, act: Callable[[], None]) -> threading.Thread:
    def repeat() -> None:
        while not stopped.is_set():
            with suppress(OSError):
                act()

    thread = threading.Thread(target=repeat)
    thread.start()
    return thread


def connecting(door: Door) -> None:
    with door.raw():
        pass


def resetting(door: Door) -> None:
    with door.connect() as hostile:
        hostile.sendall(REQUEST + COMMAND + fragment(CONTENT[:60_000], is_last=False))
        hostile.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def storing_junk(door: Door) -> None:
    with door.associated() as hostile:
        for _ in range(20):
            hostile.sendall(COMMAND + fragment(random.randbytes(2000)))  # noqa: S311 - junk
            assert status_of(said(hostile)) != 0x0000


@pytest.mark.usefixtures("steady")
@pytest.mark.parametrize("act", [connecting, resetting, storing_junk], ids=lambda each: each.__name__)
def test_while_others_come_and_go_a_known_sender_is_served(door: Door, act: Callable[[Door], None]) -> None:
    stopped = threading.Event()
    threads = [until_stopped(stopped, lambda: act(door)) for _ in range(4)]
    try:
        assert all(door.a_known_sender_succeeds() for _ in range(10))
    finally:
        stopped.set()
        for thread in threads:
            thread.join()


@pytest.mark.usefixtures("steady")
def test_large_data_sets_of_many_at_once_are_not_held_in_memory(door: Door, process: Process) -> None:
    part = fragment(bytes(120_000), is_last=False)
    with ExitStack() as stack:
        for _ in range(30):
            keep(stack, door.connect(), REQUEST + COMMAND + part * 50)
        assert door.a_known_sender_succeeds()
    assert eventually(lambda: not process.spooled())


@pytest.mark.parametrize("number", [125, pytest.param(10_000, marks=LONG)])
def test_many_short_associations_leave_nothing_behind(door: Door, process: Process, number: int) -> None:
    before = process.usage
    for _ in range(number):
        with door.associated() as short:
            short.sendall(RELEASE)
            assert answer(short) is not None
    assert eventually(lambda: is_back(process.usage, before))


MANY = {"MAXIMUM_ASSOCIATIONS": "1500", "MAXIMUM_ASSOCIATIONS_EACH": "1500", "IDLE_SECONDS": "60"}


@pytest.fixture
def roomy(certificates: Path, tmp_path: Path) -> Iterator[Process]:
    """Run a listener with places for more than a thousand."""
    with serving(tmp_path / "roomy" / "archive", certificates, SETTINGS | MANY) as running:
        yield running


@pytest.mark.parametrize("number", [520, pytest.param(1000, marks=LONG)])
def test_idle_associations_by_the_hundred_are_held_while_another_sender_pushes(
    roomy: Process, number: int
) -> None:
    door = Door(process=roomy, is_tls=False)
    assert door.a_known_sender_succeeds()
    before = roomy.usage
    with ExitStack() as stack:
        idle = [stack.enter_context(door.associated()) for _ in range(number)]
        assert all(door.a_known_sender_succeeds() for _ in range(20))
        assert roomy.usage.descriptors > 1024
        assert roomy.usage.memory - before.memory < ROOM
        for connection in idle:
            connection.sendall(RELEASE)
        assert {answer(connection) for connection in idle} == {RELEASED}
    assert eventually(lambda: is_back(roomy.usage, before))


def test_without_a_descriptor_left_the_port_waits_and_goes_on(certificates: Path, tmp_path: Path) -> None:
    with serving(tmp_path / "poor" / "archive", certificates, SETTINGS | MANY) as poor:
        door = Door(process=poor, is_tls=False)
        assert door.a_known_sender_succeeds()
        held = poor.usage.descriptors
        psutil.Process(poor.popen.pid).rlimit(psutil.RLIMIT_NOFILE, (held + 60, held + 60))
        with ExitStack() as stack:
            for _ in range(120):
                keep(stack, door.raw(), b"")
            # the last descriptor may be missed by the port itself or by a connection that it has taken
            told = ("no_descriptor_left", "connection_failed")
            assert eventually(lambda: any(word in line for line in poor.log for word in told))
        assert eventually(door.a_known_sender_succeeds)


def test_a_process_of_few_descriptors_takes_fewer_connections(monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(resource, "getrlimit", lambda _: (256, 256))
        patch.setattr(resource, "setrlimit", lambda *_: None)
        assert places(100) == (256 - 128) // 3
        patch.setattr(resource, "getrlimit", lambda _: (1024, resource.RLIM_INFINITY))
        assert places(100) == 100
