"""The intake log: what it has taken is there again, and a torn end is cut off."""

import os
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from dicom_listener.archive import segment_log
from dicom_listener.archive.log_reader import IDENTITY, LogReader
from dicom_listener.archive.marks import Marks
from dicom_listener.archive.segment_log import SegmentLog
from dicom_listener.archive.segments import Entry
from dicom_listener.errors import FolderUnusableError, OutOfResourcesError
from tests.dicom_listener.instances import mr_instance
from tests.dicom_listener.logs import SEGMENT, contents, entries, entry, opened, recovered


def segments_in(folder: Path) -> list[Path]:
    return sorted(folder.glob("*.segment"))


def test_what_was_taken_is_there_again_with_all_that_recovery_needs(tmp_path: Path) -> None:
    log = opened(tmp_path / "log")
    sent = [
        entry(mr_instance(SOPInstanceUID=f"1.2.{n}"), association_id=f"a{n}", process="p") for n in (1, 2)
    ]
    for each in sent:
        log.append(each)
    found = recovered(tmp_path / "log")
    assert contents(found) == [(each.before, each.data_set) for each in sent]
    assert [record.sequence for record in found] == [1, 2]
    assert [record.digest for record in found] == [each.digest for each in sent]
    assert [record.meta.provenance for record in found] == [each.provenance for each in sent]
    assert [record.meta.sop_instance_uid for record in found] == ["1.2.1", "1.2.2"]
    log.close()


def test_a_log_goes_on_behind_what_an_earlier_run_has_left(tmp_path: Path) -> None:
    sent = entries(9)
    for start in (0, 3, 6):
        log = opened(tmp_path / "log")
        for each in sent[start : start + 3]:
            log.append(each)
        log.close()
    found = recovered(tmp_path / "log")
    assert [record.sequence for record in found] == list(range(1, 10))
    assert contents(found) == [(each.before, each.data_set) for each in sent]
    assert [record.sequence for record in recovered(tmp_path / "log", indexed=7)] == [8, 9]


DAMAGES = {
    "nothing of it": lambda record: bytes(len(record)),
    "half of it": lambda record: record[: len(record) // 2] + bytes(len(record) - len(record) // 2),
    "a block of zeros": lambda record: record[:1536] + bytes(512) + record[2048:],
    "one bit of its data set": lambda record: record[:-2000] + bytes([record[-2000] ^ 1]) + record[-1999:],
    "one bit of its head": lambda record: record[:20] + bytes([record[20] ^ 4]) + record[21:],
    "one bit of its file meta": lambda record: record[:400] + bytes([record[400] ^ 4]) + record[401:],
}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_a_torn_end_is_cut_off_and_its_number_used_again(tmp_path: Path, damage) -> None:
    log = opened(tmp_path / "log")
    sent = entries(4, side=32)
    for each in sent[:3]:
        log.append(each)
    log.close()
    _, before, last = recovered(tmp_path / "log")
    content, start = last.path.read_bytes(), before.end
    torn = content[:start] + damage(content[start : last.start + last.length])
    last.path.write_bytes(torn + content[len(torn) :])
    log = opened(tmp_path / "log")
    log.append(sent[3])
    found = recovered(tmp_path / "log")
    assert [record.sequence for record in found] == [1, 2, 3]
    assert contents(found) == [(each.before, each.data_set) for each in (sent[0], sent[1], sent[3])]
    log.close()


def test_what_a_start_has_found_is_durable_before_anything_is_acknowledged_behind_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A process is killed between the write and the flush: the next one sees a record that is not durable."""
    log, flushed = opened(tmp_path / "log"), []
    for each in entries(3):
        log.append(each)
    log.close()
    left = {record.path.stat().st_ino for record in recovered(tmp_path / "log")}
    through = os.fdatasync

    def flush(descriptor: int) -> None:
        flushed.append(os.fstat(descriptor).st_ino)
        through(descriptor)

    monkeypatch.setattr(os, "fdatasync", flush)
    log = opened(tmp_path / "log")
    assert set(flushed) == left
    log.close()


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_one_that_is_torn_hides_nothing_that_was_acknowledged_behind_it(tmp_path: Path, damage) -> None:
    """A record that was never acknowledged lies before others that were, in another run's segment."""
    sent = entries(5, side=32)
    for run in (sent[:3], sent[3:]):
        log = opened(tmp_path / "log")
        append_all(log, run)
        log.close()
    third = recovered(tmp_path / "log")[2]
    begin = recovered(tmp_path / "log")[1].end
    content = third.path.read_bytes()
    torn = content[:begin] + damage(content[begin : third.start + third.length])
    third.path.write_bytes(torn + content[len(torn) :])
    kept = [sent[place] for place in (0, 1, 3, 4)]
    found = recovered(tmp_path / "log")
    assert [record.sequence for record in found] == [1, 2, 4, 5]
    assert contents(found) == [(each.before, each.data_set) for each in kept]
    reader = LogReader(tmp_path / "log", 0, recovered=5)
    assert list(reader.until(5)) == found
    log = opened(tmp_path / "log")
    log.append(sent[2])
    assert [record.sequence for record in recovered(tmp_path / "log")] == [1, 2, 4, 5, 6]
    log.close()


def test_one_whose_data_set_is_torn_hides_nothing_behind_it_in_its_segment(tmp_path: Path) -> None:
    log = opened(tmp_path / "log")
    append_all(log, entries(4))
    log.close()
    second = recovered(tmp_path / "log")[1]
    with second.path.open("r+b") as file:
        file.seek(second.start + second.length - 1)
        file.write(b"\xff")
    assert [record.sequence for record in recovered(tmp_path / "log")] == [1, 3, 4]


def test_a_reader_goes_no_further_than_what_was_acknowledged(tmp_path: Path) -> None:
    log = opened(tmp_path / "log")
    append_all(log, entries(3))
    log.close()
    second = recovered(tmp_path / "log")[1]
    with second.path.open("r+b") as file:
        file.seek(second.start + second.length - 1)
        file.write(b"\xff")
    reader = LogReader(tmp_path / "log", 0, recovered=2)
    assert [record.sequence for record in reader.until(2)] == [1]
    assert reader.sequence == 2


def test_segments_are_used_again_once_their_records_are_indexed(tmp_path: Path) -> None:
    log = opened(tmp_path / "log")
    marks, reader = Marks(tmp_path / "log", is_writer=True), LogReader(tmp_path / "log", 0)
    sent = entries(200, side=32)
    seen = []
    for each in sent:
        log.append(each)
        seen += contents(list(reader.until(marks.acknowledged)))
        marks.indexed = marks.acknowledged
    assert seen == [(each.before, each.data_set) for each in sent]
    assert len(segments_in(tmp_path / "log")) <= 3
    log.close()
    assert recovered(tmp_path / "log", indexed=200) == []


def append_all(log: SegmentLog, sent: list[Entry]) -> None:
    for each in sent:
        log.append(each)


def test_a_log_that_cannot_be_emptied_takes_no_more_and_goes_on_when_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(segment_log, "_FULL_SECONDS", 0.02)
    log = opened(tmp_path / "log", maximum=3 * SEGMENT)
    with pytest.raises(OutOfResourcesError, match="cannot be placed at the moment"):
        append_all(log, entries(100, side=32))
    taken = Marks(tmp_path / "log").acknowledged
    assert len(segments_in(tmp_path / "log")) == 3
    assert [record.sequence for record in recovered(tmp_path / "log")] == list(range(1, taken + 1))
    Marks(tmp_path / "log", is_writer=True).indexed = taken
    log.append(entry())
    assert [record.sequence for record in recovered(tmp_path / "log", indexed=taken)] == [taken + 1]
    log.close()


@pytest.mark.parametrize("call", ["pwritev", "fdatasync"])
def test_a_write_or_flush_that_fails_is_told_and_nothing_before_or_after_is_lost(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    log, sent = opened(tmp_path / "log"), entries(4)
    log.append(sent[0])
    with monkeypatch.context() as patch:
        patch.setattr(os, call, lambda *_: (_ for _ in ()).throw(OSError(28, "No space left on device")))
        with pytest.raises(OutOfResourcesError, match="No space left on device"):
            log.append(sent[1])
    for each in sent[2:]:
        log.append(each)
    acknowledged = [(each.before, each.data_set) for each in (sent[0], *sent[2:])]
    marks = Marks(tmp_path / "log")
    assert contents(list(LogReader(tmp_path / "log", 0).until(marks.acknowledged))) == acknowledged
    log.close()
    assert contents(recovered(tmp_path / "log")) == acknowledged
    log = opened(tmp_path / "log")
    log.append(sent[1])
    assert contents(recovered(tmp_path / "log"))[-1] == (sent[1].before, sent[1].data_set)
    log.close()


def test_many_who_wait_share_a_flush(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log, flushes, sent = opened(tmp_path / "log"), [], entries(6)
    through, may_go_on, has_begun = os.fdatasync, threading.Event(), threading.Event()

    def flush(descriptor: int) -> None:
        flushes.append(descriptor)
        has_begun.set()
        assert may_go_on.wait(60)
        through(descriptor)

    monkeypatch.setattr(os, "fdatasync", flush)
    with ThreadPoolExecutor(6) as pool:
        first = pool.submit(log.append, sent[0])
        assert has_begun.wait(60)
        others = [pool.submit(log.append, each) for each in sent[1:]]
        while len(log._waiting) < 5:  # noqa: SLF001 - the test waits for the line to form
            threading.Event().wait(0.01)
        assert not any(each.done() for each in (first, *others))
        may_go_on.set()
        for each in (first, *others):
            each.result()
    assert len(flushes) == 2
    assert {content for _, content in contents(recovered(tmp_path / "log"))} == {
        each.data_set for each in sent
    }
    log.close()


def test_a_group_may_cross_into_another_segment(tmp_path: Path) -> None:
    log, sent = opened(tmp_path / "log"), entries(60, side=48)
    with ThreadPoolExecutor(30) as pool:
        list(pool.map(log.append, sent))
    found = recovered(tmp_path / "log")
    assert {content for _, content in contents(found)} == {each.data_set for each in sent}
    assert len({record.path for record in found}) > 3
    log.close()


def test_of_two_that_write_to_one_log_the_second_is_refused(tmp_path: Path) -> None:
    log = opened(tmp_path / "log")
    with pytest.raises(FolderUnusableError, match="another listener writes to it"):
        opened(tmp_path / "log")
    log.close()
    opened(tmp_path / "log").close()


def test_a_closed_log_takes_nothing(tmp_path: Path) -> None:
    log = opened(tmp_path / "log")
    log.close()
    with pytest.raises(OutOfResourcesError, match="it is closed"):
        log.append(entry())


def test_an_instance_longer_than_a_segment_is_refused(tmp_path: Path) -> None:
    log = opened(tmp_path / "log")
    with pytest.raises(OutOfResourcesError, match="longer than a segment"):
        log.append(entry(mr_instance(side=256)))
    log.append(entry())
    log.close()


def test_a_folder_that_cannot_be_written_to_is_named(tmp_path: Path) -> None:
    (tmp_path / "log").write_text("a file")
    with pytest.raises(FolderUnusableError, match="cannot write to the folder"):
        SegmentLog(tmp_path / "log" / "0", maximum_bytes=SEGMENT).open(lambda _: 0)


def test_an_identity_that_is_none_is_refused(tmp_path: Path) -> None:
    opened(tmp_path / "log").close()
    (tmp_path / "log" / IDENTITY).write_bytes(b"short")
    with pytest.raises(FolderUnusableError, match="its file 'identity' is not a log's"):
        opened(tmp_path / "log")


def test_records_of_another_log_are_not_taken_for_ones_own(tmp_path: Path) -> None:
    log = opened(tmp_path / "log")
    log.append(entry())
    log.close()
    (tmp_path / "log" / IDENTITY).write_bytes(bytes(16))
    assert recovered(tmp_path / "log") == []
