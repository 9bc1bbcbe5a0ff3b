"""The bytes of each received instance, written once and never changed."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Protocol

from dicom_listener.archive.contents import Bytes, BytesContent, Content
from dicom_listener.archive.records import Digest
from dicom_listener.errors import ObjectMissingError, ObjectsAddressError


class Draft(Protocol):
    """An object that is being written, before its digest is known."""

    before: bytes  # what stands before the data set

    def write(self, part: Bytes) -> None:
        """Append `part`, or raise `OutOfResourcesError`."""
        ...

    def data_set(self) -> memoryview:
        """Return what was written after `before`, without reading it into memory."""
        ...

    def discard(self) -> None:
        """Forget the draft; one that was kept stays."""
        ...


class ObjectStore(Protocol):
    """Where instances are kept, each under the digest of its data set.

    One instance is one DICOM file (PS3.10): own file meta information, then the data set as received.
    """

    def prepare(self) -> None:
        """Make ready for writing, and remove what an earlier run left half-written.

        Raises
        ------
        ConfigurationError
            When the store cannot be written to.
        """
        ...

    def put(self, digest: Digest, parts: Sequence[Bytes]) -> bool:
        """Keep `parts`, one after the other, under `digest`; return only when they survive a power cut.

        An object that is there already stays as it is.

        Returns
        -------
        bool
            True when the object is new.

        Raises
        ------
        OutOfResourcesError
            When the store is full or away; nothing half-written remains.
        """
        ...

    def put_all(self, contents: Iterable[tuple[Digest, Sequence[Bytes]]]) -> list[bool]:
        """Keep many objects, with the promise of `put` for each once all are kept.

        Parameters
        ----------
        contents
            Digests and parts. The parts of one are read before the next is asked for. Until their rows are
            indexed, the caller remembers them: `unindexed` does not name them.

        Returns
        -------
        list[bool]
            For each whether it is new.

        Raises
        ------
        OutOfResourcesError
            When the store is full or away; some may be kept by then.
        """
        ...

    def draft(self, before: bytes) -> Draft | None:
        """Begin an object too large for memory with `before`; None where the store wants it whole.

        Raises
        ------
        OutOfResourcesError
            When the store is full or away.
        """
        ...

    def put_draft(self, digest: Digest, draft: Draft) -> bool:
        """Keep what `draft` holds under `digest`, with the promise of `put`."""
        ...

    def mark_indexed(self, digest: Digest) -> None:
        """Note that the object's index row is durable."""
        ...

    def unindexed(self) -> Iterable[Digest]:
        """Name the objects put by an earlier run that ended before `mark_indexed`."""
        ...

    def get(self, digest: Digest) -> bytes:
        """Return the whole object, or raise `ObjectMissingError`."""
        ...

    def get_range(self, digest: Digest, start: int, length: int) -> bytes:
        """Return at most `length` bytes from offset `start`, or raise `ObjectMissingError`."""
        ...

    def opened(self, digest: Digest) -> AbstractContextManager[Content]:
        """Lend an object that may be larger than memory for a ``with`` block.

        Raises
        ------
        ObjectMissingError
            At the beginning of the block; nothing is missing after that.
        OutOfResourcesError
            The store is away.
        """
        ...

    def digests(self) -> Iterator[Digest]:
        """Name every object, in no order."""
        ...

    def close(self) -> None:
        """Let go of whatever is held open."""
        ...


class MemoryObjectStore:
    """An `ObjectStore` for tests."""

    def __init__(self) -> None:
        """Start empty."""
        self._objects: dict[Digest, bytes] = {}
        self._unindexed: set[Digest] = set()

    def prepare(self) -> None:
        """Do nothing."""

    def put(self, digest: Digest, parts: Sequence[Bytes]) -> bool:
        """Keep `parts` for as long as the process lives."""
        if digest in self._objects:
            return False
        self._objects[digest] = b"".join(parts)
        self._unindexed.add(digest)
        return True

    def put_all(self, contents: Iterable[tuple[Digest, Sequence[Bytes]]]) -> list[bool]:
        """Keep many objects."""
        kept = []
        for digest, parts in contents:
            kept.append(self.put(digest, parts))
            self._unindexed.discard(digest)
        return kept

    def draft(self, _before: bytes) -> None:
        """Want every object whole."""
        return

    def put_draft(self, digest: Digest, draft: Draft) -> bool:
        """Keep the parts of a draft."""
        return self.put(digest, (draft.before, draft.data_set()))

    def mark_indexed(self, digest: Digest) -> None:
        """Note that the object's index row is durable."""
        self._unindexed.discard(digest)

    def unindexed(self) -> Iterable[Digest]:
        """Name the objects without `mark_indexed`."""
        return tuple(self._unindexed)

    def get(self, digest: Digest) -> bytes:
        """Return the whole object, or raise `ObjectMissingError`."""
        try:
            return self._objects[digest]
        except KeyError:
            raise ObjectMissingError(digest) from None

    def get_range(self, digest: Digest, start: int, length: int) -> bytes:
        """Return at most `length` bytes from offset `start`."""
        return self.get(digest)[start : start + length]

    @contextmanager
    def opened(self, digest: Digest) -> Iterator[Content]:
        """Lend the object."""
        yield BytesContent(self.get(digest))

    def digests(self) -> Iterator[Digest]:
        """Name every object."""
        return iter(tuple(self._objects))

    def close(self) -> None:
        """Do nothing."""


def open_objects(address: str) -> ObjectStore:
    """Open the store at `address`: a folder, ``s3://bucket/prefix`` or ``memory:``.

    Raises
    ------
    ObjectsAddressError
        When the address is of none of these forms, or the extra 's3' is missing.
    """
    if address == "memory:":
        return MemoryObjectStore()
    if address.startswith("s3://"):
        from dicom_listener.archive.objects_s3 import S3ObjectStore  # noqa: PLC0415 - an extra

        return S3ObjectStore.open(address)
    if "://" in address:
        raise ObjectsAddressError(found=repr(address.partition("://")[0] + "://"))
    from dicom_listener.archive.objects_folder import FolderObjectStore  # noqa: PLC0415 - it needs this module

    return FolderObjectStore(Path(address))


def log_root(address: str, intake_log: str = "") -> Path | None:
    """Return where the intake logs of the store at `address` are.

    Parameters
    ----------
    address
        The store's address.
    intake_log
        A folder of this machine; empty for ``log`` inside a store that is a folder. Any other store then
        has no log: each instance is in the bucket before it is acknowledged.
    """
    if intake_log:
        return Path(intake_log)
    return None if address == "memory:" or "://" in address else Path(address) / "log"
