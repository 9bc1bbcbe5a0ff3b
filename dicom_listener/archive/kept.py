"""What the index says of an object in the object store."""

import hashlib
from dataclasses import dataclass

from dicom_listener.archive.file_meta import FileMeta, split
from dicom_listener.archive.objects import ObjectStore
from dicom_listener.archive.records import Digest
from dicom_listener.errors import MalformedDataSetError, ObjectDamagedError

BEGINNING = 4096
"""Bytes that hold the file meta information of any kept file."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptObject:
    """An object that is durable in the object store."""

    digest: Digest  # of the data set
    header_digest: Digest  # of what stands before it
    header_length: int
    size: int  # of the whole file, in bytes

    @classmethod
    def of(cls, digest: Digest, before: bytes, data_set_length: int) -> "KeptObject":
        """Describe an object by its digest, the bytes before its data set and the data set's length."""
        return cls(
            digest=digest,
            header_digest=digest_of(before),
            header_length=len(before),
            size=len(before) + data_set_length,
        )


def digest_of(content: bytes | bytearray | memoryview) -> Digest:
    """Return the SHA-256 of `content`."""
    return Digest(hashlib.sha256(content).hexdigest())


def describe(objects: ObjectStore, digest: Digest, data_set_length: int) -> tuple[KeptObject, FileMeta]:
    """Describe an object that is in the store already, by reading its beginning.

    Raises
    ------
    ObjectDamagedError
        When it does not begin with file meta information of this archive.
    """
    beginning = objects.get_range(digest, 0, BEGINNING)
    try:
        meta, length = split(beginning)
    except MalformedDataSetError as error:
        raise ObjectDamagedError(digest) from error
    return KeptObject.of(digest, beginning[:length], data_set_length), meta
