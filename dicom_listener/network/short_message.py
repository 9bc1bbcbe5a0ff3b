"""The command sets of C-ECHO and C-FIND (PS3.7 sections 9.3.2 and 9.3.5), whose answers are short."""

from dataclasses import dataclass

from dicom_listener.network.command_set import (
    DATA_SET_TYPE,
    FIELD,
    MESSAGE_ID,
    NO_DATA_SET,
    RESPONDED_TO,
    SOP_CLASS,
    STATUS,
    command_pdu,
    elements_of,
    number,
    numbers_of,
    uid_of,
)

_FIND, _ECHO, _RESPONSE = 0x0020, 0x0030, 0x8000
_LENGTH, _PRIORITY = 0x0000, 0x0700
_OF_BOTH = frozenset({_LENGTH, SOP_CLASS, FIELD, MESSAGE_ID, DATA_SET_TYPE})
_EXPECTED = {
    _ECHO: (_OF_BOTH, _OF_BOTH | {_PRIORITY}),  # which some senders add
    _FIND: (_OF_BOTH | {_PRIORITY},),
}
_WITH_DATA_SET = 0x0001  # anything but NO_DATA_SET (PS3.7 Annex E.1)


@dataclass(frozen=True, slots=True, kw_only=True)
class ShortRequest:
    """A C-ECHO, or a C-FIND whose identifier is to follow."""

    context_id: int
    field: int
    message_id: int
    sop_class_uid: str

    @property
    def is_find(self) -> bool:
        """Whether an identifier follows."""
        return self.field == _FIND

    def answer(self, status: int, *, with_data_set: bool = False) -> bytes:
        """Return the P-DATA-TF of a response's command."""
        return command_pdu(
            self.context_id,
            {
                SOP_CLASS: self.sop_class_uid.encode("ascii"),
                FIELD: number(self.field | _RESPONSE),
                RESPONDED_TO: number(self.message_id),
                DATA_SET_TYPE: number(_WITH_DATA_SET if with_data_set else NO_DATA_SET),
                STATUS: number(status),
            },
        )


def read_short_request(context_id: int, command: bytes | memoryview) -> ShortRequest | None:
    """Return what `command` asks for; None where it is no C-ECHO or C-FIND of exactly what these have."""
    elements = elements_of(command) or {}
    numbers = numbers_of(elements, FIELD, MESSAGE_ID, DATA_SET_TYPE)
    if numbers is None or elements.keys() not in _EXPECTED.get(numbers[0], ()):
        return None
    field, message_id, data_set_type = numbers
    if (data_set_type == NO_DATA_SET) is (field == _FIND):
        return None
    return ShortRequest(
        context_id=context_id,
        field=field,
        message_id=message_id,
        sop_class_uid=uid_of(elements, SOP_CLASS),
    )
