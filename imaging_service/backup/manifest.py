"""What a backup says of itself: each file with its SHA-256, and what the restored service must answer."""

import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from imaging_service.backup.errors import BackupError

NAME = "manifest.json"
FORMAT = 1
_PIECE = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One database in a backup."""

    kind: str
    """``sqlite`` or ``postgresql``: it is put back into one of the same kind."""
    revision: str
    """Of its tables."""
    files: Mapping[str, str]
    """SHA-256 by path inside the backup."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """A whole backup."""

    marked_at: datetime
    """What was acknowledged before this instant is in the backup."""
    service: Part
    archive: Part
    objects: int
    objects_sha256: str
    """Of the list of objects, which holds the SHA-256 of each."""
    originals: int | None
    """How many originals of de-identified instances there are; ``None`` where they were left out."""
    originals_sha256: str
    audit_sequence: int
    audit_hash: str
    reports: Mapping[str, str]
    """SHA-256 of the cohort report of each trial, as of the day of the mark."""

    def write(self, folder: Path) -> None:
        """Write the manifest, durably, as the last file of a backup."""
        content = {"format": FORMAT, **asdict(self), "marked_at": self.marked_at.isoformat()}
        write_durably(folder / NAME, json.dumps(content, indent=1, sort_keys=True).encode())


def read(folder: Path) -> Manifest:
    """Read the manifest of a backup.

    Raises
    ------
    BackupError
        The folder holds no whole backup, or one of another format.
    """
    path = folder / NAME
    try:
        content: dict[str, Any] = json.loads(path.read_bytes())
        found = content.pop("format")
        if found != FORMAT:
            message = f"The backup in {folder} has the format {found}; this version reads format {FORMAT}."
            raise BackupError(message)
        return Manifest(
            **content
            | {
                "marked_at": datetime.fromisoformat(content["marked_at"]),
                "service": Part(**content["service"]),
                "archive": Part(**content["archive"]),
            }
        )
    except OSError as error:
        message = f"The folder {folder} holds no backup: {path.name} cannot be read ({error.strerror})."
        raise BackupError(message) from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        message = f"The manifest {path} is damaged; take another backup."
        raise BackupError(message) from error


def sha256_of(path: Path) -> str:
    """Return the SHA-256 of a file."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while piece := file.read(_PIECE):
            digest.update(piece)
    return digest.hexdigest()


def check(folder: Path, part: Part) -> None:
    """Compare the files of a part with what the manifest says of them.

    Raises
    ------
    BackupError
        One is missing, or is not what it was.
    """
    for name, digest in part.files.items():
        path = folder / name
        if not path.resolve().is_relative_to(folder.resolve()):
            message = f"The manifest of {folder} names the file {name!r}, which is not inside it."
            raise BackupError(message)
        if not path.is_file() or sha256_of(path) != digest:
            message = f"The file {path} of the backup is missing or damaged; take another backup."
            raise BackupError(message)


def write_durably(path: Path, content: bytes) -> None:
    """Write a file that survives a power cut once its folder is flushed."""
    with path.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def flush(path: Path) -> None:
    """Make a file, or the names in a folder, survive a power cut."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
