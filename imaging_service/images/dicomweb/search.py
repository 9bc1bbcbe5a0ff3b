"""What a search asks for (PS3.18 8.3.4), and which records match it (PS3.4 C.2.2.2).

Matching happens after blinding, on the values that the caller is shown: a key tells nobody what an answer
would not.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from pydicom.datadict import keyword_for_tag, tag_for_keyword

from dicom_listener.archive.matching import ATTRIBUTES, Level, Match
from imaging_service.errors import BadRequestError

Record = Mapping[str, Any]
"""Values by keyword, as the archive's index gives them."""

LONGEST_ANSWER = 1000
"""Matches in one answer, whatever `limit` says."""

NO_FUZZY_MATCHING = "The fuzzymatching parameter is not supported. Only literal matching has been performed."
_MOST_WILDCARDS = 8
_MOST_VALUES = 1000
_TAG = re.compile(r"[0-9A-Fa-f]{8}", re.ASCII)
_DAY = re.compile(r"([0-9]{4})([0-9]{2})([0-9]{2})", re.ASCII)
_TIME = re.compile(r"([0-9]{2})(?:([0-9]{2})(?:([0-9]{2})(?:\.([0-9]{1,6}))?)?)?", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class Search:
    """A search, read.

    Parameters
    ----------
    level
        What is looked for: studies, series or instances.
    keys
        What they must match, by keyword.
    offset, limit
        Which of the matches are wanted.
    warnings
        What of the request is not done, one sentence each.
    """

    level: Level
    keys: Mapping[str, str]
    offset: int = 0
    limit: int = LONGEST_ANSWER
    warnings: tuple[str, ...] = ()

    def values(self, keyword: str) -> Sequence[str] | None:
        """Return the UIDs that a key lists, or None where the key is absent or matches all."""
        value = self.keys.get(keyword, "")
        return None if _is_universal(value) else _listed(value)

    def matches(self, record: Record) -> bool:
        """Whether a record has what every key asks for."""
        return all(_matches(keyword, value, record.get(keyword)) for keyword, value in self.keys.items())


def read_search(level: Level, parameters: Iterable[tuple[str, str]], **fixed: str | None) -> Search:
    """Read the parameters of a search.

    Parameters
    ----------
    level
        What is looked for.
    parameters
        The query of the address, in pairs.
    fixed
        UIDs that the path names, by keyword; they stand beside the keys.

    Raises
    ------
    BadRequestError
        A parameter is none of the standard's, stands twice, or holds what it cannot be.
    """
    keys = {keyword: uid for keyword, uid in fixed.items() if uid is not None}
    numbers: dict[str, int] = {}
    warnings: list[str] = []
    for name, value in parameters:
        if name in {"limit", "offset"}:
            numbers[name] = _number(name, value)
        elif name == "fuzzymatching":
            warnings += [NO_FUZZY_MATCHING] if value.lower() == "true" else []
        elif name == "includefield":
            for field in value.split(","):
                if field.lower() != "all":
                    _keyword(field)
        else:
            _add_key(keys, warnings, level, name, value)
    return Search(
        level=level,
        keys=keys,
        offset=numbers.get("offset", 0),
        limit=min(numbers.get("limit", LONGEST_ANSWER), LONGEST_ANSWER),
        warnings=tuple(warnings),
    )


def _add_key(keys: dict[str, str], warnings: list[str], level: Level, name: str, value: str) -> None:
    keyword = _keyword(name)
    known = ATTRIBUTES.get(keyword)
    is_above = known is not None and tuple(Level).index(known.level) <= tuple(Level).index(level)
    if known is None or not is_above or known.match is Match.RETURNED:
        warnings.append(f"The attribute {keyword} is not matched at this level.")
        return
    if keyword in keys:
        message = f"The key {keyword} stands twice; each must stand once."
        raise BadRequestError(message, code="key_twice")
    _check(keyword, known.match, value)
    keys[keyword] = value


def _keyword(name: str) -> str:
    """Return the keyword of an attribute that is named by keyword or by tag, within sequences too."""
    last = name.rpartition(".")[2]
    tag = int(last, 16) if _TAG.fullmatch(last) else tag_for_keyword(last)
    keyword = "" if tag is None else keyword_for_tag(tag) or last
    if not keyword:
        message = f"{name[:64]!r} is no attribute; a keyword such as PatientID or a tag such as 00100020 is."
        raise BadRequestError(message, code="attribute_unknown")
    return keyword if last == name else f"{name.rpartition('.')[0]}.{keyword}"


def _number(name: str, value: str) -> int:
    if not (value.isascii() and value.isdigit() and len(value) <= 9):
        message = f"{name} is {value[:32]!r}; it must be a whole number from 0 on."
        raise BadRequestError(message, code="number_bad")
    return int(value)


def _check(keyword: str, match: Match, value: str) -> None:
    """Refuse a value that its attribute cannot have, before anything is looked for."""
    values = len(_listed(value))
    if value.count("*") > _MOST_WILDCARDS or values > _MOST_VALUES:
        message = (
            f"The key {keyword} has {values} values and {value.count('*')} wildcards; "
            f"it may have {_MOST_VALUES} and {_MOST_WILDCARDS}."
        )
        raise BadRequestError(message, code="key_too_long")
    try:
        if not _is_universal(value):
            _PREDICATES[match](value, "")
    except ValueError:
        message = f"The key {keyword} is {value[:64]!r}; it must be {_WANTED[match]}."
        raise BadRequestError(message, code="key_bad") from None


def _listed(value: str) -> Sequence[str]:
    return [each.strip() for each in re.split(r"[\\,]", value) if each.strip()]


def _is_universal(value: str) -> bool:
    return set(value) <= {"*"}


def _matches(keyword: str, wanted: str, found: Any) -> bool:  # noqa: ANN401  as the index keeps it
    if _is_universal(wanted):
        return True
    if found is None or found == "":
        return False
    text = f"{found:%Y%m%d}" if isinstance(found, date) else str(found)
    predicate = _PREDICATES[ATTRIBUTES[keyword].match]
    return any(predicate(wanted, each) for each in text.split("\\"))


def _is_listed(wanted: str, found: str) -> bool:
    return found in _listed(wanted)


def _is_like(wanted: str, found: str) -> bool:
    """Compare by single value or wildcard (PS3.4 C.2.2.2.4), with regard to case."""
    return any(_pattern(each).fullmatch(found) is not None for each in wanted.split("\\"))


def _is_like_name(wanted: str, found: str) -> bool:
    return _is_like(wanted.casefold(), found.casefold())


def _pattern(wanted: str) -> re.Pattern[str]:
    characters = {"*": ".*", "?": "."}
    short = re.sub(r"\*+", "*", wanted)
    return re.compile("".join(characters.get(each) or re.escape(each) for each in short), re.DOTALL)


def _is_number(wanted: str, found: str) -> bool:
    numbers = [int(each) for each in _listed(wanted) if len(each) <= 12]
    return found.lstrip("-").isdigit() and int(found) in numbers


def _is_day(wanted: str, found: str) -> bool:
    return _is_within(wanted, found, _day, _day)


def _is_time(wanted: str, found: str) -> bool:
    return _is_within(wanted, found.replace(":", ""), _first, _last)


def _is_within(wanted: str, found: str, first: Callable[[str], str], last: Callable[[str], str]) -> bool:
    """Compare with a value, or a range of which one end may be open (PS3.4 C.2.2.2.5)."""
    begin, hyphen, end = (part.strip() for part in wanted.partition("-"))
    if not hyphen:
        end = begin
    if not begin and not end:
        raise ValueError(wanted)
    low = first(begin) if begin else ""
    high = last(end) if end else "~"
    try:
        return low <= first(found) <= high
    except ValueError:  # what is kept is no date or time
        return False


def _day(text: str) -> str:
    match = _DAY.fullmatch(text)
    if match is None:
        raise ValueError(text)
    return f"{date(*map(int, match.groups())):%Y%m%d}"


def _first(text: str) -> str:
    return _padded(text, ("00", "00", "000000"))


def _last(text: str) -> str:
    return _padded(text, ("59", "59", "999999"))


def _padded(text: str, missing: Sequence[str]) -> str:
    match = _TIME.fullmatch(text)
    if match is None:
        raise ValueError(text)
    hour, minute, second, fraction = match.groups()
    fraction = fraction and fraction.ljust(6, missing[2][0])
    return f"{hour}{minute or missing[0]}{second or missing[1]}{fraction or missing[2]}"


_PREDICATES: Mapping[Match, Callable[[str, str], bool]] = {
    Match.UID: _is_listed,
    Match.TEXT: _is_like,
    Match.NAME: _is_like_name,
    Match.DATE: _is_day,
    Match.DATE_AS_TEXT: _is_day,
    Match.TIME: _is_time,
    Match.NUMBER: _is_number,
}
_WANTED: Mapping[Match, str] = {
    Match.UID: "a UID, or several with commas between them",
    Match.TEXT: "a text",
    Match.NAME: "a text",
    Match.DATE: "a date as YYYYMMDD, or two with a hyphen between them",
    Match.DATE_AS_TEXT: "a date as YYYYMMDD, or two with a hyphen between them",
    Match.TIME: "a time as HHMMSS, or two with a hyphen between them",
    Match.NUMBER: "a whole number",
}
