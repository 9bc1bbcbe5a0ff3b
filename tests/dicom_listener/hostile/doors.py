"""A listener in a process of its own, its doors, and a known sender that wants to be served meanwhile."""

import json
import os
import socket
import ssl
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

import psutil

from dicom_listener.archive import senders
from dicom_listener.archive.archive import Archive
from dicom_listener.archive.migrate import migrate
from dicom_listener.archive.senders import Retrieval, Sender, networks_from
from tests.dicom_listener.instances import encoded, mr_instance
from tests.dicom_listener.peers import (
    ACCEPTED,
    RELEASE,
    RELEASED,
    association_request,
    fragment,
    said,
    status_of,
    store_command,
)

PATIENCE = 60  # seconds after which a test gives up, not what it asks for
ROOM = 128 * 2**20  # by which the listener's memory may grow under attack, in bytes
_COMMAND = [sys.executable, "-c", "from dicom_listener.cli import main; main()", "serve"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """What a process and its children hold."""

    memory: int  # resident, in bytes
    threads: int
    descriptors: int

    @classmethod
    def of(cls, process: psutil.Process) -> "Usage":
        every = [process, *process.children(recursive=True)]
        return cls(
            memory=sum(each.memory_info().rss for each in every),
            threads=sum(each.num_threads() for each in every),
            descriptors=sum(each.num_fds() for each in every),
        )


@dataclass(slots=True, kw_only=True)
class Process:
    """A running ``dicom-listener serve``."""

    folder: Path
    certificates: Path
    popen: "subprocess.Popen[str]"
    port: int = 0
    tls_port: int = 0
    log: list[str] = field(default_factory=list)

    @property
    def usage(self) -> Usage:
        return Usage.of(psutil.Process(self.popen.pid))

    @contextmanager
    def archive(self) -> Iterator[Archive]:
        archive = Archive.open(*addresses(self.folder))
        yield archive
        archive.close()

    def files_outside_the_archive(self) -> set[Path]:
        return {path for path in self.folder.parent.rglob("*") if self.folder not in path.parents}

    def spooled(self) -> list[Path]:
        """Return what instances on their way have left; the log of acknowledged ones is none of it."""
        spool = self.folder / "objects" / "spool"
        return [path for path in spool.iterdir() if not path.name.startswith("log.")]


@dataclass(slots=True, kw_only=True)
class Door:
    """One way into a listener."""

    process: Process
    is_tls: bool
    numbers: Iterator[int] = field(default_factory=count)

    def connect(self, certificate: str = "site_1", *, seconds: float = PATIENCE) -> socket.socket:
        """Return a connection; through TLS it has shaken hands with `certificate`."""
        port = self.process.tls_port if self.is_tls else self.process.port
        plain = socket.create_connection(("127.0.0.1", port), timeout=seconds)
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return self.tls(certificate).wrap_socket(plain) if self.is_tls else plain

    def raw(self) -> socket.socket:
        """Return a connection on which nothing was said, no greeting of TLS either."""
        port = self.process.tls_port if self.is_tls else self.process.port
        return socket.create_connection(("127.0.0.1", port), timeout=PATIENCE)

    def tls(self, certificate: str) -> ssl.SSLContext:
        """Return what a peer with `certificate` speaks."""
        folder = self.process.certificates
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.load_verify_locations(folder / "authority.pem")
        if certificate:
            context.load_cert_chain(folder / f"{certificate}.pem", folder / f"{certificate}.key")
        return context

    def associated(self, request: bytes = b"") -> socket.socket:
        """Return a connection with an association on it."""
        connection = self.connect()
        connection.sendall(request or association_request())
        answer = said(connection)
        assert answer is not None
        assert answer[0] == ACCEPTED
        return connection

    def a_known_sender_succeeds(self) -> bool:
        """Push a new instance as another sender than the hostile one, who uses all means to hinder it."""
        uid = f"1.2.826.1.{os.getpid()}.{id(self)}.{next(self.numbers)}"
        with self.associated(association_request(calling=b"MRI_2")) as sender:
            sender.sendall(fragment(store_command(uid), is_command=True))
            sender.sendall(fragment(encoded(mr_instance(SOPInstanceUID=uid))))
            is_kept = status_of(said(sender)) == 0x0000
            sender.sendall(RELEASE)
            answer = said(sender)
            return is_kept and answer is not None and answer[0] == RELEASED


def addresses(folder: Path) -> tuple[str, str]:
    return f"sqlite:///{folder}/index.sqlite", str(folder / "objects")


def register(folder: Path) -> None:
    """Let MRI_1 do what a sender may, MRI_2 push, and MRI_3 come with the certificate of its own site."""
    archive = Archive.open(*addresses(folder))
    archive.database.prepare_folder()
    migrate(archive.database)
    networks = networks_from(["127.0.0.0/8"])
    for title, retrieves, certificate in (
        ("MRI_1", Retrieval.ARCHIVE, ""),
        ("MRI_2", Retrieval.NOTHING, ""),
        ("MRI_3", Retrieval.NOTHING, "CN=site_2,O=Hospital"),
    ):
        senders.add(
            archive.database,
            Sender(
                calling_ae=title,
                called_ae="IMAGING",
                networks=networks,
                site_id="S1",
                retrieves=retrieves,
                certificate=certificate,
            ),
        )
    archive.close()


@contextmanager
def serving(folder: Path, certificates: Path, settings: Mapping[str, str]) -> Iterator[Process]:
    """Run ``dicom-listener serve`` over an archive in `folder`, with a plain and a TLS port."""
    if not folder.exists():
        folder.mkdir(parents=True)
        register(folder)
    database, objects = addresses(folder)
    environment = {
        "DATABASE_URL": database,
        "OBJECTS": objects,
        "PORT": "0",
        "TLS_PORT": "0",
        "TLS_CERTIFICATE": str(certificates / "listener.pem"),
        "TLS_KEY": str(certificates / "listener.key"),
        "TLS_AUTHORITIES": str(certificates / "authority.pem"),
    } | dict(settings)
    popen = subprocess.Popen(
        _COMMAND,
        env=os.environ | {f"DICOM_LISTENER_{name}": value for name, value in environment.items()},
        cwd=folder,
        stderr=subprocess.PIPE,
        text=True,
    )
    process = Process(folder=folder, certificates=certificates, popen=popen)
    assert popen.stderr is not None
    try:
        for line in popen.stderr:
            process.log.append(line)
            entry = json.loads(line)
            if entry["event"] == "ready":
                process.port, process.tls_port = entry["port"], entry["tls_port"]
                break
        reading = threading.Thread(target=_read, args=(process,), daemon=True)
        reading.start()
        yield process
    finally:
        popen.kill()
        popen.wait(PATIENCE)
        reading.join(PATIENCE)
        popen.stderr.close()


def _read(process: Process) -> None:
    """Take what the listener logs, so that no pipe fills up."""
    assert process.popen.stderr is not None
    with suppress(ValueError):
        process.log.extend(process.popen.stderr)
