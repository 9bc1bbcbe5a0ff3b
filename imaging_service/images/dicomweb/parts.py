"""Read a body of type multipart/related (RFC 2387, RFC 2046 5.1) as it comes, in bounded memory."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum, auto

from imaging_service.errors import BadRequestError, UnsupportedTypeError

MOST_PARTS = 20_000
LONGEST_HEAD = 16_384
LONGEST_PREAMBLE = 65_536
_LONGEST_BLANKS = 256
_MEDIA_TYPE = re.compile(r"\s*([\w.+-]+/[\w.+-]+)", re.ASCII)
_PARAMETER = re.compile(r'\s*;\s*([\w-]+)\s*=\s*("[^"]*"|[^\s;,"]+)', re.ASCII)
_BOUNDARY = re.compile(r"[0-9A-Za-z'()+_,./:=? -]{0,69}[0-9A-Za-z'()+_,./:=?-]", re.ASCII)  # RFC 2046 5.1.1


@dataclass(frozen=True, slots=True, kw_only=True)
class PartHead:
    """A part begins."""

    number: int  # from 1 on
    headers: Mapping[str, str]  # by their names in lower case


class PartEnd(Enum):
    """A part is whole."""

    HERE = auto()


PartEvent = PartHead | bytes | PartEnd
"""A part's beginning, a piece of its content, or its end."""


def read_media_type(header: str) -> tuple[str, Mapping[str, str]]:
    r"""Read a media type with its parameters (RFC 9110 8.3.1).

    Raises
    ------
    UnsupportedTypeError
        It is none.

    Examples
    --------
    >>> read_media_type('Multipart/Related; type="application/dicom"; boundary=b')
    ('multipart/related', {'type': 'application/dicom', 'boundary': 'b'})
    """
    match = _MEDIA_TYPE.match(header)
    parameters: dict[str, str] = {}
    position = match.end() if match else 0
    while match and (parameter := _PARAMETER.match(header, position)):
        parameters.setdefault(parameter[1].lower(), parameter[2].strip('"'))
        position = parameter.end()
    if match is None or header[position:].strip(" ;\t"):
        message = f"The media type {header[:80]!r} cannot be read; one such as application/dicom can."
        raise UnsupportedTypeError(message, code="media_type_unreadable")
    return match[1].lower(), parameters


class _State(Enum):
    PREAMBLE = auto()
    BLANKS = auto()  # the rest of a boundary's line
    HEAD = auto()
    CONTENT = auto()
    EPILOGUE = auto()


class PartReader:
    """Takes a body piece by piece and tells what is in it.

    No more is held than one piece and the longest head.
    """

    def __init__(self, boundary: str | None) -> None:
        """Read parts between lines of `boundary`.

        Raises
        ------
        BadRequestError
            The boundary is missing or cannot be one.
        """
        if boundary is None or not _BOUNDARY.fullmatch(boundary):
            found = "no boundary" if boundary is None else f"the boundary {boundary[:80]!r}"
            message = f"The Content-Type names {found}; it must name 1 to 70 characters (RFC 2046 5.1.1)."
            raise BadRequestError(message, code="boundary_bad")
        self._line = b"\r\n--" + boundary.encode("ascii")
        self._held = bytearray(b"\r\n")  # the first line has no line before it
        self._state = _State.PREAMBLE
        self._passed = 0
        self._number = 0

    def feed(self, data: bytes | memoryview) -> Iterator[PartEvent]:
        """Take the next piece of the body.

        Raises
        ------
        BadRequestError
            It cannot be followed; the sentence says where.
        """
        self._held += data
        steps = {
            _State.PREAMBLE: self._preamble,
            _State.BLANKS: self._blanks,
            _State.HEAD: self._head,
            _State.CONTENT: self._content,
            _State.EPILOGUE: self._epilogue,
        }
        while True:
            state, length = self._state, len(self._held)
            yield from steps[state]()
            if self._state is state and len(self._held) == length:
                return

    def close(self) -> None:
        """Note the end of the body.

        Raises
        ------
        BadRequestError
            The last boundary has not come.
        """
        if self._state is _State.PREAMBLE:
            raise self._lost()
        if self._state is not _State.EPILOGUE:
            message = f"The body ends within part {self._number}, before its last boundary."
            raise BadRequestError(message, code="body_truncated")

    def _preamble(self) -> Iterator[PartEvent]:
        for content in self._until_line(_State.BLANKS):
            self._passed += len(content)
            if self._passed > LONGEST_PREAMBLE:
                raise self._lost()
        yield from ()

    def _blanks(self) -> Iterator[PartEvent]:
        if self._held.startswith(b"--"):
            self._state, self._passed = _State.EPILOGUE, 0
            return
        end = self._held.find(b"\r\n")
        rest = self._held if end < 0 else self._held[:end]
        if len(rest) > _LONGEST_BLANKS or bytes(rest.strip(b" \t")) not in {b"", b"-", b"\r"}:
            message = f"Behind boundary {self._number + 1} stands more than the end of its line."
            raise BadRequestError(message, code="boundary_bad")
        if end < 0:
            return
        del self._held[: end + 2]
        self._state = _State.HEAD
        self._number += 1
        if self._number > MOST_PARTS:
            message = f"The body has more than {MOST_PARTS} parts."
            raise BadRequestError(message, code="parts_too_many")
        yield from ()

    def _head(self) -> Iterator[PartEvent]:
        if self._held.startswith(self._line):  # neither head nor content
            yield PartHead(number=self._number, headers={})
            self._state = _State.CONTENT
            return
        is_empty = self._held.startswith(b"\r\n")
        end = 0 if is_empty else self._held.find(b"\r\n\r\n")
        if end > LONGEST_HEAD or (end < 0 and len(self._held) > LONGEST_HEAD):
            message = f"The head of part {self._number} is longer than {LONGEST_HEAD} bytes."
            raise BadRequestError(message, code="part_head_too_long")
        if end < 0 or (len(self._held) < len(self._line) and self._line.startswith(self._held)):
            return
        headers = self._headers(bytes(self._held[:end]))
        del self._held[: end + (2 if is_empty else 4)]
        self._state = _State.CONTENT
        yield PartHead(number=self._number, headers=headers)

    def _headers(self, head: bytes) -> Mapping[str, str]:
        headers: dict[str, str] = {}
        for line in head.split(b"\r\n") if head else ():
            name, colon, value = line.decode("latin-1").partition(":")
            if not colon or not name.strip() or not name.isprintable():
                message = f"A line in the head of part {self._number} is no header; 'name: value' is."
                raise BadRequestError(message, code="part_head_bad")
            headers.setdefault(name.strip().lower(), value.strip())
        return headers

    def _content(self) -> Iterator[PartEvent]:
        yield from self._until_line(_State.BLANKS)
        if self._state is _State.BLANKS:
            yield PartEnd.HERE

    def _epilogue(self) -> Iterator[PartEvent]:
        self._passed += len(self._held)
        self._held.clear()
        if self._passed > LONGEST_PREAMBLE:
            message = f"Behind the last boundary stand more than {LONGEST_PREAMBLE} bytes."
            raise BadRequestError(message, code="epilogue_too_long")
        yield from ()

    def _until_line(self, then: _State) -> Iterator[bytes]:
        """Give what stands before the next boundary; what may be the beginning of one is held back."""
        found = self._held.find(self._line)
        end = len(self._held) - len(self._line) + 1 if found < 0 else found
        if end > 0:
            content = bytes(memoryview(self._held)[:end])
            del self._held[:end]
            yield content
        if found >= 0:
            del self._held[: len(self._line)]
            self._state = then

    def _lost(self) -> BadRequestError:
        message = f"The boundary {self._line[4:].decode()!r} of the Content-Type does not stand in the body."
        return BadRequestError(message, code="boundary_missing")
