"""Objects that are written to a file while they arrive."""

import os
from pathlib import Path
from typing import IO

from dicom_listener.archive.contents import Bytes, FileContent
from dicom_listener.errors import OutOfResourcesError


class FileDraft:
    """A `Draft` in a file."""

    def __init__(self, path: Path, before: bytes) -> None:
        """Begin the file with `before`."""
        self.before = before
        self.path = path
        self._file: IO[bytes] = path.open("x+b", buffering=0)
        self._view: memoryview | None = None
        try:
            self.write(before)
        except OutOfResourcesError:
            self.discard()
            raise

    def write(self, part: Bytes) -> None:
        """Append `part`."""
        try:
            write_all(self._file.fileno(), part)
        except OSError as error:
            raise out_of_resources(self.path.parent, error) from error

    def flush(self) -> None:
        """Return when the content is on the disk."""
        os.fsync(self._file.fileno())

    def data_set(self) -> memoryview:
        """Map the file: only the pages that are looked at come into memory."""
        if self._view is None:
            self._view = FileContent(self._file).view()
        return self._view[len(self.before) :]

    def reread(self) -> IO[bytes]:
        """Return the file at its beginning."""
        self._file.seek(0)
        return self._file

    def discard(self) -> None:
        """Remove the file's name."""
        self._file.close()
        self.path.unlink(missing_ok=True)


def write_all(descriptor: int, part: Bytes) -> None:
    """Write all of `part` where the descriptor stands."""
    view = memoryview(part)
    while view:
        view = view[os.write(descriptor, view) :]


def out_of_resources(folder: Path, error: OSError) -> OutOfResourcesError:
    """Say of a folder that it cannot be written to."""
    return OutOfResourcesError(what=f"The folder {folder}", reason=error.strerror or str(error))
