"""A listener's intake without its network, to be recorded: ``workload FOLDER INSTANCES THREADS SEED``.

It promises the digest of each instance that it acknowledges. With the word ``killed`` behind its arguments
it is killed as soon as all of them are placed.
"""

import os
import random
import signal
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

from dicom_listener.archive.archive import Archive
from dicom_listener.archive.kept import digest_of
from dicom_listener.archive.segment_log import SegmentLog
from dicom_listener.intake.log_keeper import LogKeeper
from dicom_listener.intake.receive import Intake
from dicom_listener.settings import ListenerSettings
from tests.dicom_listener.conftest import arrival
from tests.dicom_listener.durability.trace import PROMISES
from tests.dicom_listener.instances import mr_instance

SEGMENT = 256 * 1024


def opened(folder: Path) -> Archive:
    return Archive.open(f"sqlite:///{folder}/index.sqlite", str(folder / "objects"))


def keeper_of(archive: Archive) -> LogKeeper:
    """Return a keeper whose log is small, so that its segments are used again and again."""
    keeper = LogKeeper(archive, ListenerSettings())
    assert archive.backlog.root is not None
    keeper.log = SegmentLog(
        archive.backlog.root / "0",
        maximum_bytes=8 * SEGMENT,
        segment_bytes=SEGMENT,
        noticed=keeper.notice,
    )
    return keeper


def main(folder: Path, instances: int, threads: int, seed: int, *, is_killed: bool) -> None:
    source = random.Random(seed)  # noqa: S311 - a choice that can be repeated
    promises = os.open(folder / PROMISES, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    with closing(opened(folder)) as archive:
        archive.objects.prepare()
        keeper = keeper_of(archive)
        keeper.start()
        intake = Intake(archive=archive, log=keeper.log)
        direct = Intake(archive=archive)

        def receive(number: int) -> None:
            uid = f"1.2.{seed}.{number % (instances * 4 // 5)}"  # every fifth comes twice, and differs
            sent = arrival(mr_instance(SOPInstanceUID=uid, InstanceNumber=number, side=64))
            way = direct if source.random() < 0.1 else intake
            if way.receive(sent).outcome.value in {"stored", "already_stored", "conflict_kept"}:
                os.write(promises, digest_of(sent.data_set).encode() + b"\n")

        with ThreadPoolExecutor(threads) as pool:
            list(pool.map(receive, range(instances)))
        if is_killed:
            assert archive.catch_up(60)
            os.kill(os.getpid(), signal.SIGKILL)
        keeper.stop()


if __name__ == "__main__":
    main(Path(sys.argv[1]), *map(int, sys.argv[2:5]), is_killed="killed" in sys.argv[5:])
