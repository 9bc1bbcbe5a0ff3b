"""What a header says about how a frame was acquired: times, phases, b-values (PS3.3 C.8.3.1, C.8.13).

Classic images say it at the top, Enhanced ones in their functional groups: of the frame first, then shared.
"""

import math
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from pydicom.dataset import Dataset
from pydicom.valuerep import DA, DT, TM

_ECHO_PULSE_SEQUENCES = {"SPIN": ["SE"], "GRADIENT": ["GR"], "BOTH": ["SE", "GR"]}
"""Echo Pulse Sequence (0018,9008) of Enhanced MR in the codes of Scanning Sequence (0018,0020)."""


def frame_acquisition(header: Dataset, number: int) -> Mapping[str, Any]:
    """Return what is known of a frame's acquisition; `number` counts from 1.

    Instants are seconds from one origin for every header, so that they can be subtracted from each other.
    """
    facts = {
        "temporal_position": _whole(_first(header, number, "FrameContentSequence", "TemporalPositionIndex"))
        or _whole(_value(header, "TemporalPositionIdentifier")),
        "acquired_at_seconds": _acquired_at(header, number),
        "contrast_at_seconds": _contrast_at(header, number),
        "b_value": _number(_first(header, number, "MRDiffusionSequence", "DiffusionBValue")),
    }
    return {name: value for name, value in facts.items() if value is not None}


def scanning_sequences(header: Dataset) -> list[str]:
    """Return Scanning Sequence (0018,0020) of an Enhanced MR image, in the codes of a classic one."""
    codes = list(_ECHO_PULSE_SEQUENCES.get(str(_value(header, "EchoPulseSequence")), ()))
    return [*codes, "EP"] if str(_value(header, "EchoPlanarPulseSequence")) == "YES" else codes


def body_part(header: Dataset) -> str:
    """Return Body Part Examined (0018,0015), else the meaning of the anatomic region's code (0008,2218)."""
    stated = _value(header, "BodyPartExamined")
    if stated:
        return str(stated)
    for place in (header, *_items(header, 1, "FrameAnatomySequence")):
        for region in _value(place, "AnatomicRegionSequence") or ():
            return str(_value(region, "CodeMeaning") or "").upper()
    return ""


def _items(header: Dataset, number: int, group: str) -> Iterator[Dataset]:
    """Give a functional group of a frame, then the one shared by all frames (PS3.3 C.7.6.16)."""
    each = _value(header, "PerFrameFunctionalGroupsSequence") or ()
    shared = _value(header, "SharedFunctionalGroupsSequence") or ()
    for place in (*each[number - 1 : number], *shared[:1]):
        yield from (_value(place, group) or ())[:1]


def _first(header: Dataset, number: int, group: str, keyword: str) -> Any:  # noqa: ANN401  any value
    for place in (*_items(header, number, group), header):
        value = _value(place, keyword)
        if value not in {None, ""}:
            return value
    return None


def _value(place: Dataset, keyword: str) -> Any:  # noqa: ANN401  any value
    try:
        return place.get(keyword)
    except Exception:  # noqa: BLE001  hostile bytes end a parser in many ways; none may end the feed
        return None


def _number(value: Any) -> float | None:  # noqa: ANN401  any value
    try:
        number = float(value)
    except (TypeError, ValueError, OverflowError):
        return None
    return number if math.isfinite(number) else None


def _whole(value: Any) -> int | None:  # noqa: ANN401  any value
    number = _number(value)
    return int(number) if number is not None and abs(number) < 1e9 else None


def _acquired_at(header: Dataset, number: int) -> float | None:
    of_frame = _first(header, number, "FrameContentSequence", "FrameAcquisitionDateTime")
    for text in (of_frame, _value(header, "AcquisitionDateTime")):
        seconds = _seconds(DT, text)
        if seconds is not None:
            return seconds
    return _joined(header, _value(header, "AcquisitionTime"))


def _contrast_at(header: Dataset, number: int) -> float | None:
    stated = _value(header, "ContrastBolusStartTime")
    for agent in _value(header, "ContrastBolusAgentSequence") or ():
        for profile in _value(agent, "ContrastAdministrationProfileSequence") or ():
            stated = stated or _value(profile, "ContrastBolusStartTime")
    seconds = _joined(header, stated)
    acquired = _acquired_at(header, number)
    if seconds is None and acquired is not None and stated:
        day = datetime.fromtimestamp(acquired, UTC)
        seconds = _seconds(DT, f"{day:%Y%m%d}{stated}")
    return seconds


def _joined(header: Dataset, time: Any) -> float | None:  # noqa: ANN401  a received value
    day = _value(header, "AcquisitionDate") or _value(header, "StudyDate")
    try:
        DA(str(day)), TM(str(time))
    except (ValueError, TypeError):
        return None
    return _seconds(DT, f"{day}{time}") if day and time else None


def _seconds(kind: type[DT], text: Any) -> float | None:  # noqa: ANN401  a received value
    """Return an instant as seconds; one without a zone counts as UTC, as all of a study do alike."""
    try:
        found = kind(str(text)) if text else None
        aware = None if found is None else found if found.tzinfo else found.replace(tzinfo=UTC)
        return None if aware is None else aware.timestamp()
    except (ValueError, TypeError, OverflowError):
        return None
