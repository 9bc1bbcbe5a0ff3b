"""Search for studies, series and instances (QIDO-RS, PS3.18 section 10.6)."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from dicom_listener.archive import matching
from dicom_listener.archive.archive import Archive
from dicom_listener.archive.matching import ATTRIBUTES, UNIQUE_KEYS, Level
from imaging_service.images.dicomweb.access import VisibleStudy
from imaging_service.images.dicomweb.attributes import Json, attributes
from imaging_service.images.dicomweb.blinding import blinded_record
from imaging_service.images.dicomweb.search import LONGEST_ANSWER, Search

_AT_ONCE = 500
_LEVELS = tuple(Level)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a search found."""

    matches: Sequence[Json]
    warnings: Sequence[str]


def find(archive: Archive, visible: Mapping[str, VisibleStudy], search: Search, base: str) -> Answer:
    """Return what of the visible studies matches.

    Parameters
    ----------
    archive
        Where the listener has indexed what it received.
    visible
        The studies that are there for the caller.
    search
        What is looked for.
    base
        Web address of the DICOMweb service, for each match's Retrieve URL (0008,1190).

    Notes
    -----
    Memory is bounded by the answer: rows are read by the hundred, until the answer is full.
    """
    matched = (row for row in _records(archive, visible, search) if search.matches(row))
    wanted = list(islice(matched, search.offset, search.offset + search.limit + 1))
    warnings = list(search.warnings)
    if len(wanted) > search.limit == LONGEST_ANSWER:
        warnings.append(f"There are more than {search.limit} results; limit and offset ask for the others.")
    return Answer(
        matches=[_shown(row, search.level, base) for row in wanted[: search.limit]], warnings=warnings
    )


def _records(
    archive: Archive, visible: Mapping[str, VisibleStudy], search: Search
) -> Iterator[Mapping[str, Any]]:
    """Give the records of the visible studies, blinded where they must be, in the order of their UIDs."""
    wanted = search.values("StudyInstanceUID")
    uids = sorted(visible if wanted is None else visible.keys() & set(wanted))
    for begin in range(0, len(uids), _AT_ONCE):
        for row in _rows(archive, search, uids[begin : begin + _AT_ONCE]):
            study = visible[row["StudyInstanceUID"]]
            if _is_there(study, row, search.level):
                yield _as_seen(study, row)


def _rows(archive: Archive, search: Search, studies: Sequence[str]) -> Iterator[Mapping[str, Any]]:
    """Give rows of the index with every attribute of this level and those above it."""
    last = _LEVELS.index(search.level)
    keys = {each.keyword: "" for each in ATTRIBUTES.values() if _LEVELS.index(each.level) <= last}
    for keyword in UNIQUE_KEYS.values():
        if keyword != "PatientID" and keyword in keys and (listed := search.values(keyword)) is not None:
            keys[keyword] = "\\".join(listed)
    dear = _COUNTED_ABOVE.get(search.level, frozenset()) - search.keys.keys()  # each row counts them anew
    keys = {key: value for key, value in keys.items() if key not in dear}
    keys["StudyInstanceUID"] = "\\".join(studies)
    question, after = matching.Search(level=search.level, keys=keys), ""
    while True:
        with archive.database.read() as connection:
            found = matching.answers(connection, question, after=after, limit=_AT_ONCE)
        yield from (row for _, row in found)
        if len(found) < _AT_ONCE:
            return
        after = found[-1][0]


_PATIENT_COUNTS = frozenset(each for each in ATTRIBUTES if each.startswith("NumberOfPatientRelated"))
_STUDY_COUNTS = frozenset(
    {
        *("NumberOfStudyRelatedSeries", "NumberOfStudyRelatedInstances"),
        *("ModalitiesInStudy", "SOPClassesInStudy"),
    }
)
_COUNTED_ABOVE = {
    Level.SERIES: _PATIENT_COUNTS | _STUDY_COUNTS,
    Level.IMAGE: _PATIENT_COUNTS | _STUDY_COUNTS | {"NumberOfSeriesRelatedInstances"},
}


def _is_there(study: VisibleStudy, row: Mapping[str, Any], level: Level) -> bool:
    if level is Level.SERIES:
        return study.shows_series(row["SeriesInstanceUID"])
    return level is not Level.IMAGE or study.shows_instance(row["SOPInstanceUID"])


def _as_seen(study: VisibleStudy, row: Mapping[str, Any]) -> Mapping[str, Any]:
    if study.blinding is None or study.contents is None:
        return row
    contents = study.contents
    counted = {
        "ModalitiesInStudy": "\\".join(sorted(contents.modalities)),
        "NumberOfStudyRelatedSeries": len(contents.series),
        "NumberOfStudyRelatedInstances": len(contents.instances),
        "NumberOfSeriesRelatedInstances": contents.series.get(row.get("SeriesInstanceUID", ""), 0),
    }
    shown = blinded_record(row, study.blinding_of(row.get("SeriesInstanceUID")) or study.blinding)
    return shown | {keyword: value for keyword, value in counted.items() if keyword in row}


def _shown(row: Mapping[str, Any], level: Level, base: str) -> Json:
    address = f"{base}/studies/{row['StudyInstanceUID']}"
    if level is not Level.STUDY:
        address += f"/series/{row['SeriesInstanceUID']}"
    if level is Level.IMAGE:
        address += f"/instances/{row['SOPInstanceUID']}"
    return attributes({**row, "RetrieveURL": address, "InstanceAvailability": "ONLINE"})
