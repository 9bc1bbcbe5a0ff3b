"""Data sets that are broken or lie: each is refused with a status, and nothing of it is kept or logged."""

import struct
import zlib

import pytest

from tests.dicom_listener.hostile.doors import Door, Process
from tests.dicom_listener.instances import DEFLATED, EXPLICIT_BE, IMPLICIT_LE, RLE, encoded, mr_instance
from tests.dicom_listener.peers import DATA, association_request, fragment, said, status_of, store_command

UID = "1.2.3.99"
NAME = "Hypatia^Seeded"  # in every data set below, and to be found in no log


def written(**values: object) -> bytes:
    return encoded(mr_instance(**({"SOPInstanceUID": UID, "PatientName": NAME} | values)))


def raw(tag: int, vr: bytes, value: bytes, length: int | None = None) -> bytes:
    """Return an element in explicit VR little endian as it should not be written."""
    size = len(value) if length is None else length
    group = struct.pack("<HH2s", tag >> 16, tag & 0xFFFF, vr)
    long = vr in {b"OB", b"OW", b"SQ", b"UN", b"UT"}
    return group + (struct.pack("<xxL", size) if long else struct.pack("<H", size)) + value


def replaced(tag: int, vr: bytes, value: bytes) -> bytes:
    """Return a data set in which an element's value is any bytes."""
    content, start = written(), struct.pack("<HH", tag >> 16, tag & 0xFFFF)
    place = content.index(start)
    (length,) = struct.unpack_from("<H", content, place + 6)
    return content[:place] + raw(tag, vr, value) + content[place + 8 + length :]


def with_private(*elements: bytes) -> bytes:
    """Return a data set with private elements of group 0029 before its pixel data."""
    content = written()
    place = content.index(struct.pack("<HH", 0x7FE0, 0x0010))
    return content[:place] + b"".join(elements) + content[place:]


def bomb() -> bytes:
    stream = zlib.compressobj(9, wbits=-zlib.MAX_WBITS)
    return b"".join(stream.compress(bytes(2**20)) for _ in range(300)) + stream.flush()


ITEM, ITEM_END = struct.pack("<HHL", 0xFFFE, 0xE000, 0xFFFFFFFF), struct.pack("<HHL", 0xFFFE, 0xE00D, 0)
END = struct.pack("<HHL", 0xFFFE, 0xE0DD, 0)
NESTED = raw(0x00081115, b"SQ", b"", 0xFFFFFFFF) + ITEM
PIXELS = 0x7FE00010

PATHS = {
    "a path": b"../../../../tmp/out",
    "an absolute path": b"/etc/cron.d/evil",
    "a NUL in it": b"1.2\x00.3",
    "two lines": b"1.2.3\n1.2.4 ",
    "nothing": b"",
    "65 characters": b"1." + b"2" * 63,
    "a thousand characters": b"1." * 499 + b"12",
    "a leading zero": b"1.02.3",
    "letters": b"1.2.abc ",
    "an empty component": b"1..2.3",
}

REFUSED: dict[str, bytes] = {
    **{f"an instance UID of {name}": replaced(0x00080018, b"UI", value) for name, value in PATHS.items()},
    **{f"a study UID of {name}": replaced(0x0020000D, b"UI", value) for name, value in PATHS.items()},
    **{f"a series UID of {name}": replaced(0x0020000E, b"UI", value) for name, value in PATHS.items()},
    "another instance UID than its command's": written(SOPInstanceUID="1.2.3.98"),
    "another class than its command's": written(SOPClassUID="1.2.840.10008.5.1.4.1.1.7"),
    "no instance UID": written(SOPInstanceUID=None),
    "no class UID": written(SOPClassUID=None),
    "no study UID": written(StudyInstanceUID=None),
    "no series UID": written(SeriesInstanceUID=None),
    "a PatientID of 200 characters": replaced(0x00100020, b"LO", b"X" * 200),
    "a PatientID with a NUL": replaced(0x00100020, b"LO", b"A\x00B "),
    "a PatientID of two lines": replaced(0x00100020, b"LO", b"A\nlevel=info "),
    "nothing at all": b"",
    "one byte": b"\x08",
    "junk": bytes(range(256)) * 20,
    "half of itself": written()[:300],
    "all but a byte": written()[:-1],
    "a byte too many": written() + b"\0",
    "an element of 4 GiB": with_private(raw(0x00291010, b"UN", b"x", 0xFFFFFFF0)),
    "an element longer than what remains": with_private(raw(0x00291010, b"LO", b"x", 0xFFFE)),
    "an item longer than its sequence": with_private(
        raw(0x00291010, b"SQ", struct.pack("<HHL", 0xFFFE, 0xE000, 5000) + bytes(8))
    ),
    "a sequence without an end": with_private(raw(0x00291010, b"SQ", b"", 0xFFFFFFFF) + ITEM),
    "a delimiter where none belongs": with_private(END),
    "an item where none belongs": with_private(ITEM),
    "elements in no order": written() + raw(0x00080060, b"CS", b"MR"),
    "an element twice": written()[:0]
    + replaced(0x00080018, b"UI", UID.encode())
    + raw(0x00080018, b"UI", b"1.2 "),
    "a representation that does not exist": with_private(raw(0x00291010, b"ZZ", b"xx")),
    "a command's element": raw(0x00000002, b"UI", b"1.2 ") + written(),
    "file meta information": raw(0x00020010, b"UI", b"1.2 ") + written(),
    "ten thousand nested sequences": NESTED * 10_000 + (ITEM_END + END) * 10_000,
    "seventeen nested sequences": NESTED * 17 + (ITEM_END + END) * 17,
    "a million items": with_private(
        raw(0x00291010, b"SQ", struct.pack("<HHL", 0xFFFE, 0xE000, 0) * 1_000_000)
    ),
    "a million private elements": b"".join(
        struct.pack("<HH2sH", 0x0009 + 2 * (n >> 15), n & 0x7FFF, b"LO", 0) for n in range(250_000)
    ),
    "pixels for more frames than there are": written(NumberOfFrames=7),
    "pixels for a million frames": written(NumberOfFrames=2**31 - 1),
    "pixels for no frame": written(NumberOfFrames=0),
    "pixels for less than no frame": written(NumberOfFrames=-1),
    "pixels of no row": written(Rows=0),
    "pixels of 65535 rows": written(Rows=65535, Columns=65535),
    "pixels without columns": written(Columns=None),
    "pixels of no bits": written(BitsAllocated=0),
    "pixels of a thousand bits": written(BitsAllocated=1000),
    "pixels of 65535 samples": written(SamplesPerPixel=65535),
    "pixels cut short": written(PixelData=bytes(100)),
    "pixels too many": written(PixelData=bytes(1000)),
    "fragments in a syntax that has none": with_private()[
        : written().index(struct.pack("<HH", 0x7FE0, 0x0010))
    ]
    + raw(PIXELS, b"OB", b"", 0xFFFFFFFF)
    + END,
    "another syntax than was agreed, implicit": encoded(mr_instance(SOPInstanceUID=UID), IMPLICIT_LE),
    "another syntax than was agreed, big endian": encoded(mr_instance(SOPInstanceUID=UID), EXPLICIT_BE),
    "another syntax than was agreed, deflated": encoded(mr_instance(SOPInstanceUID=UID), DEFLATED),
}
"""Data sets in explicit VR little endian, of the instance `UID` by their command."""

BY_SYNTAX: dict[str, tuple[str, bytes]] = {
    "a bomb": (DEFLATED, bomb()),
    "junk for a stream": (DEFLATED, bytes(range(256))),
    "half of a stream": (DEFLATED, encoded(mr_instance(SOPInstanceUID=UID), DEFLATED)[:100]),
    "a stream and more": (DEFLATED, encoded(mr_instance(SOPInstanceUID=UID), DEFLATED) + bytes(1000)),
    "explicit where implicit was agreed": (IMPLICIT_LE, written()),
    "native pixels where fragments were agreed": (RLE, written()),
    "no fragment for a frame": (
        RLE,
        written(PixelData=None)
        + raw(PIXELS, b"OB", struct.pack("<HHL", 0xFFFE, 0xE000, 0) + END, 0xFFFFFFFF),
    ),
    "a fragment of 4 GiB": (
        RLE,
        written(PixelData=None)
        + raw(PIXELS, b"OB", struct.pack("<HHL", 0xFFFE, 0xE000, 0xFFFFFFF0), 0xFFFFFFFF),
    ),
}

KEPT: dict[str, bytes] = {
    "a PatientID that is a path": replaced(0x00100020, b"LO", b"../../etc/passwd"),
    "an empty PatientID": written(PatientID=""),
    "no PatientID": written(PatientID=None),
    "a bogus study date": replaced(0x00080020, b"DA", b"20269999"),
    "a study date of words": replaced(0x00080020, b"DA", b"yesterday "),
    "a bogus time": replaced(0x00080030, b"TM", b"999999"),
    "a bogus series number": replaced(0x00200011, b"IS", b"1e9999"),
    "an instance number of forty digits": replaced(0x00200013, b"IS", b"9" * 40),
    "a name of markup": written(PatientName=f"<script>{NAME}</script>"),
    "a name of sixty thousand characters": replaced(0x00100010, b"PN", b"x" * 60_000),
}
"""Odd, but a sender's own: it is kept for a person to look at."""


def stored(door: Door, content: bytes, syntax: str = "", uid: str = UID) -> int | None:
    """Return the status of a C-STORE; None where the association ended instead."""
    request = association_request(syntax=syntax) if syntax else association_request()
    with door.associated(request) as hostile:
        hostile.sendall(fragment(store_command(uid), is_command=True))
        starts = range(0, max(len(content), 1), 100_000)
        for at in starts:
            hostile.sendall(fragment(content[at : at + 100_000], is_last=at == starts[-1]))
        found = said(hostile)
        return status_of(found) if found is not None and found[0] == DATA else None


def is_refusal(status: int | None) -> bool:
    """Tell whether a status says that nothing was kept (PS3.4 Table B.2-1)."""
    return status is None or status >> 8 == 0xA9 or status >> 12 == 0xC


@pytest.mark.usefixtures("steady")
@pytest.mark.parametrize("content", REFUSED.values(), ids=REFUSED)
def test_what_is_broken_is_refused(door: Door, process: Process, content: bytes) -> None:
    assert is_refusal(stored(door, content))
    with process.archive() as archive:
        assert archive.instance(UID) is None


@pytest.mark.usefixtures("steady")
@pytest.mark.parametrize(("syntax", "content"), BY_SYNTAX.values(), ids=BY_SYNTAX)
def test_what_is_broken_in_its_own_syntax_is_refused(
    door: Door, process: Process, syntax: str, content: bytes
) -> None:
    assert is_refusal(stored(door, content, syntax))
    assert door.a_known_sender_succeeds()
    with process.archive() as archive:
        assert archive.instance(UID) is None


@pytest.mark.parametrize("uid", PATHS.values(), ids=PATHS)
def test_a_command_with_a_uid_that_is_none_is_refused(door: Door, uid: bytes) -> None:
    assert is_refusal(stored(door, written(), uid=uid.decode()))
    assert door.a_known_sender_succeeds()


@pytest.mark.parametrize("place", range(len(KEPT)), ids=list(KEPT))
def test_what_is_odd_is_kept_as_it_came(door: Door, process: Process, place: int) -> None:
    uid = f"1.2.{7 + door.is_tls}.{place + 10}"  # as long as the one that it replaces
    content = list(KEPT.values())[place].replace(UID.encode(), uid.encode())
    assert stored(door, content, uid=uid) == 0x0000
    with process.archive() as archive:
        assert archive.read(uid).endswith(content)


def test_no_name_of_a_patient_stands_in_a_log(door: Door, process: Process) -> None:
    private = with_private(raw(0x00290010, b"LO", b"MAKER "), raw(0x00291001, b"LO", NAME.encode()))
    assert is_refusal(stored(door, private[:-7]))
    assert is_refusal(stored(door, private, uid="1.2.3.97"))
    kept = private.replace(UID.encode(), b"1.2.9.99")
    assert stored(door, kept, uid="1.2.9.99") == 0x0000
    log = "".join(process.log)
    assert log
    assert not [name for name in ("Hypatia", "Seeded", "S1-001", "19700101") if name in log]
