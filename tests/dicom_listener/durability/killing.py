"""Push to a listener over several associations, end it in the middle, and look for what it promised."""

import json
import random
import signal
import socket
import statistics
import struct
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from dicom_listener.archive import senders
from dicom_listener.archive.archive import Archive
from dicom_listener.archive.integrity import verify
from dicom_listener.archive.migrate import migrate
from dicom_listener.archive.senders import Sender, networks_from
from tests.dicom_listener.instances import encoded, mr_instance
from tests.dicom_listener.peers import association_request, fragment, store_command

ROOT = Path(__file__).parents[3]
SIDE = 64
_SUCCESS = struct.pack("<HHLH", 0, 0x0900, 2, 0)


def prepared(folder: Path) -> Archive:
    """Make an archive that knows the sender."""
    archive = Archive.open(f"sqlite:///{folder}/index.sqlite", str(folder / "objects"))
    migrate(archive.database)
    sender = Sender(
        calling_ae="MRI_1", called_ae="IMAGING", networks=networks_from(["127.0.0.0/8"]), site_id="S1"
    )
    senders.add(archive.database, sender)
    return archive


@dataclass(frozen=True, kw_only=True)
class Running:
    """A listener process that says that it is ready."""

    process: "subprocess.Popen[bytes]"
    port: int
    seconds: float  # from its start to its readiness


@contextmanager
def listening(folder: Path, log: Path) -> Iterator[Running]:
    """Run a listener on a port of its choice until the block ends; what it says is appended to `log`.

    A port that was free for an earlier run may be anybody's a moment later.
    """
    arguments = ["serve", "--port", "0", "--objects", str(folder / "objects")]
    arguments += ["--database-url", f"sqlite:///{folder}/index.sqlite"]
    began, known = time.monotonic(), log.stat().st_size if log.exists() else 0
    with log.open("ab") as file:
        process = subprocess.Popen(
            [sys.executable, "-c", "from dicom_listener.cli import main; main()", *arguments],
            stderr=file,
            cwd=ROOT,
        )
        try:
            port = _port_of(process, log, known)
            yield Running(process=process, port=port, seconds=time.monotonic() - began)
        finally:
            process.kill()
            process.wait()


def _port_of(process: "subprocess.Popen[bytes]", log: Path, known: int) -> int:
    """Return the port that the listener names when it is ready."""
    end = time.monotonic() + 120
    while time.monotonic() < end:
        is_over = process.poll() is not None
        said = log.read_bytes()[known:].decode()
        for line in said.splitlines(keepends=True):
            if line.endswith("}\n") and (event := json.loads(line))["event"] == "ready":
                return int(event["port"])
        assert not is_over, f"The listener ended by itself: {said}"
        time.sleep(0.01)
    raise AssertionError(said)


@dataclass(frozen=True, kw_only=True)
class Figures:
    """What a run of many ends has shown."""

    acknowledged: int  # instances, none of which is missing
    starts: list[float]  # seconds

    def __str__(self) -> str:
        median, longest = statistics.median(self.starts), max(self.starts)
        return (
            f"{self.acknowledged} instances acknowledged in {len(self.starts)} runs, none missing; "
            f"a start took {median:.1f} s, {longest:.1f} s at most."
        )


class Pusher:
    """One association after another, with instances of its own; it counts what was acknowledged."""

    def __init__(self, number: int) -> None:
        self._number = number
        self._sent = 0
        self._template = encoded(mr_instance(SOPInstanceUID="1.2.9.100000", side=SIDE))
        self.acknowledged: list[str] = []

    def run(self, port: int, instances: int) -> None:
        """Push so many instances, or until the connection ends."""
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=60) as connection:
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                connection.sendall(association_request())
                _read(connection)
                for _ in range(instances):
                    self._push(connection)
        except (ConnectionError, TimeoutError):
            return

    def _push(self, connection: socket.socket) -> None:
        self._sent += 1
        uid = f"1.2.{self._number}.{100000 + self._sent}"
        data_set = self._template.replace(b"1.2.9.100000", uid.encode())
        assert len(data_set) == len(self._template)
        connection.sendall(fragment(store_command(uid), is_command=True) + fragment(data_set))
        if _SUCCESS in _read(connection):
            self.acknowledged.append(uid)


def _read(connection: socket.socket) -> bytes:
    head = connection.recv(6, socket.MSG_WAITALL)
    if len(head) < 6:
        raise ConnectionResetError
    (length,) = struct.unpack(">2xL", head)
    content = connection.recv(length, socket.MSG_WAITALL)
    if len(content) < length:
        raise ConnectionResetError
    return content


def push_and_end(
    running: Running,
    pushers: list[Pusher],
    instances: int,
    source: random.Random,
    how: signal.Signals,
) -> None:
    """Push over all associations, and end the process somewhere in the middle."""
    before = sum(len(pusher.acknowledged) for pusher in pushers)
    wanted = source.randrange(1, max(instances * len(pushers) * 3 // 4, 2))
    with ThreadPoolExecutor(len(pushers)) as pool:
        runs = [pool.submit(pusher.run, running.port, instances) for pusher in pushers]
        while sum(len(pusher.acknowledged) for pusher in pushers) - before < wanted:
            if all(run.done() for run in runs):
                break
            time.sleep(0.001)
        running.process.send_signal(how)
        running.process.wait(60)
        for run in runs:
            run.result()


def check(folder: Path, log: Path, acknowledged: list[str]) -> None:
    """Start again, and look for everything that was acknowledged."""
    with listening(folder, log), closing(_opened(folder)) as archive:
        waiting = sys.maxsize
        while not archive.catch_up(30):  # many short runs may have left much
            waiting, before = archive.backlog.waiting().instances, waiting
            assert waiting < before
        missing = [uid for uid in acknowledged if archive.instance(uid) is None]
        assert missing == []
        assert list(filter(None, verify(archive))) == []
        assert archive.counts()["instances"] >= len(acknowledged)


def _opened(folder: Path) -> Archive:
    return Archive.open(f"sqlite:///{folder}/index.sqlite", str(folder / "objects"))
