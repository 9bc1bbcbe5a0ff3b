"""A power cut after any step loses no promised object, and leaves no half one in its place."""

import hashlib
import os
import random
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest

from dicom_listener.archive import index
from dicom_listener.archive.archive import Archive
from dicom_listener.archive.file_meta import split
from dicom_listener.archive.objects_folder import FolderObjectStore
from dicom_listener.archive.records import Digest
from dicom_listener.intake.receive import Intake
from tests.dicom_listener.conftest import arrival
from tests.dicom_listener.instances import mr_instance
from tests.dicom_listener.power import Flushed, Promised, Recorder, promised, recording, remains

CAMPAIGN = "CAMPAIGN" in os.environ


def received(
    archive: Archive, folder: Path, instances: int, threads: int, patch: pytest.MonkeyPatch
) -> Recorder:
    """Receive instances while everything below the object store is recorded.

    An object is promised as soon as its index row is written: from then on a row names it.
    """
    folder.mkdir()
    objects = FolderObjectStore(folder)
    intake = Intake(archive=Archive(archive.database, objects))
    arrivals = [arrival(mr_instance(side=16, SOPInstanceUID=f"1.2.{n % 7}")) for n in range(instances)]
    with recording(folder, patch) as recorder:
        original = index.add

        def add(*arguments: object) -> object:
            recorder.note(Promised(digest=arguments[2].digest))  # type: ignore[attr-defined] # what is kept
            return original(*arguments)  # type: ignore[arg-type] # passed on as they came

        patch.setattr(index, "add", add)
        objects.prepare()
        with ThreadPoolExecutor(threads) as pool:
            list(pool.map(intake.receive, arrivals))
    objects.close()
    return recorder


def check_cut(recorder: Recorder, cut: int, source: random.Random, folder: Path) -> None:
    """Put on disk what a cut may leave, start again there, and look for everything that was promised."""
    events = recorder.events[:cut]
    for path, content in sorted(remains(events, recorder.root, source).items()):
        target = folder / Path(path).relative_to(recorder.root)
        if content is None:
            target.mkdir(parents=True, exist_ok=True)
        else:
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content)
    objects = FolderObjectStore(folder)
    with closing(objects):
        objects.prepare()
        found = set(objects.digests())
        assert found >= promised(events)
        for digest in found:
            content = objects.get(Digest(digest))
            assert hashlib.sha256(content[split(content)[1] :]).hexdigest() == digest
        assert not list((folder / "spool").glob("*.part"))


def check_cuts(recorder: Recorder, cuts: list[int], source: random.Random, folder: Path) -> None:
    for number, cut in enumerate(cuts):
        check_cut(recorder, cut, source, folder / f"cut{number}")


@pytest.mark.parametrize("threads", [1, 4])
def test_a_cut_after_any_step_keeps_every_promise(
    local_archive: Archive, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, threads: int
) -> None:
    recorder = received(local_archive, tmp_path / "store", 12, threads, monkeypatch)
    assert len(promised(recorder.events)) >= 7
    source = random.Random(threads)  # noqa: S311 - cuts that can be repeated
    interesting = [place for place, event in enumerate(recorder.events) if isinstance(event, Promised)]
    cuts = interesting + [source.randrange(len(recorder.events) + 1) for _ in range(40)]
    check_cuts(recorder, [cut + 1 for cut in cuts], source, tmp_path)


def test_a_store_that_forgets_a_flush_is_found_out(
    local_archive: Archive, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The recorder itself is put to the test: without the folders' flushes, promises must break."""
    recorder = received(local_archive, tmp_path / "store", 8, 1, monkeypatch)
    recorder.events = [
        event for event in recorder.events if not (isinstance(event, Flushed) and ".part" not in event.what)
    ]
    source = random.Random(1)  # noqa: S311 - cuts that can be repeated
    with pytest.raises(AssertionError):
        check_cuts(recorder, [len(recorder.events)] * 20, source, tmp_path)


@pytest.mark.campaign
@pytest.mark.skipif(not CAMPAIGN, reason="the long form runs by 'make campaign'")
@pytest.mark.parametrize("seed", range(20))
def test_five_thousand_cuts_keep_every_promise(
    local_archive: Archive, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    recorder = received(local_archive, tmp_path / "store", 100, 4, monkeypatch)
    source = random.Random(seed)  # noqa: S311 - cuts that can be repeated
    cuts = [source.randrange(len(recorder.events) + 1) for _ in range(250)]
    check_cuts(recorder, cuts, source, tmp_path)
