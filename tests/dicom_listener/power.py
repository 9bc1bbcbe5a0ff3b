"""A recorder under the object store, and what a power cut may leave of what it recorded.

Until a file or a folder is flushed, the system may have written any part of what was done to it, in any
order: contents are torn, names are missing. What was flushed stays. This is less than any file system
promises, so a store that survives here survives there.
"""

import os
import random
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest


@dataclass(frozen=True, slots=True, kw_only=True)
class Named:
    """Something was done to the names of one folder: entered, removed, or both at once."""

    folder: str
    entered: tuple[str, str] | None = None  # name and file
    removed: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """Bytes were appended to a file."""

    file: str
    part: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Flushed:
    """A file or a folder reached the disk as it was when the flush began."""

    what: str
    began: int  # number of things that had been done by then


@dataclass(frozen=True, slots=True, kw_only=True)
class Promised:
    """From here on an object must survive."""

    digest: str


Event = Named | Written | Flushed | Promised
FOLDER = "folder"


@dataclass(slots=True)
class Recorder:
    """What was done below one folder, in order."""

    root: str
    events: list[Event] = field(default_factory=list)
    names: dict[str, str] = field(default_factory=dict)
    lock: threading.RLock = field(default_factory=threading.RLock)

    def note(self, event: Event) -> None:
        with self.lock:
            self.events.append(event)

    def audited(self, name: str, arguments: tuple[object, ...]) -> None:
        """Note what the interpreter is about to do to names."""
        paths = [str(each) for each in arguments[:2] if isinstance(each, str | Path)]
        if not paths or not paths[0].startswith(self.root):
            return
        with self.lock:
            if name == "open" and str(arguments[1]).startswith("x"):
                self.enter(paths[0], paths[0])
            elif name == "os.mkdir" and paths[0] not in self.names and not Path(paths[0]).exists():
                self.enter(paths[0], FOLDER)
            elif name == "os.link":
                self.enter(paths[1], self.names[paths[0]])
            elif name == "os.rename":
                self.rename(*paths)
            elif name == "os.remove" and paths[0] in self.names:
                folder, _, last = paths[0].rpartition("/")
                self.note(Named(folder=folder, removed=last))
                del self.names[paths[0]]

    def enter(self, path: str, file: str) -> None:
        folder, _, last = path.rpartition("/")
        self.names[path] = file
        self.note(Named(folder=folder, entered=(last, file)))

    def rename(self, old: str, new: str) -> None:
        folder, _, last = new.rpartition("/")
        self.names[new] = self.names.pop(old)
        self.note(Named(folder=folder, entered=(last, self.names[new]), removed=old.rpartition("/")[2]))

    def write(self, descriptor: int, part: memoryview, through: object) -> int:
        """Write, noting what was written."""
        count = int(through(descriptor, part))  # type: ignore[operator] # os.write
        path = str(Path(f"/proc/self/fd/{descriptor}").readlink())
        if path in self.names:
            self.note(Written(file=self.names[path], part=bytes(part[:count])))
        return count

    def flush(self, descriptor: int, through: object) -> None:
        """Flush, noting how far."""
        began = len(self.events)
        path = str(Path(f"/proc/self/fd/{descriptor}").readlink())
        through(descriptor)  # type: ignore[operator] # os.fsync
        file = self.names.get(path, FOLDER)
        self.note(Flushed(what=path if file == FOLDER else file, began=began))


_recorders: list[Recorder] = []


def _hook(name: str, arguments: tuple[object, ...]) -> None:
    if _recorders and name in {"open", "os.mkdir", "os.link", "os.rename", "os.remove"}:
        for recorder in tuple(_recorders):
            recorder.audited(name, arguments)


sys.addaudithook(_hook)


@contextmanager
def recording(root: Path, patch: pytest.MonkeyPatch) -> Iterator[Recorder]:
    """Record what is done below `root`."""
    recorder = Recorder(str(root))
    write, flush = os.write, os.fsync
    patch.setattr(os, "write", lambda descriptor, part: recorder.write(descriptor, part, write))
    patch.setattr(os, "fsync", lambda descriptor: recorder.flush(descriptor, flush))
    _recorders.append(recorder)
    try:
        yield recorder
    finally:
        _recorders.remove(recorder)
        patch.undo()


def promised(events: list[Event]) -> set[str]:
    """Return what must have survived these events."""
    return {event.digest for event in events if isinstance(event, Promised)}


def remains(events: list[Event], root: str, source: random.Random) -> dict[str, bytes | None]:
    """Return one of the states that a cut after `events` may leave: contents by path, None for folders."""
    flushed: dict[str, int] = {}
    for event in events:
        if isinstance(event, Flushed):
            flushed[event.what] = max(flushed.get(event.what, 0), event.began)
    names: dict[str, str] = {}
    contents: dict[str, bytes] = {}
    for place, event in enumerate(events):
        if isinstance(event, Written):
            is_kept = place < flushed.get(event.file, 0)
            contents[event.file] = contents.get(event.file, b"") + (
                event.part if is_kept else torn(event.part, source)
            )
        elif isinstance(event, Named) and (place < flushed.get(event.folder, 0) or source.random() < 0.5):
            if event.removed is not None:
                names.pop(f"{event.folder}/{event.removed}", None)
            if event.entered is not None:
                names[f"{event.folder}/{event.entered[0]}"] = event.entered[1]
    found = {path: None if file == FOLDER else contents.get(file, b"") for path, file in names.items()}
    reachable = {path for path, content in found.items() if content is None} | {root}
    return {path: content for path, content in found.items() if path.rpartition("/")[0] in reachable}


def torn(part: bytes, source: random.Random) -> bytes:
    """Return what an unflushed write may leave: nothing, all, a beginning, or blocks of zeros."""
    cut = source.randrange(len(part) + 1)
    return source.choice([b"", part, part[:cut], bytes(cut) + part[cut:]])
