"""Kill -9 of any of the three processes, at several points of the story: the answers stay the same."""

import os
import signal
from pathlib import Path

import pytest

from fixtures.demo.story import Story
from imaging_service.demo.people import ADMINISTRATOR
from imaging_service.demo.play import caller_of, play
from imaging_service.demo.progress import Progress
from imaging_service.demo.running import Installation
from imaging_service.demo.waiting import until
from tests.journeys.stage import assert_as_expected, service_in, story_of

SUBJECTS = ("HER2-01-003", "HER2-02-004")
POINTS = ("enrolled", "pushed", "matched", "signed")
COMMANDS = {
    "listener": "dicom-listener serve",
    "service": "imaging-service serve",
    "worker": "imaging-service worker",
}


class Saboteur(Progress):
    """Kills one of the processes, once at each point of the story, half-way through it."""

    def __init__(self, supervisor: int, victim: str) -> None:
        super().__init__()
        self.killed: list[str] = []
        self._supervisor = supervisor
        self._victim = victim

    def say(self, sentence: str) -> None:
        super().say(sentence)
        self._strike(sentence)

    def count(self, done: int, total: int, what: str) -> None:
        super().count(done, total, what)
        if 2 * done >= total:
            self._strike(what)

    def _strike(self, words: str) -> None:
        for point in POINTS:
            if point in words and point not in self.killed:
                self.killed.append(point)
                os.kill(pid_of(self._supervisor, self._victim), signal.SIGKILL)


@pytest.mark.parametrize("victim", sorted(COMMANDS))
def test_story_ends_the_same_although_a_process_is_killed(tmp_path: Path, victim: str) -> None:
    story = story_of(*SUBJECTS)
    with service_in(tmp_path) as (installation, supervisor):
        saboteur = Saboteur(supervisor.pid, victim)
        played = play(installation, story, saboteur)
        assert supervisor.poll() is None
        assert_records_are_whole(installation, story)
    assert sorted(saboteur.killed) == sorted(POINTS)
    assert_as_expected(story, played)


def assert_records_are_whole(installation: Installation, story: Story) -> None:
    """Assert that the audit's chain has no gap, and that every answer follows from its stored inputs."""
    with caller_of(installation, ADMINISTRATOR) as administrator:
        assert administrator.get("/audit/verification")["is_whole"] is True
        proof = administrator.get(f"/trials/{story.trial_id}/assessments/recomputation")
    reads = sum(len(subject.timepoints) for subject in story.subjects) * len(story.readers)
    assert (proof["checked"], proof["differences"]) == (reads, [])


def pid_of(supervisor: int, victim: str) -> int:
    """Return the process of a program that the supervisor runs, as soon as it runs (again)."""

    def look() -> int | None:
        children = Path(f"/proc/{supervisor}/task/{supervisor}/children").read_text().split()
        for child in children:
            command = Path(f"/proc/{child}/cmdline").read_bytes().replace(b"\0", b" ").decode()
            if COMMANDS[victim] in command:
                return int(child)
        return None

    return until(look, seconds=60, what=f"the {victim} to run")
