"""C-STORE's command sets, read and written by hand (PS3.7 sections 6.3 and 9.3.1, Annex E)."""

import struct
from dataclasses import dataclass

_HEAD = struct.Struct("<HHL")
_SHORT = struct.Struct("<H")
_FRAGMENT = struct.Struct(">BxLLBB")

_C_STORE_REQUEST, _C_STORE_RESPONSE = 0x0001, 0x8001
_NO_DATA_SET = 0x0101
_SOP_CLASS, _FIELD, _MESSAGE_ID, _RESPONDED_TO = 0x0002, 0x0100, 0x0110, 0x0120
_DATA_SET_TYPE, _STATUS, _COMMENT, _SOP_INSTANCE = 0x0800, 0x0900, 0x0902, 0x1000
_DATA, _LAST_COMMAND = 0x04, 0x03


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreRequest:
    """What a C-STORE request announces."""

    context_id: int
    message_id: int
    sop_class_uid: str
    sop_instance_uid: str


def read_request(context_id: int, command: bytes | memoryview) -> StoreRequest | None:
    """Return what `command` announces; None where it is no plain C-STORE request with a data set."""
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
    if any(len(elements.get(element, b"")) != 2 for element in (_FIELD, _MESSAGE_ID, _DATA_SET_TYPE)):
        return None
    field, message_id, data_set_type = (
        _SHORT.unpack(elements[element])[0] for element in (_FIELD, _MESSAGE_ID, _DATA_SET_TYPE)
    )
    if field != _C_STORE_REQUEST or data_set_type == _NO_DATA_SET:
        return None
    return StoreRequest(
        context_id=context_id,
        message_id=message_id,
        sop_class_uid=_uid(elements.get(_SOP_CLASS, b"")),
        sop_instance_uid=_uid(elements.get(_SOP_INSTANCE, b"")),
    )


def write_response(request: StoreRequest, status: int, comment: str) -> bytes:
    """Return the P-DATA-TF that answers `request`."""
    elements = {
        _SOP_CLASS: request.sop_class_uid.encode("ascii"),
        _FIELD: _SHORT.pack(_C_STORE_RESPONSE),
        _RESPONDED_TO: _SHORT.pack(request.message_id),
        _DATA_SET_TYPE: _SHORT.pack(_NO_DATA_SET),
        _STATUS: _SHORT.pack(status),
        _SOP_INSTANCE: request.sop_instance_uid.encode("ascii"),
    }
    if comment:
        elements[_COMMENT] = comment.encode("ascii", "replace")
    written = b"".join(_element(element, elements[element]) for element in sorted(elements))
    command = _element(0x0000, struct.pack("<L", len(written))) + written
    return (
        _FRAGMENT.pack(_DATA, len(command) + 6, len(command) + 2, request.context_id, _LAST_COMMAND) + command
    )


def _element(element: int, value: bytes) -> bytes:
    padding = (b" " if element == _COMMENT else b"\0") * (len(value) % 2)
    return _HEAD.pack(0, element, len(value) + len(padding)) + value + padding


def _uid(value: bytes) -> str:
    return value.removesuffix(b"\0").decode("latin-1")
