"""Association requests as the library decodes them: a sender repeats its own word for word."""

from functools import lru_cache
from typing import Any

from pynetdicom.pdu import A_ASSOCIATE_RQ

from dicom_listener.network.requests import well_formed

_REMEMBERED = 16
_LONGEST = 16 * 1024  # what is remembered takes some twenty times as much


def decoded_request(content: bytes) -> A_ASSOCIATE_RQ:
    """Return the A-ASSOCIATE-RQ in `content`, which nobody may change.

    Raises
    ------
    InvalidRequestError
        When it cannot be one; the library raises other errors for values that cannot be.
    """
    return _remembered(content) if len(content) <= _LONGEST else _decoded(content)


def _decoded(content: bytes) -> A_ASSOCIATE_RQ:
    pdu: Any = A_ASSOCIATE_RQ()
    pdu.decode(bytes(well_formed(content)))
    if pdu.protocol_version == 1:  # of others the library notes its refusal in the primitive
        primitive = pdu.to_primitive()
        pdu.to_primitive = lambda: primitive
    return pdu  # type: ignore[no-any-return]


_remembered = lru_cache(maxsize=_REMEMBERED)(_decoded)
