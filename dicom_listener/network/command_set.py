"""Command sets read and written by hand (PS3.7 section 6.3 and Annex E), one P-DATA-TF each."""

import struct
from collections.abc import Mapping

_HEAD = struct.Struct("<HHL")
_SHORT = struct.Struct("<H")
_FRAGMENT = struct.Struct(">BxLLBB")
_DATA, _LAST_DATA, _LAST_COMMAND = 0x04, 0x02, 0x03

SOP_CLASS, FIELD, MESSAGE_ID, RESPONDED_TO = 0x0002, 0x0100, 0x0110, 0x0120
DATA_SET_TYPE, STATUS, COMMENT, SOP_INSTANCE = 0x0800, 0x0900, 0x0902, 0x1000
NO_DATA_SET = 0x0101
FRAMING = 12
"""Bytes of a P-DATA-TF of one fragment beside the fragment's content."""


def elements_of(command: bytes | memoryview) -> dict[int, bytes] | None:
    """Return the elements of a command set by number; None where it is not plainly one."""
    elements: dict[int, bytes] = {}
    position = 0
    while position < len(command):
        if position + _HEAD.size > len(command):
            return None
        group, element, length = _HEAD.unpack_from(command, position)
        position += _HEAD.size
        if group or length > len(command) - position or element in elements:
            return None
        elements[element] = bytes(command[position : position + length])
        position += length
    return elements


def numbers_of(elements: Mapping[int, bytes], *wanted: int) -> tuple[int, ...] | None:
    """Return the numbers of two bytes that these elements hold; None where one is none."""
    if any(len(elements.get(element, b"")) != 2 for element in wanted):
        return None
    return tuple(_SHORT.unpack(elements[element])[0] for element in wanted)


def uid_of(elements: Mapping[int, bytes], element: int) -> str:
    """Return the UID that an element holds; empty where it holds none."""
    return elements.get(element, b"").removesuffix(b"\0").decode("latin-1")


def number(value: int) -> bytes:
    """Return a number as an element holds it."""
    return _SHORT.pack(value)


def command_pdu(context_id: int, elements: Mapping[int, bytes]) -> bytes:
    """Return the P-DATA-TF that carries a command set of these elements, by number."""
    written = b"".join(_element(element, elements[element]) for element in sorted(elements))
    command = _element(0x0000, struct.pack("<L", len(written))) + written
    return _pdu(context_id, command, _LAST_COMMAND)


def data_set_pdu(context_id: int, data_set: bytes) -> bytes:
    """Return the P-DATA-TF that carries a whole data set."""
    return _pdu(context_id, data_set, _LAST_DATA)


def whole_fragment(pdu: bytes | bytearray, control: int) -> tuple[int, memoryview] | None:
    """Return context and content of the one fragment that a P-DATA-TF holds; None where it is another."""
    if len(pdu) < FRAMING:
        return None
    kind, _, size, context_id, found = _FRAGMENT.unpack_from(pdu)
    if kind != _DATA or found & 3 != control or size + 10 != len(pdu):
        return None
    return context_id, memoryview(pdu)[FRAMING:]


def _pdu(context_id: int, content: bytes, control: int) -> bytes:
    return _FRAGMENT.pack(_DATA, len(content) + 6, len(content) + 2, context_id, control) + content


def _element(element: int, value: bytes) -> bytes:
    padding = (b" " if element == COMMENT else b"\0") * (len(value) % 2)
    return _HEAD.pack(0, element, len(value) + len(padding)) + value + padding
