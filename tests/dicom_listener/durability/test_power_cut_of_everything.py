"""A power cut at any moment, under the object store, the intake log and the index together."""

import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from dicom_listener.archive.archive import Archive
from dicom_listener.archive.integrity import recover, verify
from dicom_listener.archive.migrate import migrate
from dicom_listener.errors import ListenerError
from tests.dicom_listener.durability import trace
from tests.dicom_listener.durability.trace import Trace
from tests.dicom_listener.durability.workload import keeper_of, opened

CAMPAIGN = "CAMPAIGN" in os.environ
ROOT = Path(__file__).parents[3]

pytestmark = pytest.mark.skipif(
    shutil.which("cc") is None, reason="the recorder is built with a C compiler: cc"
)


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return trace.built_recorder(tmp_path_factory.mktemp("recorder"))


def prepared(folder: Path) -> Path:
    """Return the folder of a new archive."""
    root = folder / "run"
    root.mkdir(parents=True)
    with closing(opened(root)) as archive:
        migrate(archive.database)
    return root


def ended(root: Path, environment: dict[str, str], *arguments: object) -> int:
    """Run the workload to its end, and return how it ended."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.dicom_listener.durability.workload", str(root), *map(str, arguments)],
        env=environment | {"PYTHONPATH": str(ROOT)},
        cwd=ROOT,
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.returncode in {0, -signal.SIGKILL}, done.stderr
    return done.returncode


def recorded(library: Path, folder: Path, instances: int, threads: int, seed: int) -> Trace:
    """Run the workload over a new archive while it is recorded."""
    root = prepared(folder)
    inodes = trace.copied(root, folder / "base")
    assert ended(root, trace.recording(library, root, folder / "record"), instances, threads, seed) == 0
    return Trace(folder / "base", root, trace.read(folder / "record"), inodes)


def check_cut(taken: Trace, cut: int, source: random.Random, folder: Path) -> int:
    """Start again on what a cut has left, and look for everything that was acknowledged before."""
    promised = taken.promises(cut)
    taken.remains(cut, source, folder)
    with closing(opened(folder)) as archive:
        archive.objects.prepare()
        keeper = keeper_of(archive)
        keeper.start()
        try:
            recover(archive)
            assert archive.catch_up(60)
        finally:
            keeper.stop()
        check_archive(archive, folder, promised)
    shutil.rmtree(folder)
    return len(promised)


def check_archive(archive: Archive, folder: Path, promised: list[str]) -> None:
    assert list(filter(None, verify(archive))) == []
    with closing(sqlite3.connect(folder / "index.sqlite")) as database:
        assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        rows = "SELECT digest FROM instances UNION ALL SELECT digest FROM conflicts"
        indexed = [digest for (digest,) in database.execute(rows)]
        filed = {digest for (digest,) in database.execute("SELECT digest FROM receipts")}
    assert set(promised) <= set(indexed)
    assert set(promised) <= filed
    assert sorted(indexed) == sorted(archive.objects.digests())
    assert list((folder / "objects" / "spool").iterdir()) == []


@pytest.mark.parametrize("threads", [1, 4])
def test_a_cut_at_any_moment_loses_nothing_that_was_acknowledged(
    library: Path, tmp_path: Path, threads: int
) -> None:
    taken = recorded(library, tmp_path, 60, threads, seed=threads)
    assert len(taken.promises(len(taken.entries))) == 60
    source = random.Random(threads)  # noqa: S311 - cuts that can be repeated
    for number in range(12):
        check_cut(taken, source.randrange(len(taken.entries) + 1), source, tmp_path / f"cut{number}")


def test_what_a_flush_has_covered_stays_flushed_when_one_that_began_before_it_ends(tmp_path: Path) -> None:
    root, base = tmp_path / "run", tmp_path / "base"
    base.mkdir()
    made = f"{root}/made".encode()
    entries = [
        trace.Entry(ord("C"), 5, 0, made),
        trace.Entry(ord("W"), 5, 0, b"whole"),
        trace.Entry(ord("F"), 5, 2, made),
        trace.Entry(ord("F"), 5, 1, made),
        trace.Entry(ord("F"), 4, 4, bytes(root)),
        trace.Entry(ord("F"), 4, 0, bytes(root)),
    ]
    taken = Trace(base, root, entries, {})
    for seed in range(20):
        taken.remains(len(entries), random.Random(seed), tmp_path / f"cut{seed}")  # noqa: S311 - can be repeated
        assert (tmp_path / f"cut{seed}" / "made").read_bytes() == b"whole"


@pytest.mark.parametrize("forgotten", ["segment", "wal", "folders"])
def test_a_flush_that_is_forgotten_is_found_out(library: Path, tmp_path: Path, forgotten: str) -> None:
    """The recorder itself is put to the test: without a flush, something acknowledged must be missing."""
    taken = recorded(library, tmp_path, 40, 2, seed=7)
    patterns = {"segment": ".segment", "wal": "-wal", "folders": "objects/"}

    def is_forgotten(entry: trace.Entry) -> bool:
        path = entry.content.decode(errors="replace") if entry.what == ord("F") else ""
        return patterns[forgotten] in path and (forgotten != "folders" or Path(path).suffix == "")

    for place, entry in enumerate(taken.entries):
        if is_forgotten(entry):
            taken.entries[place] = trace.Entry(entry.what, entry.inode, 0, b"")
    source = random.Random(1)  # noqa: S311 - cuts that can be repeated
    cuts = [len(taken.entries) - source.randrange(len(taken.entries) // 2) for _ in range(20)]
    assert any(is_harmed(taken, cut, source, tmp_path / f"cut{place}") for place, cut in enumerate(cuts))


def test_a_start_after_a_kill_has_the_index_on_the_disk_before_it_writes_over_a_segment(
    library: Path, tmp_path: Path
) -> None:
    """What a killed process has committed may be seen before it is on the disk."""
    root = prepared(tmp_path)
    assert ended(root, dict(os.environ), 60, 2, 3, "killed") == -signal.SIGKILL
    assert (root / "index.sqlite-wal").stat().st_size
    segments = {path.stat().st_ino for path in (root / "objects" / "log" / "0").glob("*.segment")}
    assert ended(root, trace.recording(library, root, tmp_path / "record"), 0, 1, 3) == 0
    entries = trace.read(tmp_path / "record")
    written = [
        place for place, each in enumerate(entries) if each.what == ord("W") and each.inode in segments
    ]
    flushed = [each.paths[0] for each in entries[: written[0]] if each.what == ord("F")]
    assert str(root / "index.sqlite-wal") in flushed


def is_harmed(taken: Trace, cut: int, source: random.Random, folder: Path) -> bool:
    try:
        check_cut(taken, cut, source, folder)
    except (AssertionError, ListenerError, sqlite3.DatabaseError):
        return True
    return False


@pytest.mark.campaign
@pytest.mark.skipif(not CAMPAIGN, reason="the long form runs by 'make campaign'")
@pytest.mark.parametrize("seed", range(10))
def test_a_hundred_cuts_lose_nothing_of_twenty_thousand_instances(
    library: Path, tmp_path: Path, seed: int
) -> None:
    taken = recorded(library, tmp_path, 2100, 4, seed)
    source = random.Random(seed)  # noqa: S311 - cuts that can be repeated
    cuts = [len(taken.entries), *(source.randrange(len(taken.entries) + 1) for _ in range(9))]
    for number, cut in enumerate(cuts):
        check_cut(taken, cut, source, tmp_path / f"cut{number}")
