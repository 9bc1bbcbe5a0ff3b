"""What readers get of a data set: tables of what passes, what moves and what is gone."""

from datetime import date
from typing import Any

import pytest
from pydicom import DataElement, Dataset, Sequence, config

from imaging_service.images.dicomweb.blinding import Blinding, blinded, is_readable

BLINDING = Blinding(reading_id="R-7KQ2M9X", baseline_on=date(2024, 12, 20), timepoint="1")


def seen(keyword: str, value: Any, **others: Any) -> Any:
    """Return what becomes of one attribute, or None when it is gone."""
    dataset = Dataset()
    for name, given in {**others, keyword: value}.items():
        setattr(dataset, name, given)
    return blinded(dataset, BLINDING).get(keyword)


@pytest.mark.parametrize(
    ("keyword", "value", "expected"),
    [
        ("PatientName", "Roe^Jane", "R-7KQ2M9X"),
        ("PatientID", "4711", "R-7KQ2M9X"),
        ("PatientBirthDate", "19640203", ""),
        ("PatientSex", "F", ""),
        ("AccessionNumber", "A-1", ""),
        ("StudyDescription", "Follow-up Jane", "Timepoint 1"),
    ],
)
def test_these_are_replaced(keyword: str, value: str, expected: str) -> None:
    assert str(seen(keyword, value)) == expected


@pytest.mark.parametrize(
    ("keyword", "value"),
    [
        ("InstitutionName", "Hospital 01"),
        ("StationName", "MR1"),
        ("OperatorsName", "Op^Era"),
        ("PatientWeight", 70),
        ("PatientAge", "061Y"),
        ("OtherPatientIDs", "4711"),
        ("SeriesDescription", "Jane T1"),
        ("ProtocolName", "Hospital breast"),
        ("ImageComments", "call Dr Roe"),
        ("ClinicalTrialSubjectID", "01-001"),
        ("ClinicalTrialSiteID", "01"),
        ("TimezoneOffsetFromUTC", "+0200"),
        ("DeviceSerialNumber", "S-17"),
        ("IconImageSequence", [Dataset()]),
        ("RequestAttributesSequence", [Dataset()]),
        ("InstitutionCodeSequence", [Dataset()]),
    ],
)
def test_these_are_gone(keyword: str, value: Any) -> None:
    assert seen(keyword, value) is None


@pytest.mark.parametrize(
    ("keyword", "value"),
    [
        ("SOPInstanceUID", "1.2.3"),
        ("Modality", "MR"),
        ("ImageType", ["ORIGINAL", "PRIMARY", "M"]),
        ("PixelSpacing", [0.8, 0.5]),
        ("ImagePositionPatient", [-10.25, 3, 1e-3]),
        ("Rows", 512),
        ("EchoTime", 4.6),
        ("AcquisitionTime", "101530.25"),
        ("PixelData", b"\1\2"),
    ],
)
def test_these_pass(keyword: str, value: Any) -> None:
    assert seen(keyword, value) == value


@pytest.mark.parametrize(
    ("keyword", "value", "expected"),
    [
        ("StudyDate", "20241220", "20000101"),
        ("AcquisitionDate", "20250131", "20000212"),
        ("SeriesDate", "20241219", "19991231"),
        ("AcquisitionDateTime", "20241221101530.25+0200", "20000102101530.25"),
        ("StudyDate", "Jane", ""),
        ("StudyDate", "20241320", ""),
        ("AcquisitionDateTime", "2024", ""),
    ],
)
def test_dates_keep_their_distance_and_nothing_else(keyword: str, value: str, expected: str) -> None:
    assert str(seen(keyword, value) or "") == expected


def test_without_a_day_of_baseline_there_are_no_dates() -> None:
    dataset = Dataset()
    dataset.StudyDate = "20241220"
    assert blinded(dataset, Blinding(reading_id="R-1", baseline_on=None)).StudyDate == ""


@pytest.mark.parametrize(("keyword", "text"), [("BodyPartExamined", "Jane Roe"), ("SliceThickness", "Roe")])
def test_a_text_in_a_place_for_codes_or_numbers_is_gone(keyword: str, text: str) -> None:
    dataset = Dataset()
    tag = {"BodyPartExamined": 0x00180015, "SliceThickness": 0x00180050}[keyword]
    kind = {"BodyPartExamined": "CS", "SliceThickness": "LO"}[keyword]
    dataset.add(DataElement(tag, kind, text, validation_mode=config.IGNORE))
    assert keyword not in blinded(dataset, BLINDING)


@pytest.mark.parametrize("declared", ["YES", "NO", None])
def test_private_elements_and_descriptions_need_a_declaration(declared: str | None) -> None:
    dataset = Dataset()
    dataset.SeriesDescription = "T1 dynamic"
    block = dataset.private_block(0x0029, "MAKER", create=True)
    block.add_new(1, "LO", "Jane")
    if declared is not None:
        dataset.PatientIdentityRemoved = declared
    shown = blinded(dataset, BLINDING)
    assert ((0x0029, 0x1001) in shown) is (declared == "YES")
    assert ("SeriesDescription" in shown) is (declared == "YES")
    assert (shown.PatientIdentityRemoved, shown.ClinicalTrialSubjectReadingID) == ("YES", "R-7KQ2M9X")


def code(value: str, scheme: str, meaning: str) -> Dataset:
    item = Dataset()
    item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning = value, scheme, meaning
    return item


def test_codes_of_shared_vocabularies_pass_and_those_of_a_site_do_not() -> None:
    dataset = Dataset()
    dataset.AnatomicRegionSequence = Sequence([code("76752008", "SCT", "Breast of Jane")])
    dataset.ViewCodeSequence = Sequence([code("HOSP-7", "99HOSP", "Hospital 01")])
    shown = blinded(dataset, BLINDING)
    region = shown.AnatomicRegionSequence[0]
    assert (region.CodeValue, region.CodeMeaning) == ("76752008", "76752008")
    assert len(shown.ViewCodeSequence[0]) == 0


def test_nested_items_are_blinded_too_and_the_original_stays_as_it_is() -> None:
    dataset, item = Dataset(), Dataset()
    item.FrameAcquisitionDateTime, item.FrameComments = "20241221120000", "Jane"
    group = Dataset()
    group.FrameContentSequence = Sequence([item])
    dataset.PerFrameFunctionalGroupsSequence = Sequence([group])
    shown = blinded(dataset, BLINDING).PerFrameFunctionalGroupsSequence[0].FrameContentSequence[0]
    assert shown.FrameAcquisitionDateTime == "20000102120000"
    assert "FrameComments" not in shown
    assert item.FrameComments == "Jane"


@pytest.mark.parametrize(
    ("sop_class", "declared", "readable"),
    [
        ("1.2.840.10008.5.1.4.1.1.4", False, True),  # MR
        ("1.2.840.10008.5.1.4.1.1.4.1", False, True),  # Enhanced MR
        ("1.2.840.10008.5.1.4.1.1.4.2", True, False),  # MR spectroscopy
        ("1.2.840.10008.5.1.4.1.1.2", False, True),  # CT
        ("1.2.840.10008.5.1.4.1.1.7", False, False),  # secondary capture
        ("1.2.840.10008.5.1.4.1.1.7", True, True),
        ("1.2.840.10008.5.1.4.1.1.88.33", True, False),  # structured report
        ("1.2.840.10008.5.1.4.1.1.66.4", True, False),  # segmentation
        ("1.2.840.10008.5.1.4.1.1.11.1", True, False),  # presentation state
        ("1.2.840.10008.5.1.4.1.1.104.1", True, False),  # PDF
        ("1.2.840.10008.5.1.4.1.1.481.3", True, False),  # RT structure set
    ],
)
def test_readers_get_images_and_none_of_the_sites_answers(sop_class, declared, readable) -> None:
    assert is_readable(sop_class, is_identity_removed=declared) is readable
