"""Programs of other makers that tests talk to: which are there, how to get them, how to start them."""

import json
import os
import random
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

REQUIRE_PEERS = "REQUIRE_PEERS"
_LOOPBACK = "127.0.0.1"
_START_SECONDS = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Peer:
    """A program of another maker."""

    name: str
    programs: tuple[str, ...] = ()  # every one must be on the path
    files: tuple[Path, ...] = ()  # every one must exist
    install: str = "apt-get install"
    package: str

    @property
    def is_installed(self) -> bool:
        return all(shutil.which(program) for program in self.programs) and all(
            file.exists() for file in self.files
        )

    @property
    def how_to_install(self) -> str:
        return f"{self.name} is missing: install it with `{self.install} {self.package}`".rstrip()


NPM_MODULES = Path(__file__).parents[1] / "npm" / "node_modules"
ORTHANC_DICOMWEB = Path("/usr/share/orthanc/plugins/libOrthancDicomWeb.so")


def _npm(name: str, file: str) -> Peer:
    return Peer(name=name, programs=("node",), files=(NPM_MODULES / file,), install="make peers", package="")


PEERS = {
    peer.name: peer
    for peer in (
        Peer(name="dcmtk", programs=("storescu", "echoscu", "dcmdump"), package="dcmtk"),
        Peer(name="orthanc", programs=("Orthanc",), package="orthanc"),
        Peer(name="dicom3tools", programs=("dciodvfy",), package="dicom3tools"),
        Peer(name="orthanc-dicomweb", files=(ORTHANC_DICOMWEB,), package="orthanc-dicomweb"),
        Peer(name="chromium", programs=("chromium",), package="chromium"),
        _npm("axe-core", "axe-core/axe.min.js"),
        _npm("oidc-provider", "oidc-provider/package.json"),
        _npm("typescript", "typescript/bin/tsc"),
    )
}


def require_peers(item: pytest.Item) -> None:
    """Skip a test whose peer is missing, naming it and the command that brings it.

    Where ``REQUIRE_PEERS=1`` is set a missing peer fails the test instead: a machine that promises all
    peers must not pass by skipping.
    """
    for marker in item.iter_markers("peer"):
        for name in marker.args:
            if not PEERS[name].is_installed:
                missing_peer(PEERS[name].how_to_install)


def missing_peer(sentence: str) -> None:
    """Skip the running test with ``sentence``, or fail it where all peers are promised."""
    if os.environ.get(REQUIRE_PEERS) == "1":
        pytest.fail(f"{sentence} ({REQUIRE_PEERS}=1 forbids to skip)", pytrace=False)
    pytest.skip(sentence)


def free_port() -> int:
    """Return a TCP port on the loopback address that nobody listens on at this moment.

    It is none of those that the system gives to connections, one of which could have it a moment later.
    """
    first = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    while True:
        port = random.randrange(first // 2, first)  # noqa: S311 - any will do
        with socket.socket() as probe, suppress(OSError):
            probe.bind((_LOOPBACK, port))
            return port


@dataclass(frozen=True, slots=True, kw_only=True)
class Modality:
    """A DICOM node as Orthanc knows it."""

    ae_title: str
    port: int
    host: str = _LOOPBACK


@dataclass(frozen=True, slots=True, kw_only=True)
class Orthanc:
    """A running Orthanc."""

    client: httpx.Client
    ae_title: str
    dicom_port: int
    process: subprocess.Popen[bytes]

    def upload(self, instance: bytes) -> str:
        """Give Orthanc one DICOM file and return Orthanc's identifier of the instance."""
        return str(self._post("/instances", content=instance)["ID"])

    def store(self, modality: str, *identifiers: str) -> dict[str, Any]:
        """Push resources to ``modality`` with C-STORE and return Orthanc's summary of the push."""
        return self._post(
            f"/modalities/{modality}/store", json={"Resources": identifiers, "Synchronous": True}
        )

    def _post(self, path: str, **body: Any) -> dict[str, Any]:
        answer = self.client.post(path, **body)
        answer.raise_for_status()
        return dict(answer.json())


@contextmanager
def orthanc(
    folder: Path,
    *,
    modalities: Mapping[str, Modality] | None = None,
    ae_title: str = "ORTHANC",
    settings: Mapping[str, Any] | None = None,
) -> Iterator[Orthanc]:
    """Start Orthanc on loopback ports with its storage in ``folder``, and end it.

    Parameters
    ----------
    folder
        An empty folder for its configuration, storage and log.
    modalities
        The nodes it may push to, by the name used in ``/modalities/…``.
    ae_title
        Its own AE title.
    settings
        Further entries of its configuration file, by Orthanc's names.
    """
    folder.mkdir(parents=True, exist_ok=True)
    http_port, dicom_port = free_port(), free_port()
    configuration = {
        "Name": ae_title,
        "StorageDirectory": str(folder / "storage"),
        "IndexDirectory": str(folder / "storage"),
        "HttpPort": http_port,
        "DicomPort": dicom_port,
        "DicomAet": ae_title,
        "DicomModalities": {name: [m.ae_title, m.host, m.port] for name, m in (modalities or {}).items()},
        "RemoteAccessAllowed": False,
        "AuthenticationEnabled": False,
        "Plugins": [],
        **(settings or {}),
    }
    path = folder / "orthanc.json"
    path.write_text(json.dumps(configuration))
    with (folder / "orthanc.log").open("wb") as log:
        process = subprocess.Popen(["Orthanc", str(path)], stdin=subprocess.DEVNULL, stdout=log, stderr=log)
    try:
        with httpx.Client(base_url=f"http://{_LOOPBACK}:{http_port}", timeout=60.0) as client:
            _wait_for_orthanc(client, process, folder / "orthanc.log")
            yield Orthanc(client=client, ae_title=ae_title, dicom_port=dicom_port, process=process)
    finally:
        process.terminate()
        process.wait()


def _wait_for_orthanc(client: httpx.Client, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while process.poll() is None and time.monotonic() < deadline:
        try:
            client.get("/system").raise_for_status()
        except httpx.HTTPError:
            time.sleep(0.1)
        else:
            return
    message = f"Orthanc did not start within {_START_SECONDS} s:\n{log.read_text(errors='replace')}"
    raise RuntimeError(message)
