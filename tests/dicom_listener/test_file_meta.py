from io import BytesIO

import pydicom
import pytest

from dicom_listener.archive.file_meta import FileMeta, split
from dicom_listener.errors import MalformedDataSetError
from tests.dicom_listener.conftest import provenance
from tests.dicom_listener.instances import EXPLICIT_LE, MR_IMAGE, encoded, mr_instance


def meta(**values: str) -> FileMeta:
    return FileMeta(
        sop_class_uid=MR_IMAGE,
        sop_instance_uid="1.2.3",
        transfer_syntax_uid=EXPLICIT_LE,
        provenance=provenance(**values),
    )


def test_other_readers_find_a_dicom_file() -> None:
    content = meta().encode() + encoded(mr_instance(SOPInstanceUID="1.2.3"))
    read = pydicom.dcmread(BytesIO(content))
    assert read.file_meta.TransferSyntaxUID == EXPLICIT_LE
    assert read.file_meta.MediaStorageSOPInstanceUID == read.SOPInstanceUID == "1.2.3"
    assert read.file_meta.SendingApplicationEntityTitle == "MRI_1"
    assert read.file_meta.ReceivingApplicationEntityTitle == "IMAGING"


@pytest.mark.parametrize("site", ["S1", "Zürich 山"])
def test_what_was_written_is_read_back_with_the_offset_of_the_data_set(site: str) -> None:
    written = meta(site_id=site, peer_address="::1")
    content = written.encode()
    assert split(content + b"data set") == (written, len(content))


@pytest.mark.parametrize("length", [0, 100, 132, 140, 150, 300])
def test_a_beginning_that_is_cut_short_is_refused(length: int) -> None:
    with pytest.raises(MalformedDataSetError):
        split(meta().encode()[:length])


@pytest.mark.parametrize("position", range(128, 160))
def test_a_beginning_that_is_altered_is_refused_or_read_without_harm(position: int) -> None:
    content = bytearray(meta().encode())
    content[position] ^= 0xFF
    try:
        _, offset = split(bytes(content))
    except MalformedDataSetError as refusal:
        assert "file meta information" in str(refusal)  # noqa: PT017 - reading it is allowed too
    else:
        assert offset <= len(content)
