"""A file system that is shut down without its journal, under a listener that four associations push to."""

import os
import random
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.dicom_listener.durability.disk import Disk
from tests.dicom_listener.durability.killing import Figures, Pusher, check, listening, prepared

CAMPAIGN = "CAMPAIGN" in os.environ


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Disk]:
    try:
        mounted = Disk(tmp_path)
    except OSError as error:
        pytest.skip(f"no file system can be made and mounted here: {error}")
    yield mounted
    mounted.throw_away()


def push_and_cut(disk: Disk, log: Path, pushers: list[Pusher], instances: int, wanted: int) -> float:
    """Push over all associations until so many are acknowledged, cut the power, and start the disk again.

    What is acknowledged after the cut began counts for nothing: no machine without power says anything, and
    the file system does not report every write that it drops while it goes down. Return how long the
    listener had taken to start.
    """
    before = sum(len(pusher.acknowledged) for pusher in pushers)
    with listening(disk.mount, log) as running, ThreadPoolExecutor(len(pushers)) as pool:
        runs = [pool.submit(pusher.run, running.port, instances) for pusher in pushers]
        while sum(len(pusher.acknowledged) for pusher in pushers) - before < wanted:
            if all(run.done() for run in runs):
                break
            time.sleep(0.001)
        promised = [tuple(pusher.acknowledged) for pusher in pushers]
        disk.cut()
        running.process.kill()
        running.process.wait()
        for run in runs:
            run.result()
    for pusher, before_cut in zip(pushers, promised, strict=True):
        pusher.acknowledged = list(before_cut)
    disk.remove()
    disk.insert()
    return running.seconds


def cut_again_and_again(disk: Disk, cuts: int, instances: int, seed: int) -> Figures:
    prepared(disk.mount).close()
    log, source = disk.image.with_name("said"), random.Random(seed)  # noqa: S311 - a choice that can be repeated
    pushers = [Pusher(number + 1) for number in range(4)]
    starts = [
        push_and_cut(disk, log, pushers, instances, source.randrange(1, instances * 3)) for _ in range(cuts)
    ]
    acknowledged = [uid for pusher in pushers for uid in pusher.acknowledged]
    check(disk.mount, log, acknowledged)
    return Figures(acknowledged=len(acknowledged), starts=starts)


def test_a_listener_whose_disk_is_cut_loses_nothing(disk: Disk) -> None:
    assert cut_again_and_again(disk, 2, 80, seed=1).acknowledged


@pytest.mark.campaign
@pytest.mark.skipif(not CAMPAIGN, reason="the long form runs by 'make campaign'")
@pytest.mark.timeout(3600)
def test_a_hundred_cuts_of_a_disk_lose_nothing(disk: Disk) -> None:
    print(cut_again_and_again(disk, 100, 150, seed=2))  # noqa: T201 - a report
