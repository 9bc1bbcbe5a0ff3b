"""Write a data set in another transfer syntax, where nothing is lost by it."""

from io import BytesIO

import numpy as np
from pydicom import Dataset, dcmread
from pydicom.dataelem import DataElement
from pydicom.filebase import DicomBytesIO
from pydicom.filewriter import write_dataset

from dicom_listener.archive.syntaxes import (
    EXPLICIT_LITTLE_ENDIAN,
    IMPLICIT_LITTLE_ENDIAN,
    TRANSFER_SYNTAXES,
)
from dicom_listener.errors import TranscodingError

LOSSLESS = frozenset(
    {
        "1.2.840.10008.1.2.5",
        "1.2.840.10008.1.2.4.57",
        "1.2.840.10008.1.2.4.70",
        "1.2.840.10008.1.2.4.80",
        "1.2.840.10008.1.2.4.90",
        "1.2.840.10008.1.2.4.201",
        "1.2.840.10008.1.2.4.202",
    }
)
"""Compressed transfer syntaxes from which every pixel comes back as it was."""

TARGETS = (EXPLICIT_LITTLE_ENDIAN, IMPLICIT_LITTLE_ENDIAN)

_WORDS = {"OW": 2, "OF": 4, "OL": 4, "OD": 8, "OV": 8}  # bytes of one word (PS3.5 Table 6.2-1)


def can_transcode(transfer_syntax_uid: str) -> bool:
    """Tell whether a data set in this transfer syntax can be written in the `TARGETS`."""
    return transfer_syntax_uid in LOSSLESS or not TRANSFER_SYNTAXES[transfer_syntax_uid].is_encapsulated


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
