"""What readers get instead of what tells whose images they are: pure, one table for each kind.

Nothing passes because nobody has thought of it: numbers, codes and UIDs pass, every date moves, and a text
passes only when its attribute is in a table here. (PS3.15 Annex E names what to protect; this is stricter.)
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from pydicom import DataElement, Dataset, Sequence, config
from pydicom.datadict import dictionary_VR, tag_for_keyword

# pydicom quotes a value that it does not like in a warning, and a value may name a person.
config.settings.reading_validation_mode = config.IGNORE

DAY_OF_BASELINE = date(2000, 1, 1)
"""What every subject's day of baseline is called; all other days keep their distance to it."""

METHOD = "Blinded for central reading"


@dataclass(frozen=True, slots=True, kw_only=True)
class Blinding:
    """How the images of one subject are shown.

    Parameters
    ----------
    reading_id
        The subject's blinded name (0012,0042).
    baseline_on
        The day that becomes `DAY_OF_BASELINE`; without it there are no dates.
    timepoint
        Number of the timepoint, or None for an unscheduled one.
    """

    reading_id: str
    baseline_on: date | None
    timepoint: str | None = None

    @property
    def study_description(self) -> str:
        """What the study is called."""
        return "Unscheduled" if self.timepoint is None else f"Timepoint {self.timepoint}"

    def moved(self, day: date) -> date | None:
        """Return a day as readers see it.

        Examples
        --------
        >>> Blinding(reading_id="R-1", baseline_on=date(2024, 12, 20)).moved(date(2025, 2, 1))
        datetime.date(2000, 2, 13)
        """
        if self.baseline_on is None:
            return None
        try:
            return DAY_OF_BASELINE + (day - self.baseline_on)
        except OverflowError:
            return None


_READABLE = (
    "1.2.840.10008.5.1.4.1.1.4",  # MR, Enhanced MR, Enhanced MR Color, Legacy Converted Enhanced MR
    "1.2.840.10008.5.1.4.1.1.2",  # CT in its forms
    "1.2.840.10008.5.1.4.1.1.128",  # PET
    "1.2.840.10008.5.1.4.1.1.130",
    "1.2.840.10008.5.1.4.1.1.6.1",  # ultrasound
    "1.2.840.10008.5.1.4.1.1.3.1",
)
_NOT_READABLE = frozenset({"1.2.840.10008.5.1.4.1.1.4.2"})  # spectra
_CAPTURES = "1.2.840.10008.5.1.4.1.1.7"  # a capture may show a name, or what the site has measured


def is_readable(sop_class_uid: str, *, is_identity_removed: bool) -> bool:
    """Whether readers get instances of a class: images, and none of the site's own answers.

    Examples
    --------
    >>> is_readable("1.2.840.10008.5.1.4.1.1.4.1", is_identity_removed=False)
    True
    >>> is_readable("1.2.840.10008.5.1.4.1.1.88.33", is_identity_removed=True)  # a report of the site
    False
    """

    def within(root: str) -> bool:
        return sop_class_uid == root or sop_class_uid.startswith(f"{root}.")

    if sop_class_uid in _NOT_READABLE:
        return False
    return any(map(within, _READABLE)) or (is_identity_removed and within(_CAPTURES))


_KEPT_IN_RECORDS = frozenset(
    {
        *("StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID", "SOPClassUID", "FrameOfReferenceUID"),
        *("Modality", "SeriesNumber", "BodyPartExamined", "StudyTime", "NumberOfSeriesRelatedInstances"),
        *("InstanceNumber", "Rows", "Columns", "NumberOfFrames"),
    }
)


def blinded_record(record: Mapping[str, Any], blinding: Blinding) -> dict[str, Any]:
    """Return what the index says of a study, series or instance as readers see it.

    Examples
    --------
    >>> blinding = Blinding(reading_id="R-1", baseline_on=date(2025, 1, 1))
    >>> blinded_record({"PatientID": "4711", "StudyDate": date(2025, 1, 3), "Rows": 512}, blinding)
    {'PatientID': 'R-1', 'StudyDate': datetime.date(2000, 1, 3), 'Rows': 512}
    """
    replaced = {
        "PatientID": blinding.reading_id,
        "PatientName": blinding.reading_id,
        "StudyDescription": blinding.study_description,
    }
    return {
        keyword: replaced.get(keyword, _shown(keyword, value, blinding)) for keyword, value in record.items()
    }


def _shown(keyword: str, value: Any, blinding: Blinding) -> Any:  # noqa: ANN401  as the index keeps it
    if isinstance(value, date):
        return blinding.moved(value)
    if keyword not in _KEPT_IN_RECORDS:
        return None
    if isinstance(value, str):
        pattern = _PATTERNS.get(dictionary_VR(tag_for_keyword(keyword) or 0))
        return value if pattern is not None and pattern.fullmatch(value) else None
    return value


_PATTERNS = {
    "CS": re.compile(r"[A-Z0-9_ ]{0,16}", re.ASCII),
    "TM": re.compile(r"[0-9]{2,6}(?:\.[0-9]{1,6})?", re.ASCII),
    "UI": re.compile(r"[0-9.]{1,64}", re.ASCII),
    "DS": re.compile(r" *[-+]?[0-9]*\.?[0-9]*(?:[eE][-+]?[0-9]+)? *", re.ASCII),
    "IS": re.compile(r" *[-+]?[0-9]{1,12} *", re.ASCII),
}
"""What a text of a coded or numeric kind may be (PS3.5 Table 6.2-1); any other is dropped."""

_NUMBERS = frozenset({"AT", "FD", "FL", "SL", "SS", "SV", "UL", "US", "UV"})
_BULK = frozenset({"OB", "OD", "OF", "OL", "OV", "OW"})
_GROUPS_WITH_BULK = frozenset({0x0028, 0x7FE0})  # look-up tables and pixels

_DROPPED_GROUPS = frozenset(
    {
        0x0002,  # says who sent it; the service writes its own
        0x0010,  # the patient
        0x0012,  # the trial as the site names it
        *(0x0032, 0x0038),  # the request and the visit
        *(0x0042, 0x0088, 0x0400),  # documents, icons, signatures and what stood there before
        *(0x4008, 0xFFFA, 0xFFFC),
    }
)
_REPEATING_GROUPS = (0x5000, 0x6000)  # curves and overlays, which may be writing

_DROPPED = frozenset(
    tag_for_keyword(keyword)
    for keyword in (
        *("InstitutionCodeSequence", "InstitutionalDepartmentTypeCodeSequence"),
        *("ReferringPhysicianIdentificationSequence", "PhysiciansOfRecordIdentificationSequence"),
        *("PerformingPhysicianIdentificationSequence", "PhysiciansReadingStudyIdentificationSequence"),
        *(
            "OperatorIdentificationSequence",
            "PersonIdentificationCodeSequence",
            "ContentCreatorIdentificationCodeSequence",
        ),
        *("AuthorObserverSequence", "ParticipantSequence", "VerifyingObserverSequence"),
        *("RequestAttributesSequence", "RequestedProcedureCodeSequence", "ProcedureCodeSequence"),
        *(
            "PerformedProtocolCodeSequence",
            "PerformedStationNameCodeSequence",
            "ReasonForRequestedProcedureCodeSequence",
        ),
        *("ReferencedPatientSequence", "ReferencedStudySequence", "ReferencedPerformedProcedureStepSequence"),
        *(
            "AdmittingDiagnosesCodeSequence",
            "ContributingEquipmentSequence",
            "CodingSchemeIdentificationSequence",
        ),
        *("ConceptNameCodeSequence", "ContentSequence", "AcquisitionContextSequence"),
        *("TimezoneOffsetFromUTC", "DeviceSerialNumber", "GantryID", "DetectorID"),
    )
)

_CODE = frozenset({"CodeValue", "CodingSchemeDesignator", "CodingSchemeVersion", "CodeMeaning"})
CODE_TAGS = frozenset(tag_for_keyword(each) for each in _CODE)
_CODING_SCHEMES = frozenset({"DCM", "SCT", "SRT", "SNM3", "99SDM", "UCUM", "LN", "FMA", "RADLEX", "UMLS"})
"""Vocabularies that everybody shares (PS3.16 chapter 8); a scheme of a site's own would name the site."""
_CODE_VALUE = re.compile(r"[A-Za-z0-9./{}\[\]%^*-]{1,16}", re.ASCII)

_DESCRIPTORS = frozenset(
    {
        *("SeriesDescription", "ProtocolName", "Manufacturer", "ManufacturerModelName", "SoftwareVersions"),
        *("ContrastBolusAgent", "AcquisitionProtocolName", "StackID", "DimensionDescriptionLabel"),
        *("SequenceName", "PulseSequenceName", "ReceiveCoilName", "TransmitCoilName"),
        *("SegmentLabel", "WindowCenterWidthExplanation"),
    }
)
"""Free texts that pass when the sender declares the identity removed (0012,0062)."""


def blinded(dataset: Dataset, blinding: Blinding) -> Dataset:
    """Return a data set as readers see it; the one given stays as it is.

    Parameters
    ----------
    dataset
        A header, with or without its pixels.
    blinding
        Whose it is.

    Returns
    -------
    Dataset
        A new one. Private elements are in it only when the sender declares the identity removed.
    """
    shown = blinded_elements(dataset, blinding, is_removed=is_identity_removed(dataset))
    for element in replaced(blinding):
        shown.add(element)
    return shown


def is_identity_removed(dataset: Dataset) -> bool:
    """Whether the sender declares the identity removed (0012,0062)."""
    return str(dataset.get("PatientIdentityRemoved", "")).strip() == "YES"


def replaced(blinding: Blinding) -> Dataset:
    """Return the elements that every blinded data set has, whatever it had there before."""
    found = Dataset()
    for keyword, value in {
        "PatientName": blinding.reading_id,
        "PatientID": blinding.reading_id,
        "PatientBirthDate": "",
        "PatientSex": "",
        "AccessionNumber": "",
        "ReferringPhysicianName": "",
        "StudyID": "",
        "StudyDescription": blinding.study_description,
        "ClinicalTrialSubjectReadingID": blinding.reading_id,
        "PatientIdentityRemoved": "YES",
        "DeidentificationMethod": METHOD,
    }.items():
        setattr(found, keyword, value)
    return found


def blinded_elements(dataset: Dataset, blinding: Blinding, *, is_removed: bool) -> Dataset:
    """Return the elements of a data set, or of a part of it, that readers see.

    What becomes of an element follows from it alone, but for the parts of a code, which need their scheme.
    """
    shown = Dataset()
    is_shared_code = str(dataset.get("CodingSchemeDesignator", "")) in _CODING_SCHEMES
    for element in _readable_elements(dataset):
        if _is_dropped(element, is_removed=is_removed):
            continue
        if element.VR == "SQ":
            items = [blinded_elements(item, blinding, is_removed=is_removed) for item in element.value]
            shown.add(DataElement(element.tag, "SQ", Sequence(items)))
        elif element.keyword in _CODE:
            if is_shared_code and (text := _code(dataset, element, is_removed=is_removed)):
                shown.add(DataElement(element.tag, element.VR, text, validation_mode=config.IGNORE))
        elif element.VR in {"DA", "DT"}:
            moved = [_moved(str(each), blinding) for each in _values(element)]
            shown.add(DataElement(element.tag, element.VR, moved if all(moved) else ""))
        elif _passes(element, is_removed=is_removed):
            shown.add(element)
    return shown


def _readable_elements(dataset: Dataset) -> Iterator[DataElement]:
    for tag in list(dataset.keys()):
        try:
            yield dataset[tag]
        except Exception:  # noqa: BLE001, S112  hostile bytes end a parser in many ways; what is unreadable is dropped
            continue


def _is_dropped(element: DataElement, *, is_removed: bool) -> bool:
    group = element.tag.group
    if element.tag.is_private:
        return not is_removed
    if group in _DROPPED_GROUPS or element.tag in _DROPPED:
        return True
    return any(first <= group <= first + 0xFF for first in _REPEATING_GROUPS)


def _passes(element: DataElement, *, is_removed: bool) -> bool:
    if element.tag.is_private:
        return True  # `_is_dropped` has let it by
    kind = element.VR.partition(" ")[0]  # "US or SS" before it is decided
    if kind in _NUMBERS:
        return True
    if kind in _BULK:
        return element.tag.group in _GROUPS_WITH_BULK
    pattern = _PATTERNS.get(kind)
    if pattern is not None:
        return all(pattern.fullmatch(_text(each)) for each in _values(element))
    return is_removed and element.keyword in _DESCRIPTORS


def _text(value: Any) -> str:  # noqa: ANN401  any value of an element
    return str(getattr(value, "original_string", value))


def _values(element: DataElement) -> list[Any]:
    if element.value is None or element.value == "":
        return []
    return list(element.value) if element.VM > 1 else [element.value]


def _code(dataset: Dataset, element: DataElement, *, is_removed: bool) -> str:
    """Return a part of a code; its meaning is a text of the sender's, for which its value can stand."""
    is_meaning = element.keyword == "CodeMeaning" and not is_removed
    text = str(dataset.get("CodeValue", "") if is_meaning else element.value)
    return text if _CODE_VALUE.fullmatch(text) or (element.keyword == "CodeMeaning" and is_removed) else ""


_DATE = re.compile(r"([0-9]{4})([0-9]{2})([0-9]{2})([0-9.]{0,13})(?:[+-][0-9]{4})?", re.ASCII)


def _moved(text: str, blinding: Blinding) -> str:
    """Return a date (DA) or a date and time (DT) as readers see it: no offset, which would tell where."""
    match = _DATE.fullmatch(text.strip())
    if match is None:
        return ""
    try:
        day = blinding.moved(date(*map(int, match.groups()[:3])))
    except ValueError:
        return ""
    return "" if day is None else f"{day.year:04d}{day:%m%d}{match[4]}"
