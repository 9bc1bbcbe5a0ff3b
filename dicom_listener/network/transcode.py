"""Write data sets in another transfer syntax, where nothing is lost by it: the process of `transcoder`."""

import os
import sys
from io import BytesIO
from typing import IO

import numpy as np
from pydicom import Dataset, dcmread
from pydicom.dataelem import DataElement
from pydicom.filebase import DicomBytesIO
from pydicom.filewriter import write_dataset

from dicom_listener.archive.syntaxes import IMPLICIT_LITTLE_ENDIAN, TRANSFER_SYNTAXES
from dicom_listener.errors import TranscodingError
from dicom_listener.network.transcoder import ANSWER, HEAD

_WORDS = {"OW": 2, "OF": 4, "OL": 4, "OD": 8, "OV": 8}  # bytes of one word (PS3.5 Table 6.2-1)


def transcoded(content: bytes, transfer_syntax_uid: str) -> bytes:
    """Write the data set of a DICOM file in one of the `TARGETS`.

    Parameters
    ----------
    content
        A DICOM file (PS3.10) in a transfer syntax that `can_transcode`.
    transfer_syntax_uid
        One of the `TARGETS`.

    Returns
    -------
    bytes
        The data set without file meta information.

    Raises
    ------
    TranscodingError
        When the pixel data cannot be decoded.
    """
    try:
        data_set = dcmread(BytesIO(content))
        syntax = TRANSFER_SYNTAXES[str(data_set.file_meta.TransferSyntaxUID)]
        if syntax.is_encapsulated:
            data_set.decompress(generate_instance_uid=False)
        elif syntax.is_big_endian:
            data_set.walk(_swap)
        return _written(data_set, is_implicit=transfer_syntax_uid == IMPLICIT_LITTLE_ENDIAN)
    except Exception as error:
        raise TranscodingError(type(error).__name__) from error


def _swap(_data_set: Dataset, element: DataElement) -> None:
    """Turn the words of a binary value around; everything else the library knows to write itself."""
    if element.VR in _WORDS and element.value:
        element.value = np.frombuffer(element.value, f">u{_WORDS[element.VR]}").byteswap().tobytes()


def _written(data_set: Dataset, *, is_implicit: bool) -> bytes:
    buffer = DicomBytesIO()
    buffer.is_implicit_VR, buffer.is_little_endian = is_implicit, True
    write_dataset(buffer, data_set)
    return buffer.getvalue()


def serve(requests: IO[bytes], answers: IO[bytes]) -> None:
    """Answer requests until there are no more."""
    while len(head := requests.read(HEAD.size)) == HEAD.size:
        syntax, length = HEAD.unpack(head)
        content = requests.read(length)
        try:
            answer, is_done = transcoded(content, syntax.rstrip(b"\0").decode()), True
        except TranscodingError as error:
            answer, is_done = error.kind.encode(), False
        answers.write(ANSWER.pack(is_done, len(answer)))
        answers.write(answer)
        answers.flush()


def main() -> None:
    """Answer the listener that has started this process; what a codec prints goes elsewhere."""
    with os.fdopen(os.dup(sys.stdout.fileno()), "wb") as answers:
        os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
        serve(sys.stdin.buffer, answers)


if __name__ == "__main__":
    main()
