"""A listener that is killed or asked to end in the middle of pushes keeps what it has acknowledged."""

import os
import random
import signal
from pathlib import Path

import pytest

from tests.dicom_listener.durability.killing import (
    Figures,
    Pusher,
    check,
    listening,
    prepared,
    push_and_end,
)

CAMPAIGN = "CAMPAIGN" in os.environ


def ended_again_and_again(
    folder: Path, times: int, instances: int, how: signal.Signals, seed: int
) -> Figures:
    """End a listener so many times in the middle of pushes over four associations; count its promises."""
    prepared(folder).close()
    log, source, starts = folder / "said", random.Random(seed), []  # noqa: S311 - a choice that can be repeated
    pushers = [Pusher(number + 1) for number in range(4)]
    for _ in range(times):
        with listening(folder, log) as running:
            starts.append(running.seconds)
            push_and_end(running, pushers, instances, source, how)
            assert how is signal.SIGKILL or running.process.returncode == 0
    acknowledged = [uid for pusher in pushers for uid in pusher.acknowledged]
    check(folder, log, acknowledged)
    return Figures(acknowledged=len(acknowledged), starts=starts)


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM], ids=["killed", "asked to end"])
def test_a_listener_that_is_ended_in_the_middle_loses_nothing(tmp_path: Path, how: signal.Signals) -> None:
    assert ended_again_and_again(tmp_path, 2, 60, how, seed=1).acknowledged


@pytest.mark.campaign
@pytest.mark.skipif(not CAMPAIGN, reason="the long form runs by 'make campaign'")
@pytest.mark.timeout(3600)
def test_a_listener_that_is_killed_a_hundred_times_loses_nothing(tmp_path: Path) -> None:
    print(ended_again_and_again(tmp_path, 100, 150, signal.SIGKILL, seed=2))  # noqa: T201 - a report
