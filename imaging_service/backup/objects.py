"""The received instances: each copied once into a pool that all backups of a folder share."""

import hashlib
import mmap
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

from dicom_listener.archive.objects import ObjectStore
from dicom_listener.archive.records import Digest
from imaging_service.backup.errors import BackupError
from imaging_service.backup.manifest import flush, sha256_of, write_durably

LIST = "objects.txt"
POOL = "objects"
_DIGEST = re.compile(r"[0-9a-f]{64}")
_PIECE = 8 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Copied:
    """What was done."""

    count: int
    new: int
    list_sha256: str


def copy_out(store: ObjectStore, folder: Path, list_file: Path, known: Mapping[str, str]) -> Copied:
    """Copy every object that the pool in `folder` lacks, and write the list of all with their SHA-256.

    Parameters
    ----------
    known
        SHA-256 of objects that an earlier backup has in the pool.
    """
    pool = folder / POOL
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
    pool.mkdir(parents=True, exist_ok=True)
    for parent in touched:
        flush(parent)
    content = "".join(lines).encode()
    write_durably(list_file, content)
    return Copied(count=len(lines), new=new, list_sha256=hashlib.sha256(content).hexdigest())


def _copy(store: ObjectStore, digest: Digest, path: Path) -> str:
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


def put_back(store: ObjectStore, folder: Path, listed: Mapping[str, str]) -> None:
    """Keep every listed object of the pool in an empty store, after comparing it with its SHA-256.

    Raises
    ------
    BackupError
        One is missing in the pool, or is not what it was.
    """
    for digest, wanted in listed.items():
        path = _place(folder / POOL, digest)
        if not path.is_file() or sha256_of(path) != wanted:
            message = f"The object {digest} of the backup is missing or damaged; take another backup."
            raise BackupError(message)
        with (
            path.open("rb") as file,
            mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content,
            memoryview(content) as whole,
        ):
            store.put(Digest(digest), [whole])
        store.mark_indexed(Digest(digest))


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
