"""Originals are on the disk before anybody is told that they are kept."""

import os
from pathlib import Path

import pytest

from dicom_listener.archive.kept import digest_of
from dicom_listener.deidentification.originals import Originals

CONTENT = b"an original"
DIGEST = digest_of(CONTENT)


@pytest.fixture
def flushed(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Return the inodes of what is flushed from now on."""
    inodes: list[int] = []
    through = os.fsync

    def flush(descriptor: int) -> None:
        inodes.append(os.fstat(descriptor).st_ino)
        through(descriptor)

    monkeypatch.setattr(os, "fsync", flush)
    return inodes


def folders_of(folder: Path) -> set[int]:
    return {each.stat().st_ino for each in (folder.parent, folder, folder / DIGEST[:2])}


def test_an_original_and_every_folder_above_it_are_flushed(tmp_path: Path, flushed: list[int]) -> None:
    Originals(tmp_path / "originals").keep(DIGEST, [CONTENT])
    (file,) = (tmp_path / "originals").rglob("*.dcm")
    assert {file.stat().st_ino} | folders_of(tmp_path / "originals") == set(flushed)
    assert Originals(tmp_path / "originals").read(DIGEST) == CONTENT


def test_one_that_a_killed_process_has_only_named_is_flushed_before_it_counts_as_kept(
    tmp_path: Path, flushed: list[int]
) -> None:
    Originals(tmp_path / "originals").keep(DIGEST, [CONTENT])
    flushed.clear()
    again = Originals(tmp_path / "originals")
    again.keep(DIGEST, [CONTENT])
    assert set(flushed) == folders_of(tmp_path / "originals")
    flushed.clear()
    again.keep(DIGEST, [CONTENT])
    assert flushed == [(tmp_path / "originals" / DIGEST[:2]).stat().st_ino]
