"""A multipart body is followed piece by piece, however it is cut; a hostile one ends in a sentence."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imaging_service.errors import BadRequestError, UnsupportedTypeError
from imaging_service.images.dicomweb.parts import (
    LONGEST_HEAD,
    LONGEST_PREAMBLE,
    MOST_PARTS,
    PartEnd,
    PartHead,
    PartReader,
    read_media_type,
)


def parts_of(body: bytes, boundary: str = "b", *, piece: int = 1 << 20) -> list[tuple[dict[str, str], bytes]]:
    reader, found = PartReader(boundary), []
    for begin in range(0, len(body), piece):
        for event in reader.feed(body[begin : begin + piece]):
            if isinstance(event, PartHead):
                found.append((dict(event.headers), b""))
            elif event is not PartEnd.HERE:
                found[-1] = (found[-1][0], found[-1][1] + event)
    reader.close()
    return found


@pytest.mark.parametrize("piece", [1, 2, 3, 7, 1 << 20])
def test_a_body_reads_the_same_however_it_is_cut(piece: int):
    body = (
        b"before\r\n--x\r\nContent-Type: a/b\r\n\r\n\r\none\r\n--\r\n--x \t\r\n\r\ntwo\r\n--x"
        b"\r\n\r\n--x--behind"
    )
    assert parts_of(body, "x", piece=piece) == [
        ({"content-type": "a/b"}, b"\r\none\r\n--"),
        ({}, b"two"),
        ({}, b""),
    ]


@given(
    st.lists(
        st.binary(max_size=200).filter(lambda content: b"--limit" not in content), min_size=1, max_size=5
    ),
    st.integers(1, 50),
)
def test_contents_come_out_as_they_went_in(contents: list[bytes], piece: int):
    body = b"".join(b"--limit\r\nA: b\r\n\r\n" + each + b"\r\n" for each in contents) + b"--limit--\r\n"
    assert parts_of(body, "limit", piece=piece) == [({"a": "b"}, each) for each in contents]


HOSTILE = {
    "boundary_missing": [b"nothing here", b"x" * (LONGEST_PREAMBLE + 100), b""],
    "body_truncated": [
        b"--b\r\n",
        b"--b\r\nA: b\r\n\r\nhalf of it",
        b"--b\r\nA: b\r\n\r\nx\r\n--b",
        b"--b\r\nA",
    ],
    "part_head_too_long": [b"--b\r\nA: " + b"x" * LONGEST_HEAD + b"\r\n\r\n\r\n--b--"],
    "part_head_bad": [b"--b\r\nno colon\r\n\r\n\r\n--b--", b"--b\r\n\x00a: b\r\n\r\n\r\n--b--"],
    "boundary_bad": [b"--bogus\r\n\r\n--b--", b"--b" + b" " * 300],
    "parts_too_many": [b"--b\r\n\r\n" * (MOST_PARTS + 1)],
    "epilogue_too_long": [b"--b\r\n\r\n\r\n--b--" + b"x" * (LONGEST_PREAMBLE + 1)],
}


@pytest.mark.parametrize(
    ("code", "body"),
    [(code, body) for code, bodies in HOSTILE.items() for body in bodies],
    ids=itertools.count(),
)
def test_a_body_that_cannot_be_followed_ends_in_a_sentence(code: str, body: bytes):
    with pytest.raises(BadRequestError) as refused:
        parts_of(body, piece=1000)
    assert refused.value.code == code
    assert refused.value.detail.endswith(".")


@pytest.mark.parametrize("boundary", [None, "", "b" * 71, "a\rb", "blank ", "ümlaut"])
def test_a_boundary_that_cannot_be_one_is_refused(boundary: str | None):
    with pytest.raises(BadRequestError, match="1 to 70 characters"):
        PartReader(boundary)


@pytest.mark.parametrize("header", ["", "nonsense", "a/b; c", "a/b; c=d e"])
def test_a_media_type_that_is_none_is_refused(header: str):
    with pytest.raises(UnsupportedTypeError, match="cannot be read"):
        read_media_type(header)
