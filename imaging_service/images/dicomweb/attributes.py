"""Attributes of the DICOM JSON model (PS3.18 Annex F), made from what the archive's index says."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from pydicom.datadict import dictionary_VR, tag_for_keyword

Json = dict[str, Any]
_NUMBERS = frozenset({"IS", "US"})


def tag_of(keyword: str) -> str:
    """Return the tag of an attribute as eight digits.

    Examples
    --------
    >>> tag_of("StudyDate")
    '00080020'
    """
    tag = tag_for_keyword(keyword)
    if tag is None:
        raise KeyError(keyword)
    return f"{tag:08X}"


def attribute(keyword: str, value: Any) -> Json:  # noqa: ANN401  as the index keeps it
    """Return one attribute; an empty value is an attribute without ``Value``.

    Parameters
    ----------
    keyword
        PS3.6's name of it.
    value
        A text, whose values a backslash separates; a date, a number, or None.

    Examples
    --------
    >>> attribute("PatientName", "Roe^Jane")
    {'vr': 'PN', 'Value': [{'Alphabetic': 'Roe^Jane'}]}
    >>> attribute("StudyDate", date(2025, 1, 2))
    {'vr': 'DA', 'Value': ['20250102']}
    >>> attribute("SeriesNumber", None)
    {'vr': 'IS'}
    """
    vr = dictionary_VR(tag_of(keyword))
    values = [_value(vr, each) for each in _values(value)]
    return {"vr": vr, "Value": values} if values else {"vr": vr}


def attributes(record: Mapping[str, Any]) -> Json:
    """Return the attributes of a record by tag, in the order of their tags."""
    found = {tag_of(keyword): attribute(keyword, value) for keyword, value in record.items()}
    return dict(sorted(found.items()))


def _values(value: Any) -> Sequence[Any]:  # noqa: ANN401  as the index keeps it
    if value is None:
        return ()
    if isinstance(value, str):
        return [each for each in value.split("\\") if each]
    return (value,)


def _value(vr: str, value: Any) -> Any:  # noqa: ANN401  a JSON value
    if vr == "PN":
        groups = zip(("Alphabetic", "Ideographic", "Phonetic"), str(value).split("="), strict=False)
        return {name: text for name, text in groups if text}
    if vr in _NUMBERS:
        return int(value)
    return f"{value:%Y%m%d}" if isinstance(value, date) else str(value)
