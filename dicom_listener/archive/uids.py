"""Unique identifiers (PS3.5 section 9.1)."""

import re

_UID = re.compile(r"(?:0|[1-9][0-9]*)(?:\.(?:0|[1-9][0-9]*))+", re.ASCII)
_MAXIMUM_LENGTH = 64


def is_uid(text: str) -> bool:
    """Tell whether `text` is a UID: at most 64 characters, components without leading zeros.

    Examples
    --------
    >>> is_uid("1.2.840.10008.1.1")
    True
    >>> [is_uid(text) for text in ("", "1", "1.02", "1..2", "../../etc", "1.2" + chr(10))]
    [False, False, False, False, False, False]
    """
    return len(text) <= _MAXIMUM_LENGTH and _UID.fullmatch(text) is not None
