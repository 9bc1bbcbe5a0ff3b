"""A listener that is killed or asked to end in the middle of pushes keeps what it has acknowledged."""

import os
import random
import signal
from pathlib import Path

import pytest

from tests.dicom_listener.durability.killing import (
    Pusher,
    check,
    free_port,
    listening,
    prepared,
    push_and_end,
)

CAMPAIGN = "CAMPAIGN" in os.environ


def ended_again_and_again(folder: Path, times: int, instances: int, how: signal.Signals, seed: int) -> int:
    """End a listener so many times in the middle of pushes over four associations; count its promises."""
    prepared(folder).close()
    port, source = free_port(), random.Random(seed)  # noqa: S311 - a choice that can be repeated
    pushers = [Pusher(port, number + 1) for number in range(4)]
    for _ in range(times):
        with listening(folder, port) as process:
            push_and_end(process, pushers, instances, source, how)
            assert how is signal.SIGKILL or process.returncode == 0
    acknowledged = [uid for pusher in pushers for uid in pusher.acknowledged]
    check(folder, port, acknowledged)
    return len(acknowledged)


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM], ids=["killed", "asked to end"])
def test_a_listener_that_is_ended_in_the_middle_loses_nothing(tmp_path: Path, how: signal.Signals) -> None:
    assert ended_again_and_again(tmp_path, 2, 60, how, seed=1)


@pytest.mark.campaign
@pytest.mark.skipif(not CAMPAIGN, reason="the long form runs by 'make campaign'")
@pytest.mark.timeout(3600)
def test_a_listener_that_is_killed_a_hundred_times_loses_nothing(tmp_path: Path) -> None:
    assert ended_again_and_again(tmp_path, 100, 150, signal.SIGKILL, seed=2)
