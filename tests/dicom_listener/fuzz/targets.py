"""What is fuzzed: each target takes any bytes, and raises only what it promises to raise."""

import struct
from collections.abc import Callable, Iterator
from contextlib import suppress
from types import SimpleNamespace
from typing import Any, cast

from dicom_listener.archive.header import read_header
from dicom_listener.archive.syntaxes import TRANSFER_SYNTAXES
from dicom_listener.errors import DataSetError
from dicom_listener.network.handshake import Offer
from dicom_listener.network.limits import Limits
from dicom_listener.network.pdus import HEAD
from dicom_listener.network.provider import INVALID, Provider
from dicom_listener.network.requests import InvalidRequestError, well_formed
from dicom_listener.network.store_message import read_request
from dicom_listener.network.transport import PeerGoneError
from tests.dicom_listener.instances import (
    DEFLATED,
    EXPLICIT_BE,
    EXPLICIT_LE,
    IMPLICIT_LE,
    MR_IMAGE,
    encoded,
    mr_instance,
)
from tests.dicom_listener.peers import RELEASE, association_request, fragment, pdu, store_command

SYNTAXES = sorted(TRANSFER_SYNTAXES)
_INFLATED = 2**20
_OFFER = Offer({MR_IMAGE: (EXPLICIT_LE,)}, longest=16384)


class _Bytes:
    """A peer that says what it says and goes."""

    def __init__(self, content: bytes) -> None:
        self.rest = memoryview(content)

    def receive(self, into: memoryview, _deadline: float) -> None:
        if len(self.rest) < len(into):
            raise PeerGoneError
        into[:] = self.rest[: len(into)]
        self.rest = self.rest[len(into) :]


class PduReader:
    """The upper layer, fed with any bytes instead of a connection."""

    def __init__(self) -> None:
        association: Any = SimpleNamespace(notice=lambda: None, get_handlers=lambda _: [])
        self.provider = Provider(
            association, Limits(pdu=16384, data_set=2**20, request_seconds=1, idle_seconds=1)
        )

    def __call__(self, content: bytes) -> None:
        """Read PDU after PDU until the bytes end, or one of them cannot be."""
        self.provider.socket = cast("Any", SimpleNamespace(connection=_Bytes(content)))
        with suppress(PeerGoneError):
            while True:
                event = self.provider._event_of(0.0)  # noqa: SLF001 - what is fuzzed
                if event == INVALID:
                    break
                assert event in {"Evt3", "Evt4", "Evt6", "Evt10", "Evt12", "Evt13", "Evt16"}
        while not self.provider._recv_pdu.empty():  # noqa: SLF001 - as above
            self.provider._recv_pdu.get()  # noqa: SLF001 - as above


def structural_scan(content: bytes) -> None:
    """Read the header of a data set; the first byte chooses its transfer syntax."""
    if content:
        syntax = SYNTAXES[content[0] % len(SYNTAXES)]
        with suppress(DataSetError):
            header = read_header(content[1:], syntax, maximum_inflated=_INFLATED)
            assert header.sop_instance_uid


def request_reader(content: bytes) -> None:
    """Read an association request twice: what was found well formed stays as it is."""
    with suppress(InvalidRequestError):
        once = well_formed(content)
        assert well_formed(bytes(once)) == once


def handshake(content: bytes) -> None:
    """Answer an association request by hand, or leave it to the library."""
    agreement = _OFFER.agreement(content)
    if agreement is not None:
        assert agreement.contexts.keys() <= {each.context_id for each in agreement.request.proposals}
        assert len(agreement.acceptance) == HEAD.size + HEAD.unpack_from(agreement.acceptance)[1]


def command_reader(content: bytes) -> None:
    """Read a command set."""
    request = read_request(1, content)
    assert request is None or 0 <= request.message_id < 0x10000


TARGETS: dict[str, Callable[[], Callable[[bytes], None]]] = {
    "scan": lambda: structural_scan,
    "pdu": PduReader,
    "request": lambda: request_reader,
    "handshake": lambda: handshake,
    "command": lambda: command_reader,
}


def seeds(target: str) -> Iterator[bytes]:
    """Yield valid inputs, from which a fuzzer sets out."""
    if target == "scan":
        for syntax in (EXPLICIT_LE, IMPLICIT_LE, EXPLICIT_BE, DEFLATED):
            yield bytes([SYNTAXES.index(syntax)]) + encoded(mr_instance(SOPInstanceUID="1.2.3"), syntax)
    elif target == "pdu":
        command = fragment(store_command("1.2.3"), is_command=True)
        yield association_request() + command + fragment(bytes(40)) + RELEASE
        yield pdu(0x07, bytes(4))
        yield pdu(0x04, struct.pack(">LBB", 4, 1, 0) + b"ab" + struct.pack(">LBB", 2, 1, 2))
    elif target in {"request", "handshake"}:
        yield association_request()
    else:
        yield store_command("1.2.3")
