"""C-ECHO and C-FIND answered without the library, beside the library itself."""

import struct
from collections.abc import Mapping
from io import BytesIO
from typing import Any

import pytest
from pydicom import Dataset
from pynetdicom.dimse_messages import C_ECHO_RQ, C_ECHO_RSP, C_FIND_RQ, C_FIND_RSP
from pynetdicom.dimse_primitives import C_ECHO, C_FIND
from pynetdicom.dsutils import decode, encode

from dicom_listener.archive.archive import Archive
from dicom_listener.archive.senders import Retrieval
from dicom_listener.network.command_set import whole_fragment
from dicom_listener.network.contexts import VERIFICATION
from dicom_listener.network.find import _encoded, _identifier
from dicom_listener.network.identifiers import STUDY_ROOT, plain_values, values_of
from dicom_listener.network.server import Listener
from dicom_listener.network.short_message import ShortRequest, read_short_request
from tests.dicom_listener.network_services.conftest import keep, register
from tests.dicom_listener.peers import (
    DATA,
    RELEASE,
    RELEASED,
    association_request,
    connected,
    fragment,
    said,
    status_of,
)

FIND = STUDY_ROOT + "1"
ECHO_REQUEST = ShortRequest(context_id=1, field=0x30, message_id=7, sop_class_uid=VERIFICATION)
FIND_REQUEST = ShortRequest(context_id=1, field=0x20, message_id=7, sop_class_uid=FIND)


def commanded(message: Any, primitive: Any) -> bytes:
    """Return a command set as the library writes it."""
    message.primitive_to_message(primitive)
    written = encode(message.command_set, True, True)  # noqa: FBT003 - implicit, little endian
    assert written is not None
    return written


def echo() -> bytes:
    primitive = C_ECHO()
    primitive.MessageID, primitive.AffectedSOPClassUID = 7, VERIFICATION
    return commanded(C_ECHO_RQ(), primitive)


def find(message_id: int = 7) -> bytes:
    primitive = C_FIND()
    primitive.MessageID, primitive.AffectedSOPClassUID = message_id, FIND
    primitive.Priority, primitive.Identifier = 2, BytesIO(b"x")
    return commanded(C_FIND_RQ(), primitive)


def element(number: int, value: bytes) -> bytes:
    return struct.pack("<HHL", 0, number, len(value)) + value


def identifier(*, is_implicit: bool = False, **values: str) -> bytes:
    asked = Dataset()
    for keyword, value in ({"QueryRetrieveLevel": "STUDY"} | values).items():
        setattr(asked, keyword, value)
    written = encode(asked, is_implicit, True)  # noqa: FBT003 - little endian
    assert written is not None
    return written


@pytest.mark.parametrize(("command", "request_"), [(echo(), ECHO_REQUEST), (find(), FIND_REQUEST)])
def test_a_request_that_the_library_writes_is_read(command: bytes, request_: ShortRequest) -> None:
    assert read_short_request(1, command) == request_


@pytest.mark.parametrize(
    "command",
    [
        b"",
        echo()[:-1],
        echo() + element(0x1000, b"1.23"),
        find().replace(element(0x0700, b"\x02\0"), b""),
        find().replace(element(0x0800, b"\x01\0"), element(0x0800, b"\x01\x01")),
        echo().replace(element(0x0100, b"\x30\0"), element(0x0100, b"\x21\0")),
    ],
    ids=["nothing", "cut", "an instance", "no priority", "no identifier", "a C-MOVE"],
)
def test_what_is_out_of_the_ordinary_is_left_to_the_library(command: bytes) -> None:
    assert read_short_request(1, command) is None


@pytest.mark.parametrize(
    ("request_", "response", "with_data_set"),
    [(ECHO_REQUEST, C_ECHO_RSP, False), (FIND_REQUEST, C_FIND_RSP, True), (FIND_REQUEST, C_FIND_RSP, False)],
)
def test_an_answer_is_one_that_the_library_reads(
    request_: ShortRequest, response: type[Any], *, with_data_set: bool
) -> None:
    found = whole_fragment(request_.answer(0xFF00, with_data_set=with_data_set), 3)
    assert found is not None
    context_id, command = found
    told = decode(BytesIO(bytes(command)), True, True)  # noqa: FBT003 - implicit, little endian
    assert context_id == 1
    assert told.CommandGroupLength == len(command) - 12
    assert (told.CommandField, told.MessageIDBeingRespondedTo) == (request_.field | 0x8000, 7)
    assert (told.AffectedSOPClassUID, told.Status) == (request_.sop_class_uid, 0xFF00)
    assert (told.CommandDataSetType != 0x0101) is with_data_set
    assert {each.keyword for each in told} <= {each.keyword for each in response().command_set}


@pytest.mark.parametrize("is_explicit", [True, False])
@pytest.mark.parametrize(
    "texts",
    [
        {
            "QueryRetrieveLevel": "STUDY",
            "StudyInstanceUID": "1.2.3",
            "PatientID": "",
            "StudyDate": "20260301",
        },
        {"QueryRetrieveLevel": "IMAGE", "Rows": "512", "Columns": "", "NumberOfFrames": "3"},
        {"PatientName": "Müller^Öz", "SpecificCharacterSet": "ISO_IR 192", "ModalitiesInStudy": "MR\\SEG"},
    ],
)
def test_an_identifier_is_written_as_the_library_writes_it(
    texts: Mapping[str, str], *, is_explicit: bool
) -> None:
    by_library = encode(_identifier(texts), not is_explicit, True)  # noqa: FBT003 - little endian
    assert _encoded(texts, is_explicit=is_explicit) == by_library


@pytest.mark.parametrize("is_implicit", [True, False])
def test_an_identifier_is_read_as_the_library_reads_it(*, is_implicit: bool) -> None:
    written = identifier(is_implicit=is_implicit, PatientID="P*", StudyDate="20260101-", PatientName="Doe^J")
    read = plain_values(memoryview(written), is_explicit=not is_implicit)
    assert read == values_of(decode(BytesIO(written), is_implicit, True))  # noqa: FBT003 - little endian


@pytest.mark.parametrize(
    "content",
    [
        struct.pack("<HH2sH", 0x0010, 0x0020, b"LO", 6) + b"P-1 ",
        struct.pack("<HH2sH", 0x0010, 0x0020, b"LO", 0) * 2,
        struct.pack("<HH2sH", 0x0008, 0x1110, b"SQ", 0) + bytes(4),
        struct.pack("<HH2sH", 0x0000, 0x0002, b"UI", 0),
        struct.pack("<HH2s", 0x0010, 0x0020, b"LO"),
    ],
    ids=["too long", "twice", "a sequence", "a command's", "cut"],
)
def test_an_identifier_that_is_not_plain_is_left_to_a_reader(content: bytes) -> None:
    assert plain_values(memoryview(content), is_explicit=True) is None


def statuses(connection: Any, count: int) -> list[int | None]:
    """Return the statuses of the next responses, data sets passed over."""
    found: list[int | None] = []
    while len(found) < count:
        told = said(connection)
        assert told is not None
        assert told[0] == DATA, told
        if told[1][5] & 1:
            found.append(status_of(told))
    return found


@pytest.fixture
def searchable(listener: Listener, local_archive: Archive) -> Listener:
    register(local_archive, "FINDER", Retrieval.ARCHIVE)
    for number in range(3):
        keep(local_archive, StudyInstanceUID=f"1.2.{number}", SeriesInstanceUID=f"1.2.{number}.1")
    return listener


ONE, ALL = identifier(StudyInstanceUID="1.2.1"), identifier(StudyInstanceUID="")
NO_DATE = identifier(StudyDate="20260101").replace(b"20260101", b"tomorrow")
HALF = len(ALL) // 2


@pytest.mark.parametrize(
    ("pdus", "expected"),
    [
        ([fragment(find(), is_command=True), fragment(ONE)], [0xFF00, 0]),
        ([fragment(find(), is_command=True), fragment(ALL)], [0xFF00] * 3 + [0]),
        (
            [fragment(find(), is_command=True), fragment(ALL[:HALF], is_last=False), fragment(ALL[HALF:])],
            [0xFF00] * 3 + [0],
        ),
        (
            [
                fragment(find()[:20], is_command=True, is_last=False),
                fragment(find()[20:], is_command=True),
                fragment(ALL),
            ],
            [0xFF00] * 3 + [0],
        ),
        ([fragment(find(), is_command=True), fragment(identifier(Modality=""))], [0xFF01] * 3 + [0]),
        ([fragment(find(), is_command=True), fragment(NO_DATE)], [0xC000]),
        ([fragment(find(), is_command=True), fragment(ALL[:-1])], [0xC000]),
        (
            [fragment(find(message), is_command=True) + fragment(ONE) for message in range(1, 6)],
            [0xFF00, 0] * 5,
        ),
    ],
    ids=["one", "all", "in halves", "command in halves", "other level", "no date", "cut", "pipelined"],
)
def test_a_search_is_answered_however_it_comes(
    searchable: Listener, pdus: list[bytes], expected: list[int]
) -> None:
    with connected(searchable.port) as sender:
        sender.sendall(association_request(b"FINDER", classes=(FIND,)))
        assert said(sender)
        for pdu in pdus:
            sender.sendall(pdu)
        assert statuses(sender, len(expected)) == expected
        sender.sendall(RELEASE)
        told = said(sender)
        assert told is not None
        assert told[0] == RELEASED


@pytest.mark.parametrize(
    "instead",
    [b"", b"\x09" + bytes(5), struct.pack(">BxL", DATA, 2**31), fragment(find(), is_command=True)],
    ids=["nothing", "an unknown PDU", "2 GiB", "another command"],
)
def test_a_search_without_its_identifier_ends_its_association_alone(
    searchable: Listener, instead: bytes
) -> None:
    with connected(searchable.port) as broken, connected(searchable.port) as other:
        for sender in (broken, other):
            sender.sendall(association_request(b"FINDER", classes=(FIND,)))
            assert said(sender)
        broken.sendall(fragment(find(), is_command=True) + instead)
        other.sendall(fragment(find(), is_command=True) + fragment(ONE))
        assert statuses(other, 2) == [0xFF00, 0]
        if instead:
            told = said(broken)
            assert told is None or told[0] == 0x07
