"""What a peer is told for each outcome (PS3.4 Tables B.2-1, C.4-1 to C.4-3, PS3.8 Table 9-21)."""

from enum import IntEnum
from types import MappingProxyType

from pydicom import Dataset

from dicom_listener.archive.records import Outcome

C_STORE_STATUS = MappingProxyType(
    {
        Outcome.STORED: 0x0000,
        Outcome.ALREADY_STORED: 0x0000,
        Outcome.CONFLICT_KEPT: 0x0000,  # it is kept, beside the first: nothing for the sender to repeat
        Outcome.REFUSED_UID_CONFLICT: 0xC001,
        Outcome.REFUSED_MISMATCH: 0xA900,
        Outcome.REFUSED_NOT_UNDERSTOOD: 0xC000,
        Outcome.REFUSED_OUT_OF_RESOURCES: 0xA700,
        Outcome.HELD: 0x0000,  # it is kept, and a person will look at it
    }
)

ASSOCIATION_REJECTION = MappingProxyType(
    {
        # result, source, reason: rejected permanently by the service user
        Outcome.REFUSED_CALLING_AE: (0x01, 0x01, 0x03),  # calling AE title not recognised
        Outcome.REFUSED_CALLED_AE: (0x01, 0x01, 0x07),  # called AE title not recognised
        Outcome.REFUSED_NETWORK: (0x01, 0x01, 0x03),
        Outcome.REFUSED_CERTIFICATE: (0x01, 0x01, 0x03),
        # rejected for the moment by the service provider: temporary congestion
        Outcome.REFUSED_OUT_OF_RESOURCES: (0x02, 0x03, 0x01),
    }
)

_MAXIMUM_COMMENT = 64  # ErrorComment is LO (PS3.7 Annex C.4)


class QueryStatus(IntEnum):
    """Statuses of C-FIND (PS3.4 Table C.4-1)."""

    SUCCESS = 0x0000
    NOT_AUTHORISED = 0x0124  # PS3.7 Annex C.5.21
    OUT_OF_RESOURCES = 0xA700
    IDENTIFIER_MISMATCH = 0xA900
    UNABLE_TO_PROCESS = 0xC000
    CANCELLED = 0xFE00
    PENDING = 0xFF00
    PENDING_WITH_WARNING = 0xFF01  # a key is not supported


class RetrieveStatus(IntEnum):
    """Statuses of C-GET and C-MOVE (PS3.4 Tables C.4-2 and C.4-3)."""

    SUCCESS = 0x0000
    NOT_AUTHORISED = 0x0124  # PS3.7 Annex C.5.21
    TOO_MANY_MATCHES = 0xA701
    UNABLE_TO_PERFORM = 0xA702
    DESTINATION_UNKNOWN = 0xA801
    IDENTIFIER_MISMATCH = 0xA900
    SOME_FAILED = 0xB000
    UNABLE_TO_PROCESS = 0xC000
    CANCELLED = 0xFE00
    PENDING = 0xFF00


class CommitmentStatus(IntEnum):
    """Statuses of a storage commitment N-ACTION (PS3.7 10.1.4.1.10)."""

    SUCCESS = 0x0000
    PROCESSING_FAILURE = 0x0110
    NO_SUCH_INSTANCE = 0x0112
    INVALID_ARGUMENT = 0x0115
    NO_SUCH_ACTION = 0x0123
    RESOURCE_LIMITATION = 0x0213


class FailureReason(IntEnum):
    """Why an instance is not committed (PS3.3 C.14.1.1)."""

    PROCESSING_FAILURE = 0x0110
    NO_SUCH_OBJECT = 0x0112
    CLASS_INSTANCE_CONFLICT = 0x0119


def failure(status: int, comment: str = "") -> Dataset:
    """Return a status with a sentence for the peer, which names no patient."""
    answer = Dataset()
    answer.Status = int(status)
    if comment:
        answer.ErrorComment = comment[:_MAXIMUM_COMMENT]
    return answer
