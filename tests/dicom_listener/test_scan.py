import struct
from contextlib import suppress
from pathlib import Path

import pydicom
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydicom.data import get_testdata_file

from dicom_listener.archive.scan import MAXIMUM_DEPTH, MAXIMUM_ELEMENTS, Scan, scan
from dicom_listener.archive.syntaxes import TRANSFER_SYNTAXES
from dicom_listener.errors import MalformedDataSetError, Reason
from tests.dicom_listener.instances import (
    DEFLATED,
    EXPLICIT_BE,
    EXPLICIT_LE,
    IMPLICIT_LE,
    RLE,
    encoded,
    mr_instance,
)

PATIENT_ID = 0x00100020
SERIES_INSTANCE_UID = 0x0020000E


def scanned(data: bytes, syntax: str = EXPLICIT_LE, **limits: int) -> Scan:
    return scan(data, TRANSFER_SYNTAXES[syntax], {PATIENT_ID, SERIES_INSTANCE_UID}, **limits)


def explicit(tag: int, vr: bytes, value: bytes, length: int | None = None) -> bytes:
    stated = len(value) if length is None else length
    if vr in (b"OB", b"OW", b"SQ", b"UN", b"UT"):
        return struct.pack("<HH2sHL", tag >> 16, tag & 0xFFFF, vr, 0, stated) + value
    return struct.pack("<HH2sH", tag >> 16, tag & 0xFFFF, vr, stated) + value


def item(tag: int, value: bytes = b"", length: int | None = None) -> bytes:
    return struct.pack("<HHL", tag >> 16, tag & 0xFFFF, len(value) if length is None else length) + value


ITEM, ITEM_END, SEQUENCE_END, UNDEFINED = 0xFFFEE000, 0xFFFEE00D, 0xFFFEE0DD, 0xFFFFFFFF
SEQUENCE = 0x00081140


def nested(depth: int, *, is_delimited: bool) -> bytes:
    """Return `depth` sequences, each in the only item of the one before."""
    content = b""
    for _ in range(depth):
        if is_delimited:
            inside = item(ITEM, content, UNDEFINED) + item(ITEM_END) + item(SEQUENCE_END)
            content = explicit(SEQUENCE, b"SQ", inside, UNDEFINED)
        else:
            content = explicit(SEQUENCE, b"SQ", item(ITEM, content))
    return content


@pytest.mark.parametrize("syntax", [EXPLICIT_LE, IMPLICIT_LE, EXPLICIT_BE, DEFLATED])
def test_values_and_pixel_data_are_found_in_every_uncompressed_syntax(syntax: str) -> None:
    found = scanned(encoded(mr_instance(PatientID="S1-002"), syntax), syntax)
    assert found.values[PATIENT_ID] == b"S1-002"
    assert found.pixel_data is not None
    assert (found.pixel_data.length, found.pixel_data.fragments) == (128, None)


@pytest.mark.filterwarnings("ignore::UserWarning:pydicom")
@pytest.mark.parametrize(
    "name",
    [
        "MR_small.dcm",
        "MR_small_bigendian.dcm",
        "MR_small_implicit.dcm",
        "MR_small_RLE.dcm",
        "MR_small_jp2klossless.dcm",
        "MR_small_jpeg_ls_lossless.dcm",
        "MR_small_padded.dcm",
        "CT_small.dcm",
        "JPEG2000.dcm",
        "JPEG-lossy.dcm",
        "JPGExtended.dcm",
        "image_dfl.dcm",
        "liver_1frame.dcm",
        "liver_expb_1frame.dcm",
        "reportsi.dcm",
        "test-SR.dcm",
        "rtdose.dcm",
        "rtdose_rle.dcm",
        "rtplan.dcm",
        "priv_SQ.dcm",
        "UN_sequence.dcm",
        "SC_rgb_rle_2frame.dcm",
        "SC_rgb_small_odd.dcm",
        "SC_ybr_full_422_uncompressed.dcm",
        "SC_rgb_jls_lossy_line.dcm",
        "examples_overlay.dcm",
        "examples_palette.dcm",
        "examples_ybr_color.dcm",
        "JPEG2000-embedded-sequence-delimiter.dcm",
        "waveform_ecg.dcm",
    ],
)
def test_files_of_many_makers_are_followed_to_their_last_byte_and_read_as_pydicom_reads_them(
    name: str,
) -> None:
    path = get_testdata_file(name, download=False)
    assert path is not None
    known = pydicom.dcmread(path, stop_before_pixels=True)
    start = 144 + known.file_meta.FileMetaInformationGroupLength
    found = scanned(Path(path).read_bytes()[start:], known.file_meta.TransferSyntaxUID)
    assert found.values.get(PATIENT_ID, b"").strip(b" \0").decode("latin-1") == known.get("PatientID", "")
    uid = found.values.get(SERIES_INSTANCE_UID, b"").rstrip(b"\0").decode()
    assert uid == known.get("SeriesInstanceUID", "")


MALFORMED = {
    "a length beyond the end": explicit(PATIENT_ID, b"LO", b"AB", 4),
    "a length of 4 GiB": explicit(0x00091010, b"OB", b"AB", 0xFFFFFFF0),
    "a header cut short": b"\x10\x00\x20\x00L",
    "a length cut short": b"\x10\x00\x20\x00UT\x00\x00\x01",
    "bytes that are no value representation": explicit(PATIENT_ID, b"\x04\x00", b"ABCD"),
    "descending tags": explicit(0x00100030, b"DA", b"") + explicit(PATIENT_ID, b"LO", b""),
    "the same tag twice": explicit(PATIENT_ID, b"LO", b"A ") + explicit(PATIENT_ID, b"LO", b"B "),
    "a command element": explicit(0x00000100, b"US", b"\1\0"),
    "file meta information": explicit(0x00020010, b"UI", b"1.2\0"),
    "an item outside a sequence": item(ITEM),
    "a delimiter outside a sequence": item(ITEM_END),
    "text without a length": explicit(0x0040A160, b"UT", b"", UNDEFINED),
    "a sequence that never ends": explicit(SEQUENCE, b"SQ", item(ITEM), UNDEFINED),
    "an item that never ends": explicit(SEQUENCE, b"SQ", item(ITEM, b"", UNDEFINED), 8),
    "an item larger than its sequence": explicit(SEQUENCE, b"SQ", item(ITEM, b"", 4), 8) + b"ABCD",
    "an element where an item must be": explicit(SEQUENCE, b"SQ", explicit(PATIENT_ID, b"LO", b"")),
    "a delimiter with a length": explicit(SEQUENCE, b"SQ", item(SEQUENCE_END, b"AB"), UNDEFINED),
    "fragments in an uncompressed syntax": explicit(0x7FE00010, b"OB", item(ITEM), UNDEFINED),
    "something after the pixel data's group": item(0xFFFE0000),
}


@pytest.mark.parametrize("data", MALFORMED.values(), ids=MALFORMED)
def test_what_cannot_be_followed_is_refused_with_its_offset(data: bytes) -> None:
    with pytest.raises(MalformedDataSetError, match=r"at byte \d+") as refusal:
        scanned(data)
    assert refusal.value.reason is Reason.STRUCTURE


@pytest.mark.parametrize("is_delimited", [True, False])
def test_sequences_nest_to_the_limit_and_no_deeper(*, is_delimited: bool) -> None:
    assert scanned(nested(MAXIMUM_DEPTH, is_delimited=is_delimited)).elements >= 2 * MAXIMUM_DEPTH
    for depth in (MAXIMUM_DEPTH + 1, 2_000):
        with pytest.raises(MalformedDataSetError, match="nests") as refusal:
            scanned(nested(depth, is_delimited=is_delimited))
        assert refusal.value.reason is Reason.TOO_DEEP


def test_a_million_items_are_not_followed() -> None:
    items = item(ITEM) * (MAXIMUM_ELEMENTS + 1)
    with pytest.raises(MalformedDataSetError, match=str(MAXIMUM_ELEMENTS)) as refusal:
        scanned(explicit(SEQUENCE, b"SQ", items))
    assert refusal.value.reason is Reason.TOO_MANY_ELEMENTS


def test_a_deflated_data_set_inflates_to_the_limit_and_no_further() -> None:
    bomb = encoded(mr_instance(PixelData=bytes(4 * 2**20)), DEFLATED)
    assert len(bomb) < 2**16
    assert scanned(bomb, DEFLATED, maximum_inflated=5 * 2**20).pixel_data is not None
    with pytest.raises(MalformedDataSetError, match="inflates to more than") as refusal:
        scanned(bomb, DEFLATED, maximum_inflated=2**20)
    assert refusal.value.reason is Reason.INFLATES_TOO_FAR


BROKEN_STREAMS = {
    "cut short": lambda data: data[:-4],
    "no deflate stream": lambda data: b"\xff" + data,
    "followed by more": lambda data: data + b"more",
}


@pytest.mark.parametrize("change", BROKEN_STREAMS.values(), ids=BROKEN_STREAMS)
def test_a_deflate_stream_must_be_whole(change) -> None:
    with pytest.raises(MalformedDataSetError):
        scanned(change(encoded(mr_instance(), DEFLATED)), DEFLATED)


def test_fragments_are_counted_without_their_offset_table() -> None:
    fragments = item(ITEM) + item(ITEM, b"abcd") + item(ITEM, b"ef") + item(SEQUENCE_END)
    found = scanned(explicit(0x7FE00010, b"OB", fragments, UNDEFINED), RLE)
    assert found.pixel_data is not None
    assert found.pixel_data.fragments == 2


def test_pixel_data_of_a_compressed_syntax_must_come_as_fragments() -> None:
    with pytest.raises(MalformedDataSetError, match="wants fragments"):
        scanned(explicit(0x7FE00010, b"OB", b"abcd"), RLE)


def test_an_icon_of_defined_length_is_no_fragment() -> None:
    icon = explicit(0x00880200, b"SQ", item(ITEM, explicit(0x7FE00010, b"OB", b"abcd")))
    assert scanned(icon, RLE).pixel_data is None


def test_an_unknown_value_of_undefined_length_is_read_as_an_implicit_sequence() -> None:
    inside = item(ITEM, item(PATIENT_ID, b"AB"), UNDEFINED) + item(ITEM_END) + item(SEQUENCE_END)
    found = scanned(explicit(0x00091010, b"UN", inside, UNDEFINED) + explicit(PATIENT_ID, b"LO", b"CD"))
    assert found.values[PATIENT_ID] == b"CD"


@settings(max_examples=300, deadline=None)
@given(
    position=st.integers(min_value=0, max_value=700),
    change=st.binary(min_size=1, max_size=8),
    syntax=st.sampled_from([EXPLICIT_LE, IMPLICIT_LE, EXPLICIT_BE, DEFLATED, RLE]),
)
def test_altered_bytes_are_followed_or_refused_but_never_break_the_scan(
    position: int, change: bytes, syntax: str
) -> None:
    data = bytearray(encoded(mr_instance(SOPInstanceUID="1.2.3"), syntax))
    data[position : position + len(change)] = change
    with suppress(MalformedDataSetError):  # any other error fails the test
        scanned(bytes(data), syntax)


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=300), st.sampled_from(sorted(TRANSFER_SYNTAXES)))
def test_any_bytes_are_followed_or_refused(data: bytes, syntax: str) -> None:
    with suppress(MalformedDataSetError):  # any other error fails the test
        scanned(data, syntax)
