"""Originals of de-identified instances: files of a folder that nothing but the listener's operator reads."""

import os
from collections.abc import Sequence
from pathlib import Path
from uuid import uuid4

from dicom_listener.archive.contents import Bytes
from dicom_listener.archive.drafts import out_of_resources, write_all
from dicom_listener.archive.folders import flush_folder
from dicom_listener.archive.records import Digest
from dicom_listener.errors import ObjectMissingError

_OWNER_ONLY = 0o700


class Originals:
    """A folder of DICOM files, each under the digest of its data set as it came.

    The folder is not below the archive's objects, and no address of the service names it: give it to no
    user but the listener's.
    """

    def __init__(self, folder: Path) -> None:
        """Use `folder`; it is made with the first original."""
        self._folder = folder
        self._durable: set[Path] = set()

    def keep(self, digest: Digest, parts: Sequence[Bytes]) -> None:
        """Keep `parts` under `digest`; return only when they survive a power cut.

        Raises
        ------
        OutOfResourcesError
            When the folder is full or away; nothing half-written stays under the digest.
        """
        target = self._path(digest)
        partial = target.with_name(f"{uuid4().hex}.part")
        try:
            self._make(target.parent)
            if target.exists():
                # Another thread, or a killed process, may have named it only: it is durable after this flush.
                flush_folder(target.parent)
                return
            try:
                with partial.open("xb", buffering=0) as file:
                    for part in parts:
                        write_all(file.fileno(), part)
                    os.fsync(file.fileno())
                partial.replace(target)
            finally:
                partial.unlink(missing_ok=True)
            flush_folder(target.parent)
        except OSError as error:
            raise out_of_resources(self._folder, error) from error

    def read(self, digest: Digest) -> bytes:
        """Return the file, or raise `ObjectMissingError`."""
        try:
            return self._path(digest).read_bytes()
        except FileNotFoundError:
            raise ObjectMissingError(digest) from None

    def remove(self, digest: Digest) -> None:
        """Remove the file; one that is gone is removed already."""
        self._path(digest).unlink(missing_ok=True)

    def _make(self, folder: Path) -> None:
        """Make a folder durable, once a run: one that is there may have been made by a killed process."""
        if folder not in self._durable:
            self._folder.mkdir(mode=_OWNER_ONLY, parents=True, exist_ok=True)
            folder.mkdir(mode=_OWNER_ONLY, exist_ok=True)
            flush_folder(self._folder)
            flush_folder(self._folder.parent)
            self._durable.add(folder)

    def _path(self, digest: Digest) -> Path:
        return self._folder / digest[:2] / f"{digest}.dcm"
