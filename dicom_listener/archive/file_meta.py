"""File meta information (PS3.10 section 7.1): what stands before the data set in a kept file.

It is written by hand and by us, so that the data set after it stays byte for byte as received. It also
holds where the instance came from, so that the index can be made again from the files alone.
"""

import json
import struct
from dataclasses import dataclass
from datetime import UTC, datetime

from dicom_listener.archive.provenance import Provenance
from dicom_listener.errors import MalformedDataSetError, Reason

IMPLEMENTATION_CLASS_UID = "2.25.296485376278174215339215472134178906781"
"""Derived from a UUID (PS3.5 B.2)."""
IMPLEMENTATION_VERSION_NAME = "IMAGING_0_1"

_PREAMBLE = bytes(128) + b"DICM"
_LONG_VRS = frozenset({b"OB", b"UN"})
_MAXIMUM_LENGTH = 4096

_GROUP_LENGTH = 0x0000
_VERSION = 0x0001
_SOP_CLASS = 0x0002
_SOP_INSTANCE = 0x0003
_TRANSFER_SYNTAX = 0x0010
_IMPLEMENTATION_CLASS = 0x0012
_IMPLEMENTATION_VERSION = 0x0013
_SENDING_AE = 0x0017
_RECEIVING_AE = 0x0018
_PRIVATE_CREATOR = 0x0100
_PRIVATE_INFORMATION = 0x0102

_TEXTS = (_SOP_CLASS, _SOP_INSTANCE, _TRANSFER_SYNTAX, _SENDING_AE, _RECEIVING_AE, _PRIVATE_INFORMATION)


@dataclass(frozen=True, slots=True, kw_only=True)
class FileMeta:
    """What a kept file says of itself before its data set."""

    sop_class_uid: str
    sop_instance_uid: str
    transfer_syntax_uid: str
    provenance: Provenance

    def encode(self) -> bytes:
        """Return preamble, prefix and file meta information, explicit VR little endian."""
        origin = {
            "peer_address": self.provenance.peer_address,
            "received_at": self.provenance.received_at.astimezone(UTC).isoformat(),
            "site_id": self.provenance.site_id,
        }
        if self.provenance.original_digest:
            origin["original_digest"] = self.provenance.original_digest
        elements = b"".join(
            (
                _element(_VERSION, b"OB", b"\0\1"),
                _uid(_SOP_CLASS, self.sop_class_uid),
                _uid(_SOP_INSTANCE, self.sop_instance_uid),
                _uid(_TRANSFER_SYNTAX, self.transfer_syntax_uid),
                _uid(_IMPLEMENTATION_CLASS, IMPLEMENTATION_CLASS_UID),
                _text(_IMPLEMENTATION_VERSION, b"SH", IMPLEMENTATION_VERSION_NAME),
                _text(_SENDING_AE, b"AE", self.provenance.calling_ae),
                _text(_RECEIVING_AE, b"AE", self.provenance.called_ae),
                _uid(_PRIVATE_CREATOR, IMPLEMENTATION_CLASS_UID),
                _text(_PRIVATE_INFORMATION, b"OB", json.dumps(origin, separators=(",", ":"))),
            )
        )
        return _PREAMBLE + _element(_GROUP_LENGTH, b"UL", struct.pack("<L", len(elements))) + elements


def split(content: bytes) -> tuple[FileMeta, int]:
    """Read the file meta information of a kept file.

    Parameters
    ----------
    content
        The file, or as much of its beginning as holds its file meta information.

    Returns
    -------
    tuple[FileMeta, int]
        What it says, and the offset of the data set.

    Raises
    ------
    MalformedDataSetError
        When the file does not begin as `FileMeta.encode` writes it.
    """
    try:
        return _split(content)
    except (struct.error, KeyError, ValueError) as error:
        raise MalformedDataSetError(
            Reason.STRUCTURE, "The file does not begin with file meta information of this archive."
        ) from error


def _split(content: bytes) -> tuple[FileMeta, int]:
    position = len(_PREAMBLE)
    if content[:position] != _PREAMBLE:
        raise ValueError(position)
    values: dict[int, bytes] = {}
    end = position + 12
    while position < end:
        group, element, vr, length = struct.unpack_from("<HH2sH", content, position)
        position += 8
        if vr in _LONG_VRS:
            (length,) = struct.unpack_from("<L", content, position)
            position += 4
        if group != 2 or length > _MAXIMUM_LENGTH or position + length > len(content):
            raise ValueError(element)
        values[element] = content[position : position + length]
        position += length
        if element == _GROUP_LENGTH:
            end = position + struct.unpack("<L", values[element])[0]
    return _from_values(values), end


def _from_values(values: dict[int, bytes]) -> FileMeta:
    text = {element: values[element].rstrip(b" \0").decode("utf-8") for element in _TEXTS}
    origin = json.loads(text[_PRIVATE_INFORMATION])
    return FileMeta(
        sop_class_uid=text[_SOP_CLASS],
        sop_instance_uid=text[_SOP_INSTANCE],
        transfer_syntax_uid=text[_TRANSFER_SYNTAX],
        provenance=Provenance(
            calling_ae=text[_SENDING_AE],
            called_ae=text[_RECEIVING_AE],
            peer_address=origin["peer_address"],
            site_id=origin["site_id"],
            original_digest=origin.get("original_digest", ""),
            received_at=datetime.fromisoformat(origin["received_at"]),
        ),
    )


def _element(element: int, vr: bytes, value: bytes) -> bytes:
    if vr in _LONG_VRS:
        return struct.pack("<HH2sHL", 2, element, vr, 0, len(value)) + value
    return struct.pack("<HH2sH", 2, element, vr, len(value)) + value


def _uid(element: int, uid: str) -> bytes:
    return _element(element, b"UI", _padded(uid.encode("ascii"), b"\0"))


def _text(element: int, vr: bytes, text: str) -> bytes:
    return _element(element, vr, _padded(text.encode("utf-8"), b" "))


def _padded(value: bytes, padding: bytes) -> bytes:
    return value + padding if len(value) % 2 else value
