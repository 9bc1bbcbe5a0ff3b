"""A sender that replays prebuilt PDUs: it costs next to nothing itself, and never waits for Nagle.

``python -m benchmarks.ingest.replay PORT FOLDER`` says that it is ready, waits for a line, sends each file of
a folder, and exits with 1 unless every one is acknowledged with Success.
"""

import socket
import struct
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.ingest.receivers import CALLED_AE, CALLING_AE

_EXPLICIT = b"1.2.840.10008.1.2.1"
_APPLICATION_CONTEXT = b"1.2.840.10008.3.1.1.1"
_LARGEST = 128 * 1024


def _item(kind: int, content: bytes) -> bytes:
    return struct.pack(">BxH", kind, len(content)) + content


def association_request(sop_class: bytes) -> bytes:
    """Return an A-ASSOCIATE-RQ for one SOP class (PS3.8 section 9.3.2)."""
    context = _item(0x20, bytes([1, 0, 0, 0]) + _item(0x30, sop_class) + _item(0x40, _EXPLICIT))
    user = _item(0x50, _item(0x51, struct.pack(">L", _LARGEST)) + _item(0x52, b"1.2.3.4"))
    titles = struct.pack(">HH16s16s32x", 1, 0, CALLED_AE.encode().ljust(16), CALLING_AE.encode().ljust(16))
    content = titles + _item(0x10, _APPLICATION_CONTEXT) + context + user
    return struct.pack(">BxL", 1, len(content)) + content


def element(number: int, value: bytes) -> bytes:
    """Return an element of a command set."""
    padded = value + b"\0" * (len(value) % 2)
    return struct.pack("<HHL", 0, number, len(padded)) + padded


def store_request(sop_class: bytes, sop_instance: bytes, message: int) -> bytes:
    """Return the command set of a C-STORE request (PS3.7 section 9.3.1)."""
    short = struct.Struct("<H").pack
    written = b"".join(
        (
            element(0x0002, sop_class),
            element(0x0100, short(1)),
            element(0x0110, short(message)),
            element(0x0700, short(0)),
            element(0x0800, short(1)),
            element(0x1000, sop_instance),
        )
    )
    return element(0, struct.pack("<L", len(written))) + written


def fragments(content: memoryview, control: int, largest: int) -> Iterator[bytes | memoryview]:
    """Return P-DATA-TFs of one fragment each; `control` is 1 for a command, 0 for a data set."""
    room = largest - 6
    for start in range(0, len(content), room):
        part = content[start : start + room]
        is_last = 2 if start + room >= len(content) else 0
        yield struct.pack(">BxLLBB", 4, len(part) + 6, len(part) + 2, 1, control | is_last)
        yield part


def parts_of(path: Path) -> tuple[bytes, bytes, memoryview]:
    """Return SOP class, SOP instance and data set of a DICOM file (PS3.10 section 7.1)."""
    content = path.read_bytes()
    (length,) = struct.unpack_from("<L", content, 140)
    position, end, values = 144, 144 + length, {}
    while position < end:
        _, element, vr, size = struct.unpack_from("<HH2sH", content, position)
        position += 8
        if vr == b"OB":
            (size,) = struct.unpack_from("<L", content, position)
            position += 4
        values[element] = content[position : position + size].rstrip(b"\0")
        position += size
    return values[2], values[3], memoryview(content)[end:]


def answer(connection: socket.socket) -> bytes:
    """Read one PDU."""
    head = connection.recv(6, socket.MSG_WAITALL)
    (length,) = struct.unpack(">2xL", head)
    return head[:1] + connection.recv(length, socket.MSG_WAITALL)


def status_of(response: bytes) -> int:
    """Return the status of a response (PS3.7 Annex C)."""
    place = response.rindex(struct.pack("<HHL", 0, 0x0900, 2))
    return int.from_bytes(response[place + 8 : place + 10], "little")


def _largest(acceptance: bytes) -> int:
    place = acceptance.index(b"\x51\x00\x00\x04")
    (largest,) = struct.unpack_from(">L", acceptance, place + 4)
    return min(largest, _LARGEST) if largest else _LARGEST


@contextmanager
def associated(port: int, sop_class: bytes) -> Iterator[tuple[socket.socket, int]]:
    """Yield an association's connection and the longest PDU that the peer takes; release it afterwards."""
    with socket.create_connection(("127.0.0.1", port)) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection.sendall(association_request(sop_class))
        acceptance = answer(connection)
        if acceptance[0] != 2:
            sys.exit("The association was not accepted.")
        yield connection, _largest(acceptance)
        connection.sendall(struct.pack(">BxL4x", 5, 4))
        connection.recv(10)


def send_folder(port: int, folder: Path, *, waits: bool = False) -> None:
    """Send every file of `folder` over one association; where it `waits`, once a line is read."""
    files = [parts_of(path) for path in sorted(folder.iterdir())]
    if waits:
        print("ready", flush=True)
        sys.stdin.readline()
    with associated(port, files[0][0]) as (connection, largest):
        for number, (sop_class, sop_instance, data_set) in enumerate(files, 1):
            command = memoryview(store_request(sop_class, sop_instance, number % 65536))
            parts = [*fragments(command, 1, largest), *fragments(data_set, 0, largest)]
            _send_all(connection, parts)
            if status := status_of(answer(connection)):
                sys.exit(f"An instance was answered with 0x{status:04X}.")


def _send_all(connection: socket.socket, parts: list[bytes | memoryview]) -> None:
    views = [memoryview(part) for part in parts]
    while views:
        count = connection.sendmsg(views[:64])
        while views and count >= len(views[0]):
            count -= len(views.pop(0))
        if count:
            views[0] = views[0][count:]


if __name__ == "__main__":
    send_folder(int(sys.argv[1]), Path(sys.argv[2]), waits=True)
