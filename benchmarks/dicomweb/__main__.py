"""Ask for frames and search, in turn of this service and of Orthanc's DICOMweb plugin, and print the figures.

``python -m benchmarks.dicomweb --images 100 --rounds 5``

Rounds are interleaved, because machines are noisy: compare the medians of one run, not of two. Both keep the
same files of 512 x 512 x 16 bit in a folder, and are asked over one kept connection in each round by a client
of the standard library, which spends little itself. The client takes gzip and deflate, as browsers do, which
Orthanc then spends its time on; `--plain` asks for neither. Orthanc takes part when the Debian package
orthanc-dicomweb is installed. Nothing is asserted.
"""

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
import zlib
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from http import HTTPStatus
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psutil

from tests.builders.peers import PEERS, orthanc

_PLUGINS = (Path("/usr/share/orthanc/plugins"), Path("/usr/lib/orthanc"))
_OCTETS = 'multipart/related; type="application/octet-stream"'
_FILES = 'multipart/related; type="application/dicom"; transfer-syntax=*'


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """A running DICOMweb server."""

    name: str
    connection: HTTPConnection
    base: str
    """Path of its DICOMweb service."""
    headers: Mapping[str, str]
    pid: int
    study: str

    @classmethod
    def at(cls, address: str, **known: Any) -> "Server":  # noqa: ANN401  the other fields
        """Return the server at a web address."""
        parts = urlsplit(address)
        connection = HTTPConnection(parts.hostname or "", parts.port, timeout=60)
        return cls(connection=connection, base=parts.path, **known)

    def get(self, path: str, accept: str) -> tuple[str, bytes]:
        """Return an answer's media type and body."""
        self.connection.request("GET", self.base + path, headers={"Accept": accept, **self.headers})
        answer = self.connection.getresponse()
        body = answer.read()
        if answer.status != HTTPStatus.OK:
            sys.exit(f"{self.name} answers {answer.status} to {path}.")
        if answer.headers["content-encoding"] in {"gzip", "deflate"}:
            body = zlib.decompress(body, wbits=zlib.MAX_WBITS | 32)
        return answer.headers["content-type"], body

    def frame(self, number: int) -> None:
        """Fetch one frame."""
        place = f"/studies/{self.study}/series/{self.study}.1/instances/{self.study}.1.{number}/frames/1"
        self.get(place, _OCTETS)

    def search(self, _number: int) -> None:
        """Search a study by PatientID."""
        _, body = self.get("/studies?PatientID=P-1", "application/dicom+json")
        found = json.loads(body)
        if len(found) != 1:
            sys.exit(f"{self.name} found {len(found)} studies; there is 1.")


@contextmanager
def this_service(folder: Path, images: int, encodings: str) -> Iterator[Server]:
    """Start this service with its images."""
    folder.mkdir()
    command = [sys.executable, "-m", "benchmarks.dicomweb.serving", str(folder), str(images)]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        told = json.loads(process.stdout.readline() if process.stdout else b"{}")
        yield Server.at(
            told["address"],
            name="imaging-service",
            headers={"Authorization": told["authorization"], "Accept-Encoding": encodings},
            pid=process.pid,
            study=told["study"],
        )
    finally:
        process.communicate(timeout=60)


@contextmanager
def orthanc_beside(folder: Path, source: Server, plugin: Path) -> Iterator[Server]:
    """Start Orthanc with its DICOMweb plugin and the same files."""
    settings = {"Plugins": [str(plugin)], "DicomWeb": {"Enable": True}}
    with orthanc(folder, settings=settings) as started:
        headers = {"Accept-Encoding": source.headers["Accept-Encoding"]}
        kind, body = source.get(f"/studies/{source.study}", _FILES)
        line = b"--" + kind.partition("boundary=")[2].encode()
        for part in body.split(line)[1:-1]:
            started.upload(part.partition(b"\r\n\r\n")[2].removesuffix(b"\r\n"))
        base = f"{str(started.client.base_url).rstrip('/')}/dicom-web"
        yield Server.at(base, name="Orthanc", headers=headers, pid=started.process.pid, study=source.study)


def plugin_of_orthanc() -> Path | None:
    """Return Orthanc's DICOMweb plugin, where it is installed."""
    if not PEERS["orthanc"].is_installed:
        return None
    found = [each for folder in _PLUGINS for each in sorted(folder.glob("libOrthancDicomWeb.so*"))]
    return next(iter(found), None)


def timed(server: Server, act: Callable[[int], None], images: int) -> tuple[float, float]:
    """Return the seconds that one request takes, and the server's CPU seconds for it."""
    process = psutil.Process(server.pid)
    server.connection.close()  # the server may have closed it, idle since the round before
    before, began = process.cpu_times(), time.perf_counter()
    for number in range(1, images + 1):
        act(number)
    seconds, after = time.perf_counter() - began, process.cpu_times()
    return seconds / images, (after.user + after.system - before.user - before.system) / images


def measure(images: int, rounds: int, base: Path, encodings: str) -> None:
    """Ask both servers in every round, and print the medians."""
    figures: dict[tuple[str, str], list[tuple[float, float]]] = defaultdict(list)
    plugin = plugin_of_orthanc()
    with ExitStack() as stack:
        servers = [stack.enter_context(this_service(base / "service", images, encodings))]
        if plugin is None:
            print("Orthanc's DICOMweb plugin is missing: install it with `apt-get install orthanc-dicomweb`.")
        else:
            servers.append(stack.enter_context(orthanc_beside(base / "orthanc", servers[0], plugin)))
        for _ in range(rounds):
            for server in servers:
                figures["frames", server.name].append(timed(server, server.frame, images))
                figures["searches", server.name].append(timed(server, server.search, images))
    print(f"{'what':<10} {'server':<16} {'per second':>10} {'ms each':>8} {'CPU ms each':>12}")
    for (what, name), taken in figures.items():
        seconds = statistics.median(each[0] for each in taken)
        cpu = statistics.median(each[1] for each in taken)
        print(f"{what:<10} {name:<16} {1 / seconds:>10.1f} {seconds * 1000:>8.2f} {cpu * 1000:>12.2f}")
    print(f"Medians of {rounds} interleaved rounds of {images} requests, one after the other.")


def main() -> None:
    """Read the options and measure."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--images", type=int, default=100)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--plain", action="store_true", help="ask for no compression")
    options = parser.parse_args()
    encodings = "identity" if options.plain else "gzip, deflate"
    with tempfile.TemporaryDirectory() as folder:
        measure(options.images, options.rounds, Path(folder), encodings)


if __name__ == "__main__":
    main()
