"""Whoever breaks the protocol inside an association is answered or ended, and others are served meanwhile."""

import random
import socket
import struct
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import pytest

from dicom_listener.network.contexts import VERIFICATION
from dicom_listener.network.identifiers import STUDY_ROOT
from tests.dicom_listener.hostile.doors import Door, Process
from tests.dicom_listener.instances import MR_IMAGE, encoded, mr_instance
from tests.dicom_listener.peers import (
    ABORT,
    DATA,
    RELEASE,
    RELEASED,
    answer,
    association_request,
    fragment,
    pdu,
    said,
    status_of,
    store_command,
)

FIND, MOVE, GET = STUDY_ROOT + "1", STUDY_ROOT + "2", STUDY_ROOT + "3"
COMMITMENT, COMMITMENT_INSTANCE = "1.2.840.10008.1.20.1", "1.2.840.10008.1.20.1.1"
REQUEST = association_request(classes=(MR_IMAGE, VERIFICATION, FIND, MOVE, GET, COMMITMENT))
STORES, ECHOES, FINDS, MOVES, GETS, COMMITS = 1, 3, 5, 7, 9, 11
"""Numbers of its presentation contexts."""

CONTENT = encoded(mr_instance(SOPInstanceUID="1.2.3"))


def command(
    field: int, sop_class: str, message_id: int = 1, *, has_data: bool = False, **values: bytes
) -> bytes:
    """Return a command set of any kind (PS3.7 Annex E)."""
    elements = {
        0x0002: sop_class.encode(),
        0x0100: struct.pack("<H", field),
        0x0110: struct.pack("<H", message_id),
        0x0700: struct.pack("<H", 0),
        0x0800: struct.pack("<H", 0x0000 if has_data else 0x0101),
    } | {int(name[1:], 16): value for name, value in values.items()}
    written = b"".join(element(0, number, value) for number, value in sorted(elements.items()) if value)
    return struct.pack("<HHLL", 0, 0, 4, len(written)) + written


def element(group: int, number: int, value: bytes) -> bytes:
    """Return an element in implicit VR little endian."""
    padded = value + b"\0" * (len(value) % 2)
    return struct.pack("<HHL", group, number, len(padded)) + padded


def explicit(group: int, number: int, vr: bytes, value: bytes) -> bytes:
    """Return an element in explicit VR little endian, of a VR with a short length."""
    padded = value + b" " * (len(value) % 2)
    return struct.pack("<HH2sH", group, number, vr, len(padded)) + padded


def message(context: int, written: bytes, data: bytes | None = None) -> bytes:
    """Return a whole message, its data set in PDUs of 64 KiB."""
    sent = fragment(written, context=context, is_command=True)
    if data is None:
        return sent
    starts = range(0, len(data), 65536)
    parts = [fragment(data[at : at + 65536], context=context, is_last=at == starts[-1]) for at in starts]
    return sent + b"".join(parts)


def find(identifier: bytes, message_id: int = 1) -> bytes:
    return message(FINDS, command(0x0020, FIND, message_id, has_data=True), identifier)


def asked(*keys: bytes, level: bytes = b"STUDY") -> bytes:
    """Return an identifier; keys of group 8 stand before its level."""
    before = b"".join(key for key in keys if key[:4] < b"\x08\0\x52\0")
    after = b"".join(key for key in keys if key[:4] > b"\x08\0\x52\0")
    return before + explicit(0x0008, 0x0052, b"CS", level) + after


ITEM = struct.pack("<HHL", 0xFFFE, 0xE000, 0xFFFFFFFF)
SEQUENCE = struct.pack("<HH2sHL", 0x0008, 0x1115, b"SQ", 0, 0xFFFFFFFF)
DEEP = asked() + (SEQUENCE + ITEM) * 10_000
REFERRED = explicit(0x0008, 0x1150, b"UI", MR_IMAGE.encode() + b"\0") + explicit(
    0x0008, 0x1155, b"UI", b"1.2.3.4.5.6.7.8\0"
)
REFERENCE = struct.pack("<HHL", 0xFFFE, 0xE000, len(REFERRED)) + REFERRED


def commitment(references: int) -> bytes:
    items = REFERENCE * references
    return (
        explicit(0x0008, 0x1195, b"UI", b"1.2.3.4\0")
        + struct.pack("<HH2sHL", 0x0008, 0x1199, b"SQ", 0, len(items))
        + items
    )


def action(information: bytes, *, type_id: int = 1, instance: str = COMMITMENT_INSTANCE) -> bytes:
    written = command(
        0x0130,
        "",
        has_data=True,
        x0003=COMMITMENT.encode(),
        x1001=instance.encode(),
        x1008=struct.pack("<H", type_id),
    )
    return message(COMMITS, written, information)


def store(uid: str, **values: bytes) -> bytes:
    return message(STORES, store_command(uid, 1, **values), encoded(mr_instance(SOPInstanceUID=uid)))


ENDED = {
    "data of 4 GiB": pdu(0x04, b"", 0xFFFFFFFF),
    "data just longer than was agreed": pdu(0x04, b"", 128 * 1024 + 4096),
    "data of no length, for ever": pdu(0x04, b"") * 20_000 + pdu(0x63, b""),
    "a fragment longer than its PDU": pdu(0x04, struct.pack(">LBB", 0xFFFF, 1, 2) + bytes(10)),
    "a fragment of 4 GiB": pdu(0x04, struct.pack(">LBB", 0xFFFFFFFF, 1, 2) + bytes(10)),
    "fragments of no length": pdu(0x04, struct.pack(">L", 0) * 4),
    "a fragment of one byte": pdu(0x04, struct.pack(">LB", 1, 1)),
    "a PDU that ends in a fragment's head": pdu(0x04, b"\0\0"),
    "an unknown PDU": pdu(0x63, bytes(16)),
    "a second request": REQUEST,
    "an acceptance": pdu(0x02, REQUEST[6:]),
    "a rejection": pdu(0x03, bytes([0, 1, 1, 1])),
    "a release of 4 GiB": pdu(0x05, b"", 0xFFFFFFFF),
    "an answer to a release that nobody asked for": pdu(0x06, bytes(4)),
    "an abort": pdu(0x07, bytes(4)),
    "an abort of 4 GiB": pdu(0x07, b"", 0xFFFFFFFF),
    "a command that is junk": fragment(random.Random(5).randbytes(200), is_command=True),  # noqa: S311 - junk
    "a command of nothing": fragment(b"", is_command=True),
    "a command without end": fragment(bytes(16000), is_command=True, is_last=False) * 6,
    "a command in a million fragments": fragment(b"", is_command=True, is_last=False) * 50_000,
    "a command of no message": message(STORES, store_command("1.2.3", x0100=b"\x77\x77")),
    "a command without its field": message(STORES, command(0, MR_IMAGE, x0100=b"")),
    "a command without a message's number": message(STORES, store_command("1.2.3", x0110=b""), CONTENT),
    "a command whose length is 4 GiB": fragment(b"\0\0\2\0\xff\xff\xff\xff1.2", is_command=True),
    "a context that was never agreed": message(99, store_command("1.2.3"), bytes(8)),
    "context 0": message(0, store_command("1.2.3"), bytes(8)),
    "data before its command": fragment(CONTENT),
    "the end of data before its beginning": fragment(CONTENT, is_last=False) + fragment(b""),
    "a command, and another before its data": fragment(store_command("1.2.3"), is_command=True) * 2,
    "a command, and data of another context": fragment(store_command("1.2.3"), is_command=True)
    + fragment(CONTENT, context=ECHOES),
    "a command, and no data": fragment(store_command("1.2.3"), is_command=True),
    "half of a data set": fragment(store_command("1.2.3"), is_command=True)
    + fragment(CONTENT[:100], is_last=False),
    "half of a PDU": fragment(store_command("1.2.3"), is_command=True) + fragment(CONTENT)[:100],
    "a data set of empty fragments": fragment(store_command("1.2.3"), is_command=True)
    + fragment(b"", is_last=False) * 50_000,
    "an answer that nobody asked for": message(STORES, command(0x8001, MR_IMAGE, x0900=b"\0\0")),
    "reports that nobody asked for": message(
        COMMITS, command(0x0100, COMMITMENT, x1000=COMMITMENT_INSTANCE.encode(), x1002=b"\1\0")
    )
    * 500,
    "a search that is junk": find(random.Random(6).randbytes(5000)),  # noqa: S311 - junk
    "a search nested ten thousand deep": find(DEEP),
    "a search for a hundred thousand things": find(
        asked(*[explicit(0x0010, n, b"LO", b"x") for n in range(0x20, 0x60)]) * 1500
    ),
    "a commitment of a million instances": action(commitment(60_000)),
    "a search of 64 MiB": message(FINDS, command(0x0020, FIND, has_data=True), bytes(64 * 2**20)),
}
"""What is sent; the association ends, now or when it stays silent."""

ANSWERED = {
    "a search without a level": (find(asked(level=b"")), 0xA900),
    "a search on a level that is a path": (find(asked(level=b"../STUDY")), 0xA900),
    "a search with a thousand wildcards": (find(asked(explicit(0x0010, 0x0010, b"PN", b"*a" * 500))), 0xC000),
    "a search with wildcards that match slowly": (
        find(asked(explicit(0x0010, 0x0010, b"PN", b"*a*a*a*a*a*a*a*a*b"))),
        None,
    ),
    "a search for a bogus date": (find(asked(explicit(0x0008, 0x0020, b"DA", b"20269999"))), 0xC000),
    "a search for a quote": (find(asked(explicit(0x0010, 0x0020, b"LO", b"' OR 1=1; --"))), 0x0000),
    "an action of another type": (action(commitment(1), type_id=7), 0x0123),
    "an action on another instance": (action(commitment(1), instance="1.2.3"), 0x0112),
    "a commitment of nothing": (action(commitment(0)), 0x0115),
    "a commitment that is junk": (action(b"\x08\x00\x95\x11UI\x04\x00junk"), 0x0115),
    "a move to nowhere": (
        message(
            MOVES,
            command(0x0021, MOVE, has_data=True, x0600=b"NOWHERE "),
            asked(explicit(0x0020, 0x000D, b"UI", b"1.2")),
        ),
        0xA801,
    ),
    "a get of every study": (
        message(GETS, command(0x0010, GET, has_data=True), asked(explicit(0x0020, 0x000D, b"UI", b"*"))),
        0xA900,
    ),
    "an echo with a number of 65535": (message(ECHOES, command(0x0030, VERIFICATION, 65535)), 0x0000),
    "a command with elements that nobody knows": (
        store("1.2.3.1", x5010=b"what"),
        0x0000,
    ),
    "command and data in one PDU": (
        pdu(
            0x04,
            fragment(store_command("1.2.3.2"), is_command=True)[6:]
            + fragment(encoded(mr_instance(SOPInstanceUID="1.2.3.2")))[6:],
        ),
        0x0000,
    ),
    "a command in three fragments": (
        b"".join(
            fragment(store_command("1.2.3.3")[at : at + 50], is_command=True, is_last=at >= 100)
            for at in (0, 50)
        )
        + fragment(store_command("1.2.3.3")[100:], is_command=True)
        + fragment(encoded(mr_instance(SOPInstanceUID="1.2.3.3"))),
        0x0000,
    ),
}
"""What is sent, and the first final status that answers it; None where any may."""


def ending(door: Door, sent: bytes) -> list[int | None]:
    """Send something on an association, read until its end, and return the statuses that came."""
    with door.associated(REQUEST) as hostile:
        hostile.settimeout(60)
        with suppress(OSError):
            hostile.sendall(sent)
        statuses: list[int | None] = []
        while (found := said(hostile)) is not None:
            if found[0] == DATA:
                statuses.append(status_of(found))
        return statuses


@pytest.fixture(scope="module")
def endings(door: Door) -> Mapping[str, list[int | None]]:
    """Let a dozen of them in at a time, and push as somebody else meanwhile."""
    with ThreadPoolExecutor(12) as threads:
        ended = {name: threads.submit(ending, door, sent) for name, sent in ENDED.items()}
        for _ in range(10):
            assert door.a_known_sender_succeeds()
        return {name: future.result() for name, future in ended.items()}


@pytest.mark.usefixtures("steady")
@pytest.mark.parametrize("name", ENDED)
def test_whoever_breaks_the_protocol_is_ended(endings: Mapping[str, list[int | None]], name: str) -> None:
    assert 0x0000 not in endings[name]


@pytest.mark.parametrize(("sent", "wanted"), ANSWERED.values(), ids=ANSWERED)
def test_whoever_asks_for_nonsense_is_told(door: Door, sent: bytes, wanted: int | None) -> None:
    with door.associated(REQUEST) as hostile:
        hostile.sendall(sent)
        found = said(hostile)
        assert found is not None
        assert found[0] == DATA
        assert status_of(found) == wanted or wanted is None
        hostile.sendall(RELEASE)
        while found is not None and found[0] not in {RELEASED, ABORT}:
            found = said(hostile)
        assert found is not None


STATES = {
    "before a request": b"",
    "after a request": REQUEST,
    "after a command": REQUEST + fragment(store_command("1.2.3"), is_command=True),
    "in a command": REQUEST + fragment(store_command("1.2.3")[:40], is_command=True, is_last=False),
    "in a data set": REQUEST
    + fragment(store_command("1.2.3"), is_command=True)
    + fragment(CONTENT[:200], is_last=False),
    "in a PDU": REQUEST + fragment(store_command("1.2.3"), is_command=True) + fragment(CONTENT)[:-1],
    "while a release is answered": REQUEST + RELEASE,
    "after two releases": REQUEST + RELEASE + RELEASE,
}
GOODBYES = {"an abort": pdu(0x07, bytes([0, 0, 2, 0])), "a release": RELEASE, "a reset": b""}


@pytest.mark.parametrize("sent", STATES.values(), ids=STATES)
@pytest.mark.parametrize("goodbye", GOODBYES.values(), ids=GOODBYES)
def test_whoever_goes_in_any_state_leaves_nothing(door: Door, sent: bytes, goodbye: bytes) -> None:
    for _ in range(3):
        with door.connect() as hostile:
            hostile.sendall(sent)
            if goodbye:
                with suppress(OSError):
                    hostile.sendall(goodbye)
            else:
                hostile.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    assert door.a_known_sender_succeeds()


def test_a_storm_of_cancellations_is_survived(door: Door) -> None:
    cancel = message(FINDS, command(0x0FFF, "", x0002=b"", x0110=b"", x0120=b"\7\0"))
    with door.associated(REQUEST) as hostile:
        hostile.sendall(find(asked(explicit(0x0020, 0x000D, b"UI", b"")), 7))
        hostile.sendall(cancel * 2000)
        assert door.a_known_sender_succeeds()
        hostile.sendall(RELEASE)
        while answer(hostile) not in {RELEASED, ABORT, None}:
            pass
    assert door.a_known_sender_succeeds()


def test_instances_sent_without_waiting_for_answers_are_all_kept(door: Door, process: Process) -> None:
    uids = [f"1.2.4.{int(door.is_tls)}.{number}" for number in range(30)]
    with door.associated(REQUEST) as hasty:
        for number, uid in enumerate(uids):
            data = encoded(mr_instance(SOPInstanceUID=uid))
            hasty.sendall(message(STORES, store_command(uid, number + 1), data))
        assert [status_of(said(hasty)) for _ in uids] == [0x0000] * len(uids)
    with process.archive() as archive:
        for uid in uids:
            assert archive.read(uid).endswith(encoded(mr_instance(SOPInstanceUID=uid)))


def test_a_peer_that_reads_no_answers_stops_nobody(door: Door) -> None:
    with door.connect() as deaf:
        deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        deaf.sendall(REQUEST)
        deaf.settimeout(1)
        with suppress(OSError):
            for number in range(5000):
                deaf.sendall(message(ECHOES, command(0x0030, VERIFICATION, number % 60_000 + 1)))
        assert door.a_known_sender_succeeds()
