"""The receivers that are compared, each started as a process of its own."""

import json
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

CALLING_AE, CALLED_AE = "BENCH", "IMAGING"
_START_SECONDS = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Receiver:
    """A running receiver."""

    name: str
    pid: int
    port: int
    folder: Path  # of what it keeps
    finds: bool  # it answers C-FIND


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """A receiver that can be started, and what it promises."""

    name: str
    program: str | None  # what must be installed; None for our own
    arguments: Callable[[Path, int], list[str]]
    finds: bool = True

    @property
    def is_installed(self) -> bool:
        """Tell whether it can be started here."""
        return self.program is None or shutil.which(self.program) is not None


def _listener(folder: Path, port: int) -> list[str]:
    base = [sys.executable, "-c", "from dicom_listener.cli import main; main()"]
    database = ["--database-url", f"sqlite:///{folder}/index.sqlite"]
    sender = [
        "--calling-ae",
        CALLING_AE,
        "--site",
        "S1",
        "--network",
        "127.0.0.0/8",
        "--retrieves",
        "archive",
    ]
    subprocess.run([*base, "senders", "add", *sender, *database], check=True, stdout=subprocess.DEVNULL)
    return [*base, "serve", "--port", str(port), "--objects", str(folder / "objects"), *database]


def _storescp(folder: Path, port: int) -> list[str]:
    return ["storescp", "--output-directory", str(folder), str(port)]


def _orthanc(folder: Path, port: int) -> list[str]:
    configuration = {
        "StorageDirectory": str(folder),
        "IndexDirectory": str(folder),
        "DicomPort": port,
        "DicomAet": CALLED_AE,
        "HttpServerEnabled": False,
        "SyncStorageArea": True,
        "DicomAlwaysAllowFind": True,
        "Plugins": [],
    }
    path = folder / "orthanc.json"
    path.write_text(json.dumps(configuration))
    return ["Orthanc", str(path)]


KINDS = (
    Kind(name="dicom-listener", program=None, arguments=_listener),
    Kind(name="storescp (not durable)", program="storescp", arguments=_storescp, finds=False),
    Kind(name="Orthanc", program="Orthanc", arguments=_orthanc),
)


@contextmanager
def running(kind: Kind, folder: Path, variables: Mapping[str, str]) -> Iterator[Receiver]:
    """Start a receiver in `folder` on a free port with these variables set, and stop it in the end."""
    folder.mkdir(parents=True)
    port = _free_port()
    log = (folder / "log").open("wb")
    arguments = kind.arguments(folder, port)
    process = subprocess.Popen(arguments, stdout=log, stderr=log, env=os.environ | variables)
    try:
        _await_port(port, process)
        yield Receiver(name=kind.name, pid=process.pid, port=port, folder=folder, finds=kind.finds)
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        log.close()


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def _await_port(port: int, process: "subprocess.Popen[bytes]") -> None:
    end = time.monotonic() + _START_SECONDS
    while time.monotonic() < end and process.poll() is None:
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=1):
                return
        except OSError:
            time.sleep(0.1)
    sys.exit(f"A receiver did not listen on port {port}; see its log.")
