"""Small instances to send: valid unless a test says otherwise."""

import zlib
from typing import Any

from pydicom import Dataset
from pydicom.dataset import FileMetaDataset
from pydicom.filebase import DicomBytesIO
from pydicom.filewriter import write_dataset
from pydicom.uid import UID, generate_uid

MR_IMAGE = "1.2.840.10008.5.1.4.1.1.4"
EXPLICIT_LE = "1.2.840.10008.1.2.1"
IMPLICIT_LE = "1.2.840.10008.1.2"
EXPLICIT_BE = "1.2.840.10008.1.2.2"
DEFLATED = "1.2.840.10008.1.2.1.99"
RLE = "1.2.840.10008.1.2.5"


def mr_instance(**values: Any) -> Dataset:
    """Return an MR image of `side` x `side` pixels; `values` replace attributes, None removes one."""
    data_set, side = Dataset(), values.pop("side", 8)
    attributes: dict[str, object] = {
        "SOPClassUID": MR_IMAGE,
        "SOPInstanceUID": generate_uid(),
        "StudyDate": "20260301",
        "StudyTime": "101500",
        "AcquisitionDate": "20260301",
        "AccessionNumber": "A1",
        "Modality": "MR",
        "Manufacturer": "Phantom",
        "SeriesDescription": "T1 axial",
        "PatientName": "Doe^Jane",
        "PatientID": "S1-001",
        "PatientBirthDate": "19700101",
        "PatientSex": "F",
        "ClinicalTrialProtocolID": "HER2-MBC",
        "ClinicalTrialSubjectID": "S1-001",
        "StudyInstanceUID": "1.2.826.0.1.3680043.8.498.1",
        "SeriesInstanceUID": "1.2.826.0.1.3680043.8.498.1.1",
        "StudyID": "1",
        "SeriesNumber": 2,
        "InstanceNumber": 3,
        "FrameOfReferenceUID": "1.2.826.0.1.3680043.8.498.1.9",
        "SamplesPerPixel": 1,
        "PhotometricInterpretation": "MONOCHROME2",
        "Rows": side,
        "Columns": side,
        "BitsAllocated": 16,
        "BitsStored": 12,
        "HighBit": 11,
        "PixelRepresentation": 0,
        "PixelData": bytes(range(256)) * (side * side * 2 // 256) + bytes(side * side * 2 % 256),
    }
    for keyword, value in (attributes | values).items():
        if value is not None:
            setattr(data_set, keyword, value)
    return data_set


def with_meta(data_set: Dataset, syntax: str = EXPLICIT_LE) -> Dataset:
    """Give a data set the file meta information that a sender needs."""
    data_set.file_meta = FileMetaDataset()
    data_set.file_meta.TransferSyntaxUID = UID(syntax)
    data_set.file_meta.MediaStorageSOPClassUID = data_set.SOPClassUID
    data_set.file_meta.MediaStorageSOPInstanceUID = data_set.SOPInstanceUID
    return data_set


def encoded(data_set: Dataset, syntax: str = EXPLICIT_LE) -> bytes:
    """Return the data set's bytes in a transfer syntax, as a sender would put them on the wire."""
    buffer = DicomBytesIO()
    buffer.is_implicit_VR = syntax == IMPLICIT_LE
    buffer.is_little_endian = syntax != EXPLICIT_BE
    if "PixelData" in data_set:
        data_set["PixelData"].VR = "OB" if syntax == RLE else "OW"
    write_dataset(buffer, data_set)
    written = buffer.getvalue()
    if syntax != DEFLATED:
        return written
    stream = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return stream.compress(written) + stream.flush()
