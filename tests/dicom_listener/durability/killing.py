"""Push to a listener over several associations, end it in the middle, and look for what it promised."""

import random
import signal
import socket
import struct
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path

from dicom_listener.archive import senders
from dicom_listener.archive.archive import Archive
from dicom_listener.archive.integrity import verify
from dicom_listener.archive.migrate import migrate
from dicom_listener.archive.senders import Sender, networks_from
from tests.dicom_listener.instances import encoded, mr_instance
from tests.dicom_listener.peers import association_request, fragment, pdu, store_command

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


def free_port() -> int:
    with closing(socket.create_server(("127.0.0.1", 0))) as server:
        return int(server.getsockname()[1])


@contextmanager
def listening(folder: Path, port: int) -> Iterator["subprocess.Popen[bytes]"]:
    """Run a listener until the block ends, and wait for its port."""
    arguments = ["serve", "--port", str(port), "--objects", str(folder / "objects")]
    arguments += ["--database-url", f"sqlite:///{folder}/index.sqlite"]
    with (folder / "log").open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-c", "from dicom_listener.cli import main; main()", *arguments],
            stderr=log,
            cwd=ROOT,
        )
        try:
            _await_port(port, process)
            yield process
        finally:
            process.kill()
            process.wait()


def _await_port(port: int, process: "subprocess.Popen[bytes]") -> None:
    end = time.monotonic() + 120
    while time.monotonic() < end:
        assert process.poll() is None, "The listener ended by itself."
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=5) as probe:
                probe.sendall(association_request())
                if probe.recv(1) == b"\x02":
                    probe.sendall(pdu(0x07, bytes(4)))
                    return
        except OSError:
            time.sleep(0.02)
    raise AssertionError


class Pusher:
    """One association after another, with instances of its own; it counts what was acknowledged."""

    def __init__(self, port: int, number: int) -> None:
        self._port = port
        self._number = number
        self._sent = 0
        self._template = encoded(mr_instance(SOPInstanceUID="1.2.9.100000", side=SIDE))
        self.acknowledged: list[str] = []

    def run(self, instances: int) -> None:
        """Push so many instances, or until the connection ends."""
        try:
            with socket.create_connection(("127.0.0.1", self._port), timeout=60) as connection:
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
    process: "subprocess.Popen[bytes]",
    pushers: list[Pusher],
    instances: int,
    source: random.Random,
    how: signal.Signals,
) -> None:
    """Push over all associations, and end the process somewhere in the middle."""
    before = sum(len(pusher.acknowledged) for pusher in pushers)
    wanted = source.randrange(1, max(instances * len(pushers) * 3 // 4, 2))
    with ThreadPoolExecutor(len(pushers)) as pool:
        runs = [pool.submit(pusher.run, instances) for pusher in pushers]
        while sum(len(pusher.acknowledged) for pusher in pushers) - before < wanted:
            if all(run.done() for run in runs):
                break
            time.sleep(0.001)
        process.send_signal(how)
        process.wait(60)
        for run in runs:
            run.result()


def check(folder: Path, port: int, acknowledged: list[str]) -> None:
    """Start again, and look for everything that was acknowledged."""
    with listening(folder, port), closing(_opened(folder)) as archive:
        assert archive.catch_up(60)
        missing = [uid for uid in acknowledged if archive.instance(uid) is None]
        assert missing == []
        assert list(filter(None, verify(archive))) == []
        assert archive.counts()["instances"] >= len(acknowledged)


def _opened(folder: Path) -> Archive:
    return Archive.open(f"sqlite:///{folder}/index.sqlite", str(folder / "objects"))
