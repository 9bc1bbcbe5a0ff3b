"""Entries for the intake log, and a log that is small enough to watch it run full."""

from collections.abc import Callable
from pathlib import Path

from pydicom import Dataset

from dicom_listener.archive.kept import digest_of
from dicom_listener.archive.log_reader import LogReader
from dicom_listener.archive.segment_log import SegmentLog
from dicom_listener.archive.segments import Entry, Record, read_data_set
from tests.dicom_listener.conftest import arrival
from tests.dicom_listener.instances import mr_instance

SEGMENT = 64 * 1024


def entry(data_set: Dataset | None = None, **values: str) -> Entry:
    sent = arrival(data_set or mr_instance(), **values)
    return Entry(
        before=sent.file_meta(),
        data_set=sent.data_set,
        digest=digest_of(sent.data_set),
        provenance=sent.provenance,
    )


def entries(count: int, side: int = 8) -> list[Entry]:
    return [entry(mr_instance(SOPInstanceUID=f"1.2.{number}", side=side)) for number in range(count)]


def opened(
    folder: Path, indexed: int = 0, maximum: int = 16 * SEGMENT, noticed: Callable[[], None] = lambda: None
) -> SegmentLog:
    log = SegmentLog(folder, maximum_bytes=maximum, segment_bytes=SEGMENT, noticed=noticed)
    log.open(lambda _: indexed)
    return log


def recovered(folder: Path, indexed: int = 0) -> list[Record]:
    return list(LogReader(folder, indexed).all())


def contents(records: list[Record]) -> list[tuple[bytes, bytes]]:
    return [(record.before, bytes(read_data_set(record))) for record in records]
