"""The PDUs that end an association, or let none begin (PS3.8 sections 9.3.4 and 9.3.6 to 9.3.8)."""

import struct

HEAD = struct.Struct(">BxL")
"""Type and length of a PDU."""

ASSOCIATE_RQ, ASSOCIATE_AC, ASSOCIATE_RJ, DATA = 0x01, 0x02, 0x03, 0x04
RELEASE_RQ, RELEASE_RP, ABORT = 0x05, 0x06, 0x07
PDU_TYPES = range(ASSOCIATE_RQ, ABORT + 1)

_SHORT_LENGTH = 4  # of all of these

BY_USER, BY_PROVIDER = 0x00, 0x02
"""Who ends an association (PS3.8 Table 9-26)."""


def rejection(result: int, source: int, reason: int) -> bytes:
    """Return the A-ASSOCIATE-RJ that says why (PS3.8 Table 9-21)."""
    return HEAD.pack(ASSOCIATE_RJ, _SHORT_LENGTH) + bytes([0, result, source, reason])


def release_response() -> bytes:
    """Return the A-RELEASE-RP."""
    return HEAD.pack(RELEASE_RP, _SHORT_LENGTH) + bytes(_SHORT_LENGTH)


def abort(source: int) -> bytes:
    """Return the A-ABORT of `source`, without a reason."""
    return HEAD.pack(ABORT, _SHORT_LENGTH) + bytes([0, 0, source, 0])


def is_short(length: int) -> bool:
    """Tell whether one of these may be so long."""
    return length == _SHORT_LENGTH
