"""Transcoding in a process of its own: the answers are its, and its end is nobody else's."""

import os
import signal
from collections.abc import Iterator

import pytest
from pydicom import Dataset, dcmread
from pydicom.filebase import DicomBytesIO

from dicom_listener.archive.contents import BytesContent
from dicom_listener.errors import TranscodingError
from dicom_listener.network.transcode import transcoded
from dicom_listener.network.transcoder import Transcoder
from tests.dicom_listener.instances import EXPLICIT_LE, IMPLICIT_LE, mr_instance, with_meta


def file_of(data_set: Dataset) -> bytes:
    buffer = DicomBytesIO()
    with_meta(data_set).save_as(buffer, enforce_file_format=True)
    return buffer.getvalue()


def asked(transcoder: Transcoder, content: bytes, syntax: str) -> bytes:
    with transcoder.transcoded(BytesContent(content), syntax) as answer:
        return b"".join(answer.pieces())


@pytest.fixture
def transcoder() -> Iterator[Transcoder]:
    running = Transcoder()
    yield running
    running.close()


def test_it_answers_what_the_codec_answers_one_request_after_the_other(transcoder: Transcoder) -> None:
    contents = [
        file_of(mr_instance(SOPInstanceUID=f"1.2.{number}", side=side))
        for number, side in enumerate((8, 900, 8))
    ]
    for content in contents:
        for syntax in (IMPLICIT_LE, EXPLICIT_LE):
            assert asked(transcoder, content, syntax) == transcoded(content, syntax)


def test_what_cannot_be_read_is_said_and_the_next_is_answered(transcoder: Transcoder) -> None:
    with pytest.raises(TranscodingError, match="the data set cannot be transcoded: InvalidDicomError"):
        asked(transcoder, b"no file", IMPLICIT_LE)
    assert asked(transcoder, file_of(mr_instance()), IMPLICIT_LE)


def test_a_process_that_is_killed_costs_one_answer_at_most(transcoder: Transcoder) -> None:
    content = file_of(mr_instance())
    asked(transcoder, content, IMPLICIT_LE)
    process = transcoder._process  # noqa: SLF001 - the one to kill
    assert process is not None
    os.kill(process.pid, signal.SIGSTOP)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    assert asked(transcoder, content, IMPLICIT_LE) == transcoded(content, IMPLICIT_LE)
    assert dcmread(DicomBytesIO(content)).SOPInstanceUID
