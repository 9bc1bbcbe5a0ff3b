"""Peers that do as they please: PDUs written by hand (PS3.8 section 9.3), sent over real sockets."""

import socket
import struct
from contextlib import suppress

from dicom_listener.network.contexts import VERIFICATION
from tests.dicom_listener.instances import EXPLICIT_LE, MR_IMAGE

_APPLICATION_CONTEXT = b"1.2.840.10008.3.1.1.1"


def item(kind: int, content: bytes) -> bytes:
    return struct.pack(">BxH", kind, len(content)) + content


def pdu(kind: int, content: bytes, length: int | None = None) -> bytes:
    return struct.pack(">BxL", kind, len(content) if length is None else length) + content


def association_request(
    calling: bytes = b"MRI_1", called: bytes = b"IMAGING", classes: tuple[str, ...] = (MR_IMAGE, VERIFICATION)
) -> bytes:
    contexts = b"".join(
        item(
            0x20,
            bytes([2 * place + 1, 0, 0, 0]) + item(0x30, uid.encode()) + item(0x40, EXPLICIT_LE.encode()),
        )
        for place, uid in enumerate(classes)
    )
    user = item(0x51, struct.pack(">L", 16384)) + item(0x52, b"1.2.3.4")
    fixed = struct.pack(">HH16s16s32x", 1, 0, called.ljust(16), calling.ljust(16))
    return pdu(0x01, fixed + item(0x10, _APPLICATION_CONTEXT) + contexts + item(0x50, user))


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


def answer(connection: socket.socket) -> int | None:
    """Read one PDU and return its type; None where the connection ends."""
    with suppress(ConnectionError):
        head = connection.recv(6, socket.MSG_WAITALL)
        if len(head) == 6:
            kind, length = struct.unpack(">BxL", head)
            connection.recv(length, socket.MSG_WAITALL)
            return int(kind)
    return None


def ends(connection: socket.socket) -> bool:
    """Tell whether the listener closes the connection, whatever it says before."""
    with connection:
        while answer(connection) is not None:
            pass
    return True
