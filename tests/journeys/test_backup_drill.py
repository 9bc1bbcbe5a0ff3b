"""The drill: backups during a live push and live reads, the machine lost, everything put back elsewhere."""

import json
import os
import signal
from contextlib import closing
from pathlib import Path
from subprocess import Popen

from dicom_listener.archive import integrity
from dicom_listener.archive.archive import Archive
from imaging_service.demo.answers import results_of
from imaging_service.demo.judging import differences
from imaging_service.demo.people import ADMINISTRATOR, COORDINATOR
from imaging_service.demo.play import caller_of, play
from imaging_service.demo.progress import Progress
from imaging_service.demo.running import Installation
from tests.journeys.stage import assert_as_expected, installation_in, service_in, story_of

SUBJECTS = ("HER2-01-003",)
POINTS = ("pushed", "signed")


class Keeper(Progress):
    """Takes a backup half-way through each point of the story, while the story goes on."""

    def __init__(self, installation: Installation, folder: Path) -> None:
        super().__init__()
        self.acknowledged: dict[str, int] = {}
        """Instances that were acknowledged before the mark of each backup, by the backup's folder."""
        self._points = list(POINTS)
        self._installation = installation
        self._folder = folder

    def count(self, done: int, total: int, what: str) -> None:
        super().count(done, total, what)
        if 2 * done >= total and self._points and self._points[0] in what:
            self._points.pop(0)
            self.back_up()

    def back_up(self) -> None:
        before = counted(self._installation.folder)
        said = self._installation.run(["imaging-service", "backup", str(self._folder)])
        self.acknowledged[said.split()[2]] = before


def counted(folder: Path) -> int:
    """Return how many instances the archive of an installation has."""
    index, objects = f"sqlite:///{folder}/archive/index.sqlite", f"{folder}/archive/objects"
    with closing(Archive.open(index, objects)) as archive:
        return archive.counts()["instances"]


def lose(supervisor: Popen[bytes]) -> None:
    """End every process at once, as a machine that breaks."""
    os.killpg(supervisor.pid, signal.SIGKILL)
    supervisor.wait()


def test_a_lost_machine_is_put_back_from_its_backups(tmp_path: Path) -> None:
    story = story_of(*SUBJECTS)
    backups = tmp_path / "backups"
    with service_in(tmp_path / "lost") as (installation, supervisor):
        keeper = Keeper(installation, backups)
        played = play(installation, story, keeper)
        keeper.back_up()
        lose(supervisor)
    assert len(keeper.acknowledged) == 3
    for number, (backup, acknowledged) in enumerate(keeper.acknowledged.items()):
        place = installation_in(tmp_path / f"new-{number}")
        assert "whose reports are the same" in place.run(["imaging-service", "restore", backup])
        instances = counted(place.folder)
        assert instances >= acknowledged > 0, "an acknowledged instance is missing"
        assert_objects_are_whole(place.folder, instances)
        assert "The audit chain is whole" in place.run(["imaging-service", "audit", "verify"])

    with service_in(place.folder) as (restored, _):
        with caller_of(restored, COORDINATOR) as coordinator:
            results = results_of(coordinator, story)
        with caller_of(restored, ADMINISTRATOR) as administrator:
            assert administrator.get("/audit/verification")["is_whole"] is True
    assert json.dumps(results, default=str) == json.dumps(played.subjects, default=str)
    assert list(differences(story, results)) == []
    assert_as_expected(story, played)


def assert_objects_are_whole(folder: Path, count: int) -> None:
    index, objects = f"sqlite:///{folder}/archive/index.sqlite", f"{folder}/archive/objects"
    with closing(Archive.open(index, objects)) as archive:
        assert list(integrity.verify(archive)) == [None] * count
