"""Health and metrics of a running listener, and watchers that mean ill."""

import os
import re
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import httpx
import pytest

from dicom_listener.archive.archive import Archive
from dicom_listener.errors import AddressTakenError, OutOfResourcesError
from dicom_listener.network.server import Listener
from dicom_listener.operations.health import Health
from dicom_listener.operations.page import Watch, watched
from dicom_listener.operations.watching import watching
from dicom_listener.settings import ListenerSettings
from tests.dicom_listener.instances import mr_instance
from tests.dicom_listener.test_listener import associated, eventually, store


@pytest.fixture
def address(local_archive: Archive, tmp_path: Path) -> Iterator[str]:
    health = Health(local_archive, str(tmp_path / "objects"), least_free=1)
    with watched(Watch(health), "127.0.0.1", 0) as port:
        yield f"http://127.0.0.1:{port}"


def test_a_listener_that_can_keep_instances_is_live_and_ready(address: str) -> None:
    for name in ("live", "ready"):
        answer = httpx.get(f"{address}/health/{name}")
        assert (answer.status_code, answer.text) == (200, f"{name}\n")


def test_without_its_database_it_is_live_and_not_ready(
    address: str, local_archive: Archive, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_arguments: object) -> None:
        raise OutOfResourcesError(what="The database", reason="it is away")

    monkeypatch.setattr(local_archive.database, "read", fail)
    answer = httpx.get(f"{address}/health/ready")
    assert (answer.status_code, answer.text) == (503, "The database does not answer.\n")
    assert httpx.get(f"{address}/health/live").status_code == 200


def test_without_a_folder_to_write_to_it_is_not_ready(local_archive: Archive, tmp_path: Path) -> None:
    (sentence,) = Health(local_archive, str(tmp_path / "nowhere"), least_free=0).findings()
    assert sentence == "The folder of the objects cannot be written to."


def test_a_disk_below_its_floor_is_told_with_both_numbers(local_archive: Archive, tmp_path: Path) -> None:
    health = Health(local_archive, str(tmp_path), least_free=2**62)
    (sentence,) = health.findings()
    assert re.fullmatch(rf"The disk of the objects has \d+ bytes free; wanted {2**62}\.", sentence)


def test_a_bucket_has_no_disk(local_archive: Archive) -> None:
    health = Health(local_archive, "s3://bucket/prefix", least_free=2**62)
    assert (health.findings(), health.free_bytes()) == ([], None)


def figure(address: str, name: str) -> float:
    """Return a figure by its name and labels; 0 where it is not there yet."""
    for line in httpx.get(f"{address}/metrics").text.splitlines():
        if line.startswith(f"dicom_listener_{name} "):
            return float(line.rpartition(" ")[2])
    return 0.0


FIGURES = {
    'association_requests_total{outcome="accepted"}': 1,
    'association_requests_total{outcome="refused_calling_ae"}': 1,
    'instances_total{outcome="stored"}': 2,
    'instances_refused_total{reason="pixel_data_contradicts_header"}': 1,
    'store_seconds_count{stage="keep"}': 3,
    'requests_served_total{service="c_echo"}': 1,
}


def test_what_happens_is_counted(listener: Listener, address: str) -> None:
    before = {name: figure(address, name) for name in FIGURES}
    received = figure(address, "received_bytes_total")
    sent = mr_instance()
    with associated(listener) as association:
        assert association.send_c_echo().Status == 0x0000
        assert store(association, sent).Status == 0x0000
        assert store(association, sent).Status == 0x0000
        assert store(association, mr_instance(NumberOfFrames=7)).Status == 0xC000
        assert figure(address, "associations_open") == 1
        assert figure(address, "connections_open") == 1
    with associated(listener, calling="NOBODY") as association:
        assert association.is_rejected
    counted = {name: figure(address, name) - before[name] for name in FIGURES}
    assert counted == FIGURES
    assert figure(address, "received_bytes_total") - received > 3 * 128
    assert figure(address, "disk_free_bytes") > 0
    assert eventually(lambda: figure(address, "connections_open") == 0)
    assert eventually(lambda: figure(address, "last_settled_timestamp_seconds") > 0)
    assert eventually(lambda: figure(address, "backlog_instances") == 0)


def test_no_figure_names_a_patient_or_a_peer(listener: Listener, address: str) -> None:
    with associated(listener) as association:
        store(association, mr_instance(SOPInstanceUID="1.2.3.4.5"))
    text = httpx.get(f"{address}/metrics").text
    assert not [each for each in ("Doe", "S1-001", "1.2.3.4.5", "MRI_1", "127.0.0.1") if each in text]


ODD = {
    "another method": (b"POST /metrics HTTP/1.1\r\n\r\n", b"405"),
    "another path": (b"GET /../etc/passwd HTTP/1.1\r\n\r\n", b"404"),
    "a path that is no text": (b"GET /\xff\xfe HTTP/1.1\r\n\r\n", b"404"),
    "no HTTP": (b"\x01\x00\x00\x00\r\n\r\n", b"400"),
    "a head without an end": (b"GET /health/live HTTP/1.1\r\n" + b"x" * 9000, b"400"),
    "a head alone": (b"HEAD /health/live HTTP/1.1\r\n\r\n", b"200"),
    "a query": (b"GET /health/live?x=1 HTTP/1.0\r\n\r\n", b"200"),
}


@pytest.mark.parametrize(("sent", "status"), ODD.values(), ids=ODD)
def test_odd_requests_are_answered_and_never_repeated(address: str, sent: bytes, status: bytes) -> None:
    with socket.create_connection(("127.0.0.1", int(address.rpartition(":")[2])), timeout=30) as watcher:
        watcher.sendall(sent)
        answer = b""
        while part := watcher.recv(4096):
            answer += part
    assert answer.split(b" ")[1] == status
    assert b"passwd" not in answer
    assert answer.endswith(b"\r\n\r\n") is (sent[:4] == b"HEAD")


def test_silent_watchers_take_no_more_than_their_places(address: str) -> None:
    port, threads = int(address.rpartition(":")[2]), threading.active_count()
    with ExitStack() as stack:
        for _ in range(40):
            stack.enter_context(socket.create_connection(("127.0.0.1", port), timeout=30))
        assert eventually(lambda: threading.active_count() <= threads + 8)
    assert eventually(lambda: httpx.get(f"{address}/health/live").status_code == 200)


def test_a_port_is_opened_only_where_it_is_asked_for(local_archive: Archive, tmp_path: Path) -> None:
    objects = str(tmp_path / "objects")
    with watching(ListenerSettings(objects=objects), local_archive) as port:
        assert port is None
    with watching(ListenerSettings(objects=objects, operations_port=0), local_archive) as port:
        assert httpx.get(f"http://127.0.0.1:{port}/health/live").status_code == 200
        taken = ListenerSettings(objects=objects, operations_port=port)
        with (
            pytest.raises(AddressTakenError, match="DICOM_LISTENER_OPERATIONS_PORT"),
            watching(taken, local_archive),
        ):
            pass


def test_figures_of_several_processes_add_up(tmp_path: Path) -> None:
    count = "from dicom_listener.metrics import INSTANCES; INSTANCES.labels('stored').inc(2)"
    show = (
        "from prometheus_client import CollectorRegistry, generate_latest;"
        "from dicom_listener.operations.page import Watch;"
        "print(Watch(type('H', (), {'free_bytes': lambda s: None, 'waiting': lambda s: 0})())"
        ".answer('/metrics').body)"
    )
    environment = os.environ | {"PROMETHEUS_MULTIPROC_DIR": str(tmp_path)}
    for _ in range(2):
        subprocess.run([sys.executable, "-c", count], env=environment, check=True)
    shown = subprocess.run(
        [sys.executable, "-c", show], env=environment, check=True, capture_output=True, text=True
    )
    assert 'dicom_listener_instances_total{outcome="stored"} 4.0' in shown.stdout
