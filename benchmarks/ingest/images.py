"""Images to push: one made in full, the others its copies under UIDs of their own."""

from io import BytesIO
from pathlib import Path

import numpy as np
from pydicom import Dataset, dcmwrite
from pydicom.dataset import FileMetaDataset
from pydicom.uid import EnhancedMRImageStorage, ExplicitVRLittleEndian, MRImageStorage

_SIDE = 512
_ROOT = "1.2.826.0.1.3680043.10.1"
_DIGITS = 12


def uid_of(number: int) -> str:
    """Return a UID of the same length for every number."""
    return f"{_ROOT}.1{number:0{_DIGITS}d}"


def template(seed: int = 20, frames: int = 1) -> bytes:
    """Return an image of 512 x 512 pixels of 16 bits as a DICOM file, its UID that of number 0."""
    data_set = Dataset()
    data_set.SOPClassUID = MRImageStorage if frames == 1 else EnhancedMRImageStorage
    data_set.SOPInstanceUID = uid_of(0)
    data_set.StudyDate = "20260301"
    data_set.Modality = "MR"
    data_set.PatientName = "Benchmark"
    data_set.PatientID = "BENCH-1"
    data_set.StudyInstanceUID = f"{_ROOT}.2"
    data_set.SeriesInstanceUID = f"{_ROOT}.2.1"
    data_set.Rows = data_set.Columns = _SIDE
    data_set.SamplesPerPixel = 1
    data_set.PhotometricInterpretation = "MONOCHROME2"
    data_set.BitsAllocated, data_set.BitsStored, data_set.HighBit = 16, 12, 11
    data_set.PixelRepresentation = 0
    noise = np.random.default_rng(seed).integers(0, 4096, size=(_SIDE, _SIDE), dtype=np.uint16)
    data_set.PixelData = noise.tobytes() * frames
    if frames > 1:
        data_set.NumberOfFrames = frames
    data_set.file_meta = FileMetaDataset()
    data_set.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    data_set.file_meta.MediaStorageSOPClassUID = data_set.SOPClassUID
    data_set.file_meta.MediaStorageSOPInstanceUID = data_set.SOPInstanceUID
    buffer = BytesIO()
    dcmwrite(buffer, data_set, enforce_file_format=True)
    return buffer.getvalue()


def write_images(folder: Path, content: bytes, first: int, count: int) -> None:
    """Write `count` copies of the template into `folder`, numbered from `first`."""
    folder.mkdir(parents=True, exist_ok=True)
    before = uid_of(0).encode()
    for number in range(first, first + count):
        (folder / f"{number}.dcm").write_bytes(content.replace(before, uid_of(number).encode()))
