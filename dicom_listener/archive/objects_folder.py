"""Objects as files of a folder: ``objects/ab/abcd....dcm``."""

import contextlib
import fcntl
import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO
from uuid import uuid4

from dicom_listener.archive.contents import Bytes, Content, FileContent
from dicom_listener.archive.drafts import FileDraft, out_of_resources, write_all
from dicom_listener.archive.folders import flush_folder
from dicom_listener.archive.objects import Draft
from dicom_listener.archive.records import Digest
from dicom_listener.errors import FolderUnusableError, ObjectMissingError

_SUFFIX = ".dcm"
_PARTIAL = ".part"


class FolderObjectStore:
    """An `ObjectStore` in a folder.

    An object is written into ``spool`` under a name of its own, flushed, then linked to its place:
    a link appears whole or not at all, and never replaces another. Its name stays in ``spool`` until
    the index row is durable, so that a restart looks at the few objects in doubt and not at all of them.
    """

    def __init__(self, root: Path) -> None:
        """Use `root`; `prepare` makes it."""
        self._root = root
        self._spool = root / "spool"
        self._lock: IO[bytes] | None = None
        self._durable: set[Path] = set()

    def prepare(self) -> None:
        """Make the folders, keep other listeners out, and remove what an earlier run left half-written.

        Raises
        ------
        FolderUnusableError
            When the folder cannot be made or written to, or another listener writes to it.
        """
        try:
            self._spool.mkdir(parents=True, exist_ok=True)
            self._lock = _locked(self._root / "lock")
            for partial in self._spool.glob(f"*{_PARTIAL}"):
                self._finish(partial)
            flush_folder(self._root)
            flush_folder(self._root.parent)
        except BlockingIOError as error:
            raise FolderUnusableError(self._root, "another listener writes to it") from error
        except OSError as error:
            raise FolderUnusableError(self._root, error.strerror or str(error)) from error

    def _finish(self, partial: Path) -> None:
        """Remove a half-written file; one that has reached its place awaits its index row."""
        digest = Digest(partial.name.partition(".")[0])
        if self._path(digest).exists():
            partial.replace(self._spool / digest)
        else:
            partial.unlink()

    def put(self, digest: Digest, parts: Sequence[Bytes]) -> bool:
        """Write beside the target, flush, link, flush the folder: never a half file."""
        target = self._path(digest)
        try:
            if target.exists():
                # Another thread may have linked it a moment ago: it is durable after this flush only.
                flush_folder(target.parent)
                return False
            return self._write(digest, target, parts)
        except OSError as error:
            raise out_of_resources(self._root, error) from error

    def put_all(self, contents: Iterable[tuple[Digest, Sequence[Bytes]]]) -> list[bool]:
        """Write all, then flush all, then link all: flushes that follow each other cost the disk least."""
        written: list[_Written] = []
        try:
            for digest, parts in contents:
                written.append(self._begin(digest, parts))
            return self._finish_all(written)
        except OSError as error:
            raise out_of_resources(self._root, error) from error
        finally:
            for each in written:
                if each.partial is not None:
                    os.close(each.descriptor)
                    each.partial.unlink(missing_ok=True)

    def _begin(self, digest: Digest, parts: Sequence[Bytes]) -> "_Written":
        """Write an object's file without flushing it."""
        target = self._path(digest)
        if target.exists():
            return _Written(target)
        partial = self._spool / f"log.{uuid4().hex}{_PARTIAL}"
        descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o644)
        try:
            for part in parts:
                write_all(descriptor, part)
        except BaseException:
            os.close(descriptor)
            partial.unlink(missing_ok=True)
            raise
        return _Written(target, partial, descriptor)

    def _finish_all(self, written: "Sequence[_Written]") -> list[bool]:
        """Flush the files, link them to their places, and flush the folders of these."""
        are_new = []
        for each in written:
            if each.partial is not None:
                os.fsync(each.descriptor)
        for each in written:
            self._make_durable(each.target.parent)
            are_new.append(each.partial is not None and _linked(each.partial, each.target))
        for folder in {each.target.parent for each in written}:
            flush_folder(folder)
        return are_new

    def draft(self, before: bytes) -> FileDraft:
        """Begin a file in the spool."""
        try:
            return FileDraft(self._spool / f"draft.{uuid4().hex}{_PARTIAL}", before)
        except OSError as error:
            raise out_of_resources(self._root, error) from error

    def put_draft(self, digest: Digest, draft: Draft) -> bool:
        """Flush the draft's file and link it to its place."""
        if not isinstance(draft, FileDraft):
            return self.put(digest, (draft.before, draft.data_set()))
        target = self._path(digest)
        try:
            if target.exists():
                flush_folder(target.parent)
                return False
            draft.flush()
            draft.path = draft.path.replace(self._partial(digest))
            return self._place(digest, target, draft.path)
        except OSError as error:
            raise out_of_resources(self._root, error) from error

    def _partial(self, digest: Digest) -> Path:
        return self._spool / f"{digest}.{uuid4().hex}{_PARTIAL}"

    def _write(self, digest: Digest, target: Path, parts: Sequence[Bytes]) -> bool:
        partial = self._partial(digest)
        try:
            with partial.open("xb", buffering=0) as file:
                for part in parts:
                    write_all(file.fileno(), part)
                os.fsync(file.fileno())
            return self._place(digest, target, partial)
        finally:
            partial.unlink(missing_ok=True)

    def _place(self, digest: Digest, target: Path, partial: Path) -> bool:
        """Link a flushed file to its place; tell whether it is the first there."""
        self._make_durable(target.parent)
        flush_folder(self._spool)  # with its name there, a restart finds the object without its index row
        try:
            os.link(partial, target)
        except FileExistsError:
            flush_folder(target.parent)
            return False
        flush_folder(target.parent)
        partial.replace(self._spool / digest)
        return True

    def _make_durable(self, folder: Path) -> None:
        """Make every folder of objects, once a run, with one flush for all: another's may be missing."""
        if folder not in self._durable:
            folders = {self._root / f"{number:02x}" for number in range(256)} | {folder}
            for each in folders:
                each.mkdir(exist_ok=True)
            flush_folder(self._root)
            self._durable = folders

    def mark_indexed(self, digest: Digest) -> None:
        """Remove the object's name from the spool; its place keeps it."""
        with contextlib.suppress(OSError):
            (self._spool / digest).unlink()

    def unindexed(self) -> Iterable[Digest]:
        """Name the objects that the spool still holds."""
        if not self._spool.is_dir():
            return ()
        return tuple(Digest(path.name) for path in self._spool.iterdir() if path.suffix != _PARTIAL)

    def get(self, digest: Digest) -> bytes:
        """Return the whole file, or raise `ObjectMissingError`."""
        try:
            return self._path(digest).read_bytes()
        except FileNotFoundError:
            raise ObjectMissingError(digest) from None

    def get_range(self, digest: Digest, start: int, length: int) -> bytes:
        """Return at most `length` bytes from offset `start`, or raise `ObjectMissingError`."""
        try:
            with self._path(digest).open("rb", buffering=0) as file:
                return os.pread(file.fileno(), length, start)
        except FileNotFoundError:
            raise ObjectMissingError(digest) from None

    @contextlib.contextmanager
    def opened(self, digest: Digest) -> Iterator[Content]:
        """Lend the file, or raise `ObjectMissingError`."""
        try:
            file = self._path(digest).open("rb", buffering=0)
        except FileNotFoundError:
            raise ObjectMissingError(digest) from None
        with file:
            yield FileContent(file)

    def digests(self) -> Iterator[Digest]:
        """Name every file in its place."""
        for path in self._root.glob(f"[0-9a-f][0-9a-f]/*{_SUFFIX}"):
            yield Digest(path.stem)

    def close(self) -> None:
        """Let another listener write to the folder."""
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    def _path(self, digest: Digest) -> Path:
        return self._root / digest[:2] / f"{digest}{_SUFFIX}"


@dataclass(frozen=True, slots=True)
class _Written:
    """A file that is written, and where it belongs; without a partial file it is there already."""

    target: Path
    partial: Path | None = None
    descriptor: int = -1


def _linked(partial: Path, target: Path) -> bool:
    """Link a flushed file to its place; tell whether it is the first there."""
    try:
        os.link(partial, target)
    except FileExistsError:
        return False
    return True


def _locked(path: Path) -> IO[bytes]:
    """Return a file that holds a lock until it is closed; `BlockingIOError` when another holds it."""
    file = path.open("wb")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        file.close()
        raise
    return file
