"""Is an association request built as PS3.8 section 9.3.2 says? Asked before anything is made of it."""

import struct
from collections.abc import Callable, Iterator

FIXED = 6 + 68  # the PDU's head; protocol version, AE titles and what is reserved
_ITEM = struct.Struct(">BxH")
_SHORT = struct.Struct(">H")

APPLICATION_CONTEXT, PRESENTATION_CONTEXT, USER_INFORMATION = 0x10, 0x20, 0x50
ABSTRACT_SYNTAX, TRANSFER_SYNTAX = 0x30, 0x40
MAXIMUM_LENGTH, IMPLEMENTATION_UID, _WINDOW, _ROLE = 0x51, 0x52, 0x53, 0x54
IMPLEMENTATION_VERSION, _EXTENDED, _COMMON_EXTENDED, _IDENTITY = 0x55, 0x56, 0x57, 0x58
_AT_MOST_ONCE = (IMPLEMENTATION_UID, _WINDOW, IMPLEMENTATION_VERSION, _IDENTITY)

_MAXIMUM_CONTEXTS = 128  # odd numbers of one byte
_MAXIMUM_SYNTAXES = 64  # of one context; the registry has fewer
_MAXIMUM_PARTS = 1024  # of user information: a few for each context
_MAXIMUM_UID = 64

Item = tuple[int, bytes]


class InvalidRequestError(ValueError):
    """An association request that cannot be one."""


def well_formed(pdu: bytes) -> bytearray:
    """Return an A-ASSOCIATE-RQ without the items that PS3.8 does not know, which are to be ignored.

    Parameters
    ----------
    pdu
        The whole PDU, with its head.

    Raises
    ------
    InvalidRequestError
        When an item does not fit, is missing, or is there too often.
    """
    if len(pdu) < FIXED:
        raise InvalidRequestError
    found = list(items(pdu[FIXED:]))
    _once([kind for kind, _ in found], APPLICATION_CONTEXT, USER_INFORMATION)
    contexts = [content for kind, content in found if kind == PRESENTATION_CONTEXT]
    if not 1 <= len(contexts) <= _MAXIMUM_CONTEXTS:
        raise InvalidRequestError
    numbers = {_context_number(content) for content in contexts}
    if len(numbers) < len(contexts):
        raise InvalidRequestError
    known = b"".join(
        written(kind, _known_parts(content) if kind == USER_INFORMATION else content)
        for kind, content in found
        if kind in {APPLICATION_CONTEXT, PRESENTATION_CONTEXT, USER_INFORMATION}
    )
    length = FIXED - 6 + len(known)
    return bytearray(pdu[:2] + length.to_bytes(4, "big") + pdu[6:FIXED] + known)


def items(content: bytes) -> Iterator[Item]:
    """Yield items, the last of which must end with `content`."""
    position = 0
    while position < len(content):
        if position + _ITEM.size > len(content):
            raise InvalidRequestError
        kind, length = _ITEM.unpack_from(content, position)
        position += _ITEM.size
        if length > len(content) - position:
            raise InvalidRequestError
        yield kind, content[position : position + length]
        position += length


def written(kind: int, content: bytes) -> bytes:
    """Return an item."""
    return _ITEM.pack(kind, len(content)) + content


def _once(kinds: list[int], *wanted: int) -> None:
    if any(kinds.count(kind) != 1 for kind in wanted):
        raise InvalidRequestError


def _context_number(content: bytes) -> int:
    """Return the number of a presentation context (PS3.8 9.3.2.2), all of which must be sound."""
    if len(content) < 4 or not content[0] % 2:
        raise InvalidRequestError
    syntaxes = list(items(content[4:]))
    kinds = [kind for kind, _ in syntaxes]
    _once(kinds, ABSTRACT_SYNTAX)
    if not 1 <= kinds.count(TRANSFER_SYNTAX) <= _MAXIMUM_SYNTAXES:
        raise InvalidRequestError
    if len(kinds) > 1 + kinds.count(TRANSFER_SYNTAX) or not all(_may_be_uid(uid) for _, uid in syntaxes):
        raise InvalidRequestError
    return content[0]


def _known_parts(content: bytes) -> bytes:
    """Return user information without parts that nobody knows (PS3.8 Annex D, PS3.7 Annex D.3.3)."""
    parts = list(items(content))
    kinds = [kind for kind, _ in parts]
    _once(kinds, MAXIMUM_LENGTH)
    if len(parts) > _MAXIMUM_PARTS or any(kinds.count(kind) > 1 for kind in _AT_MOST_ONCE):
        raise InvalidRequestError
    known = [(kind, value) for kind, value in parts if kind in _PARTS]
    if not all(_PARTS[kind](value) for kind, value in known):
        raise InvalidRequestError
    return b"".join(written(kind, value) for kind, value in known)


def _may_be_uid(value: bytes) -> bool:
    """Tell whether a name is digits and dots, padded or not; the negotiation looks at what it names."""
    return 0 < len(value) <= _MAXIMUM_UID and not value.rstrip(b"\0 ").strip(b"0123456789.")


def _is_role(value: bytes) -> bool:
    return len(value) >= 4 and len(value) == 4 + _SHORT.unpack_from(value)[0] and _may_be_uid(value[2:-2])


def _is_extended(value: bytes) -> bool:
    return len(value) >= 2 and _may_be_uid(value[2 : 2 + _SHORT.unpack_from(value)[0]]) and _holds(value, 0)


def _is_common_extended(value: bytes) -> bool:
    """Tell whether class, service class and the list of related classes follow each other to the end."""
    position = 0
    for _ in range(3):
        if not _holds(value, position):
            return False
        position += 2 + _SHORT.unpack_from(value, position)[0]
    return position == len(value)


def _is_identity(value: bytes) -> bool:
    if len(value) < 6 or not 1 <= value[0] <= 5 or not _holds(value, 2):
        return False
    second = 4 + _SHORT.unpack_from(value, 2)[0]
    return _holds(value, second) and second + 2 + _SHORT.unpack_from(value, second)[0] == len(value)


def _holds(value: bytes, position: int) -> bool:
    """Tell whether a length stands at `position`, and so many bytes behind it."""
    return position + 2 <= len(value) and position + 2 + _SHORT.unpack_from(value, position)[0] <= len(value)


_PARTS: dict[int, Callable[[bytes], bool]] = {
    MAXIMUM_LENGTH: lambda value: len(value) == 4,
    IMPLEMENTATION_UID: _may_be_uid,
    _WINDOW: lambda value: len(value) == 4,
    _ROLE: _is_role,
    IMPLEMENTATION_VERSION: lambda value: 1 <= len(value) <= 16,
    _EXTENDED: _is_extended,
    _COMMON_EXTENDED: _is_common_extended,
    _IDENTITY: _is_identity,
}
