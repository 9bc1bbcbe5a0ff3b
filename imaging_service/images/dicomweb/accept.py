"""What a caller accepts (RFC 9110 12.5.1, PS3.18 8.7): media types in the order of preference."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from imaging_service.errors import NotAcceptableError

ANYTHING = "*/*"
_MEDIA_TYPE = re.compile(r"\s*([\w.+*-]+/[\w.+*-]+)", re.ASCII)
_PARAMETER = re.compile(r'\s*;\s*([\w-]+)\s*=\s*("[^"]*"|[^\s;,"]+)', re.ASCII)
_BETWEEN = re.compile(r"\s*(,|$)")
_MOST = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """One media type that the caller accepts.

    Parameters
    ----------
    media_type
        In lower case; of a multipart answer the type of its parts.
    transfer_syntax
        As asked for: a UID, ``*`` for whatever is kept, or None.
    is_multipart
        Whether it is asked for as ``multipart/related``.
    """

    media_type: str
    transfer_syntax: str | None = None
    is_multipart: bool = False


def read_accept(header: str | None) -> Sequence[Asked]:
    """Read an Accept header, the most wanted first; without one everything is accepted.

    Raises
    ------
    NotAcceptableError
        It cannot be read.

    Examples
    --------
    >>> read_accept('multipart/related; type="image/jls"; transfer-syntax=*, image/png;q=0.5')[0].media_type
    'image/jls'
    """
    if header is None or not header.strip():
        return [Asked(media_type=ANYTHING)]
    found = sorted(_read(header), key=lambda each: -each[0])
    return [asked for quality, asked in found if quality > 0]


def _read(header: str) -> Iterator[tuple[float, Asked]]:
    position = count = 0
    while position < len(header):
        match = _MEDIA_TYPE.match(header, position)
        count += 1
        if match is None or count > _MOST:
            raise _unreadable(header)
        media_type, position = match[1].lower(), match.end()
        parameters: dict[str, str] = {}
        while parameter := _PARAMETER.match(header, position):
            parameters.setdefault(parameter[1].lower(), parameter[2].strip('"'))
            position = parameter.end()
        between = _BETWEEN.match(header, position)
        if between is None:
            raise _unreadable(header)
        position = between.end()
        yield _quality(header, parameters.get("q", "1")), _asked(media_type, parameters)


def _asked(media_type: str, parameters: dict[str, str]) -> Asked:
    is_multipart = media_type == "multipart/related"
    inner = parameters.get("type", ANYTHING).lower() if is_multipart else media_type
    return Asked(
        media_type=inner, transfer_syntax=parameters.get("transfer-syntax"), is_multipart=is_multipart
    )


def _quality(header: str, text: str) -> float:
    if re.fullmatch(r"[01](\.[0-9]{0,3})?", text, re.ASCII) is None:
        raise _unreadable(header)
    return float(text)


def _unreadable(header: str) -> NotAcceptableError:
    message = f"The Accept header {header[:80]!r} cannot be read; media types with commas between them can."
    return NotAcceptableError(message, code="accept_unreadable")


def not_acceptable(offered: str) -> NotAcceptableError:
    """Return the refusal of a caller who accepts nothing of what there is."""
    return NotAcceptableError(f"The answer exists only as {offered}.")
