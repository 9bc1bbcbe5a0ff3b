"""What a recorded process did to its files, and what a power cut may leave of that.

Until a file or a folder is flushed, the system may have written any part of what was done to it, in any
order: contents are torn, names are missing. What was flushed stays. This is less than any file system
promises, for the object store, the intake log and the files of SQLite alike.
"""

import os
import random
import shutil
import struct
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

_HEAD = struct.Struct("=B7xQQQ")
_SOURCE = Path(__file__).with_name("recorder.c")
_CREATED, _WRITTEN, _TRUNCATED, _FLUSHED = b"CWTF"
_UNLINKED, _MADE, _RENAMED = b"UMR"
_FOLDER = -1
PROMISES = "promises"
"""Whoever is recorded appends a line to this file for each thing that must survive from then on."""


def built_recorder(folder: Path) -> Path:
    """Build the library that records."""
    library = folder / "recorder.so"
    subprocess.run(
        ["cc", "-shared", "-fPIC", "-O2", "-o", str(library), str(_SOURCE), "-ldl", "-lpthread"], check=True
    )
    return library


def recording(library: Path, root: Path, record: Path) -> dict[str, str]:
    """Return the variables with which a process is recorded."""
    return os.environ | {"LD_PRELOAD": str(library), "RECORDED": str(root), "RECORD": str(record)}


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing that was done."""

    what: int
    inode: int
    offset: int
    content: bytes

    @property
    def paths(self) -> list[str]:
        return [part.decode() for part in self.content.split(b"\0")]


def read(record: Path) -> list[Entry]:
    """Read a record; its last entry may be cut."""
    content, position, found = record.read_bytes(), 0, []
    while position + _HEAD.size <= len(content):
        what, inode, offset, length = _HEAD.unpack_from(content, position)
        position += _HEAD.size
        found.append(Entry(what, inode, offset, content[position : position + length]))
        position += length
    return found


@dataclass(slots=True)
class _Files:
    """Files by the number of their making: systems use an inode again."""

    made: int = 0
    of_inode: dict[int, int] = field(default_factory=dict)

    def make(self, inode: int) -> int:
        self.made += 1
        self.of_inode[inode] = self.made
        return self.made


class Trace:
    """A record over the folder as it was before."""

    def __init__(self, base: Path, root: Path, entries: list[Entry], inodes: Mapping[str, int]) -> None:
        """Take the entries of what was done in `root`, which began as the copy `base`.

        Parameters
        ----------
        inodes
            The inode in `root` of each file that was there in the beginning.
        """
        self._base, self._root, self.entries = base, str(root), entries
        files = _Files()
        self._first = {path: files.make(inode) for path, inode in inodes.items()}
        self._files: list[int] = []  # the file of each entry
        for entry in entries:
            made = entry.what == _CREATED or entry.inode not in files.of_inode
            self._files.append(files.make(entry.inode) if made else files.of_inode[entry.inode])

    def promises(self, cut: int) -> list[str]:
        """Return what must have survived when the power fails after so many entries."""
        end = f"/{PROMISES}"
        promised = {
            self._files[place]
            for place, entry in enumerate(self.entries)
            if entry.what == _CREATED and entry.paths[0].endswith(end)
        } | {number for path, number in self._first.items() if path == PROMISES}
        said = b"".join(
            entry.content
            for place, entry in enumerate(self.entries[:cut])
            if entry.what == _WRITTEN and self._files[place] in promised
        )
        return said.decode().split()

    def remains(self, cut: int, source: random.Random, target: Path) -> None:
        """Write one of the states that a cut after so many entries may leave into `target`."""
        flushed_files: dict[int, int] = {}
        flushed_folders: dict[str, int] = {}
        for place, entry in enumerate(self.entries[:cut]):
            if entry.what == _FLUSHED:
                # Of two flushes at the same time, the one that began first may end last.
                file, folder = self._files[place], entry.paths[0]
                flushed_files[file] = max(flushed_files.get(file, 0), entry.offset)
                flushed_folders[folder] = max(flushed_folders.get(folder, 0), entry.offset)
        names = dict(self._names())
        contents = {
            number: bytearray((self._base / path).read_bytes()) for path, number in self._first.items()
        }
        for place, entry in enumerate(self.entries[:cut]):
            number = self._files[place]
            if entry.what in (_WRITTEN, _TRUNCATED):
                is_kept = place < flushed_files.get(number, 0)
                _apply(contents.setdefault(number, bytearray()), entry, source, is_kept=is_kept)
            elif entry.what != _FLUSHED:
                parent = entry.paths[-1].rpartition("/")[0]
                if place < flushed_folders.get(parent, 0) or source.random() < 0.5:
                    self._rename(names, entry, number)
        self._write(target, names, contents)

    def _names(self) -> list[tuple[str, int]]:
        folders = [path for path in self._base.rglob("*") if path.is_dir()]
        return [(str(path.relative_to(self._base)), _FOLDER) for path in folders] + list(self._first.items())

    def _rename(self, names: dict[str, int], entry: Entry, number: int) -> None:
        """Do to the names what was done to them."""
        paths = [path.removeprefix(self._root).strip("/") for path in entry.paths]
        if entry.what == _MADE:
            names[paths[0]] = _FOLDER
        elif entry.what == _CREATED:
            names[paths[0]] = number
        elif entry.what == _UNLINKED:
            names.pop(paths[0], None)
        elif paths[0] in names:
            names[paths[1]] = names[paths[0]]
            if entry.what == _RENAMED:
                del names[paths[0]]
        elif (found := self._known(entry.paths[0])) is not None:
            names[paths[1]] = found  # the new name reached the disk, the old one never did

    def _known(self, path: str) -> int | None:
        """Return the file that was made under a path."""
        for place, entry in enumerate(self.entries):
            if entry.what == _CREATED and entry.paths[0] == path:
                return self._files[place]
        return None

    @staticmethod
    def _write(target: Path, names: Mapping[str, int], contents: Mapping[int, bytearray]) -> None:
        target.mkdir(parents=True)
        for path, number in sorted(names.items()):
            place = target / path
            if number == _FOLDER:
                place.mkdir(parents=True, exist_ok=True)
            elif place.parent.is_dir():
                place.write_bytes(contents.get(number, b""))


def _apply(content: bytearray, entry: Entry, source: random.Random, *, is_kept: bool) -> None:
    """Do to a content what was done to it, or what a cut may have left of that."""
    if entry.what == _TRUNCATED:
        if is_kept or source.random() < 0.5:
            del content[entry.offset :]
            content.extend(bytes(entry.offset - len(content)))
        return
    part, start = entry.content, entry.offset
    if not is_kept:
        first, last = sorted(source.randrange(len(part) + 1) for _ in range(2))
        first, last = source.choice([(0, 0), (0, len(part)), (0, last), (first, len(part)), (first, last)])
        part, start = part[first:last], start + first
    if part:
        content.extend(bytes(max(start - len(content), 0)))
        content[start : start + len(part)] = part


def copied(root: Path, base: Path) -> dict[str, int]:
    """Copy a folder as the beginning of a record; return the inodes of its files."""
    shutil.copytree(root, base)
    files = [path for path in root.rglob("*") if path.is_file()]
    return {str(path.relative_to(root)): path.stat().st_ino for path in files}
