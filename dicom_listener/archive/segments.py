"""Segments of the intake log: files of fixed size, written from front to back, used again when released.

A segment begins with a page that says which log it belongs to and with which record it begins. Records
follow without a gap, each on a page of its own, so that no write touches a page that was acknowledged.
A record carries what recovery needs and its own checksums; the first one that is not the expected next,
or is torn, ends the segment.
"""

import hashlib
import json
import os
import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from dicom_listener.archive.contents import Bytes
from dicom_listener.archive.file_meta import FileMeta, split
from dicom_listener.archive.provenance import Provenance
from dicom_listener.archive.records import Digest
from dicom_listener.errors import MalformedDataSetError

PAGE = 4096
"""Bytes to which segment heads and records are aligned: a system writes no less at once."""

SUFFIX = ".segment"

_SEGMENT = struct.Struct("<8s16sQQ")  # magic, log, sequence of the first record, generation
_RECORD = struct.Struct("<8s16sQQLLQ32s")  # magic, log, sequence, stamp, lengths of three parts, SHA-256
_CHECKSUM = 32
_SEGMENT_MAGIC, _RECORD_MAGIC = b"INTAKE\0\1", b"RECORD\0\1"
_MAXIMUM_HEAD = 64 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """What a segment says of itself."""

    first: int  # number of its first record
    generation: int  # of two segments that begin with one number, the higher was written later


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """An instance as it is given to the log."""

    before: bytes  # file meta information
    data_set: Bytes
    digest: Digest  # of the data set
    provenance: Provenance


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """An instance in a segment; its data set stays there until it is asked for."""

    log: bytes  # identifier of the log
    sequence: int  # 1 for the log's first record
    stamp: int  # nanoseconds of the system's monotonic clock when it was written
    digest: Digest  # of the data set
    before: bytes
    meta: FileMeta  # what `before` says, with the provenance of the arrival
    path: Path
    start: int  # offset of the data set
    length: int  # bytes of the data set
    end: int  # offset of what follows


def segment_head(log: bytes, head: Head) -> bytes:
    """Return the first page of a segment."""
    content = _SEGMENT.pack(_SEGMENT_MAGIC, log, head.first, head.generation)
    return (content + hashlib.sha256(content).digest()).ljust(PAGE, b"\0")


def record_parts(log: bytes, sequence: int, stamp: int, entry: Entry) -> Sequence[Bytes]:
    """Return the bytes of a record, of whole pages together."""
    origin = {"association_id": entry.provenance.association_id, "process": entry.provenance.process}
    extra = json.dumps(origin, separators=(",", ":")).encode()
    lengths = len(extra), len(entry.before), len(entry.data_set)
    head = _RECORD.pack(_RECORD_MAGIC, log, sequence, stamp, *lengths, bytes.fromhex(entry.digest))
    checksum = hashlib.sha256(head + extra + entry.before).digest()
    start = head + checksum + extra + entry.before
    padding = -(len(start) + len(entry.data_set)) % PAGE
    return start, entry.data_set, bytes(padding)


def record_size(entry: Entry) -> int:
    """Return an upper bound of the bytes that a record takes."""
    fixed = _RECORD.size + _CHECKSUM + 256
    return fixed + len(entry.before) + len(entry.data_set) + PAGE


def head_of(path: Path, log: bytes) -> Head | None:
    """Return what a segment says of itself; None where the file is no segment of `log`."""
    with path.open("rb", buffering=0) as file:
        content = file.read(_SEGMENT.size + _CHECKSUM)
    if len(content) < _SEGMENT.size + _CHECKSUM:
        return None
    magic, owner, first, generation = _SEGMENT.unpack_from(content)
    head, checksum = content[: _SEGMENT.size], content[_SEGMENT.size :]
    if (magic, owner) != (_SEGMENT_MAGIC, log) or hashlib.sha256(head).digest() != checksum:
        return None
    return Head(first=first, generation=generation)


def records_of(path: Path, log: bytes, sequence: int, start: int = PAGE) -> Iterator[Record]:
    """Read the records of a segment from the one with number `sequence` at offset `start`.

    It ends before the first record that is not the expected next one. Data sets are not looked at.
    """
    with path.open("rb", buffering=0) as file:
        while (record := _read(file.fileno(), path, log, sequence, start)) is not None:
            yield record
            sequence, start = sequence + 1, record.end


def is_whole(record: Record) -> bool:
    """Tell whether a record's data set is as it was written."""
    return hashlib.sha256(read_data_set(record)).hexdigest() == record.digest


def read_data_set(record: Record, buffer: bytearray | None = None) -> memoryview:
    """Return a record's data set, in `buffer` where that is large enough; short where the file is."""
    if buffer is None or len(buffer) < record.length:
        buffer = bytearray(record.length)
    view, done = memoryview(buffer)[: record.length], 0
    with record.path.open("rb", buffering=0) as file:
        while done < record.length:
            count = os.preadv(file.fileno(), [view[done:]], record.start + done)
            if not count:
                break
            done += count
    return view[:done]


def _read(descriptor: int, path: Path, log: bytes, sequence: int, start: int) -> Record | None:
    content = os.pread(descriptor, PAGE, start)
    if len(content) < _RECORD.size + _CHECKSUM:
        return None
    magic, owner, number, stamp, extra, before, length, digest = _RECORD.unpack_from(content)
    if (magic, owner, number) != (_RECORD_MAGIC, log, sequence) or extra + before > _MAXIMUM_HEAD:
        return None
    place = _RECORD.size + _CHECKSUM
    size = place + extra + before
    if size > len(content):
        content = os.pread(descriptor, size, start)
    rest = content[place:size]
    if hashlib.sha256(content[: _RECORD.size] + rest).digest() != content[_RECORD.size : place]:
        return None
    try:
        meta, _ = split(rest[extra:])
        origin = json.loads(rest[:extra])
    except (MalformedDataSetError, ValueError):
        return None
    end = start + size + length
    return Record(
        log=log,
        sequence=sequence,
        stamp=stamp,
        digest=Digest(digest.hex()),
        before=rest[extra:],
        meta=replace(meta, provenance=replace(meta.provenance, **origin)),
        path=path,
        start=start + size,
        length=length,
        end=end + -end % PAGE,
    )
