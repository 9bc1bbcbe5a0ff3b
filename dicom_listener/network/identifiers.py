"""Read what a C-FIND, C-GET or C-MOVE request asks for (PS3.4 C.4)."""

import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from pydicom import Dataset
from pydicom.charset import python_encoding
from pydicom.datadict import dictionary_has_tag, dictionary_VR, keyword_for_tag
from pydicom.tag import Tag

from dicom_listener.archive.matching import ATTRIBUTES, LEVELS, UNIQUE_KEYS, Level
from dicom_listener.errors import IdentifierError

PATIENT_ROOT = "1.2.840.10008.5.1.4.1.2.1."
STUDY_ROOT = "1.2.840.10008.5.1.4.1.2.2."
"""Information models; what follows is 1 for FIND, 2 for MOVE, 3 for GET."""

_FRAMING = frozenset({"QueryRetrieveLevel", "SpecificCharacterSet", "TimezoneOffsetFromUTC"})
_ALWAYS_ANSWERED = frozenset({"RetrieveAETitle", "InstanceAvailability"})

_SHORT_VRS = frozenset(b"AE AS CS DA DS DT IS LO LT PN SH ST TM UI UL US".split())  # PS3.5 Table 7.1-2
_EXPLICIT, _IMPLICIT = struct.Struct("<HH2sH"), struct.Struct("<HHL")
_FIRST_TAG = 0x00080000
_CHARACTER_SET = 0x00080005

Values = Mapping[int, bytes]
"""The values of an identifier as they were sent, by tag."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Identifier:
    """A request's level and keys."""

    level: Level
    keys: Mapping[str, str]
    has_unsupported_keys: bool = False


def values_of(sent: Dataset) -> Values:
    """Return the values of a decoded identifier; that of a sequence is empty."""
    return {tag: _bytes(sent.get_item(tag)) for tag in sent.keys()}  # noqa: SIM118 - iterating would convert


def plain_values(identifier: memoryview, *, is_explicit: bool) -> Values | None:
    """Return the values of an encoded identifier, little endian.

    Returns
    -------
    Values | None
        None where it holds more than short values in the order of their tags, and a reader of data sets
        has to look at it.
    """
    values: dict[int, bytes] = {}
    position, last = 0, _FIRST_TAG
    while position < len(identifier):
        if position + _IMPLICIT.size > len(identifier):
            return None
        if is_explicit:
            group, element, vr, length = _EXPLICIT.unpack_from(identifier, position)
        else:
            group, element, length = _IMPLICIT.unpack_from(identifier, position)
            vr = _vr_of(group << 16 | element)
        position += _IMPLICIT.size
        tag = group << 16 | element
        if vr not in _SHORT_VRS or tag <= last or length > len(identifier) - position:
            return None
        values[tag] = bytes(identifier[position : position + length])
        position, last = position + length, tag
    return values


def for_find(sent: Values, model: str) -> Identifier:
    """Read the identifier of a C-FIND request.

    Raises
    ------
    IdentifierError
        When its level is none of the model's, or a unique key above the level is missing.
    """
    texts = dict(_texts(sent))
    level = _level(texts, model)
    for above in _levels_above(level, model):
        _require(texts, above, is_list=False)
    known = LEVELS[: LEVELS.index(level) + 1]
    keys = {
        name: text for name, text in texts.items() if name in ATTRIBUTES and ATTRIBUTES[name].level in known
    }
    others = texts.keys() - keys.keys() - _FRAMING - _ALWAYS_ANSWERED
    return Identifier(level=level, keys=keys, has_unsupported_keys=bool(others))


def for_retrieval(sent: Values, model: str) -> Identifier:
    """Read the identifier of a C-GET or C-MOVE request: unique keys, a list of them at its level alone.

    Raises
    ------
    IdentifierError
        When its level is none of the model's, or a unique key is missing or a wildcard.
    """
    texts = dict(_texts(sent))
    level = _level(texts, model)
    for above in _levels_above(level, model):
        _require(texts, above, is_list=False)
    _require(texts, level, is_list=level is not Level.PATIENT)
    names = [UNIQUE_KEYS[each] for each in (*_levels_above(level, model), level)]
    return Identifier(level=level, keys={name: texts[name] for name in names})


def _levels_above(level: Level, model: str) -> tuple[Level, ...]:
    first = 0 if model.startswith(PATIENT_ROOT) else 1
    return LEVELS[first : LEVELS.index(level)]


def _level(texts: Mapping[str, str], model: str) -> Level:
    allowed = LEVELS if model.startswith(PATIENT_ROOT) else LEVELS[1:]
    for level in allowed:
        if texts.get("QueryRetrieveLevel") == level:
            return level
    raise IdentifierError(keyword="QueryRetrieveLevel", wanted=f"one of {', '.join(allowed)}")


def _require(texts: Mapping[str, str], level: Level, *, is_list: bool) -> None:
    name = UNIQUE_KEYS[level]
    value = texts.get(name, "")
    if not value.strip("\\") or set("*?") & set(value) or ("\\" in value and not is_list):
        raise IdentifierError(keyword=name, wanted="a list of values" if is_list else "one value")


def _texts(sent: Values) -> Iterator[tuple[str, str]]:
    """Decode values without the checks of their representations: a key may hold a range or a wildcard."""
    terms = sent.get(_CHARACTER_SET, b"").decode("latin-1").strip(" \0").split("\\")
    codecs = [python_encoding.get(term.strip(), "ascii") for term in terms]
    for tag, value in sent.items():
        yield keyword_for_tag(tag) or str(Tag(tag)), _decoded(value, codecs)


def _vr_of(tag: int) -> bytes:
    """Return the representation that the dictionary gives a tag; empty where it does not know it."""
    return dictionary_VR(tag).encode() if dictionary_has_tag(tag) else b""


def _bytes(element: object) -> bytes:
    value = getattr(element, "value", None)
    return value if isinstance(value, bytes) else b""


def _decoded(value: bytes, codecs: list[str]) -> str:
    for codec in reversed(codecs) if b"\x1b" in value else codecs:
        try:
            return value.decode(codec).strip(" \0")
        except (UnicodeDecodeError, LookupError):
            continue
    return value.decode("latin-1").strip(" \0")
