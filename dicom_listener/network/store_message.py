"""C-STORE's command sets (PS3.7 section 9.3.1)."""

from dataclasses import dataclass

from dicom_listener.network.command_set import (
    COMMENT,
    DATA_SET_TYPE,
    FIELD,
    MESSAGE_ID,
    NO_DATA_SET,
    RESPONDED_TO,
    SOP_CLASS,
    SOP_INSTANCE,
    STATUS,
    command_pdu,
    elements_of,
    number,
    numbers_of,
    uid_of,
)

_REQUEST, _RESPONSE = 0x0001, 0x8001


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreRequest:
    """What a C-STORE request announces."""

    context_id: int
    message_id: int
    sop_class_uid: str
    sop_instance_uid: str


def read_request(context_id: int, command: bytes | memoryview) -> StoreRequest | None:
    """Return what `command` announces; None where it is no plain C-STORE request with a data set."""
    elements = elements_of(command) or {}
    numbers = numbers_of(elements, FIELD, MESSAGE_ID, DATA_SET_TYPE)
    if numbers is None or numbers[0] != _REQUEST or numbers[2] == NO_DATA_SET:
        return None
    return StoreRequest(
        context_id=context_id,
        message_id=numbers[1],
        sop_class_uid=uid_of(elements, SOP_CLASS),
        sop_instance_uid=uid_of(elements, SOP_INSTANCE),
    )


def write_response(request: StoreRequest, status: int, comment: str) -> bytes:
    """Return the P-DATA-TF that answers `request`."""
    elements = {
        SOP_CLASS: request.sop_class_uid.encode("ascii"),
        FIELD: number(_RESPONSE),
        RESPONDED_TO: number(request.message_id),
        DATA_SET_TYPE: number(NO_DATA_SET),
        STATUS: number(status),
        SOP_INSTANCE: request.sop_instance_uid.encode("ascii"),
    }
    if comment:
        elements[COMMENT] = comment.encode("ascii", "replace")
    return command_pdu(request.context_id, elements)
