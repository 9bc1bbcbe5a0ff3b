"""The socket: had, taken, or refused with a sentence."""

import os
import socket

import pytest

from imaging_service.errors import SettingsError
from imaging_service.http.protocol import Phase, longest_silent
from imaging_service.http.server import address_of, bind
from tests.builders.service import TestService, on_loopback


def test_a_free_port_is_had_and_named():
    with bind("127.0.0.1", 0) as listening:
        assert address_of(listening) == f"http://127.0.0.1:{listening.getsockname()[1]}"


def test_a_taken_port_is_told_with_what_to_set():
    with bind("127.0.0.1", 0) as listening:
        port = listening.getsockname()[1]
        with pytest.raises(SettingsError, match=f"Port {port} of 127.0.0.1 is taken.*IMAGING_SERVICE_PORT"):
            bind("127.0.0.1", port)


@pytest.mark.parametrize("host", ["203.0.113.1", "no-such-host.invalid"])
def test_an_address_of_another_machine_is_told(host: str):
    with pytest.raises(SettingsError, match=r"cannot listen on .*IMAGING_SERVICE_HOST"):
        bind(host, 0)


@pytest.mark.skipif(os.getuid() == 0, reason="root may take any port")
def test_a_privileged_port_is_told():
    with pytest.raises(SettingsError, match="is not allowed"):
        bind("127.0.0.1", 80)


def test_a_server_closes_its_port_when_it_ends(sqlite_service: TestService):
    with on_loopback(sqlite_service) as address:
        port = int(address.rpartition(":")[2])
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port), timeout=5)


class Connection:
    def __init__(self, phase: Phase, since: float) -> None:
        self.phase = phase
        self.since = since

    def give_way(self) -> None:
        raise NotImplementedError


def test_the_longest_silent_gives_way_and_never_one_at_work():
    at_work = Connection(Phase.WORK, 0.0)
    uploading = Connection(Phase.BODY, 1.0)
    idle, waiting = Connection(Phase.IDLE, 3.0), Connection(Phase.HEAD, 2.0)
    newest = Connection(Phase.HEAD, 9.0)
    assert longest_silent([at_work, uploading, idle, waiting, newest], newest) is waiting
    assert longest_silent([at_work, uploading], newest) is newest
