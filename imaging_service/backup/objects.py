"""The received instances: each copied once into a pool that all backups of a folder share."""

import hashlib
import mmap
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol
from uuid import uuid4

from dicom_listener.archive.records import Digest
from imaging_service.backup.errors import BackupError
from imaging_service.backup.manifest import flush, sha256_of, write_durably

LIST = "objects.txt"
POOL = "objects"
ORIGINALS_LIST = "originals.txt"
ORIGINALS_POOL = "originals"
_DIGEST = re.compile(r"[0-9a-f]{64}")
_PIECE = 8 << 20
_OWNER_ONLY = 0o700


@dataclass(frozen=True, slots=True, kw_only=True)
class Copied:
    """What was done."""

    count: int
    new: int
    list_sha256: str


class Store(Protocol):
    """The part of an object store that is copied from."""

    def digests(self) -> Iterator[Digest]:
        """Name every object, in no order."""
        ...

    def get_range(self, digest: Digest, start: int, length: int) -> bytes:
        """Return at most `length` bytes from offset `start`."""
        ...


class OriginalsFolder:
    """The listener's folder of originals, to be copied from."""

    def __init__(self, folder: Path) -> None:
        """Read from `folder`."""
        self._folder = folder

    def digests(self) -> Iterator[Digest]:
        """Name every original that is there."""
        return (Digest(path.stem) for path in self._folder.glob("*/*.dcm"))

    def get_range(self, digest: Digest, start: int, length: int) -> bytes:
        """Return at most `length` bytes from offset `start`."""
        with (self._folder / digest[:2] / f"{digest}.dcm").open("rb") as file:
            file.seek(start)
            return file.read(length)


def copy_out(store: Store, pool: Path, list_file: Path, known: Mapping[str, str]) -> Copied:
    """Copy every object that `pool` lacks, and write the list of all with their SHA-256.

    Parameters
    ----------
    known
        SHA-256 of objects that an earlier backup has in the pool.
    """
    pool.mkdir(mode=_OWNER_ONLY, parents=True, exist_ok=True)
    lines, new = [], 0
    touched: set[Path] = {pool}
    for digest in sorted(store.digests()):
        path = _place(pool, digest)
        if not path.exists():
            found = _copy(store, digest, path)
            touched.add(path.parent)
            new += 1
        else:
            found = known.get(digest) or sha256_of(path)
        lines.append(f"{digest} {found}\n")
    for parent in touched:
        flush(parent)
    content = "".join(lines).encode()
    write_durably(list_file, content)
    return Copied(count=len(lines), new=new, list_sha256=hashlib.sha256(content).hexdigest())


def _copy(store: Store, digest: Digest, path: Path) -> str:
    """Copy one object piece by piece; it appears whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f"{digest}.{uuid4().hex}.partial")
    hashed, start = hashlib.sha256(), 0
    with partial.open("wb") as file:
        while piece := store.get_range(digest, start, _PIECE):
            hashed.update(piece)
            file.write(piece)
            start += len(piece)
        file.flush()
    flush(partial)
    partial.replace(path)
    return hashed.hexdigest()


def put_back(keep: Callable[[Digest, memoryview], object], pool: Path, listed: Mapping[str, str]) -> None:
    """Let `keep` have every listed object of the pool, after comparing it with its SHA-256.

    Raises
    ------
    BackupError
        One is missing in the pool, or is not what it was.
    """
    for digest, wanted in listed.items():
        path = _place(pool, digest)
        if not path.is_file() or sha256_of(path) != wanted:
            message = f"The object {digest} of the backup is missing or damaged; take another backup."
            raise BackupError(message)
        with (
            path.open("rb") as file,
            mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content,
            memoryview(content) as whole,
        ):
            keep(Digest(digest), whole)


def read_list(path: Path) -> dict[str, str]:
    """Return the SHA-256 of each object in a list.

    Raises
    ------
    BackupError
        The list is missing or damaged.
    """
    try:
        return dict(_entries(path.read_text(encoding="ascii")))
    except (OSError, ValueError) as error:
        message = f"The list of objects {path} is missing or damaged; take another backup."
        raise BackupError(message) from error


def _entries(text: str) -> Iterator[tuple[str, str]]:
    for line in text.splitlines():
        digest, found = line.split(" ")
        if not (_DIGEST.fullmatch(digest) and _DIGEST.fullmatch(found)):
            raise ValueError(line)
        yield digest, found


def _place(pool: Path, digest: str) -> Path:
    return pool / digest[:2] / digest
