from datetime import date
from typing import Any

import pytest

from dicom_listener.archive.header import read_header
from dicom_listener.archive.uids import is_uid
from dicom_listener.errors import DataSetError, MalformedDataSetError, Reason
from tests.dicom_listener.instances import (
    DEFLATED,
    EXPLICIT_BE,
    EXPLICIT_LE,
    IMPLICIT_LE,
    MR_IMAGE,
    encoded,
    mr_instance,
)


@pytest.mark.parametrize("syntax", [EXPLICIT_LE, IMPLICIT_LE, EXPLICIT_BE, DEFLATED])
def test_the_header_says_what_the_data_set_says(syntax: str) -> None:
    header = read_header(encoded(mr_instance(SOPInstanceUID="1.2.3"), syntax), syntax)
    assert header.sop_instance_uid == "1.2.3"
    assert header.sop_class_uid == MR_IMAGE
    assert header.patient_id == "S1-001"
    assert header.study_date == header.acquired_on == date(2026, 3, 1)
    assert (header.rows, header.columns, header.number_of_frames) == (8, 8, 1)
    assert (header.series_number, header.instance_number) == (2, 3)
    assert (header.clinical_trial_protocol_id, header.clinical_trial_subject_id) == ("HER2-MBC", "S1-001")
    assert header.transfer_syntax_uid == syntax


REFUSED = {
    "no SOP Instance UID": ({"SOPInstanceUID": None}, Reason.MISSING_UID),
    "no Study Instance UID": ({"StudyInstanceUID": None}, Reason.MISSING_UID),
    "no Series Instance UID": ({"SeriesInstanceUID": ""}, Reason.MISSING_UID),
    "a UID that is a path": ({"SOPInstanceUID": "../../etc/passwd"}, Reason.MALFORMED_UID),
    "a UID with a newline": ({"StudyInstanceUID": "1.2.3\n4"}, Reason.MALFORMED_UID),
    "a UID with NUL inside": ({"StudyInstanceUID": "1.2\0.3"}, Reason.MALFORMED_UID),
    "a UID of 65 characters": ({"SeriesInstanceUID": "1." + "2" * 63}, Reason.MALFORMED_UID),
    "a UID with a leading zero": ({"SOPInstanceUID": "1.02.3"}, Reason.MALFORMED_UID),
    "a PatientID of 65 characters": ({"PatientID": "P" * 65}, Reason.MALFORMED_IDENTIFIER),
    "a PatientID with a newline": ({"PatientID": "P\n1"}, Reason.MALFORMED_IDENTIFIER),
    "a PatientID with NUL inside": ({"PatientID": "P\0001"}, Reason.MALFORMED_IDENTIFIER),
    "too little pixel data": ({"PixelData": bytes(126)}, Reason.PIXEL_DATA_CONTRADICTS_HEADER),
    "too much pixel data": ({"PixelData": bytes(130)}, Reason.PIXEL_DATA_CONTRADICTS_HEADER),
    "rows of none": ({"Rows": None}, Reason.PIXEL_DATA_CONTRADICTS_HEADER),
    "zero columns": ({"Columns": 0}, Reason.PIXEL_DATA_CONTRADICTS_HEADER),
    "two frames of one": ({"NumberOfFrames": 2}, Reason.PIXEL_DATA_CONTRADICTS_HEADER),
    "minus one frame": ({"NumberOfFrames": -1}, Reason.PIXEL_DATA_CONTRADICTS_HEADER),
    "bits of none": ({"BitsAllocated": None}, Reason.PIXEL_DATA_CONTRADICTS_HEADER),
}


@pytest.mark.parametrize(("values", "reason"), REFUSED.values(), ids=REFUSED)
@pytest.mark.filterwarnings("ignore::UserWarning:pydicom")
def test_a_header_that_cannot_be_kept_is_refused(values: dict[str, Any], reason: Reason) -> None:
    with pytest.raises(DataSetError) as refusal:
        read_header(encoded(mr_instance(**values)), EXPLICIT_LE)
    assert refusal.value.reason is reason
    assert "S1-001" not in str(refusal.value)


def test_an_unknown_transfer_syntax_is_refused() -> None:
    with pytest.raises(MalformedDataSetError, match=r"1\.2\.3"):
        read_header(encoded(mr_instance()), "1.2.3")


ACCEPTED = {
    "three samples a pixel": {"SamplesPerPixel": 3, "BitsAllocated": 8, "PixelData": bytes(192)},
    "half the chrominance": {
        "SamplesPerPixel": 3,
        "PhotometricInterpretation": "YBR_FULL_422",
        "BitsAllocated": 8,
        "PixelData": bytes(128),
    },
    "one bit a pixel over frames": {"BitsAllocated": 1, "NumberOfFrames": 3, "PixelData": bytes(24)},
    "an odd number of bytes, padded": {
        "Rows": 3,
        "Columns": 3,
        "BitsAllocated": 8,
        "PixelData": bytes(10),
    },
    "no pixel data": {"PixelData": None, "Rows": None, "Columns": None},
    "an empty PatientID": {"PatientID": ""},
    "a PatientID padded with NUL": {"PatientID": "S1\0\0"},
}


@pytest.mark.parametrize("values", ACCEPTED.values(), ids=ACCEPTED)
def test_a_header_that_agrees_with_its_pixel_data_is_read(values: dict[str, Any]) -> None:
    header = read_header(encoded(mr_instance(**values)), EXPLICIT_LE)
    assert header.patient_id == str(values.get("PatientID", "S1-001")).rstrip("\0")


@pytest.mark.parametrize(
    ("text", "expected", "is_unreadable"),
    [
        ("20260301", date(2026, 3, 1), False),
        ("2026.03.01", date(2026, 3, 1), False),  # ACR-NEMA's form, still met (PS3.5 Table 6.2-1)
        ("", None, False),
        ("20261332", None, True),
        ("tomorrow", None, True),
    ],
)
@pytest.mark.filterwarnings("ignore::UserWarning:pydicom")
def test_a_study_date_is_a_date_or_is_said_to_be_none(
    text: str, expected: date | None, is_unreadable
) -> None:
    header = read_header(encoded(mr_instance(StudyDate=text)), EXPLICIT_LE)
    assert (header.study_date, header.has_unreadable_study_date) == (expected, is_unreadable)


@pytest.mark.parametrize(
    ("character_set", "name"),
    [
        ("ISO_IR 100", "Müller^Jörg"),
        ("ISO_IR 192", "山田^太郎"),
        ("ISO_IR 144", "Иванов^Иван"),
        (["", "ISO 2022 IR 87"], "Yamada^Tarou=山田^太郎"),
    ],
)
def test_text_is_read_in_its_character_set(character_set, name: str) -> None:
    data_set = mr_instance(SpecificCharacterSet=character_set, PatientName=name)
    assert read_header(encoded(data_set), EXPLICIT_LE).patient_name == name


def test_text_for_people_loses_its_control_characters() -> None:
    data_set = mr_instance(SeriesDescription="T1\r\nX-Log: forged")
    assert read_header(encoded(data_set), EXPLICIT_LE).series_description == "T1  X-Log: forged"


@pytest.mark.parametrize("text", ["0.0", "1.2.840.10008.1.2", "2." + "1" * 62])
def test_a_uid_is_one(text: str) -> None:
    assert is_uid(text)


@pytest.mark.parametrize("text", ["", "1", "1.", ".1", "1.2 ", "1.a", "1.2\n", "१.2", "1." + "1" * 63])
def test_anything_else_is_none(text: str) -> None:
    assert not is_uid(text)
