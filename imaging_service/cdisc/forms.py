"""Lesions that changed their form: which identifier is a part of which lesion, or a mass of several."""

import re
from collections.abc import Collection, Mapping

from imaging_service.cdisc.lesions import TrackedLesion

_PART = re.compile(r"(?P<whole>.*\d)(?:[.\-_]\d+|[.\-_]?[A-Z])")
_JOINED = re.compile(r"\s*(?:/|\+|&|,)\s*")


def whole_of(lesion_id: str, followed: Collection[str], lesions: Mapping[str, TrackedLesion]) -> str:
    """Return the followed lesion that an identifier is a part of; empty when it is none.

    Parameters
    ----------
    lesion_id
        The identifier.
    followed
        Lesions of baseline.
    lesions
        All lesions, as TU may name what a part came from.

    Examples
    --------
    >>> whole_of("T01.2", {"T01"}, {}), whole_of("T01B", {"T01"}, {}), whole_of("T11", {"T01"}, {})
    ('T01', 'T01', '')
    """
    if lesion_id in followed:
        return ""
    found = _PART.fullmatch(lesion_id)
    if found and found["whole"] in followed:
        return found["whole"]
    parent = lesions[lesion_id].parent if lesion_id in lesions else ""
    return parent if parent in followed else ""


def members_of(lesion_id: str, followed: Collection[str]) -> tuple[str, ...]:
    """Return the followed lesions that grew together into a mass; none when the identifier is no mass.

    Examples
    --------
    >>> members_of("T01/T02", ["T01", "T02"]), members_of("INV-T01/02", ["INV-T01", "INV-T02"])
    (('T01', 'T02'), ('INV-T01', 'INV-T02'))
    """
    if lesion_id in followed:
        return ()
    first, *others = _JOINED.split(lesion_id)
    if not others or first not in followed:
        return ()
    stem = re.sub(r"\d+$", "", first)
    members = [first]
    for name in others:
        whole = name if name in followed else f"{stem}{name}"
        if whole not in followed:
            return ()
        members.append(whole)
    return tuple(members)
