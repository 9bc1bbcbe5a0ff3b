"""Bodies of type multipart/related (RFC 2387), written part by part."""

import secrets
from collections.abc import Iterable, Iterator
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One part of a body."""

    media_type: str
    chunks: Iterable[bytes]
    location: str | None = None


def new_boundary() -> str:
    """Return a line that stands in no content: 128 random bits."""
    return secrets.token_hex(16)


def body(parts: Iterable[Part], boundary: str) -> Iterator[bytes]:
    r"""Give a body in pieces.

    Examples
    --------
    >>> b"".join(body([Part(media_type="text/plain", chunks=[b"a", b"b"])], "x"))
    b'--x\r\nContent-Type: text/plain\r\n\r\nab\r\n--x--\r\n'
    """
    for part in parts:
        head = f"--{boundary}\r\nContent-Type: {part.media_type}\r\n"
        if part.location is not None:
            head += f"Content-Location: {part.location}\r\n"
        yield f"{head}\r\n".encode("ascii")
        yield from part.chunks
        yield b"\r\n"
    yield f"--{boundary}--\r\n".encode("ascii")
