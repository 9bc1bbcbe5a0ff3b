"""Peers that do as they please: PDUs written by hand (PS3.8 section 9.3), sent over real sockets."""

import socket
import ssl
import struct
from contextlib import suppress

from dicom_listener.network.contexts import VERIFICATION
from tests.dicom_listener.instances import EXPLICIT_LE, MR_IMAGE

_APPLICATION_CONTEXT = b"1.2.840.10008.3.1.1.1"

ACCEPTED, REJECTED, DATA, RELEASED, ABORT = 0x02, 0x03, 0x04, 0x06, 0x07
"""Types of PDUs (PS3.8 section 9.3)."""


def item(kind: int, content: bytes) -> bytes:
    return struct.pack(">BxH", kind, len(content)) + content


def pdu(kind: int, content: bytes, length: int | None = None) -> bytes:
    return struct.pack(">BxL", kind, len(content) if length is None else length) + content


def proposed(number: int, abstract: bytes, *transfer: bytes) -> bytes:
    """Return the item of a presentation context (PS3.8 9.3.2.2)."""
    syntaxes = b"".join(item(0x40, uid) for uid in transfer)
    return item(0x20, bytes([number, 0, 0, 0]) + item(0x30, abstract) + syntaxes)


def request_of(
    *items: bytes, calling: bytes = b"MRI_1", called: bytes = b"IMAGING", version: int = 1
) -> bytes:
    """Return an A-ASSOCIATE-RQ of any items (PS3.8 9.3.2)."""
    fixed = struct.pack(">HH16s16s32x", version, 0, called.ljust(16), calling.ljust(16))
    return pdu(0x01, fixed + b"".join(items))


def user_information(*items: bytes, longest: bytes = struct.pack(">L", 16384)) -> bytes:
    """Return the user information of a request, `items` after what every request has (PS3.8 9.3.2.3)."""
    return item(0x50, item(0x51, longest) + item(0x52, b"1.2.3.4") + b"".join(items))


APPLICATION = item(0x10, _APPLICATION_CONTEXT)


def association_request(
    calling: bytes = b"MRI_1",
    called: bytes = b"IMAGING",
    classes: tuple[str, ...] = (MR_IMAGE, VERIFICATION),
    syntax: str = EXPLICIT_LE,
) -> bytes:
    contexts = (proposed(2 * place + 1, uid.encode(), syntax.encode()) for place, uid in enumerate(classes))
    return request_of(APPLICATION, *contexts, user_information(), calling=calling, called=called)


RELEASE = pdu(0x05, bytes(4))


def fragment(content: bytes, *, context: int = 1, is_command: bool = False, is_last: bool = True) -> bytes:
    """Return one presentation data value in a P-DATA-TF of its own."""
    head = struct.pack(">LBB", len(content) + 2, context, is_command | is_last << 1)
    return pdu(0x04, head + content)


def store_command(sop_instance_uid: str, message_id: int = 1, **values: bytes) -> bytes:
    """Return the command set of a C-STORE request (PS3.7 Table 9.3-1)."""
    elements = {
        0x0002: MR_IMAGE.encode(),
        0x0100: struct.pack("<H", 0x0001),
        0x0110: struct.pack("<H", message_id),
        0x0700: struct.pack("<H", 0),
        0x0800: struct.pack("<H", 0),
        0x1000: sop_instance_uid.encode(),
    } | {int(name[1:], 16): value for name, value in values.items()}
    written = b"".join(
        struct.pack("<HHL", 0, element, len(value) + len(value) % 2) + value + b"\0" * (len(value) % 2)
        for element, value in sorted(elements.items())
    )
    return struct.pack("<HHLL", 0, 0, 4, len(written)) + written


def connected(port: int, *, associated: bool = False) -> socket.socket:
    """Return a connection, with an association on it if asked for."""
    connection = socket.create_connection(("127.0.0.1", port), timeout=30)
    if associated:
        connection.sendall(association_request())
        kind = answer(connection)
        if kind != 0x02:
            connection.close()
        assert kind == 0x02
    return connection


def said(connection: socket.socket) -> tuple[int, bytes] | None:
    """Read one PDU and return its type and content; None where the connection ends."""
    with suppress(ConnectionError, ssl.SSLError):
        kind, length = struct.unpack(">BxL", _exactly(connection, 6))
        return kind, _exactly(connection, length)
    return None


def _exactly(connection: socket.socket, length: int) -> bytes:
    content = b""
    while len(content) < length:
        part = connection.recv(length - len(content))
        if not part:
            raise ConnectionResetError
        content += part
    return content


def answer(connection: socket.socket) -> int | None:
    """Read one PDU and return its type; None where the connection ends."""
    found = said(connection)
    return None if found is None else found[0]


def status_of(found: tuple[int, bytes] | None) -> int | None:
    """Return the status (0000,0900) of the response in a P-DATA-TF; None where it is something else."""
    if found is None or found[0] != DATA:
        return None
    place = found[1].find(struct.pack("<HHL", 0, 0x0900, 2))
    return None if place < 0 else int.from_bytes(found[1][place + 8 : place + 10], "little")


def ends(connection: socket.socket) -> bool:
    """Tell whether the listener closes the connection, whatever it says before."""
    with connection:
        while answer(connection) is not None:
            pass
    return True
