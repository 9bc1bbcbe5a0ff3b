"""Time the whole journey of the demo's story: push, match, read and score. Prints figures, asserts none.

Run from the checkout: ``python benchmarks/journey/push_match_score.py``.
"""

import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

sys.path.insert(0, str(Path(__file__).parents[2]))

from fixtures.demo.story import Story, load_story
from imaging_service.demo.answers import results_of
from imaging_service.demo.arriving import build_files, push_everything
from imaging_service.demo.judging import differences
from imaging_service.demo.matching import wait_until_matched
from imaging_service.demo.people import ADMINISTRATOR, COORDINATOR
from imaging_service.demo.play import blinded_subjects, caller_of, read_in_parallel
from imaging_service.demo.preparing import enrol_subjects, ensure_administrator, prepare_trial
from imaging_service.demo.progress import Progress
from imaging_service.demo.pushing import sender_name
from imaging_service.demo.rest import Caller
from imaging_service.demo.running import Installation, running
from imaging_service.demo.senders import register_senders
from tests.builders.peers import free_port

Result = TypeVar("Result")
QUIET_PERIOD_SECONDS = 1.0


class Silence(Progress):
    """Says nothing."""

    def say(self, sentence: str) -> None:
        """Drop the sentence."""


def main() -> None:
    """Play the story once on a fresh installation and print how long each part took."""
    with tempfile.TemporaryDirectory() as folder:
        installation = Installation(
            folder=Path(folder),
            http_port=free_port(),
            dicom_port=free_port(),
            quiet_period_seconds=QUIET_PERIOD_SECONDS,
        )
        with running(installation):
            play(installation, load_story())


def play(installation: Installation, story: Story) -> None:
    """Play the story step by step."""
    quiet = Silence()
    ensure_administrator(installation)
    with caller_of(installation, ADMINISTRATOR) as administrator:
        prepare_trial(administrator, story, quiet)
    register_senders(installation, story, quiet)
    with caller_of(installation, COORDINATOR) as coordinator:
        enrol_subjects(coordinator, story, quiet)
        time_the_journey(installation, story, coordinator, quiet)


def time_the_journey(installation: Installation, story: Story, coordinator: Caller, quiet: Progress) -> None:
    """Push, match, read and fetch, and print how long each took."""
    folders = build_files(installation, story)
    instances = sum(1 for folder in folders for _ in folder.iterdir())
    what = f"push, {sender_name()}"
    timed(what, instances, "instances", lambda: push_everything(installation, story, (), quiet))
    studies = sum(len(subject.timepoints) for subject in story.subjects)
    timed("settle and match", studies, "studies", lambda: wait_until_matched(coordinator, story, quiet))
    subjects = blinded_subjects(coordinator, story)
    timed(
        "read, sign and score",
        studies * len(story.readers),
        "reads",
        lambda: read_in_parallel(installation, story, subjects, quiet),
    )
    results = timed("fetch every answer", studies, "timepoints", lambda: results_of(coordinator, story))
    print(f"{'answers as expected':<32}{'yes' if not list(differences(story, results)) else 'NO':>10}")


def timed(what: str, count: int, unit: str, step: Callable[[], Result]) -> Result:
    """Do a step and print how long it took."""
    started = time.perf_counter()
    result = step()
    seconds = time.perf_counter() - started
    print(f"{what:<32}{seconds:>10.2f} s{count:>8} {unit:<12}{count / seconds:>10.1f} {unit}/s")
    return result


if __name__ == "__main__":
    main()
